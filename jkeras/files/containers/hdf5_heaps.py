"""The heaps of an HDF5 file, where the texts of attributes lie, checked before the HDF5 library goes through them.

A heap is a row of objects, each of which says its size. The library steps from one to the next by these sizes, and a free
object of no size lets it stand still for ever: a damaged file would never finish loading.
"""

from __future__ import annotations

import mmap
import re
import struct
from pathlib import Path

from jkeras.errors import RestoreError

# The signature of a heap, its version and three empty bytes; the size of the heap follows.
SIGNATURE = b"GCOL\x01\x00\x00\x00"
_SIGNATURES = re.compile(re.escape(SIGNATURE))
HEADER = len(SIGNATURE) + 8
# Of an object: its number (0 is what is free), references, four empty bytes, its size without this (of what is free, with it).
OBJECT = struct.Struct("<HHIQ")


def check(contents: mmap.mmap | memoryview | bytes, where: str) -> None:
    """Refuses a file with a heap in which the library would stand still, or with heaps that overlap.

    Args:
        contents: the bytes of the file.
        where: what to call the file in an error.

    Raises:
        RestoreError: there is such a heap.

    >>> check(SIGNATURE + (48).to_bytes(8, "little") + bytes(32), "a.h5")
    Traceback (most recent call last):
    ...
    jkeras.errors.RestoreError: a.h5 is damaged: in a heap of texts at byte 0 nothing follows.
    """
    left = len(contents)  # heaps share nothing, so that all of them take a time that grows with the file
    # Of what finds bytes, a regular expression copies nothing and is the fastest.
    for match in _SIGNATURES.finditer(contents):
        start = match.start()
        end = min(start + int.from_bytes(contents[start + 8 : start + HEADER], "little"), len(contents))
        left -= end - start
        if left < 0:
            raise RestoreError(f"{where} is damaged: heaps of texts overlap.")
        position = start + HEADER
        while position + OBJECT.size <= end:
            number, _, _, size = OBJECT.unpack(contents[position : position + OBJECT.size])
            step = OBJECT.size + -(-size // 8) * 8 if number else size
            if not step:
                raise RestoreError(f"{where} is damaged: in a heap of texts at byte {start} nothing follows.")
            position += step


def check_file(path: Path, where: str) -> None:
    """`check` for a file on the disk."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as contents:
        check(contents, where)
