"""A callback that saves checkpoints of a run."""

from __future__ import annotations

import os

from jkeras import arguments
from jkeras.callbacks.argument_checks import checked_arguments
from jkeras.callbacks.callback import Logs
from jkeras.callbacks.checkpoint import BestSoFar
from jkeras.callbacks.checkpoint_callback import CheckpointCallback
from jkeras.errors import ArgumentError
from jkeras.files.containers import checkpoints
from jkeras.files.containers.checkpoints import Snapshot
from jkeras.training.save_schedule import SaveFrequency


@checked_arguments
class OrbaxCheckpoint(CheckpointCallback, BestSoFar):
    """Saves checkpoints during training, each in `directory/step-000000123`, with arrays in Orbax's format.

    `jk.load_model(directory)` loads the model from the latest, `model.restore(directory, step=123)` from a given step. They
    contain everything that a backup does (see `BackupAndRestore`), so `resume=True` continues from the latest, bit for bit.

    Unlike in Keras, checkpoints are numbered by the optimizer's step even if saves are per epoch. SIGTERM saves as with
    `BackupAndRestore`.

    Args:
        directory: the directory for the checkpoints of this run only.
        monitor: the value that `save_best_only` compares.
        verbose: 1 prints each save.
        save_best_only: saves only when the value improves on the best so far.
        mode: "min", "max", or "auto" for the metric's own direction.
        save_freq: "epoch"; a number of steps; "5 epochs" or "10 minutes"; a `datetime.timedelta`; or False for SIGTERM only.
        initial_value_threshold: the value that the first save must improve on.
        max_to_keep: the number of latest checkpoints to keep; None keeps all.
        save_on_background: whether training continues while a checkpoint is written.
        save_weights_only: omits the optimizer's state and the run.
        resume: whether `fit` resumes from the latest checkpoint, if there is one.

    Raises:
        ArgumentError: an argument is invalid; also raised by `fit` if the directory contains later steps of another
            run.
        RestoreError: raised by `fit` with `resume=True` if the checkpoint is from a different model, recipe or data.

    >>> checkpoint = OrbaxCheckpoint("checkpoints", max_to_keep=3, resume=True)
    >>> checkpoint.monitor
    'val_loss'
    """

    state_names: tuple[str, ...] = ("best",)

    def __init__(
        self,
        directory: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: SaveFrequency = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
        *,
        resume: bool = False,
    ):
        BestSoFar.__init__(self, monitor, verbose, save_best_only, mode, initial_value_threshold)
        known = arguments.optional(arguments.positive_int)
        max_to_keep = arguments.checked("OrbaxCheckpoint", "max_to_keep", max_to_keep, known)
        if resume and save_weights_only:
            raise ArgumentError(
                "OrbaxCheckpoint: a run cannot resume from weights alone. Remove either resume=True or"
                " save_weights_only=True."
            )
        CheckpointCallback.__init__(self, directory, save_freq, max_to_keep, save_on_background, resume)
        self.directory = directory
        self.save_freq = save_freq
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self.resume = resume

    def start(self, step: int) -> None:
        """Checks that the directory does not belong to another run.

        Raises:
            ArgumentError: it contains later steps.
        """
        known = checkpoints.steps(self.folder)
        if known and known[-1] > step:
            raise ArgumentError(
                f"OrbaxCheckpoint({os.fspath(self.directory)!r}): there are checkpoints of another run, up to step"
                f" {known[-1]}, and this one begins at step {step}. Write resume=True to continue from there, choose another"
                f" directory, or delete this one."
            )

    @property
    def reads_logs(self) -> bool:
        """Whether the monitored value is needed."""
        return self.save_best_only

    def accepts(self, epoch: int, logs: Logs) -> bool:
        """Whether the value is the best so far, if `save_best_only`."""
        if self.save_best_only and self.value_in(logs) is None:
            return False
        return self.should_save(epoch, logs, self.folder)

    def save(self, snapshot: Snapshot) -> None:
        """Saves."""
        if self.save_weights_only:
            arrays = {name: a for name, a in snapshot.arrays.items() if not name.startswith(("opt_state/", "run/"))}
            config = {name: part for name, part in snapshot.config.items() if name != "run"}
            snapshot = Snapshot(snapshot.step, config, arrays)
        super().save(snapshot)

    def wait_until_finished(self) -> None:
        """Waits until everything is written."""
        self.wait()
