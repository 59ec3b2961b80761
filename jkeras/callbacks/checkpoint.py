"""A callback that saves the model during training."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jkeras.arguments import checked
from jkeras.callbacks.argument_checks import checked_arguments
from jkeras.callbacks.callback import Logs
from jkeras.callbacks.monitor import Monitor
from jkeras.console.messages import print_msg
from jkeras.errors import ArgumentError
from jkeras.files.containers import kinds
from jkeras.writing import check_place


class SaveFrequency:
    """Counts batches up to the next save."""

    def __init__(self, callback: str, every: int | str):
        # The number of batches between two saves; None for epochs.
        self.every: int | None = None
        if every != "epoch":
            if isinstance(every, bool) or not isinstance(every, int) or every < 1:
                raise ArgumentError(f"{callback}(save_freq={every!r}): expected 'epoch' or a number of batches.")
            self.every = every
        self.seen: int = 0
        self.last: int | None = None

    @property
    def by_batch(self) -> bool:
        """Whether to save after batches rather than epochs."""
        return self.every is not None

    def due(self, batch: int) -> bool:
        """Whether a save is due after this batch of the epoch."""
        self.seen += batch + 1 if self.last is None or batch <= self.last else batch - self.last
        self.last = batch
        if self.every is None or self.seen < self.every:
            return False
        self.seen = 0
        return True


class BestSoFar(Monitor):
    """Base of callbacks that save, optionally only if a value improves on the best so far."""

    def __init__(
        self, monitor: str, verbose: int, save_best_only: bool, mode: str, initial_value_threshold: float | None
    ):
        super().__init__(monitor, mode)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.best = initial_value_threshold

    def should_save(self, epoch: int, logs: Logs, where: str | os.PathLike[str]) -> bool:
        """Whether to save now; prints the decision."""
        if not self.save_best_only:
            self._say(epoch, f"saving model to {where}")
            return True
        value = (logs or {}).get(self.monitor)
        if value is not None and np.ndim(value) > 0:
            return True
        current = self.value_in(logs)
        if current is None:
            return True
        before = "None" if self.best is None else f"{self.best:.5f}"
        if self.best is not None and not self.improves(current, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {before}")
            return False
        self._say(epoch, f"{self.monitor} improved from {before} to {current:.5f}, saving model to {where}")
        self.best = current
        return True

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose:
            print_msg(f"\nEpoch {epoch + 1}: {text}")


@checked_arguments
class ModelCheckpoint(BestSoFar):
    """Saves the model, or its weights, after epochs or batches.

    Args:
        filepath: the path to save to; may contain `{epoch}` (from 1), `{batch}` and names of the logs:
            `"{epoch:02d}-{val_loss:.2f}.keras"`. The suffix determines the format as in `save` or,
            with `save_weights_only`, `save_weights`.
        monitor: the value that `save_best_only` compares.
        verbose: 1 prints each save.
        save_best_only: saves only if the value improves on the best so far.
        save_weights_only: saves weights rather than the model.
        mode: "min", "max", or "auto" for the metric's own direction.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: the value that the first save must improve on.

    Raises:
        ArgumentError: `save_freq` or `filepath` is invalid.
        SaveError: the file cannot be written; when training begins if its folder says so.

    >>> ModelCheckpoint("{epoch:02d}-{val_loss:.2f}.keras", save_best_only=True).monitor
    'val_loss'
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, verbose, save_best_only, mode, initial_value_threshold)
        self.filepath: str = checked("ModelCheckpoint", "filepath", os.fspath(filepath), _template)
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._frequency = SaveFrequency("ModelCheckpoint", save_freq)
        self._epoch = 0
        kinds.to_write(Path(self.filepath), "weights" if save_weights_only else "model", "ModelCheckpoint")
        if self._frequency.by_batch:
            # Defined only if needed, because a hook per batch makes the loop stop after each batch.
            self.on_train_batch_end: Any = self._after_batch

    def get_state(self) -> dict[str, Any]:
        """The best value, and the counters."""
        counted = self._frequency
        return {"best": self.best, "epoch": self._epoch, "seen": counted.seen, "last": counted.last}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores them."""
        self.best, self._epoch = state["best"], state["epoch"]
        self._frequency.seen, self._frequency.last = state["seen"], state["last"]

    def on_train_begin(self, logs: Logs = None) -> None:
        """Checks that there is or can be a folder for the files, as far as its name is known."""
        text, field, *_ = next(iter(string.Formatter().parse(self.filepath)))
        check_place(Path(text if field is None else os.path.join(os.path.dirname(text), "file")))

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Saves if `save_freq` is "epoch"."""
        if not self._frequency.by_batch:
            self._save(epoch, logs, {})

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        if self._frequency.due(batch):
            self._save(self._epoch, logs, {"batch": batch + 1})

    def _save(self, epoch: int, logs: Logs, numbers: dict[str, int]) -> None:
        path = self._path(epoch, logs, numbers)
        if not self.should_save(epoch, logs, path):
            return
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _path(self, epoch: int, logs: Logs, numbers: dict[str, int]) -> str:
        known = {**numbers, **(logs or {}), "epoch": epoch + 1}
        try:
            return self.filepath.format(**known)
        except KeyError as error:
            raise ArgumentError(
                f"ModelCheckpoint(filepath={self.filepath!r}): there is no value {error}; available are {sorted(known)}."
            ) from None
        except (AttributeError, TypeError, ValueError) as error:
            raise ArgumentError(f"ModelCheckpoint(filepath={self.filepath!r}): {error}.") from None


def _template(value: str) -> str:
    """A path with places for values by name."""
    try:
        fields = [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(value) if name is not None]
        for name, spec in fields:
            if not name.isidentifier():
                raise ValueError(f"{{{name}}} names no value")
            if "{" not in spec:
                format(1 if name in ("epoch", "batch") else 0.5, spec)
    except ValueError as error:
        raise ArgumentError(
            f"expected a path with places for values, such as '{{epoch:02d}}': {error}. A brace of the path itself is"
            " written twice, '{{'"
        ) from None
    return value
