"""The checksum behind HDF5 files: damage is noticed, other programs do not see it."""

import h5py
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers
from jkeras.files.containers import hdf5, seals


def saved(path):
    model = jk.Sequential([jk.Input((3,)), layers.Dense(2)]).init(1)
    model.save(path)
    return model


def test_every_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "m.h5"
    hdf5.write(path, {"a/b": np.arange(3.0)}, {})
    data = path.read_bytes()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x10
        path.write_bytes(changed)
        with pytest.raises(errors.RestoreError, match="checksum|not an HDF5"), hdf5.open_tree(path, "here"):
            pass


def test_h5py_does_not_see_it(tmp_path):
    path = tmp_path / "m.h5"
    model = saved(path)
    assert path.read_bytes().endswith(seals.CLOSE)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["model_weights/dense/dense/kernel"][()], model.get_weights()[0])


def test_a_file_changed_with_h5py_is_read(tmp_path):
    path = tmp_path / "m.h5"
    saved(path)
    with h5py.File(path, "r+") as file:
        file["model_weights/dense/dense/bias"][...] = 7
    np.testing.assert_array_equal(jk.load_model(path).get_weights()[1], [7, 7])
    with h5py.File(path, "r+") as file:
        file["more"] = np.zeros(100)
        del file["more"]
    assert jk.load_model(path).built


def test_keras_reads_it(tmp_path):
    keras = pytest.importorskip("keras")
    path = tmp_path / "m.h5"
    model = saved(path)
    loaded = keras.models.load_model(path, compile=False)
    for result, want in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(result, want)
