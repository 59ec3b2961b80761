"""Writes TensorBoard's event files without TensorFlow: hand-coded protocol buffers in TFRecord framing.

Fields and their numbers are those of TensorFlow's `event.proto`, `summary.proto` and `tensor.proto`.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jkeras.types import NestedNumbers
from jkeras.writing import creating

# The reversed Castagnoli polynomial of CRC-32C.
_POLYNOMIAL = 0x82F63B78
_STRING_TYPE = 7
_numbers = itertools.count()


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ _POLYNOMIAL if value & 1 else value >> 1
        table.append(value)
    return table


_TABLE = _crc_table()


def masked_crc(data: bytes) -> int:
    """The checksum of the TFRecord format.

    >>> hex(masked_crc(b"123456789"))
    '0xc78ab0e5'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """A TFRecord: length, its checksum, the data, its checksum."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


# -- protocol buffers ------------------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    """An integer as a varint, with negative integers in 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(number: int, value: int) -> bytes:
    """An integer field."""
    return varint(number << 3) + varint(value)


def double(number: int, value: float) -> bytes:
    """A 64-bit field."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    """A 32-bit field."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def block(number: int, value: bytes | str) -> bytes:
    """A field of bytes, text or a message."""
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def doubles(number: int, values: Iterable[float]) -> bytes:
    """A packed field of doubles."""
    return block(number, b"".join(struct.pack("<d", value) for value in values))


# -- summaries -------------------------------------------------------------------------------------------------------


def scalar(tag: str, value: float) -> bytes:
    """One number."""
    return block(1, block(1, tag) + single(2, float(value)))


def histogram(tag: str, values: NestedNumbers, buckets: int = 30) -> bytes:
    """A histogram of values."""
    numbers: np.ndarray = np.asarray(values, np.float64).ravel()
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        numbers = np.zeros(1)
    counts, edges = np.histogram(numbers, bins=buckets)
    message = (
        double(1, numbers.min())
        + double(2, numbers.max())
        + double(3, numbers.size)
        + double(4, numbers.sum())
        + double(5, np.square(numbers).sum())
        + doubles(6, edges[1:])
        + doubles(7, counts)
    )
    return block(1, block(1, tag) + block(5, message))


def text(tag: str, value: str, plugin: str = "text") -> bytes:
    """Text, for TensorBoard's text plugin or the plugin with the given name."""
    metadata = block(1, block(1, plugin))
    tensor = integer(1, _STRING_TYPE) + block(2, block(2, integer(1, 1))) + block(8, value)
    return block(1, block(1, tag) + block(8, tensor) + block(9, metadata))


def image(tag: str, pixels: np.ndarray) -> bytes:
    """An image `(height, width, channels)` with values from 0 to 255 and 1 to 4 channels."""
    pixels = np.ascontiguousarray(pixels, np.uint8)
    height, width, channels = pixels.shape
    message = integer(1, height) + integer(2, width) + integer(3, channels) + block(4, png(pixels))
    return block(1, block(1, tag) + block(4, message))


def png(pixels: np.ndarray) -> bytes:
    """An image as a PNG file."""
    height, width, channels = pixels.shape
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class EventWriter:
    """Appends events to a new file in a folder.

    Args:
        folder: the folder, created if missing.

    Raises:
        SaveError: nothing can be written there.
    """

    def __init__(self, folder: str | Path):
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}.v2"
        with creating(Path(folder) / name) as path:
            self.file: BinaryIO = path.open("wb")
        self._write(block(3, "brain.Event:2"))

    def add(self, step: int, *values: bytes) -> None:
        """Writes summaries for a step."""
        self._write(integer(2, int(step)) + block(5, b"".join(values)))

    def _write(self, message: bytes) -> None:
        self.file.write(record(double(1, time.time()) + message))

    def flush(self) -> None:
        """Flushes, so that readers see everything written so far."""
        self.file.flush()

    def close(self) -> None:
        """Ends the file."""
        self.file.close()
