"""The `.safetensors` reader and writer: round trips, files of other writers, and files that lie."""

import json

import ml_dtypes
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers
from jkeras.files.containers import safetensors

ARRAYS = {
    "b/kernel": np.arange(6, dtype="float32").reshape(2, 3),
    "a": np.array([True, False, True]),
    "half": np.arange(4).astype("float16"),
    "brain": np.arange(4).astype(ml_dtypes.bfloat16).reshape(2, 2),
    "eighth": np.arange(3).astype(ml_dtypes.float8_e4m3fn),
    "step": np.int64(-7),
    "bytes": np.arange(5, dtype="uint8"),
    "none": np.zeros((0, 3), "int32"),
    "complex": np.array([1 + 2j], "complex64"),
    "turned": np.arange(6, dtype="float64").reshape(2, 3).T,
    "big endian": np.arange(3, dtype=">f4"),
    "ümlaut": np.ones((1, 1, 1), "int8"),
}


def test_every_type_comes_back(tmp_path):
    safetensors.write(tmp_path / "x.safetensors", ARRAYS, {"format": "np"})
    found, metadata = safetensors.read_all(tmp_path / "x.safetensors")
    assert metadata == {"format": "np"} and set(found) == set(ARRAYS) and list(found) == sorted(found)
    for name, value in ARRAYS.items():
        assert found[name].dtype.name == value.dtype.name and found[name].shape == value.shape
        np.testing.assert_array_equal(found[name], value)


def test_the_bytes_are_those_of_the_format(tmp_path):
    """Worked out by hand from the description of the format: length, JSON, values, wide types first."""
    path = tmp_path / "x.safetensors"
    safetensors.write(path, {"small": np.array([1, 2], "int8"), "wide": np.array([1.0], "float32")})
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0 and header.pop("__metadata__").keys() == {"crc32"}
    assert header == {
        "wide": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "small": {"dtype": "I8", "shape": [2], "data_offsets": [4, 6]},
    }
    assert data[8 + length :] == b"\x00\x00\x80\x3f\x01\x02"


