"""Aligned memory for the contents of files, in which JAX can use large arrays without a copy, and files in memory."""

from __future__ import annotations

import io
import math
from typing import IO, Any

import numpy as np

from jkeras.buffers import ALIGNMENT

# For smaller arrays, a copy is as fast as zero-copy.
LARGE = 2**20


def aligned(size: int) -> memoryview:
    """Uninitialised memory at an address that is a multiple of `ALIGNMENT`."""
    return empty((size,), np.dtype(np.uint8)).data


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    """An uninitialised array to read into, at an aligned address."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def filled(file: IO[bytes], size: int, block: int) -> memoryview:
    """The next `size` bytes of a file, or fewer at its end, read in blocks."""
    memory = aligned(size)
    done = 0
    while done < size and (data := file.read(min(block, size - done))):
        memory[done : done + len(data)] = data
        done += len(data)
    return memory[:done].toreadonly()


class MemoryFile(io.RawIOBase):
    """A readable file over memory, without a copy."""

    def __init__(self, memory: memoryview):
        super().__init__()
        self._memory = memory
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._memory)}[whence]
        if start + offset < 0:
            raise ValueError(f"a position of {start + offset} bytes")
        self._position = start + offset
        return self._position

    def readinto(self, target: bytearray | memoryview, /) -> int:  # type: ignore[override]
        view = memoryview(target).cast("B")
        chunk = self._memory[self._position : self._position + len(view)]
        view[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)
