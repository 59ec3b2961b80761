"""A callback that resumes an interrupted run, bit for bit."""

from __future__ import annotations

import contextlib
import os

from jkeras.callbacks.argument_checks import checked_arguments
from jkeras.callbacks.checkpoint_callback import CheckpointCallback
from jkeras.files.containers import checkpoints
from jkeras.training.save_schedule import SaveFrequency


@checked_arguments
class BackupAndRestore(CheckpointCallback):
    """Backs up the run while it trains; if the script is restarted, `fit` resumes from the last backup.

    A backup contains everything that determines the rest of the run: weights, states of layers and of the optimizer, step,
    key, epoch, position in the epoch and its shuffling, running metrics, the states of the other callbacks (see
    `Callback.state_names`), the history, and the position in the data. A run that is killed and resumed gives bit for bit the
    same results as an uninterrupted one. Backups are written in the background and atomically.

    On SIGTERM, which schedulers send before they preempt a machine, `fit` saves immediately, even in the middle of an epoch,
    and exits the program (`SystemExit`). This requires that `fit` runs in the main thread.

    Unlike jkeras, Keras saves only weights, optimizer and epoch, and restarts an interrupted epoch at its first batch.

    Args:
        backup_dir: the directory for the backups of this run only.
        save_freq: "epoch"; a number of steps; "5 epochs" or "10 minutes"; a `datetime.timedelta`; or False for SIGTERM only.
        double_checkpoint: whether to also keep the previous backup, which is used if the latest is damaged.
        delete_checkpoint: whether to delete the backups when training completes, so that the next run starts afresh.

    Raises:
        ArgumentError: `save_freq` or `backup_dir` is invalid.
        RestoreError: raised by `fit` if the backup is from a different model, recipe or data; it lists the
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
        """Deletes the backups if `delete_checkpoint`, the latest one last, so that it stays usable if interrupted."""
        if not self.delete_checkpoint:
            return
        for step in checkpoints.steps(self.folder):
            checkpoints.remove(self.folder, step)
        with contextlib.suppress(OSError):  # the directory was never created, or contains other files
            self.folder.rmdir()
