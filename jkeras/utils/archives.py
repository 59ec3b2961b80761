"""Unpacking archives that came from somewhere else.

An archive is untrusted input. Before anything is written every member is checked; one bad member refuses the whole
archive. Refused are absolute paths, paths that climb out of the folder, links, devices and other special files, and
archives that would unpack to far more than any real data set does.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, NamedTuple

from jkeras.errors import ArgumentError, DamagedFileError

# Text and masks compress a few tens of times; DEFLATE cannot do better than 1032 times, which only bombs reach.
MAX_RATIO = 200
# Archives may always unpack to this much, so that small ones of repetitive data pass.
ALWAYS_ALLOWED_BYTES = 2**28
MAX_MEMBERS = 2_000_000

_UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    RuntimeError,  # an encrypted zip
    NotImplementedError,  # a compression method that zipfile does not know
)


class Member(NamedTuple):
    """One entry of an archive: its path, size in bytes, whether it is a folder, and how to read it."""

    name: str
    size: int
    is_dir: bool
    open: Callable[[], IO[bytes] | None]


def extract_archive(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    archive_format: str | Sequence[str] | None = "auto",
    max_bytes: int | None = None,
) -> bool:
    """Unpacks a zip or tar file (plain, gzip, bzip2, xz) into `folder`, all of it or nothing.

    `folder` appears by one rename when everything has been unpacked; an existing folder of that name is replaced.

    Args:
        path: the archive.
        folder: where its contents go.
        archive_format: "auto", "zip", "tar", several of these in a list, or None, which matches nothing.
        max_bytes: the most that the contents may take. The default is 200 times the archive, at least 256 MiB.

    Returns:
        Whether the file is an archive of one of the formats.

    Raises:
        DamagedFileError: the archive is broken, or a member is not safe to unpack.
    """
    formats = _formats(archive_format)
    path, folder = Path(path), Path(folder)
    opener = next((_READERS[name] for name in formats if _IS[name](path)), None)
    if opener is None:
        return False
    limit = max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * path.stat().st_size) if max_bytes is None else max_bytes
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        unpacked = scratch / "new"
        unpacked.mkdir()
        with _damage_reported(path), opener(path, limit) as members:
            for member in members:
                _write(member, unpacked)
        if folder.exists():
            folder.rename(scratch / "old")
        unpacked.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return True


def _formats(archive_format: str | Sequence[str] | None) -> list[str]:
    if archive_format is None:
        return []
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format
    formats = [formats] if isinstance(formats, str) else list(formats)
    for name in formats:
        if name not in _READERS:
            raise ArgumentError(f"archive_format={archive_format!r}: expected 'auto', 'tar', 'zip', a list or None.")
    return formats


@contextlib.contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    try:
        yield
    except (*_UNREADABLE, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DamagedFileError(f"{path} cannot be unpacked: {error or type(error).__name__}.") from error


def _write(member: Member, folder: Path) -> None:
    target = folder.joinpath(*PurePosixPath(member.name).parts)
    if member.is_dir:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    source = member.open()
    if source is None:
        raise DamagedFileError(f"{member.name!r} has no contents.")
    with source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)
    size = target.stat().st_size
    if size != member.size:
        raise DamagedFileError(f"{member.name!r} is {size} bytes long, not {member.size} as announced.")


class _Guard:
    """Refuses unsafe members; counts what the others add up to."""

    def __init__(self, path: Path, limit: int):
        self.path = path
        self.limit = limit
        self.total = 0
        self.count = 0

    def check(self, name: str, size: int, problem: str | None) -> None:
        windows = PureWindowsPath(name)
        if problem is None and ("\0" in name or PurePosixPath(name).is_absolute() or windows.drive or windows.root):
            problem = "an absolute path"
        if problem is None and ".." in windows.parts:
            problem = "a path that leaves the folder"
        if problem is None and size < 0:
            problem = "a member of negative size"
        if problem is not None:
            raise DamagedFileError(f"{self.path} was not unpacked: it contains {problem}, {name!r}.")
        self.total += size
        self.count += 1
        if self.total > self.limit or self.count > MAX_MEMBERS:
            raise DamagedFileError(
                f"{self.path} was not unpacked: its contents would take more than {self.limit:,} bytes"
                f" or {MAX_MEMBERS:,} files, as in an archive made to fill a disk."
            )


@contextlib.contextmanager
def _tar_members(path: Path, limit: int) -> Iterator[Sequence[Member]]:
    guard = _Guard(path, limit)
    members = []
    with tarfile.open(path) as archive:
        for info in archive:
            guard.check(info.name, info.size, _tar_problem(info))
            members.append(Member(info.name, info.size, info.isdir(), functools.partial(archive.extractfile, info)))
        yield members


def _tar_problem(info: tarfile.TarInfo) -> str | None:
    if info.issym() or info.islnk():
        return "a link"
    return None if info.isreg() or info.isdir() else "a device or another special file"


@contextlib.contextmanager
def _zip_members(path: Path, limit: int) -> Iterator[Sequence[Member]]:
    guard = _Guard(path, limit)
    members = []
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            guard.check(info.filename, info.file_size, _zip_problem(info))
            members.append(Member(info.filename, info.file_size, info.is_dir(), functools.partial(archive.open, info)))
        yield members


def _zip_problem(info: zipfile.ZipInfo) -> str | None:
    # Made on Unix, an entry carries its file type in the upper half of the external attributes; 0 says nothing.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    return None if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "a device or another special file"


_READERS = {"tar": _tar_members, "zip": _zip_members}
_IS = {"tar": tarfile.is_tarfile, "zip": zipfile.is_zipfile}