def raw(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_files_without_a_checksum_are_read(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(raw({"w": entry()}, np.float32(2).tobytes()))
    assert safetensors.read(path) == {"w": np.float32([2])}
    path.write_bytes(raw(b"{}"))
    assert safetensors.read(path) == {}


LIES = {
    "empty": (b"", "not a safetensors"),
    "cut in the length": (b"\x01\x00", "not a safetensors"),
    "a header longer than the file": ((2**63).to_bytes(8, "little") + b"{}", "not a safetensors"),
    "no object": (raw(b"[1]"), "not a JSON object"),
    "no JSON": (raw(b"{]"), "not a JSON object"),
    "no text": (raw(b'{"\xff": 1}'), "not a JSON object"),
    "nested": (raw(b'{"a":' * 200_000), "nested too deeply|not a JSON"),
    "a name twice": (raw(b'{"a": 1, "a": 2}'), "used twice"),
    "unknown type": (raw({"w": entry("F99")}, bytes(4)), "F99"),
    "a type that is no text": (raw({"w": entry(["F32"])}, bytes(4)), "type"),
    "missing offsets": (raw({"w": {"dtype": "F32", "shape": [1]}}, bytes(4)), "entry 'w'"),
    "extra key": (raw({"w": {**entry(), "path": "/etc/passwd"}}, bytes(4)), "entry 'w'"),
    "entry is a number": (raw({"w": 3}, bytes(4)), "entry 'w'"),
    "a huge shape": (raw({"w": entry(shape=(2**25, 2**25))}, bytes(4)), "refused"),
    "a shape that overflows": (raw({"w": entry(shape=(2**62, 2**62, 0), offsets=(0, 0))}), "damaged"),
    "offsets outside": (raw({"w": entry(offsets=(4, 8))}, bytes(4)), "refused"),
    "offsets backwards": (raw({"w": entry(offsets=(4, 0))}, bytes(4)), "refused"),
    "negative": (raw({"w": entry(shape=(-1,), offsets=(4, 0))}, bytes(4)), "damaged"),
    "fractions": (raw({"w": entry(shape=(1.0,))}, bytes(4)), "damaged"),
    "booleans": (raw({"w": entry(shape=(True,))}, bytes(4)), "damaged"),
    "overlap": (raw({"v": entry(), "w": entry(offsets=(2, 6))}, bytes(8)), "overlaps"),
    "gap": (raw({"v": entry(), "w": entry(offsets=(5, 9))}, bytes(9)), "gap"),
    "bytes left over": (raw({"w": entry()}, bytes(5)), "belong to no array"),
    "metadata no texts": (raw({"__metadata__": {"a": 1}}), "metadata"),
    "another checksum": (raw({"__metadata__": {"crc32": "00000000"}, "w": entry()}, b"abcd"), "checksum"),
}


@pytest.mark.parametrize("name", LIES)
def test_files_that_lie_are_refused(name, tmp_path):
    contents, message = LIES[name]
    path = tmp_path / "x.safetensors"
    path.write_bytes(contents)
    with pytest.raises(errors.RestoreError, match=message):
        safetensors.read(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(errors.RestoreError, match="cannot be read"):
        safetensors.read(tmp_path / "nothing.safetensors")


def test_every_flipped_bit_of_the_arrays_is_noticed(tmp_path):
    path = tmp_path / "x.safetensors"
    safetensors.write(path, {"w": np.arange(3, dtype="float32")})
    data = path.read_bytes()
    for position in range(len(data) - 12, len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << (position % 8)
        path.write_bytes(changed)
        with pytest.raises(errors.RestoreError, match="checksum"):
            safetensors.read(path)


@pytest.mark.parametrize(
    ("arrays", "metadata"), [({"t": np.array(["a"])}, None), ({}, {"a": 1}), ({"__metadata__": 1}, None)]
)
def test_what_cannot_be_written(arrays, metadata, tmp_path):
    with pytest.raises(errors.ArgumentError):
        safetensors.write(tmp_path / "x.safetensors", arrays, metadata)
    assert not list(tmp_path.iterdir())


def test_weights_of_models(tmp_path):
    def build(units=3):
        return jk.Sequential([jk.Input((4,)), layers.Dense(units, name="first"), layers.BatchNormalization()])

    model = build().init(1)
    model.save_weights(tmp_path / "x.safetensors")
    found, metadata = safetensors.read_all(tmp_path / "x.safetensors")
    assert sorted(found) == sorted(model.weight_paths)
    assert metadata["library_name"] == "jkeras" and metadata["weights"] == f"{model.count_params():,}"
    for result, want in zip(
        build().load_weights(tmp_path / "x.safetensors").get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(result, want)
    part = build().init(2).load_weights(tmp_path / "x.safetensors", only="first/kernel")
    np.testing.assert_array_equal(part.get_weights()[0], model.get_weights()[0])
    with pytest.raises(errors.RestoreError, match=r"first/kernel.*\[4, 3\].*\[4, 5\]"):
        _ = build(5).load_weights(tmp_path / "x.safetensors")


def test_the_reference_package_and_this_one_read_each_other(tmp_path):
    reference = pytest.importorskip("safetensors.numpy")
    rng = np.random.default_rng(0)
    arrays = {
        f"a/{d}": (rng.normal(size=(3, 4)) > 0).astype(d) for d in ("?", "i1", "i4", "u8", "f2", "f4", "f8", "c8")
    }
    safetensors.write(tmp_path / "ours.safetensors", arrays, {"format": "np"})
    reference.save_file(arrays, tmp_path / "theirs.safetensors")
    for name, read in (("ours", reference.load_file), ("theirs", safetensors.read), ("ours", safetensors.read)):
        found = read(tmp_path / f"{name}.safetensors")
        assert set(found) == set(arrays)
        for key, value in arrays.items():
            np.testing.assert_array_equal(found[key], value)
            assert found[key].dtype == value.dtype


def test_offsets_in_large_files(tmp_path):
    """Positions in files of a gigabyte, of which the header alone is looked at here."""
    path, quarter = tmp_path / "weights.safetensors", 2**28
    entries = {
        "a": {"dtype": "F32", "shape": [3 * 2**26], "data_offsets": [0, 3 * quarter]},
        "b": {"dtype": "F32", "shape": [2**26], "data_offsets": [3 * quarter, 4 * quarter]},
    }
    found = safetensors._entries(entries, 4 * quarter, path)
    assert [(name, shape) for name, _, shape in found] == [("a", (3 * 2**26,)), ("b", (2**26,))]
    whole = {"a": {"dtype": "F32", "shape": [2**28], "data_offsets": [0, 2**30]}}
    assert [(name, shape) for name, _, shape in safetensors._entries(whole, 2**30, path)] == [("a", (2**28,))]
    with pytest.raises(errors.RestoreError, match="offsets"):
        safetensors._entries({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, True]}}, 4, path)
