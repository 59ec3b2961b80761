"""A heap of texts in an HDF5 file in which the HDF5 library would stand still."""

import struct

import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, keras
from jkeras.files.containers import hdf5, hdf5_heaps


def with_a_free_object_of_no_size(contents):
    """The same file, but that what is free in each heap is 0 bytes long."""
    contents, heaps = bytearray(contents), 0
    start = contents.find(hdf5_heaps.SIGNATURE)
    while start >= 0:
        end = start + int.from_bytes(contents[start + 8 : start + 16], "little")
        position = start + hdf5_heaps.HEADER
        while position + 16 <= end:
            number, _, _, size = hdf5_heaps.OBJECT.unpack(contents[position : position + 16])
            if number == 0:
                contents[position + 8 : position + 16] = struct.pack("<Q", 0)
                heaps += 1
                break
            position += 16 + -(-size // 8) * 8
        start = contents.find(hdf5_heaps.SIGNATURE, end)
    assert heaps
    return bytes(contents)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    import h5py

    path = tmp_path_factory.mktemp("heaps") / "model.h5"
    model = jk.Sequential([jk.Input((3,)), jk.layers.Dense(2)])
    model.save(path)
    with h5py.File(path, "r+") as opened:  # as Keras writes it, without a seal
        config = opened.attrs["model_config"]
        text = config if isinstance(config, str) else bytes(config).decode()
        del opened.attrs["model_config"]
        opened.attrs["model_config"] = text
    return path


@pytest.mark.parametrize("load", [jk.load_model, keras.models.load_model])
def test_a_file_that_would_never_end(load, file, tmp_path):
    damaged = tmp_path / "damaged.h5"
    contents = file.read_bytes()
    damaged.write_bytes(with_a_free_object_of_no_size(contents))
    with pytest.raises(errors.RestoreError, match="damaged"):
        load(damaged)


def test_in_memory():
    import io

    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as opened:
        opened.attrs["text"] = "a text"
        opened["array"] = np.ones(3)
    with hdf5.open_tree(buffer.getvalue(), "here") as tree:
        assert tree.attribute("", "text") == "a text"
    with (
        hdf5.open_tree(with_a_free_object_of_no_size(buffer.getvalue()), "here") as tree,
        pytest.raises(errors.RestoreError, match="nothing follows"),
    ):
        tree.attribute("", "text")


def test_heaps_that_overlap():
    heap = hdf5_heaps.SIGNATURE + (2**20).to_bytes(8, "little")
    with pytest.raises(errors.RestoreError, match="overlap"):
        hdf5_heaps.check(heap * 1000, "here")
