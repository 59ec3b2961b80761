"""The data sets: where files are looked for, and that each gives what Keras gives for the same file."""

import gzip
import hashlib
import importlib
import io
import json
import pickle
import tarfile

import keras
import numpy as np
import pytest

from jkeras import config, datasets
from jkeras.datasets.source import find_file
from jkeras.errors import ArgumentError, DamagedFileError, DownloadError, SignatureError
from tests.utils.server import serving


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache folder, and no network."""
    monkeypatch.setenv("JKERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("JKERAS_DATASETS_URL", "http://127.0.0.1:9")
    (tmp_path / "home" / "datasets").mkdir(parents=True)
    return tmp_path / "home"


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def small_mnist(rng):
    return {
        "x_train": rng.integers(0, 256, (6, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, 6, np.uint8),
        "x_test": rng.integers(0, 256, (2, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, 2, np.uint8),
    }


def assert_equal(ours, theirs):
    for our_half, their_half in zip(ours, theirs, strict=True):
        for our, their in zip(our_half, their_half, strict=True):
            assert our.dtype == their.dtype
            # Keras makes a rectangle of texts that happen to have one length; ours stay an array of lists.
            assert our.shape == their.shape[: our.ndim]
            assert our.tolist() == their.tolist()


@pytest.mark.smoke
def test_digits():
    from sklearn.datasets import load_digits

    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    source = load_digits()
    assert [a.dtype for a in (x_train, y_train, x_test, y_test)] == [np.uint8] * 4
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), source.images)
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), source.target)
    assert (len(x_train), len(x_test)) == (1437, 360)


@pytest.mark.parametrize("place", ["home/datasets", "home", "user/.keras/datasets"])
def test_mnist_is_found(home, tmp_path, rng, place):
    arrays = small_mnist(rng)
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "mnist.npz").write_bytes(npz(**arrays))
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
    for found, name in zip((x_train, y_train, x_test, y_test), arrays, strict=True):
        np.testing.assert_array_equal(found, arrays[name])


def test_mnist_at_a_path(tmp_path, home, rng):
    (tmp_path / "other.npz").write_bytes(npz(**small_mnist(rng)))
    assert datasets.mnist.load_data(str(tmp_path / "other.npz"))[0][0].shape == (6, 28, 28)
    with pytest.raises(DownloadError, match="There is no file"):
        datasets.mnist.load_data(str(tmp_path / "missing.npz"))


def test_mnist_is_downloaded_once(home, rng, monkeypatch):
    contents = npz(**small_mnist(rng))
    monkeypatch.setattr(datasets.mnist, "FILE_HASH", hashlib.sha256(contents).hexdigest())
    with serving({"mnist.npz": contents}) as (url, log):
        monkeypatch.setenv("JKERAS_DATASETS_URL", url)
        for _ in range(2):
            datasets.mnist.load_data()
    assert log == ["mnist.npz"]
    assert (home / "datasets" / "mnist.npz").read_bytes() == contents


def test_a_download_with_another_checksum_is_refused(home, rng, monkeypatch):
    with serving({"mnist.npz": npz(**small_mnist(rng))}) as (url, _):
        monkeypatch.setenv("JKERAS_DATASETS_URL", url)
        with pytest.raises(DamagedFileError, match="expected 731c5ac6"):
            datasets.mnist.load_data()
    assert not list((home / "datasets").iterdir())


@pytest.mark.parametrize(
    ("load", "name"),
    [
        (datasets.mnist.load_data, "datasets/mnist.npz"),
        (datasets.imdb.load_data, "datasets/imdb.npz"),
        (datasets.cifar10.load_data, "datasets/cifar-10-batches-py-target_archive"),
        (datasets.fashion_mnist.load_data, "datasets/fashion-mnist/train-labels-idx1-ubyte.gz"),
    ],
)
def test_without_a_network_the_error_says_where_to_put_the_file(home, load, name):
    with pytest.raises(DownloadError) as caught:
        load()
    assert f"put it at {home / name}" in str(caught.value)
    assert "JKERAS_HOME" in str(caught.value)


@pytest.mark.parametrize("contents", [b"", b"nonsense", npz(x=np.ones(3)), npz(x_train=np.array([{}], object))])
def test_damaged_files_are_named(home, contents):
    (home / "datasets" / "mnist.npz").write_bytes(contents)
    with pytest.raises(DamagedFileError, match=r"mnist\.npz is not the file expected, with the arrays x_train"):
        datasets.mnist.load_data()


def keras_data(monkeypatch, name, path, **arguments):
    """Keras's own `load_data` for a file that lies at `path`."""
    module = importlib.import_module(f"keras.src.datasets.{name}")
    monkeypatch.setattr(module, "get_file", lambda *args, **kwargs: str(path))
    return module.load_data(**arguments)


