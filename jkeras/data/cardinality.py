"""How many elements a data set has: a number, -1 without end, -2 if it is not known."""

from __future__ import annotations

import math
from collections.abc import Iterable

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


def of_shortest(sizes: Iterable[int]) -> int:
    """Of data sets that are read together."""
    bounds = [math.inf if size == INFINITE_CARDINALITY else size for size in sizes]
    least = UNKNOWN_CARDINALITY if UNKNOWN_CARDINALITY in bounds else min(bounds)
    return INFINITE_CARDINALITY if least == math.inf else int(least)


def of_all(*sizes: int) -> int:
    """Of data sets one after the other."""
    return next((special for special in (INFINITE_CARDINALITY, UNKNOWN_CARDINALITY) if special in sizes), sum(sizes))


def of_part(size: int, start: int, stop: int | None, step: int) -> int:
    """Of every `step`-th element from `start` to `stop`, half open."""
    if size >= 0:
        return len(range(*slice(start, stop, step).indices(size)))
    return stop - start if stop is not None and size == INFINITE_CARDINALITY else size


def of_batches(size: int, batch_size: int, drop_remainder: bool) -> int:
    """Of batches of elements."""
    if size < 0:
        return size
    return size // batch_size if drop_remainder else math.ceil(size / batch_size)
