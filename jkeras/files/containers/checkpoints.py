"""A folder of checkpoints, each a directory of `files/containers/directory.py` named after its step, written in the background.

A checkpoint with its proper name is complete: it is written under a hidden name and then renamed, and renamed back before it
is deleted. Whatever a crash leaves unfinished is hidden, and removed by the next run.
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

# The lowest priority. During a save (1 GB on two shared cores), steps took a quarter more processor time with priority 10, which
# gets a tenth of a busy processor, and 7 % more with priority 19.
NICENESS = 19
# Snapshots of fewer bytes are written so fast that a thread would only take longer.
LARGE = 64 * 2**20
_NAME = re.compile(r"\.?step-(\d{1,18})(\.old)?")
_LEFTOVER = re.compile(r"\.(gone-step-.*|step-\d+\.new-.*)")


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """The contents of a checkpoint that is to be written.

    Attributes:
        step: the step, possibly still on the device; for several models, one each.
        config: a value that `json.dumps` can write.
        arrays: the arrays by name; they belong to the snapshot, so no one else donates their buffers.
    """

    step: ArrayLike
    config: Mapping[str, Any]
    arrays: Mapping[str, ArrayLike]


def path(folder: Path, step: int) -> Path:
    """The path of the checkpoint of a step."""
    return Path(folder) / f"step-{step:09d}"


def steps(folder: Path) -> list[int]:
    """The steps of all checkpoints in a folder, smallest first."""
    try:
        entries = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    matches = (_NAME.fullmatch(name) for name in entries)
    # `.step-5.old` counts: it alone remains if a crash came between the two renames of an overwriting save.
    return sorted({int(match[1]) for match in matches if match and match[0].startswith(".") == bool(match[2])})


def find(folder: Path, step: int | None = None) -> Path:
    """The checkpoint of a step; the latest if `step` is None.

    Raises:
        RestoreError: there is none; the message lists the existing ones.
    """
    known = steps(folder)
    if not known:
        raise RestoreError(f"{folder} contains no checkpoint.")
    if step is not None and step not in known:
        raise RestoreError(f"{folder} contains no checkpoint of step {step}; there are {', '.join(map(str, known))}.")
    return path(folder, known[-1] if step is None else step)


def saved_folder(path: Path) -> Path:
    """The directory of a save: `path` itself, or the latest checkpoint in it.

    Raises:
        RestoreError: there is none.
    """
    return directory.find(find(path) if steps(path) else path)


def remove(folder: Path, step: int) -> None:
    """Deletes a checkpoint, after hiding it, so that it is never visible half deleted."""
    if silent():  # another process does it
        return
    whole = path(folder, step)
    for candidate in (whole.with_name(f".{whole.name}.old"), whole):
        if candidate.exists():
            trash = whole.with_name(f".gone-{whole.name}-{os.getpid()}")
            shutil.rmtree(trash, ignore_errors=True)
            os.rename(candidate, trash)
            shutil.rmtree(trash, ignore_errors=True)


def clean(folder: Path) -> None:
    """Removes what a crash left half written or half deleted."""
    if Path(folder).is_dir() and not silent():
        for name in os.listdir(folder):
            if _LEFTOVER.fullmatch(name):
                shutil.rmtree(Path(folder) / name, ignore_errors=True)


class Writer:
    """Writes snapshots into a folder, one after another.

    Args:
        folder: the folder, created when the first snapshot is written.
        keep: the number of latest checkpoints to keep; None keeps all.
        background: whether a thread writes while the caller continues. A second snapshot waits for the first.
    """

    def __init__(self, folder: Path, keep: int | None, background: bool = True):
        self.folder: Path = Path(folder).absolute()
        self.keep = keep
        self.background = background
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def write(self, snapshot: Snapshot, done: Callable[[Path], None] | None = None) -> None:
        """Starts writing. Raises the error of the previous snapshot, if it failed."""
        self.wait()
        if silent():  # another process writes
            return
        # Not a daemon: the program waits for it at exit.
        self._thread = threading.Thread(target=self._run, args=(snapshot, done), name="jkeras-checkpoint")
        self._thread.start()
        if not self.background:
            self.wait()

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Waits until nothing is being written any more.

        Raises:
            OSError: writing failed; other exceptions are raised unchanged.
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
    """Gives training threads precedence, on systems where threads have priorities (Linux)."""
    try:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
    except (AttributeError, OSError):
        pass