@pytest.mark.parametrize("name", ["boston_housing", "california_housing"])
@pytest.mark.parametrize("arguments", [{}, {"test_split": 0.37, "seed": 5}, {"test_split": 0}])
def test_housing_equals_keras(home, rng, monkeypatch, name, arguments):
    path = home / f"{name}.npz"
    path.write_bytes(npz(x=rng.normal(size=(21, 8)).astype("float32"), y=rng.normal(size=21)))
    ours = getattr(datasets, name).load_data(**arguments)
    assert_equal(ours, keras_data(monkeypatch, name, path, **arguments))


def test_small_california(home, rng, monkeypatch):
    path = home / "california_housing.npz"
    path.write_bytes(npz(x=rng.normal(size=(700, 8)), y=rng.normal(size=700)))
    ours = datasets.california_housing.load_data("small")
    assert_equal(ours, keras_data(monkeypatch, "california_housing", path, version="small"))
    with pytest.raises(ArgumentError, match="expected 'small' or 'large'"):
        datasets.california_housing.load_data("tiny")
    with pytest.raises(ArgumentError, match=r"expected a number in \[0, 1\)"):
        datasets.california_housing.load_data(test_split=1)


def texts(rng, count):
    rows = np.empty(count, object)
    rows[:] = [rng.integers(1, 50, rng.integers(2, 9)).tolist() for _ in range(count)]
    return rows


TEXT_ARGUMENTS = [
    {},
    {"num_words": 20, "skip_top": 5},
    {"num_words": 20, "oov_char": None, "seed": 1},
    {"maxlen": 6},
    {"start_char": None},
    {"start_char": None, "index_from": None, "oov_char": 0},
    {"start_char": 7, "index_from": 10, "maxlen": 7},
]


@pytest.mark.parametrize("arguments", TEXT_ARGUMENTS)
@pytest.mark.parametrize("name", ["imdb", "reuters"])
def test_texts_equal_keras(home, rng, monkeypatch, name, arguments):
    module = getattr(datasets, name)
    if name == "imdb":
        arrays = {"x_train": texts(rng, 9), "y_train": np.arange(9), "x_test": texts(rng, 8), "y_test": np.arange(8)}
    else:
        arrays = {"x": texts(rng, 17), "y": np.arange(17)}
    path = home / "datasets" / f"{name}.npz"
    path.write_bytes(npz(**arrays))
    monkeypatch.setattr(module, "FILE_HASH", hashlib.sha256(path.read_bytes()).hexdigest())
    assert_equal(module.load_data(**arguments), keras_data(monkeypatch, name, path, **arguments))


def test_pickled_files_must_be_the_original(home):
    (home / "imdb.npz").write_bytes(npz(x_train=np.array([[1], [2, 3]], object)))
    with pytest.raises(DamagedFileError, match="It needs to be the original file"):
        datasets.imdb.load_data()


class Evil:
    def __reduce__(self):
        return (print, ("run",))


