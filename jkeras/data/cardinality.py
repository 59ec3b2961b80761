"""The number of elements of a data set: -1 if it is infinite, -2 if it is unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


def of_shortest(sizes: Iterable[int]) -> int:
    """The cardinality of data sets that are zipped."""
    bounds = [math.inf if size == INFINITE_CARDINALITY else size for size in sizes]
    least = UNKNOWN_CARDINALITY if UNKNOWN_CARDINALITY in bounds else min(bounds)
    return INFINITE_CARDINALITY if least == math.inf else int(least)


def of_all(*sizes: int) -> int:
    """The cardinality of data sets that are concatenated."""
    return next((special for special in (INFINITE_CARDINALITY, UNKNOWN_CARDINALITY) if special in sizes), sum(sizes))


def of_part(size: int, start: int, stop: int | None, step: int) -> int:
    """The cardinality of every `step`-th element in `[start, stop)`."""
    if size >= 0:
        return len(range(*slice(start, stop, step).indices(size)))
    return stop - start if stop is not None and size == INFINITE_CARDINALITY else size


def of_batches(size: int, batch_size: int, drop_remainder: bool) -> int:
    """The number of batches."""
    if size < 0:
        return size
    return size // batch_size if drop_remainder else math.ceil(size / batch_size)
