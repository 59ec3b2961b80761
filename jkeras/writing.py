"""Writes files and directories atomically, even with concurrent writers and if the program is killed.

Data is written under a hidden name next to the target until it is complete and on disk. Then it is renamed to the target, while
other processes at the same point wait. The next save removes what a killed process left behind.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from jkeras.console.primary_process import silent
from jkeras.errors import JkerasError, SaveError
from jkeras.types import PathLike

# How long threads of a failed save may continue to write.
LATE_SECONDS = 0.5
# Leftovers of another machine, whose processes cannot be checked here, are removed after a day.
FOREIGN_SECONDS = 86_400
_LEFTOVER = re.compile(r"\.new-(?P<process>\d+)(@(?P<host>.*)-\d+)?")
_numbers = itertools.count()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden path next to `path` to write to, which atomically replaces `path` when the block ends.

    After a crash or an error inside the block, `path` is unchanged. Of several processes that train together, only the first
    writes; what the others write is discarded.

    Raises:
        SaveError: it could not be written; the message says what exists now.
    """
    if silent():
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / Path(path).name
        return
    path = Path(path).absolute()
    with writing(path) as fresh:
        yield fresh
        _sync_file(fresh)
        os.replace(fresh, path)
        sync(path.parent)


@contextlib.contextmanager
def caching(path: Path) -> Iterator[Path]:
    """As `replacing`, for what can be had again: every process writes, nothing waits for the disk, errors are the system's.

    Raises:
        OSError: it could not be written; `path` is unchanged.
    """
    fresh = _hidden(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clean(path)
        yield fresh
        os.replace(fresh, path)
    finally:
        remove(fresh)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A hidden path next to `path` for a file or directory, which is deleted when the block ends.

    Raises:
        SaveError: there was an error of the operating system.
    """
    fresh = _hidden(path)
    _check_folder(path)
    finished = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clean(path)
        yield fresh
        finished = True
    except JkerasError:
        raise
    except OSError as error:
        raise failure(path, error.strerror or str(error), error.errno) from None
    finally:
        remove(fresh)
        if not finished:
            _stay_removed(fresh)


@contextlib.contextmanager
def creating(path: PathLike) -> Iterator[Path]:
    """Goes around code that writes a file in place; creates the folder that it is in.

    Raises:
        SaveError: there was an error of the operating system.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise failure(path, "it is a directory; name a file in it", errno.EISDIR)
        _check_folder(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path
    except JkerasError:
        raise
    except OSError as error:
        raise failure(path, error.strerror or str(error), error.errno, is_atomic=False) from None


def _hidden(path: Path) -> Path:
    return path.parent / f".{path.name}.new-{os.getpid()}@{socket.gethostname()}-{next(_numbers)}"


def check_place(path: Path) -> None:
    """Checks, long before anything is written to `path`, that there is or can be a folder for it.

    Raises:
        SaveError: the folder is a file, or nothing may be created in it.
    """
    if silent():  # another process writes
        return
    path = Path(path).absolute()
    above = _check_folder(path)
    if not os.access(above, os.W_OK | os.X_OK):
        raise failure(path, f"nothing may be created in {above}", errno.EACCES)


def _check_folder(path: Path) -> Path:
    """The nearest folder above a path that exists.

    Raises:
        SaveError: it is a file.
    """
    above = next((folder for folder in path.parents if folder.exists()), path.parent)
    if above.exists() and not above.is_dir():
        raise failure(path, f"{above} is a file, not a directory", errno.ENOTDIR)
    return above


def _stay_removed(path: Path) -> None:
    """Deletes repeatedly, because threads that were writing when the error occurred may recreate parts of a directory."""
    for _ in range(10):
        time.sleep(LATE_SECONDS / 10)
        remove(path)


def failure(path: Path, why: str, number: int | None = None, is_atomic: bool = True) -> SaveError:
    """The error about a path that could not be written."""
    left = (
        " Nothing was created." if not path.exists() else " The previous contents are unchanged." if is_atomic else ""
    )
    error = SaveError(f"{path} could not be written: {why}.{left}")
    error.errno = number
    return error


def remove(path: Path) -> None:
    """Deletes a file or directory, if it exists and can be deleted."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _clean(path: Path) -> None:
    for leftover in leftovers(path):
        remove(leftover)


def leftovers(path: Path) -> list[Path]:
    """Leftovers, next to a path, of processes that no longer exist."""
    start, paths = f".{path.name}", []
    for name in os.listdir(path.parent) if path.parent.is_dir() else ():
        match = _LEFTOVER.fullmatch(name.removeprefix(start)) if name.startswith(start) else None
        if match is not None and _is_dead(path.parent / name, int(match["process"]), match["host"]):
            paths.append(path.parent / name)
    return paths


def _is_dead(leftover: Path, process: int, host: str | None) -> bool:
    if host not in (None, socket.gethostname()):
        with contextlib.suppress(OSError):
            return time.time() - leftover.stat().st_mtime > FOREIGN_SECONDS
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Locks a directory against other processes that rename in it, if the system supports it."""
    try:
        import fcntl

        descriptor = os.open(directory, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync(directory: Path) -> None:
    """Flushes renames in a directory to disk, if the system supports it."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
