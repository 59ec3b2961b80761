"""A callback that resumes an interrupted run, bit for bit."""

from __future__ import annotations

import os

from jkeras.callbacks.checkpoint_callback import CheckpointCallback
from jkeras.files.containers import checkpoints
from jkeras.training.save_schedule import SaveFrequency


class BackupAndRestore(CheckpointCallback):
    """Backs up the run while it trains; when the script is started again, `fit` resumes from the last backup.

    A backup holds everything that determines the rest of the run: weights, states of layers and of the optimizer, step, key,
    epoch, position in the epoch and its shuffling, running metrics, the states of the other callbacks (see
    `Callback.state_names`), the history, and the position in the data. A run that was killed and resumed ends with the same
    bits as one that was not. Backups are written in the background and appear whole or not at all.

    SIGTERM, with which schedulers announce that they take the machine away, makes `fit` save at once, in the middle of the
    epoch, and end the program (`SystemExit`); this works where `fit` runs in the main thread.

    As Keras's; Keras saves weights, optimizer and epoch only, and starts an epoch that was cut off at its first batch.

    Args:
        backup_dir: the directory for the backups of this run only.
        save_freq: "epoch"; a number of steps; "5 epochs" or "10 minutes"; a `datetime.timedelta`; or False for SIGTERM only.
        double_checkpoint: whether the backup before the latest stays, too, and is used should the latest be damaged.
        delete_checkpoint: whether a run that came to its end deletes its backups, so that the next starts anew.

    Raises:
        ArgumentError: `save_freq` or `backup_dir` is invalid.
        RestoreError: raised by `fit` when the backup is of another model, recipe or data; it lists the
            differences.

    >>> backup = BackupAndRestore("backup", save_freq="10 minutes")
    >>> isinstance(backup, BackupAndRestore)
    True
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: SaveFrequency = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__(
            backup_dir, save_freq, 2 if double_checkpoint else 1, background=True, resumes=True, spare=double_checkpoint
        )
        self.backup_dir = backup_dir
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint

    def finish(self) -> None:
        """Deletes the backups, if asked to; the latest one last, so that an interruption leaves it usable."""
        if not self.delete_checkpoint:
            return
        for step in checkpoints.steps(self.folder):
            checkpoints.remove(self.folder, step)
        try:
            self.folder.rmdir()
        except OSError:  # it was never made, or there are files of somebody else in it
            pass
