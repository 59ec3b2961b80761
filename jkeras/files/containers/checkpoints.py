"""A folder of checkpoints, each a directory of `files/containers/directory.py` named after its step, written in the background.

A checkpoint that has its name is whole: it is written under a hidden name and renamed, and renamed back before it is
deleted. Whatever a crash leaves half done is hidden, and removed by the next run.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jkeras.console.primary_process import silent
from jkeras.errors import RestoreError
from jkeras.files.containers import directory
from jkeras.types import ArrayLike

# The lowest priority: with 10, which leaves a tenth of a busy processor, steps took a quarter more of its time during a save
# (1 GB on two shared cores), with 19 they took 7 % more.
NICENESS = 19
# Smaller snapshots, in bytes, are written so fast that it would only take longer.
LARGE = 64 * 2**20
_NAME = re.compile(r"\.?step-(\d{1,18})(\.old)?")
_LEFTOVER = re.compile(r"\.(gone-step-.*|step-\d+\.new-.*)")


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What a checkpoint will hold.

    Attributes:
        step: the step's number, perhaps still on the device; of several models, one each.
        config: what `json.dumps` can write.
        arrays: by name; of the snapshot alone, so that nobody gives their buffers away.
    """

    step: ArrayLike
    config: Mapping[str, Any]
    arrays: Mapping[str, ArrayLike]


def path(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return Path(folder) / f"step-{step:09d}"


def steps(folder: Path) -> list[int]:
    """The steps of all checkpoints in a folder, smallest first."""
    try:
        entries = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    matches = (_NAME.fullmatch(name) for name in entries)
    # `.step-5.old` counts: it is there alone when a crash came between the two renames of an overwriting save.
    return sorted({int(match[1]) for match in matches if match and match[0].startswith(".") == bool(match[2])})


def find(folder: Path, step: int | None = None) -> Path:
    """The checkpoint of a step, the latest if None.

    Raises:
        RestoreError: there is none; it lists those that are there.
    """
    known = steps(folder)
    if not known:
        raise RestoreError(f"{folder} holds no checkpoint.")
    if step is not None and step not in known:
        raise RestoreError(f"{folder} holds no checkpoint of step {step}; there are {', '.join(map(str, known))}.")
    return path(folder, known[-1] if step is None else step)


def saved_folder(path: Path) -> Path:
    """The directory of a save: `path` itself, or the latest checkpoint in it.

    Raises:
        RestoreError: there is none.
    """
    return directory.find(find(path) if steps(path) else path)


def remove(folder: Path, step: int) -> None:
    """Deletes a checkpoint, which is hidden first, so that nobody sees it half deleted."""
    if silent():  # another process does it
        return
    whole = path(folder, step)
    for candidate in (whole.with_name(f".{whole.name}.old"), whole):
        if candidate.exists():
            gone = whole.with_name(f".gone-{whole.name}-{os.getpid()}")
            shutil.rmtree(gone, ignore_errors=True)
            os.rename(candidate, gone)
            shutil.rmtree(gone, ignore_errors=True)


def clean(folder: Path) -> None:
    """Removes what a crash left half written or half deleted."""
    if Path(folder).is_dir() and not silent():
        for name in os.listdir(folder):
            if _LEFTOVER.fullmatch(name):
                shutil.rmtree(Path(folder) / name, ignore_errors=True)


class Writer:
    """Writes snapshots into a folder, one after another.

    Args:
        folder: made when the first is written.
        keep: how many checkpoints stay, the latest; None for all.
        background: whether a thread writes while the caller goes on. A second snapshot waits for the first.
    """

    def __init__(self, folder: Path, keep: int | None, background: bool = True):
        self.folder: Path = Path(folder).absolute()
        self.keep = keep
        self.background = background
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def write(self, snapshot: Snapshot, done: Callable[[Path], None] | None = None) -> None:
        """Begins to write. Raises what went wrong with the snapshot before."""
        self.wait()
        if silent():  # another process writes
            return
        # Not a daemon: a program that ends waits for it.
        self._thread = threading.Thread(target=self._run, args=(snapshot, done), name="jkeras-checkpoint")
        self._thread.start()
        if not self.background:
            self.wait()

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Returns when nothing is being written any more.

        Raises:
            OSError: it could not be written, or whatever else went wrong.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self, snapshot: Snapshot, done: Callable[[Path], None] | None) -> None:
        try:
            if sum(a.nbytes for a in snapshot.arrays.values() if isinstance(a, (np.ndarray, jax.Array))) >= LARGE:
                _give_way()
            step = int(np.max(jax.device_get(snapshot.step)))
            target = path(self.folder, step)
            directory.save(target, snapshot.config, jax.device_get(dict(snapshot.arrays)))
            if self.keep is not None:
                for old in steps(self.folder)[: -self.keep]:
                    remove(self.folder, old)
            if done is not None:
                done(target)
        except BaseException as error:
            self._error = error


def _give_way() -> None:
    """Lets the threads that train go first, where a thread can have a priority of its own (Linux)."""
    try:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
    except (AttributeError, OSError):
        pass
