"""The progress bar of training, for custom loops."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike

from jkeras import arguments
from jkeras.console.progress import ProgressBar, Verbosity
from jkeras.errors import ArgumentError

Pairs: TypeAlias = Iterable[tuple[str, ArrayLike]]


class _StandardOutput:
    """The current `sys.stdout` at each write, so that the bar follows later redirections."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()

    def isatty(self) -> bool:
        return sys.stdout.isatty()

    @property
    def encoding(self) -> str | None:
        return sys.stdout.encoding


class Progbar:
    """Keras's progress bar: `update` to a step, or `add` steps.

    Args:
        target: the number of steps, or None when it is unknown.
        width: accepted for compatibility with Keras.
        verbose: 0 prints nothing, 1 a bar, 2 a line at the end.
        interval: the minimum number of seconds between two updates of the bar.
        stateful_metrics: the names of values that are shown unchanged; others are shown as averages over the steps.
        stateless_metrics: alternatively, the names of values that are shown as averages; others are shown unchanged.
        unit_name: the unit of the steps.

    Raises:
        ArgumentError: both lists of names are passed.

    >>> bar = Progbar(2, verbose=2)
    >>> bar.update(1, [("loss", 1.0)])
    >>> bar.update(2, [("loss", 2.0)])  # doctest: +ELLIPSIS
    2/2 - ... - loss: 2.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: Verbosity | bool | str = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ArgumentError("Progbar: give `stateful_metrics` or `stateless_metrics`, not both.")
        arguments.checked("Progbar", "target", target, arguments.optional(arguments.integer))
        names = arguments.optional(arguments.texts)
        arguments.checked("Progbar", "stateful_metrics", stateful_metrics, names)
        arguments.checked("Progbar", "stateless_metrics", stateless_metrics, names)
        arguments.checked("Progbar", "unit_name", unit_name, arguments.text)
        self.target = target
        self._shown = set(stateful_metrics or ())
        self._averaged = None if stateless_metrics is None else set(stateless_metrics)
        arguments.checked("Progbar", "interval", interval, arguments.non_negative)
        arguments.checked("Progbar", "width", width, arguments.at_least(0))
        stream = cast(TextIO, _StandardOutput())
        self._bar = ProgressBar(target, verbose=verbose, stream=stream, unit=unit_name, interval=interval, width=width)
        self._step = 0
        self._sums: dict[str, tuple[float, int]] = {}

    def update(self, current: int, values: Pairs | None = None, finalize: bool | None = None) -> None:
        """Shows that step `current` is done, with `(name, value)` pairs of that step.

        `finalize` says whether it is the last one; None finds out from the target. The values of the last one are shown as
        they are.
        """
        last = finalize if finalize is not None else self.target is not None and current >= self.target
        steps = max(current - self._step, 1)
        for name, value in values or ():
            averaged = name not in self._shown if self._averaged is None else name in self._averaged
            # The last values are those of the whole, as `fit` has them at the end of an epoch.
            total, count = self._sums.get(name, (0.0, 0)) if averaged and not last else (0.0, 0)
            self._sums[name] = (total + float(np.mean(np.asarray(value))) * steps, count + steps)
        self._step = current
        means = {name: total / count for name, (total, count) in self._sums.items()}
        if last:
            self._bar.finish(means)
        else:
            self._bar.update(current, means)

    def add(self, n: int, values: Pairs | None = None) -> None:
        """Shows that `n` more steps are done."""
        self.update(self._step + n, values)
