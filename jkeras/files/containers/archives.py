"""The zip archives of `.keras` files: read into memory with every size checked, written in one piece.

Nothing is ever extracted to the disk, so names in an archive cannot lead out of a directory.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from jkeras import allowance
from jkeras.errors import RestoreError
from jkeras.files.containers import buffers, checksums
from jkeras.files.containers.writing import replacing

# Bytes that a member stands for, of which a file is written for some: 16,384 are read by default.
MEMBER = 4096
# What deflate makes of weights; all of a bomb is beyond it.
MAX_RATIO = 100
# Constants of zeros, which a program packed that changed the file, are beyond it, too: so much may come out of any member, and
# out of all of them.
SMALL, SMALL_IN_ALL = 16 * 2**20, 48 * 2**20
# Members that are stored as they are and take that much are read in blocks, each of which is checked while the cache has it.
LARGE, BLOCK = 2**20, 2**18

# What a member holds: large ones are memory that arrays can lie in.
Contents: TypeAlias = bytes | memoryview


def read(path: Path) -> dict[str, Contents]:
    """The members of an archive by name.

    Raises:
        RestoreError: it is no archive, is damaged, or holds what no model needs: links, names that lead outside, members
            that unpack to far more than is stored.
    """
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check(members, size, path)
            return {member.filename: _contents(archive, member) for member in members if not member.is_dir()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        if isinstance(error, RestoreError):
            raise
        raise RestoreError(f"{path} is damaged: {error}") from None


def read_folder(path: Path) -> dict[str, Contents]:
    """The members of an unpacked archive by name.

    Raises:
        RestoreError: it holds what no model needs: links, devices, more files than any model has.
    """
    return {name: (path / name).read_bytes() for name in sorted(checksums.files(path))}


def _check(members: list[zipfile.ZipInfo], size: int, path: Path) -> None:
    allowance.check(len(members), "members", MEMBER, path)
    seen: set[str] = set()
    for member in members:
        name = member.filename
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\0" in name:
            raise RestoreError(f"{path} is refused: the name {name!r} leads out of the archive.")
        if name in seen:
            raise RestoreError(f"{path} is refused: it holds {name!r} twice.")
        seen.add(name)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise RestoreError(f"{path} is refused: {name!r} is a link.")
        if member.compress_size > size or member.file_size > max(SMALL, MAX_RATIO * member.compress_size):
            raise RestoreError(
                f"{path} is refused: {name!r} takes {member.compress_size} bytes and claims to unpack to"
                f" {member.file_size}."
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RestoreError(f"{path} is refused: {name!r} is compressed in a way that Keras does not use.")
    if sum(member.compress_size for member in members) > size:
        raise RestoreError(f"{path} is refused: its members overlap.")
    if sum(member.file_size for member in members) > max(SMALL_IN_ALL, MAX_RATIO * size):
        raise RestoreError(f"{path} is refused: it unpacks to more than {MAX_RATIO} times its size.")


def _contents(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Contents:
    is_plain = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
    contents: Contents
    with archive.open(member) as file:
        if is_plain and member.file_size >= LARGE:
            contents = buffers.filled(file, member.file_size, BLOCK)
        else:
            contents = file.read(member.file_size + 1)
    if len(contents) != member.file_size:
        raise RestoreError(f"{archive.filename} is damaged: {member.filename!r} does not have the size that it claims.")
    return contents


def write(path: Path, members: Mapping[str, bytes]) -> None:
    """Writes an archive in the place of `path`; a crash leaves the file that was there."""
    with replacing(path) as fresh, fresh.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, contents in members.items():
                archive.writestr(name, contents)
        file.flush()
        os.fsync(file.fileno())
