"""The `.safetensors` format: 8 bytes with the length of the header, the header as JSON, and the bytes of the arrays.

Source: Hugging Face's description of the format, and the checks of the reference reader. The format has no checksum; files
written here have one in their metadata, which is checked if present.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from jkeras.errors import ArgumentError, RestoreError
from jkeras.files.containers import buffers
from jkeras.types import ArrayLike
from jkeras.writing import replacing

# Names in the header, all little-endian.
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "C64": np.dtype("<c8"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
}
NAMES = {dtype.name: name for name, dtype in DTYPES.items()}
LENGTH = 8
# The reference reader's limit on the size of the header.
MAX_HEADER = 100_000_000
METADATA = "__metadata__"
CHECKSUM = "crc32"


def write(
    path: str | os.PathLike[str], arrays: Mapping[str, ArrayLike], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes named arrays to `path`, atomically: after a crash the previous file is unchanged.

    Args:
        path: the file.
        arrays: by name.
        metadata: strings by name; a checksum of the arrays is added.

    Raises:
        ArgumentError: an array has a dtype that the format does not support, or metadata are not strings.
    """
    values: dict[str, np.ndarray] = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        if array.dtype.name not in NAMES or not isinstance(name, str) or name == METADATA:
            raise ArgumentError(f"{name!r}: an array of {array.dtype} cannot be written; known: {', '.join(NAMES)}.")
        values[name] = np.ascontiguousarray(array.astype(DTYPES[NAMES[array.dtype.name]], copy=False)).reshape(
            array.shape
        )
    extra = dict(metadata or {})
    if not all(isinstance(key, str) and isinstance(text, str) for key, text in extra.items()):
        raise ArgumentError(f"metadata={metadata!r}: expected strings by name.")
    # Wide dtypes first, so that every array is aligned to its item size.
    ordered = sorted(values, key=lambda name: (-values[name].dtype.itemsize, name))
    checksum = 0
    for name in ordered:
        checksum = zlib.crc32(_bytes(values[name]), checksum)
    header: dict[str, Any] = {METADATA: {**extra, CHECKSUM: f"{checksum:08x}"}}
    end = 0
    for name in ordered:
        start, end = end, end + values[name].nbytes
        shape = list(values[name].shape)
        header[name] = {"dtype": NAMES[values[name].dtype.name], "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % LENGTH)
    if len(text) > MAX_HEADER:
        raise ArgumentError(
            f"The names and shapes of {len(values)} arrays take {len(text)} bytes, more than {MAX_HEADER}."
        )
    with replacing(Path(path)) as fresh, fresh.open("wb") as file:
        file.write(len(text).to_bytes(LENGTH, "little"))
        file.write(text)
        for name in ordered:
            file.write(_bytes(values[name]))
        file.flush()
        os.fsync(file.fileno())


def _bytes(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of a file by name, in the order of their names.

    Raises:
        RestoreError: it is not such a file, or is damaged: the header is not JSON, offsets are outside the file, arrays overlap
            or leave gaps, sizes do not match shapes, dtypes are unknown, the checksum is wrong.
    """
    return read_all(path)[0]


def read_all(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays by name, and the metadata without the checksum; see `read`."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            header, data_size = _header(file, path)
            metadata = _metadata(header.pop(METADATA, {}), path)
            expected = metadata.pop(CHECKSUM, None)
            entries = _entries(header, data_size, path)
            arrays: dict[str, np.ndarray] = {}
            checksum = 0
            for name, dtype, shape in entries:
                array = buffers.empty(shape, dtype)
                if file.readinto(_bytes(array)) != array.nbytes:
                    raise RestoreError(f"{path} is damaged: it ends within {name!r}.")
                if expected is not None:
                    checksum = zlib.crc32(_bytes(array), checksum)
                arrays[name] = array
    except OSError as error:
        raise RestoreError(f"{path} cannot be read: {error}") from None
    if expected is not None and expected != f"{checksum:08x}":
        raise RestoreError(f"{path} is damaged: the checksum of its arrays is wrong.")
    return {name: arrays[name] for name in sorted(arrays)}, metadata


def _header(file: BinaryIO, path: Path) -> tuple[dict[str, Any], int]:
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(LENGTH), "little")
    if size < LENGTH or length > min(size - LENGTH, MAX_HEADER):
        raise RestoreError(f"{path} is not a safetensors file: it has {size} bytes and claims a header of {length}.")
    text = file.read(length)
    if not text.startswith(b"{"):
        raise RestoreError(f"{path} is not a safetensors file: its header is not a JSON object.")
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_without_repeats), size - LENGTH - length
    except RecursionError:
        raise RestoreError(f"{path} is refused: its header is nested too deeply.") from None
    except ValueError as error:
        raise RestoreError(f"{path} is damaged: its header is not a JSON object: {error}") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    header = dict(pairs)
    if len(header) != len(pairs):
        raise ValueError("a name is used twice")
    return header


def _metadata(metadata: object, path: Path) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise RestoreError(f"{path} is damaged: its metadata does not map names to strings.")
    return metadata


def _entries(header: dict[str, Any], data_size: int, path: Path) -> list[tuple[str, np.dtype[Any], tuple[int, ...]]]:
    """The name, dtype and shape of every array in the order of the file, after checking that they fill it without gaps."""
    places = []
    for name, entry in header.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise RestoreError(
                f"{path} is damaged: the entry {name!r} does not consist of a dtype, a shape and offsets."
            )
        written, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(written, str) or written not in DTYPES:
            raise RestoreError(f"{path}: {name!r} has the unknown dtype {written!r}; known: {', '.join(DTYPES)}.")
        if not _are_sizes(shape) or not _are_offsets(offsets):
            raise RestoreError(f"{path} is damaged: {name!r} has the shape {shape!r} and the offsets {offsets!r}.")
        declared = math.prod(shape) * DTYPES[written].itemsize
        if offsets[1] - offsets[0] != declared or offsets[1] > data_size:
            raise RestoreError(
                f"{path} is refused: {name!r}, {shape} of {written}, needs {declared} bytes and claims the bytes"
                f" {offsets[0]} to {offsets[1]} of {data_size}."
            )
        places.append((offsets[0], offsets[1], name, DTYPES[written], tuple(shape)))
    places.sort(key=lambda place: place[:2])
    end = 0
    for start, stop, name, _, _ in places:
        if start != end:
            raise RestoreError(f"{path} is refused: {name!r} overlaps another array, or there is a gap before it.")
        end = stop
    if end != data_size:
        raise RestoreError(f"{path} is damaged: {data_size - end} bytes belong to no array.")
    return [(name, dtype, shape) for _, _, name, dtype, shape in places]


def _are_offsets(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(v) is int and v >= 0 for v in value)


def _are_sizes(value: object) -> bool:
    # NumPy's arrays have at most 64 axes, and the sizes even of empty arrays must fit into a pointer.
    if not (isinstance(value, list) and len(value) <= 64 and all(type(v) is int and v >= 0 for v in value)):
        return False
    count: int = math.prod(size for size in value if size)
    return count < 2**59
