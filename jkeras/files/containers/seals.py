"""A checksum after the end of an HDF5 file.

HDF5 protects neither its structure nor, as Keras writes it, the arrays, and its library does not cope well with damaged files.
It ignores everything after the end that the superblock declares, so real Keras and h5py open a sealed file like any other. A
program that changes the file with HDF5 removes the seal, and then nothing is compared.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from jkeras.errors import RestoreError

# Before and after the checksum, so that damage to one of them does not look like a file without a seal.
OPEN, CLOSE = b"jkeras\x00[", b"]\x00jkeras"
SIZE = len(OPEN) + 4 + len(CLOSE)
_BLOCK = 2**20


def sealed(contents: bytes) -> bytes:
    """The bytes of a file, followed by their checksum."""
    return contents + OPEN + zlib.crc32(contents).to_bytes(4, "little") + CLOSE


def check(path: Path) -> None:
    """Compares a file with its seal, if it has one.

    Raises:
        RestoreError: the contents or the seal were changed.
    """
    size = path.stat().st_size - SIZE
    if size < 0:
        return
    with path.open("rb") as file:
        file.seek(size)
        seal = file.read(SIZE)
        opening, closing = (
            OPEN in seal,
            seal.endswith(CLOSE),
        )  # in a truncated file the opening mark is closer to the end
        if not opening and not closing:
            return
        file.seek(0, os.SEEK_SET)
        checksum = 0
        while size > 0:
            block = file.read(min(_BLOCK, size))
            if not block:
                break
            size -= len(block)
            checksum = zlib.crc32(block, checksum)
    if not (seal.startswith(OPEN) and closing) or seal[len(OPEN) : -len(CLOSE)] != checksum.to_bytes(4, "little"):
        raise RestoreError(f"{path} is damaged: its checksum is not the one with which it was written.")
