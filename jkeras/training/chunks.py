"""How many steps one dispatch has."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jkeras.training.task import Options

# One dispatch should last about this long: seldom enough to cost nothing, often enough to draw a smooth bar.
SECONDS_PER_DISPATCH = 0.05
# With nothing to draw or call, only the interrupt key needs an answer.
SECONDS_PER_QUIET_DISPATCH = 0.2
# A chunk may be at most this much longer than the one before, since the first measurement may be off.
MAX_GROWTH = 16


class Chunks:
    """How many steps go into one dispatch.

    Args:
        options: of the run.
        per_batch: whether a callback is told of each batch, so that a dispatch has one step.
    """

    def __init__(self, options: Options, per_batch: bool):
        self.per_batch = per_batch
        self.fixed: Any | None = options.steps_per_execution if options.steps_per_execution != "auto" else None
        quiet = options.verbose == 0
        self.target: float = SECONDS_PER_QUIET_DISPATCH if quiet else SECONDS_PER_DISPATCH
        self.adaptive: int = 1
        self.last: float | None = None

    @property
    def size(self) -> int:
        """Steps in the next dispatch."""
        return 1 if self.per_batch else self.fixed or self.adaptive

    def note(self, count: int) -> None:
        """Learns from the time since the dispatch before."""
        now = time.perf_counter()
        if self.last is not None:
            seconds = max((now - self.last) / count, 1e-7)
            self.adaptive = max(1, min(math.ceil(self.target / seconds), self.adaptive * MAX_GROWTH))
        self.last = now
