"""Data sets of folders, against Keras's (its Grain form, which needs no TensorFlow)."""

import keras
import numpy as np
import pytest

from jkeras.errors import ArgumentError, InputError
from jkeras.utils import image_dataset_from_directory, text_dataset_from_directory
from jkeras.utils.images import save_img

pytest.importorskip("PIL")
pytest.importorskip("grain")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name, count in (("cats", 4), ("dogs", 3)):
        (folder / name / "deep").mkdir(parents=True)
        for i in range(count):
            sub = "deep" if i == 1 else ""
            save_img(folder / name / sub / f"{i}.{'PNG' if i else 'bmp'}", rng.uniform(0, 255, (6 + i, 9, 3)))
        (folder / name / "notes.md").write_text("no picture")
    (folder / ".hidden").mkdir()
    return folder


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    for name, count in (("bad", 3), ("good", 2)):
        (folder / name).mkdir()
        for i in range(count):
            (folder / name / f"{i}.txt").write_text(f"{name} number {i}", encoding="utf-8")
    return folder


def assert_equal(ours, theirs):
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        if not isinstance(our, tuple):
            our, their = (our,), (their,)
        for a, b in zip(our, their, strict=True):
            if isinstance(b, tuple):  # strings
                assert a.tolist() == list(b)
                continue
            assert a.shape == b.shape and a.dtype == b.dtype
            np.testing.assert_allclose(a, b, atol=2e-3)


PICTURES = [
    {},
    {"label_mode": "categorical", "image_size": 5},
    {"label_mode": "binary", "color_mode": "grayscale"},
    {"label_mode": None, "color_mode": "rgba"},
    {"labels": [0, 1, 2, 1, 0, 2, 1]},
    {"labels": None, "batch_size": None},
    {"class_names": ["dogs", "cats"]},
    {"class_names": ["dogs"], "data_format": "channels_first"},
    {"interpolation": "nearest", "crop_to_aspect_ratio": True},
    {"pad_to_aspect_ratio": True},
    {"validation_split": 0.3, "subset": "training"},
    {"validation_split": 0.3, "subset": "validation"},
]


@pytest.mark.parametrize("arguments", PICTURES, ids=str)
def test_pictures_equal_keras(pictures, arguments):
    arguments = {"batch_size": 3, "image_size": (4, 6), "shuffle": False, "verbose": False, **arguments}
    ours = image_dataset_from_directory(pictures, **arguments)
    theirs = keras.utils.image_dataset_from_directory(str(pictures), format="grain", **arguments)
    assert_equal(ours, theirs)
    assert ours.class_names == theirs.class_names
    assert ours.file_paths == theirs.file_paths


TEXTS = [{}, {"max_length": 4, "label_mode": "binary"}, {"label_mode": None}, {"labels": [3, 1, 2, 1, 0]}]


@pytest.mark.parametrize("arguments", TEXTS, ids=str)
def test_texts_equal_keras(texts, arguments):
    arguments = {"batch_size": 2, "shuffle": False, "verbose": False, **arguments}
    ours = text_dataset_from_directory(texts, **arguments)
    theirs = keras.utils.text_dataset_from_directory(str(texts), format="grain", **arguments)
    assert_equal(ours, theirs)
    assert ours.class_names == theirs.class_names


def test_shuffled_parts_equal_keras_and_do_not_overlap(texts, capsys):
    arguments = {"validation_split": 0.4, "subset": "both", "seed": 3}
    train, validation = text_dataset_from_directory(texts, **arguments)
    assert capsys.readouterr().out == "Found 5 files of 2 classes.\n"
    their_train, their_validation = keras.utils.text_dataset_from_directory(str(texts), format="grain", **arguments)
    seen = [sorted(s for batch, _ in part for s in batch) for part in (train, validation)]
    assert seen == [sorted(s for batch, _ in part for s in batch) for part in (their_train, their_validation)]
    assert len(set(seen[0]) | set(seen[1])) == 5
    assert len({tuple(text for batch, _ in train for text in batch) for _ in range(8)}) > 1
    for batch, labels in train:
        assert all(text.startswith(["bad", "good"][label]) for text, label in zip(batch, labels, strict=True))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": "guess"}, ArgumentError, "expected 'inferred', None or a list"),
        ({"labels": [1, 2]}, InputError, "Got 2 labels for the 7 files"),
        ({"labels": None, "class_names": ["a"]}, ArgumentError, "goes with labels='inferred'"),
        ({"class_names": ["birds"]}, ArgumentError, r"has the subfolders \['cats', 'dogs'\]"),
        ({"label_mode": "float"}, ArgumentError, "label_mode='float'"),
        ({"label_mode": "binary", "class_names": ["cats"]}, ArgumentError, "exactly 2 classes"),
        ({"color_mode": "bgr"}, ArgumentError, "color_mode='bgr'"),
        ({"interpolation": "area"}, ArgumentError, "interpolation='area'"),
        ({"format": "torch"}, ArgumentError, "format='torch'"),
        ({"subset": "test"}, ArgumentError, "subset='test'"),
        ({"subset": "training"}, ArgumentError, "or neither"),
        ({"validation_split": 0.2}, ArgumentError, "or neither"),
        ({"validation_split": 0.1, "subset": "validation"}, InputError, "leaves one part empty"),
    ],
)
def test_bad_arguments(pictures, arguments, error, message):
    with pytest.raises(error, match=message):
        image_dataset_from_directory(pictures, verbose=False, **arguments)


def test_folders_without_files(tmp_path):
    with pytest.raises(InputError, match="No files with the endings .txt"):
        text_dataset_from_directory(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        image_dataset_from_directory(tmp_path / "missing")
