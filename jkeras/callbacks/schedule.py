"""Callbacks that end training early or change the learning rate."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, Protocol, SupportsFloat

import numpy as np

from jkeras import arguments
from jkeras.callbacks.argument_checks import checked_arguments
from jkeras.callbacks.callback import Callback, Logs
from jkeras.callbacks.monitor import Monitor, checked_patience
from jkeras.console.messages import print_msg
from jkeras.errors import ArgumentError


class Rated(Protocol):
    """The optimizer of a run, whose learning rate can be read and assigned."""

    learning_rate: Any  # assign a number; reading may return an array


def rated(optimizer: Rated) -> list[tuple[str, Rated]]:
    """The optimizers that have a learning rate, including those inside a MultiOptimizer, with their names."""
    inner = getattr(optimizer, "optimizers", None)
    return [("", optimizer)] if inner is None else [(part.name, part) for part in inner]


def rates(optimizer: Rated) -> dict[str, float]:
    """The learning rates, by their names in the logs."""
    return {
        f"learning_rate_{name}" if name else "learning_rate": float(o.learning_rate) for name, o in rated(optimizer)
    }


@checked_arguments
class EarlyStopping(Monitor):
    """Stops training when a value has stopped improving.

    Args:
        monitor: the name of the value to monitor.
        min_delta: changes smaller than this do not count as an improvement.
        patience: the number of epochs without improvement after which training stops.
        verbose: 1 prints a message when training stops and when weights are restored.
        mode: "min", "max", or "auto" for the metric's own direction.
        baseline: a value that must be exceeded before an epoch counts as an improvement.
        restore_best_weights: whether to restore the weights of the best epoch at the end, even if training was
            not stopped early.
        start_from_epoch: the first epoch to monitor.

    Raises:
        ArgumentError: `mode` or `patience` has a value that it cannot take, or "auto" cannot tell a metric's
            direction.

    >>> stop = EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    >>> stop.patience, stop.restore_best_weights
    (3, True)
    """

    state_names: tuple[str, ...] = ("wait", "stopped_epoch", "best", "best_weights", "best_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta)
        self.patience: float = checked_patience(type(self).__name__, patience)
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait: int = 0
        self.stopped_epoch: int = 0
        self.best: float | None = None
        self.best_weights: list[np.ndarray] | None = None
        self.best_epoch: int = 0
        self.maximize: bool | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Resets the state of an earlier `fit`."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compares the epoch with the best so far."""
        current = self.value_in(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.improves(current, self.worst if self.best is None else self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improves(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Restores the best weights."""
        if self.stopped_epoch > 0 and self.verbose:
            print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print_msg(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


@checked_arguments
class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by a factor when a value has stopped improving.

    Args:
        monitor: the name of the value to monitor.
        factor: the factor, less than 1.
        patience: the number of epochs without improvement after which the rate is reduced.
        verbose: 1 prints each change.
        mode: "min", "max", or "auto" for the metric's own direction.
        min_delta: changes smaller than this do not count as an improvement.
        cooldown: the number of epochs to wait after a reduction before monitoring resumes.
        min_lr: the lower bound on the learning rate.

    Raises:
        ArgumentError: `factor` is not below 1, or `mode` or `patience` has a value that it cannot take.

    >>> ReduceLROnPlateau(factor=0.5, patience=2).factor
    0.5
    """

    state_names: tuple[str, ...] = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        arguments.checked("ReduceLROnPlateau", "factor", factor, arguments.number)
        if factor >= 1.0:
            raise ArgumentError(f"ReduceLROnPlateau(factor={factor!r}): expected a number below 1.")
        self.factor = factor
        self.patience: float = checked_patience(type(self).__name__, patience)
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.wait: int = 0
        self.cooldown_counter: int = 0
        self.maximize: bool | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Resets the state of an earlier `fit`."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compares the epoch with the best; adds `learning_rate` to the logs."""
        logs = {} if logs is None else logs
        logs.update(rates(self.model.optimizer))
        current = self.value_in(logs)
        if current is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(current, self.worst if self.best is None else self.best):
            self.best, self.wait = current, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def _reduce(self, epoch: int) -> bool:
        """Reduces the learning rates; returns whether any changed."""
        reduced = False
        for name, optimizer in rated(self.model.optimizer):
            old = float(optimizer.learning_rate)
            if old > self.min_lr:
                reduced = True
                optimizer.learning_rate = new = max(old * self.factor, self.min_lr)
                if self.verbose:
                    label = f" {name}" if name else ""
                    print_msg(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing{label} learning rate to {new}.")
        return reduced


@checked_arguments
class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: a function from the epoch (starting at 0) and the current learning rate to the new one.
        verbose: 1 prints it.

    Raises:
        ArgumentError: `schedule` is not a function, or does not return a float.

    >>> schedule = LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    >>> round(schedule.schedule(1, 0.1), 2)
    0.09
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        if not callable(schedule):
            raise ArgumentError(
                f"LearningRateScheduler(schedule={schedule!r}): expected a function of the epoch and the rate."
            )
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Sets the learning rate.

        Raises:
            ArgumentError: the schedule did not return a float.
        """
        takes_rate = len(inspect.signature(self.schedule).parameters) > 1
        for name, optimizer in rated(self.model.optimizer):
            rate = float(optimizer.learning_rate)
            new = self.schedule(epoch, rate) if takes_rate else self.schedule(epoch)
            if not isinstance(new, SupportsFloat) or isinstance(new, (bool, int)):
                raise ArgumentError(f"LearningRateScheduler: the schedule must return a float, got {new!r}.")
            optimizer.learning_rate = float(new)
            if self.verbose:
                label = f"{name} " if name else ""
                print_msg(f"\nEpoch {epoch + 1}: LearningRateScheduler setting {label}learning rate to {float(new)}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds `learning_rate` to the logs."""
        if logs is not None:
            logs.update(rates(self.model.optimizer))


@checked_arguments
class TerminateOnNaN(Callback):
    """Stops training if the loss of a batch is NaN or infinite, and reports the step and the layer where it arose.

    Args:
        raise_error: raises an error instead of stopping.

    Raises:
        RuntimeError: with `raise_error`, a loss is not finite.

    >>> callback = TerminateOnNaN()
    >>> isinstance(callback, Callback)
    True
    """

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error
        self.explanation: str = ""

    def on_non_finite(self, explanation: str) -> None:
        """Stores the loop's explanation."""
        self.explanation = explanation

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Checks the loss.

        Raises:
            RuntimeError: with `raise_error=True`, as Keras does.
        """
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            if self.raise_error:
                raise RuntimeError(f"NaN or Inf loss encountered at batch {batch}. {self.explanation}")
            print_msg(f"Batch {batch}: Invalid loss, terminating training. {self.explanation}")
            self.model.stop_training = True