def test_pickles_run_nothing(home, monkeypatch, capsys):
    rows = np.empty(1, object)
    rows[0] = Evil()
    path = home / "reuters.npz"
    path.write_bytes(npz(x=rows, y=np.ones(1)))
    monkeypatch.setattr(datasets.reuters, "FILE_HASH", hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(DamagedFileError, match="print has no place in a data set"):
        datasets.reuters.load_data()
    assert capsys.readouterr().out == ""


def test_texts_bad_arguments(home, rng, monkeypatch):
    path = home / "reuters.npz"
    path.write_bytes(npz(x=texts(rng, 5), y=np.arange(5)))
    monkeypatch.setattr(datasets.reuters, "FILE_HASH", hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ArgumentError, match="no text is shorter"):
        datasets.reuters.load_data(maxlen=1)
    with pytest.raises(SignatureError, match="no argument 'nb_words'. Did you mean 'num_words'"):
        datasets.imdb.load_data(nb_words=3)


def test_word_index_and_topics(home, monkeypatch):
    contents = json.dumps({"the": 1, "été": 2}).encode()
    with serving({"imdb_word_index.json": contents}) as (url, _):
        monkeypatch.setenv("JKERAS_DATASETS_URL", url)
        monkeypatch.setattr(datasets.imdb, "WORD_INDEX_HASH", hashlib.md5(contents).hexdigest())
        assert datasets.imdb.get_word_index() == {"the": 1, "été": 2}
    assert datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()


def cifar_archive(folder, batches, monkeypatch):
    """An archive of such batches, whose checksums are taken for the right ones."""
    checksums = {name: hashlib.md5(pickle.dumps(batch)).hexdigest() for name, batch in batches.items()}
    monkeypatch.setattr(datasets.cifar, "CHECKSUMS", {folder: checksums})
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, batch in batches.items():
            contents = pickle.dumps(batch)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(contents)
            archive.addfile(info, io.BytesIO(contents))
    return file.getvalue()


def batch(rng, count, **labels):
    images = rng.integers(0, 256, (count, 3072), np.uint8)
    return {b"data": images, **{k.encode(): rng.integers(0, 10, count).tolist() for k in labels}}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_cifar100_equals_keras(home, rng, monkeypatch, data_format):
    labels = {"fine_labels": 1, "coarse_labels": 1}
    parts = {"train": batch(rng, 5, **labels), "test": batch(rng, 2, **labels)}
    contents = cifar_archive("cifar-100-python", parts, monkeypatch)
    monkeypatch.setattr(datasets.cifar100, "FILE_HASH", hashlib.sha256(contents).hexdigest())
    with serving({"cifar-100-python.tar.gz": contents}) as (url, _):
        monkeypatch.setenv("JKERAS_DATASETS_URL", url)
        monkeypatch.setattr(config, "_image_data_format", data_format)
        monkeypatch.setattr(keras.src.backend, "image_data_format", lambda: data_format)
        path = home / "datasets" / "cifar-100-python-target"
        for mode in ("fine", "coarse"):
            (x, y), (x_test, y_test) = datasets.cifar100.load_data(mode)
            theirs = keras_data(monkeypatch, "cifar100", path, label_mode=mode)
            for our, their in zip((x, y, x_test, y_test), (*theirs[0], *theirs[1]), strict=True):
                np.testing.assert_array_equal(our, their)
    with pytest.raises(ArgumentError, match="expected 'fine' or 'coarse'"):
        datasets.cifar100.load_data("rough")


def test_cifar10_reads_all_batches(home, rng, monkeypatch):
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    parts = {name: batch(rng, 3, labels=1) for name in names}
    contents = cifar_archive("cifar-10-batches-py", parts, monkeypatch)
    monkeypatch.setattr(datasets.cifar10, "FILE_HASH", hashlib.sha256(contents).hexdigest())
    with serving({"cifar-10-python.tar.gz": contents}) as (url, _):
        monkeypatch.setenv("JKERAS_DATASETS_URL", url)
        (x_train, y_train), (x_test, _y_test) = datasets.cifar10.load_data()
    assert x_train.shape == (15, 32, 32, 3) and x_test.shape == (3, 32, 32, 3)
    assert y_train.ravel().tolist() == [n for i in range(1, 6) for n in parts[f"data_batch_{i}"][b"labels"]]
    expected = parts["data_batch_2"][b"data"][0].reshape(3, 32, 32).transpose(1, 2, 0)
    np.testing.assert_array_equal(x_train[3], expected)
    changed = home / "datasets" / "cifar-10-batches-py-target" / "cifar-10-batches-py" / "data_batch_3"
    changed.write_bytes(pickle.dumps(batch(rng, 3, labels=1)))
    with pytest.raises(DamagedFileError, match="data_batch_3 .*has the checksum"):
        datasets.cifar10.load_data()


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def test_fashion_mnist_equals_keras(home, rng, monkeypatch):
    module = datasets.fashion_mnist
    shapes = {"y_train": (6,), "x_train": (6, 28, 28), "y_test": (2,), "x_test": (2, 28, 28)}
    files = {k: (module.FILES[k][0], shape) for k, shape in shapes.items()}
    monkeypatch.setattr(module, "FILES", files)
    contents = {name: gzip.compress(idx(rng.integers(0, 9, shape, np.uint8))) for name, shape in files.values()}
    with serving(contents) as (url, _):
        monkeypatch.setenv("JKERAS_DATASETS_URL", url)
        ours = module.load_data()
    folder = home / "datasets" / "fashion-mnist"
    their_module = importlib.import_module("keras.src.datasets.fashion_mnist")
    monkeypatch.setattr(their_module, "get_file", lambda name, **kwargs: str(folder / name))
    assert_equal(ours, their_module.load_data())
    for broken in (b"junk", gzip.compress(b"junk"), gzip.compress(idx(np.zeros((5, 28, 28), np.uint8)))):
        (folder / files["x_train"][0]).write_bytes(broken)
        with pytest.raises(DamagedFileError, match=r"train-images-idx3-ubyte\.gz .*Remove it"):
            module.load_data()


def test_real_mnist(shared_data, monkeypatch):
    monkeypatch.setenv("JKERAS_HOME", str(shared_data))
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert (int(x_train.max()), x_test.dtype, y_test.shape) == (255, np.uint8, (10000,))


def test_pinned_checksums_are_keras_s():
    for name in ("mnist", "cifar10", "cifar100", "imdb", "reuters", "boston_housing", "california_housing"):
        source = importlib.import_module(f"keras.src.datasets.{name}").load_data
        with open(source.__code__.co_filename) as file:
            assert getattr(datasets, name).FILE_HASH in file.read()


def test_find_file_prefers_the_named_home(home, tmp_path):
    user = tmp_path / "user" / ".keras" / "datasets"
    user.mkdir(parents=True)
    (user / "a.bin").write_bytes(b"")
    assert find_file("a.bin", "a.bin", "0" * 64) == user / "a.bin"
    (home / "a.bin").write_bytes(b"")
    assert find_file("a.bin", "a.bin", "0" * 64) == home / "a.bin"
