"""Large arrays of files, which JAX takes as they lie in memory."""

import io
import warnings
import zipfile

import h5py
import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.files.containers import archives, buffers, hdf5, kinds
from jkeras.files.device_arrays import LARGE, on_device
from jkeras.files.table import FORMATS

UNITS = 520  # a kernel of them is more than `LARGE`
X = np.random.default_rng(0).normal(size=(8, UNITS)).astype("float32")


def model():
    made = jk.Sequential([jk.Input((UNITS,)), layers.Dense(UNITS, activation="tanh"), layers.Dense(UNITS)])
    return made.compile("adam", "mse").init(0)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "model.keras"
    model().save(path)
    return path


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


def test_large_arrays_are_aligned_in_the_file(path):
    """And so in memory, and what is written is what h5py reads."""
    contents = archives.read(path)["model.weights.h5"]
    assert isinstance(contents, memoryview) and contents.readonly
    assert np.frombuffer(contents, np.uint8).ctypes.data % buffers.ALIGNMENT == 0
    with hdf5.open_tree(contents, "it") as tree, h5py.File(io.BytesIO(contents)) as file:
        assert any(np.prod(shape) * 4 >= LARGE for shape in tree.shapes.values())
        for name, shape in tree.shapes.items():
            array = tree.array(name)
            assert np.array_equal(array, file[name][()])
            assert array.nbytes < LARGE or array.ctypes.data % buffers.ALIGNMENT == 0, (name, shape)


@pytest.mark.parametrize("kind", ["", ".h5", ".weights.h5", ".weights.json", ".safetensors"])
def test_large_arrays_are_aligned_in_memory(kind, tmp_path):
    """So a load takes no more memory than the size of the file."""
    path, first = tmp_path / f"weights{kind}", model()
    first.save_weights(path)
    found = FORMATS[kinds.to_read(path, "")].read_weights(first, path, False)
    arrays = [entry.read() for entry in found.entries.values()]
    large = [array for array in arrays if array.nbytes >= LARGE]
    assert len(large) == 2 and len(arrays) == 4
    assert all(isinstance(array, np.ndarray) and array.ctypes.data % buffers.ALIGNMENT == 0 for array in large)


@pytest.mark.parametrize("kind", ["", ".keras", ".h5", ".weights.h5", ".weights.json", ".safetensors"])
def test_training_after_a_load(kind, tmp_path):
    """Arrays that are given away to a step are not changed under the models that have them, too, and nothing is warned of."""
    path, first = tmp_path / f"model{kind}", model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if kind in ("", ".keras", ".h5"):
            first.save(path)
            found = jk.load_model(path)
        else:
            first.save_weights(path)
            found = model().init(5).load_weights(path)
        trained = found.fit(X, X, epochs=2, verbose=0, shuffle=False)
        expected = first.fit(X, X, epochs=2, verbose=0, shuffle=False)
        assert same(trained, expected)


def test_steps_leave_the_memory_of_a_file_alone():
    memory = np.frombuffer(buffers.aligned(4 * LARGE), "float32")
    memory[:] = 1.0
    taken = on_device({"a": memory}, {"a": "float32"})["a"]
    jax.block_until_ready(jax.jit(lambda a: a + 1, donate_argnums=0)(taken))
    assert np.all(memory == 1.0)


def test_a_small_part_of_a_file_does_not_keep_all_of_it():
    memory = np.frombuffer(buffers.aligned(4 * LARGE), "float32")
    memory[:] = 1.0
    copied = on_device({"a": memory}, {"a": "float32"}, size=9 * LARGE)["a"]
    memory[:] = 2.0
    assert np.all(np.asarray(copied) == 1.0)


@pytest.mark.parametrize("place", [0.001, 0.5, 0.999])
def test_changed_bytes_are_noticed(path, place, tmp_path):
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("model.weights.h5")
    data = bytearray(path.read_bytes())
    data[member.header_offset + 100 + int(place * (member.file_size - 100))] ^= 1
    changed = tmp_path / "changed.keras"
    changed.write_bytes(data)
    with pytest.raises(jk.errors.RestoreError, match="damaged"):
        jk.load_model(changed)


def test_memory_file():
    file = buffers.MemoryFile(memoryview(b"0123456789"))
    assert file.read(3) == b"012" and file.tell() == 3
    assert file.seek(-2, io.SEEK_END) == 8 and file.read() == b"89" and file.read() == b""
    assert file.seek(20) == 20 and file.read(1) == b""
    assert file.seek(1) == 1 and file.seek(2, io.SEEK_CUR) == 3 and file.read(1) == b"3"
    with pytest.raises(ValueError, match="position"):
        file.seek(-1)
