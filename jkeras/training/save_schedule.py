"""When saves are due."""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
import time
from typing import TypeAlias

from jkeras.errors import ArgumentError

# "epoch"; a number of steps; "5 epochs" or "10 minutes"; a `datetime.timedelta`; or False.
SaveFrequency: TypeAlias = str | int | datetime.timedelta

_TEXT = re.compile(r"(?:(\d+) )?(epoch|step|minute)s?")


@dataclasses.dataclass
class Schedule:
    """When saves are due.

    Attributes:
        unit: "epoch", "step", "minute" or "never".
        every: how many of them lie between two saves.
        last: when the last save was, in seconds of a clock that only goes forward.
    """

    unit: str
    every: float
    last: float = dataclasses.field(default_factory=lambda: time.monotonic())

    @classmethod
    def of(cls, callback: str, save_freq: SaveFrequency) -> Schedule:
        """The schedule that a `save_freq` argument describes.

        Raises:
            ArgumentError: it is none of those that are known.
        """
        if save_freq is False:
            return cls("never", math.inf)
        if isinstance(save_freq, datetime.timedelta) and save_freq.total_seconds() > 0:
            return cls("minute", save_freq.total_seconds() / 60)
        if isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq >= 1:
            return cls("step", save_freq)
        parts = _TEXT.fullmatch(save_freq) if isinstance(save_freq, str) else None
        if parts and int(parts[1] or 1) >= 1:
            return cls(parts[2], int(parts[1] or 1))
        raise ArgumentError(
            f"{callback}(save_freq={save_freq!r}): expected 'epoch', '5 epochs', a number of steps, '10 minutes', a"
            f" datetime.timedelta, or False for no saves but the one before a preemption."
        )

    def steps_left(self, steps: int) -> int | None:
        """How many steps lie before the next save; None if that does not depend on steps."""
        return int(self.every - steps % self.every) if self.unit == "step" else None

    def due_after_step(self, steps: int) -> bool:
        """Whether a save is due in the middle of an epoch, after so many steps of the run."""
        if self.unit == "minute":
            return self._time_is_up()
        return self.unit == "step" and steps % self.every == 0

    def due_after_epoch(self, epochs: int) -> bool:
        """Whether a save is due at the end of an epoch, the run's so-manieth."""
        if self.unit == "minute":
            return self._time_is_up()
        return self.unit == "epoch" and epochs % self.every == 0

    def _time_is_up(self) -> bool:
        return time.monotonic() - self.last >= 60 * self.every

    def saved(self) -> None:
        """Restarts the clock."""
        self.last = time.monotonic()
