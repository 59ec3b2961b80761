"""Monitoring a value in the logs: which direction is better, and whether it improved."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from jkeras import arguments
from jkeras.callbacks.callback import Callback, Logs
from jkeras.errors import ArgumentError, suggestion

MODES = ("auto", "min", "max")


def mode_of(callback: str, mode: str) -> str:
    """Checks a `mode` argument.

    Raises:
        ArgumentError: it is not "auto", "min" or "max".
    """
    return arguments.checked(callback, "mode", mode, arguments.one_of(*MODES))


def checked_patience(callback: str, patience: float) -> float:
    """Checks a `patience` argument, which may be infinite.

    Raises:
        ArgumentError: it is not a number of at least 0.
    """
    return arguments.checked(callback, "patience", patience, arguments.non_negative)


def _advice(monitor: str, logs: Mapping[str, Any]) -> str:
    if monitor.removeprefix("val_") in logs and monitor.startswith("val_"):
        return f" Pass validation_data or validation_split to `fit`, or monitor {monitor.removeprefix('val_')!r}."
    return suggestion(monitor, logs)


class Monitor(Callback):
    """Base of callbacks that compare a value in the logs with the best so far.

    Args:
        monitor: the name of the value.
        mode: "min" if smaller is better, "max" if larger is better, "auto" for the metric's own direction.
        min_delta: changes smaller than this do not count as an improvement.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0):
        super().__init__()
        self.monitor = monitor
        self.mode: str = mode_of(type(self).__name__, mode)
        self.min_delta: float = abs(min_delta)
        self.maximize: bool | None = None

    def value_in(self, logs: Logs) -> float | None:
        """The monitored value, or None with a warning if it is not in the logs."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} monitors {self.monitor!r}, which is not in the logs."
                f"{_advice(self.monitor, logs)}",
                stacklevel=2,
            )
            return None
        return float(np.asarray(value).item())

    def improves(self, value: float, reference: float) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`."""
        if self.maximize is None:
            self.maximize = self._larger_is_better()
        return value - self.min_delta > reference if self.maximize else value + self.min_delta < reference

    @property
    def worst(self) -> float:
        """The worst possible value."""
        if self.maximize is None:
            self.maximize = self._larger_is_better()
        return -math.inf if self.maximize else math.inf

    def _larger_is_better(self) -> bool:
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        known = name == "loss" or name.endswith("_loss")
        direction = "down" if known else self.model.directions.get(name)
        if direction not in ("up", "down"):
            raise ArgumentError(
                f"{type(self).__name__}(monitor={self.monitor!r}, mode='auto'): it is unknown whether larger is better for"
                f" this value. Write mode='min' or mode='max'."
            )
        return direction == "up"
