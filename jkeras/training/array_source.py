"""Data in memory, as the loop sees it."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from jkeras.training.state import Batch


@dataclasses.dataclass(frozen=True)
class ArraySource:
    """A data set held in memory.

    Attributes:
        data: arrays, rows on the first axis.
        rows: their number.
        batch_size: rows in a batch; the last may have fewer.
        steps: batches in an epoch, when fewer than all are wanted; the next epoch goes on where the one before stopped.
        subset: for many models that train together, `(models, rows)`: which rows of `data` each of them sees.
    """

    data: Batch
    rows: int
    batch_size: int
    steps: int | None = None
    subset: Any = None

    @property
    def batch_count(self) -> int:
        """The number of batches in the data."""
        return math.ceil(self.rows / self.batch_size)

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches in an epoch."""
        return min(self.steps or self.batch_count, self.batch_count)

    @property
    def ragged(self) -> bool:
        """Whether the last batch of the data has fewer rows than the others."""
        return self.rows % self.batch_size != 0

    def span(self, epoch: int) -> tuple[int, int, int]:
        """The pass through the data that an epoch belongs to, and its first and last batch there (half open)."""
        lap, part = divmod(epoch, math.ceil(self.batch_count / self.steps_per_epoch))
        start = part * self.steps_per_epoch
        return lap, start, min(start + self.steps_per_epoch, self.batch_count)

    @property
    def nbytes(self) -> int:
        """The size of all arrays in bytes."""
        return sum(leaf.nbytes for leaf in jax.tree.leaves(self.data))

    def facts(self) -> dict[str, Any]:
        """What a run that goes on from a checkpoint compares."""
        return {"rows": self.rows, "batch_size": self.batch_size, "batches in an epoch": self.steps}

    def example(self) -> Batch:
        """The shapes of a full batch."""
        return self._example

    @functools.cached_property
    def _example(self) -> Batch:
        size = min(self.batch_size, self.rows)
        result: Batch = jax.tree.map(lambda a: jax.ShapeDtypeStruct((size, *a.shape[1:]), a.dtype), self.data)
        return result

    def batches(self, order: np.ndarray | None = None, first: int = 0, last: int | None = None) -> Iterator[Batch]:
        """Batches `first` to `last` (half open; those of one epoch), gathered on the host."""
        for step in range(first, self.steps_per_epoch if last is None else last):
            start = step * self.batch_size
            rows = slice(start, start + self.batch_size) if order is None else order[start : start + self.batch_size]
            yield jax.tree.map(lambda a, rows=rows: a[rows], self.data)
