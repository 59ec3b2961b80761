"""A checksum behind the end of an HDF5 file.

HDF5 guards neither its structure nor, as Keras writes it, the arrays, and its library is not made for damaged files. It reads
no further than the end that the file's head gives, so what stands behind is seen by us alone: real Keras and h5py open a
sealed file as any other. A program that changes the file with HDF5 cuts the seal off, and then nothing is compared.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from jkeras.errors import RestoreError

# In front of and behind the checksum, so that damage to one of them does not look like a file without a seal.
OPEN, CLOSE = b"jkeras\x00[", b"]\x00jkeras"
SIZE = len(OPEN) + 4 + len(CLOSE)
_BLOCK = 2**20


def sealed(contents: bytes) -> bytes:
    """The bytes of a file with their checksum behind them."""
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
        opening, closing = OPEN in seal, seal.endswith(CLOSE)  # a file that lost its last bytes has it further behind
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
        raise RestoreError(f"{path} is damaged: it has another checksum than when it was written.")
