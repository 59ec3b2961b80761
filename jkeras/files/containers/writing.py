"""Files and directories that appear whole or not at all, whoever else writes them, and whenever the program ends.

What is written lies under a hidden name beside its place until it is complete and on the disk. Then it takes the place, while
other processes that are at the same point wait. What a process left that was killed, the next save there removes.
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

# How long threads of a save that failed may go on to write.
LATE_SECONDS = 0.5
# What another machine left, of whose processes nothing is known here, goes after a day.
FOREIGN_SECONDS = 86_400
_LEFTOVER = re.compile(r"\.new-(?P<process>\d+)(@(?P<host>.*)-\d+)?")
_numbers = itertools.count()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden path beside `path` to write to; when the block ends it takes the place of `path` in one step.

    A crash, or an error inside of the block, leaves what was there. Of several processes that train together only the first
    writes; what the others write is thrown away.

    Raises:
        SaveError: it could not be written; it says what is there now.
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
def writing(path: Path) -> Iterator[Path]:
    """A hidden path beside `path` to write a file or directory to, which is gone when the block ends.

    Raises:
        SaveError: there was an error of the operating system.
    """
    fresh = path.parent / f".{path.name}.new-{os.getpid()}@{socket.gethostname()}-{next(_numbers)}"
    above = next((folder for folder in path.parents if folder.exists()), path.parent)
    if above.exists() and not above.is_dir():
        raise failure(path, f"{above} is a file", errno.ENOTDIR)
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


def _stay_removed(path: Path) -> None:
    """Threads that wrote when an error came may make parts of a directory anew for a moment."""
    for _ in range(10):
        time.sleep(LATE_SECONDS / 10)
        remove(path)


def failure(path: Path, why: str, number: int | None = None) -> SaveError:
    """The error about a path that could not be written."""
    left = "What was there is whole and as it was" if path.exists() else "Nothing is there"
    error = SaveError(f"{path} could not be written: {why}. {left}.")
    error.errno = number
    return error


def remove(path: Path) -> None:
    """Deletes a file or directory, if it is there and can be."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _clean(path: Path) -> None:
    for leftover in leftovers(path):
        remove(leftover)


def leftovers(path: Path) -> list[Path]:
    """What processes left beside a path that are no more."""
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
    """Keeps other processes out that would do the same to a directory at this moment, where the system can."""
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
    """Makes renames in a directory last, where the system can."""
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
