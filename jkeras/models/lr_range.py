"""The learning-rate range test."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jkeras import arguments
from jkeras.callbacks.callback import Callback
from jkeras.errors import ArgumentError, InputError
from jkeras.types import Array

if TYPE_CHECKING:
    from jkeras.models.model import Model


@dataclasses.dataclass(frozen=True)
class LearningRateRange:
    """The result of `jk.lr_range_test`.

    Attributes:
        learning_rates: the rate of each step, shape `(steps,)`.
        losses: the smoothed loss before it, shape `(steps,)`.
    """

    learning_rates: np.ndarray
    losses: np.ndarray

    @property
    def suggestion(self) -> float:
        """The rate at which the loss falls most steeply, on a logarithmic axis of rates."""
        slopes = np.gradient(self.losses, np.log(self.learning_rates))
        return float(self.learning_rates[int(np.argmin(slopes))])


class _Rising(Callback):
    """Raises the learning rate geometrically with every batch, until the loss explodes."""

    def __init__(self, low: float, high: float, steps: int, smoothing: float, explosion: float):
        super().__init__()
        self.rates = np.geomspace(low, high, steps)
        self.smoothing, self.explosion = smoothing, explosion
        self.average, self.losses, self.seen = 0.0, [], (0.0, 0)  # type: ignore[var-annotated]

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.seen = (0.0, 0)

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self.model.optimizer.learning_rate = float(self.rates[len(self.losses)])

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        # Logs are means over the epoch so far; batches are of one size.
        total, count = self.seen
        mean = float((logs or {})["loss"])
        loss = mean * (count + 1) - total
        self.seen = (mean * (count + 1), count + 1)
        self.average = self.smoothing * self.average + (1 - self.smoothing) * loss
        smooth = self.average / (1 - self.smoothing ** (len(self.losses) + 1))
        self.losses.append(smooth)
        exploded = not math.isfinite(smooth) or smooth > self.explosion * min(self.losses)
        if exploded or len(self.losses) == len(self.rates):
            self.model.stop_training = True


def _rows(value: Any) -> Any:
    """Rows of an array or a frame."""
    if not getattr(value, "shape", ()):
        raise ArgumentError("expected an array of rows")
    return value


def lr_range_test(
    model: Model,
    x: np.ndarray | Array,
    y: np.ndarray | Array | None = None,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    batch_size: int = 32,
    smoothing: float = 0.9,
    explosion: float = 4.0,
) -> LearningRateRange:
    """Trains for some steps with a growing learning rate and records the loss (Smith, 2017).

    The model passed in is not changed.

    Args:
        model: a compiled model.
        x, y: data, as in `fit`.
        low, high: the first and the last learning rate.
        steps: the number of steps.
        batch_size: rows in a step.
        smoothing: the weight of the previous average in the running average of the loss, which is corrected for its start.
        explosion: the run stops when the average loss exceeds its smallest value by this factor.

    Raises:
        ArgumentError: not 0 < low < high, fewer than 5 steps, or an argument is out of range.
        InputError: fewer rows than one batch, or `x` and `y` have different numbers of rows.

    >>> import jkeras as jk
    >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
    >>> model = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> result = lr_range_test(model, x, 2 * x, steps=40, high=10.0)
    >>> 1e-3 < result.suggestion < 10
    True
    """
    checked = functools.partial(arguments.checked, "lr_range_test")
    low = checked("low", low, arguments.finite_positive)
    high = checked("high", high, arguments.finite_positive)
    if not low < high:
        raise ArgumentError(f"lr_range_test(low={low!r}, high={high!r}): expected 0 < low < high.")
    steps = checked("steps", steps, arguments.at_least(5))
    batch_size = checked("batch_size", batch_size, arguments.positive_int)
    smoothing = checked("smoothing", smoothing, arguments.between(0, 1, open_high=True))
    explosion = checked("explosion", explosion, arguments.between(1, math.inf, open_low=True))
    x, y = checked("x", x, _rows), checked("y", y, arguments.optional(_rows))
    if y is not None and len(y) != len(x):
        raise InputError(f"lr_range_test: x has {len(x)} rows and y {len(y)}.")
    rows = len(x) // batch_size * batch_size
    if rows == 0:
        raise InputError(f"lr_range_test(batch_size={batch_size}): the data has {len(x)} rows, less than one batch.")
    rising = _Rising(low, high, steps, smoothing, explosion)
    epochs = math.ceil(steps / (rows // batch_size))
    _ = model.fit(x[:rows], None if y is None else y[:rows], batch_size, epochs, verbose=0, callbacks=[rising])
    count = len(rising.losses)
    return LearningRateRange(rising.rates[:count], np.asarray(rising.losses))
