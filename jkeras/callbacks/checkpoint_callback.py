"""The base of callbacks that save whole runs: when they save, and where.

The loop queries such a callback, not the other way round: it ends a dispatch where a save is due, and takes the snapshot after
all callbacks have been called, so that it contains their changes (`training/checkpointing.py`).
"""

from __future__ import annotations

import copy
import os
import warnings
from pathlib import Path
from typing import Any

from jkeras import arguments, writing
from jkeras.callbacks.callback import Callback, Logs
from jkeras.errors import ArgumentError, RestoreError
from jkeras.files.containers import checkpoints, directory
from jkeras.files.containers.checkpoints import Snapshot
from jkeras.training.hooks import SnapshotStore
from jkeras.training.save_schedule import SaveFrequency, Schedule


class CheckpointCallback(Callback, SnapshotStore):
    """Base of callbacks that save everything that determines how a run continues.

    Args:
        folder: the folder to save to.
        save_freq: see `Schedule.of`.
        keep: the number of latest checkpoints to keep; None keeps all.
        background: whether training continues while a checkpoint is written.
        resumes: whether a run resumes from an existing checkpoint.
        spare: whether to use the previous checkpoint if the latest is damaged.

    Raises:
        ArgumentError: an argument is invalid.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        save_freq: SaveFrequency,
        keep: int | None,
        background: bool,
        resumes: bool,
        spare: bool = False,
    ):
        Callback.__init__(self)  # not `super()`: the next of several bases takes other arguments
        name = type(self).__name__
        try:
            self.folder: Path = arguments.path(folder).absolute()
        except ArgumentError as error:
            raise ArgumentError(f"{name}: {error} of a directory, got {folder!r}.") from None
        self.schedule: Schedule = Schedule.of(name, save_freq)
        self.resumes = resumes
        self.spare = spare
        self._most, self._background = keep, background
        self._writer = checkpoints.Writer(self.folder, keep, background)

    def move_to(self, folder: Path) -> None:
        """Changes the folder; for a copy of the callback that serves a part of the original run."""
        self.folder = folder
        self.schedule = copy.copy(self.schedule)
        self._writer = checkpoints.Writer(folder, self._most, self._background)

    # -- queries of the loop ----------------------------------------------------------------------------------------

    def latest(self) -> tuple[Path, dict[str, Any]] | None:
        """The checkpoint to resume from and its configuration, or None to start afresh.

        Raises:
            RestoreError: it is damaged.
            SaveError: no checkpoint can be written to the folder.
        """
        writing.check_place(self.folder / "checkpoint")
        checkpoints.clean(self.folder)
        if not self.resumes:
            return None
        for step in reversed(checkpoints.steps(self.folder)):
            folder = directory.find(checkpoints.path(self.folder, step))
            try:
                return folder, directory.read_config(folder)
            except RestoreError as error:
                if not self.spare or step == checkpoints.steps(self.folder)[0]:
                    raise
                warnings.warn(f"Resuming from the previous checkpoint: {error}", stacklevel=2)
        return None

    def start(self, step: int) -> None:
        """Called when a run starts afresh, with the current step of the model.

        Raises:
            ArgumentError: the folder contains checkpoints of another run.
        """

    def accepts(self, epoch: int, logs: Logs) -> bool:
        """Whether to make a save that is due."""
        return True

    @property
    def reads_logs(self) -> bool:
        """Whether `accepts` reads the logs."""
        return False

    def save(self, snapshot: Snapshot) -> None:
        """Saves."""
        self.schedule.saved()
        self._writer.write(snapshot)

    @property
    def saving(self) -> bool:
        """Whether a checkpoint is currently being written."""
        return self._writer.busy

    def wait(self) -> None:
        """Waits until everything is written. Raises the error if writing failed."""
        self._writer.wait()

    def finish(self) -> None:
        """Called when `fit` has completed, after `on_train_end` of all callbacks."""
