"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jkeras.console.primary_process import silent


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden path beside `path` to write to; when the block ends it takes the place of `path` in one step.

    A crash, or an error inside of the block, leaves what was there. Of several processes that train together only the first
    writes; what the others write is thrown away.
    """
    if silent():
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / Path(path).name
        return
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.parent / f".{path.name}.new-{os.getpid()}"
    for leftover in path.parent.glob(f".{path.name}.new-*"):
        if leftover.is_file():
            leftover.unlink()  # of a save that was cut off
    try:
        yield fresh
        os.replace(fresh, path)
        sync(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


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
