"""Checks the heaps of an HDF5 file, which contain the strings of attributes, before the HDF5 library reads them.

A heap is a sequence of objects with their sizes. The library steps from one to the next by these sizes, and loops for ever at a
free object of size 0: a damaged file would never finish loading.
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
# The header of an object: its number (0 is free space), references, four empty bytes, its size (free: including the header).
OBJECT = struct.Struct("<HHIQ")


def check(contents: mmap.mmap | memoryview | bytes, where: str) -> None:
    """Refuses a file with a heap in which the library would loop for ever, or with overlapping heaps.

    Args:
        contents: the bytes of the file.
        where: the name of the file in errors.

    Raises:
        RestoreError: there is such a heap.

    >>> check(SIGNATURE + (48).to_bytes(8, "little") + bytes(32), "a.h5")
    Traceback (most recent call last):
    ...
    jkeras.errors.RestoreError: a.h5 is damaged: in a heap of texts at byte 0 nothing follows.
    """
    left = len(contents)  # heaps do not overlap, so the total time is linear in the size of the file
    # A regular expression is the fastest way to find bytes without copying.
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
