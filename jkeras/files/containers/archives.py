"""The zip archives of `.keras` files: read into memory with all sizes checked, written atomically.

Nothing is ever extracted to disk, so names in an archive cannot escape from a directory.
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
from jkeras.writing import replacing

# The cost of a member in bytes against the load budget; by default that allows 16,384 members.
MEMBER = 4096
# The largest compression ratio of weights; decompression bombs exceed it.
MAX_RATIO = 100
# Constant zeros, compressed by a program that changed the file, also exceed it, so this many bytes are always allowed, per member
# and in total.
SMALL, SMALL_IN_ALL = 16 * 2**20, 48 * 2**20
# Uncompressed members of at least this size are read in blocks, each of which is checked while it is in the cache.
LARGE, BLOCK = 2**20, 2**18

# The contents of a member; those of large members are aligned, so that arrays can use the memory.
Contents: TypeAlias = bytes | memoryview


def read(path: Path) -> dict[str, Contents]:
    """The members of an archive by name.

    Raises:
        RestoreError: it is not an archive, is damaged, or contains what no model needs: links, names that lead outside, members
            that unpack to far more than their size.
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
        RestoreError: it contains what no model needs: links, devices, too many files.
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
            raise RestoreError(f"{path} is refused: it contains {name!r} twice.")
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
    """Writes an archive to `path`, atomically: after a crash the previous file is unchanged."""
    with replacing(path) as fresh, fresh.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, contents in members.items():
                archive.writestr(name, contents)
        file.flush()
        os.fsync(file.fileno())
