"""Batches that arrive one after another, as the loop sees them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from jkeras.errors import ArgumentError, InputError
from jkeras.training.batches import standardize_batch
from jkeras.training.class_weights import class_weights
from jkeras.training.data_protocols import (
    BeginsEpochs,
    Numbered,
    Ordered,
    Passing,
    Positioned,
    batch_count,
    iterable,
)
from jkeras.training.state import Batch


@dataclasses.dataclass
class StreamSource:
    """Batches that arrive one after another.

    A generator is read on from epoch to epoch; anything else that can be iterated over starts again when it ends. A data
    set with `__getitem__` and a length (`utils.PyDataset`) gives its batches in any order, and is told of epochs.

    Attributes:
        iterable: what yields batches.
        steps: batches in an epoch; the next epoch goes on where the one before stopped.
        class_weight: a weight per class, which becomes a weight per sample.
        passes_before: added to the numbers of passes, for data whose orders follow from them (`jkeras.data`).
    """

    iterable: Any
    steps: int | None = None
    class_weight: Mapping[int, float] | None = None
    passes_before: int = 0
    # The first batch of all, kept to ask for shapes; one that was read ahead; what is being read.
    sample: Batch | None = None
    ahead: Batch | None = None
    current: Iterator[Any] | None = None
    # For resuming: batches taken since reading began, the order they come in, epochs that ended, and the state of the
    # iterator before the batch that was read ahead.
    taken: int = 0
    order: Any = None
    epochs: int = 0
    untouched: Any = None

    @property
    def steps_per_epoch(self) -> int | None:
        """The number of batches in an epoch, None until the data ends."""
        return self.steps if self.steps is not None else self.batch_count

    @property
    def batch_count(self) -> int | None:
        """The number of batches in the data, if it can tell."""
        if self.numbered:
            return batch_count(self.iterable)
        try:
            count = len(self.iterable)
        except TypeError:
            return None
        return None if count == sys.maxsize else count  # what Grain says of data that is repeated for ever

    @property
    def numbered(self) -> bool:
        """Whether any batch can be had by its number."""
        return isinstance(self.iterable, Numbered)

    @property
    def endless(self) -> bool:
        """Whether the data can be read only once."""
        return isinstance(self.iterable, Iterator)

    def facts(self) -> dict[str, Any]:
        """What a run that goes on from a checkpoint compares."""
        return {"batches in an epoch": self.steps}

    def example(self) -> Batch:
        """The first batch, which is not lost.

        Raises:
            InputError: there is none.
        """
        if self.sample is None and self.numbered:
            if self.batch_count == 0:
                raise InputError(
                    "The data yields no batches. Pass an iterable with at least one; a generator can be read only once."
                )
            self.sample = self._standard(self.iterable[0])
        if self.sample is None:
            self._start()
            holder = self._holder()
            self.untouched = None if holder is None else holder.get_state()
            self.sample = self.ahead = self._next()
        if self.sample is None:
            raise InputError(
                "The data yields no batches. Pass an iterable with at least one; a generator can be read only once."
            )
        return self.sample

    def batches(self, order: Any = None, resume: bool = False, done: int = 0) -> Iterator[Batch]:
        """Batches of one epoch.

        Args:
            order: the numbers of all batches in the order wanted, for a data set that has them by number.
            resume: goes on where the last epoch stopped, if that was before the end.
            done: how many batches of this epoch were taken before, by a run that is resumed.
        """
        if self.numbered and isinstance(self.iterable, BeginsEpochs):
            self.iterable.on_epoch_begin()
        if self.ahead is None and not done and (self.current is None or not (resume or self.endless)):
            self._start(order)
        count = done
        while self.steps is None or count < self.steps:
            batch, self.ahead = self.ahead or self._next(), None
            if batch is None and not self.endless:
                self.current = None
                if count == 0 and resume:  # the epoch before stopped exactly at the end
                    self._start(order)
                    batch = self._next()
            if batch is None:
                break
            count += 1
            self.taken += 1
            yield batch
        if self.steps is None and not self.endless:
            self.current = None
        self.epochs += 1
        if self.numbered:
            self.iterable.on_epoch_end()

    # -- resuming -------------------------------------------------------------------------------------------------

    def _holder(self) -> Positioned | None:
        """What knows the position in the data by a state of its own: the data set, or its iterator; None if neither does."""
        for holder in (self.iterable, self.current):
            if isinstance(holder, Positioned):
                return holder
        return None

    def get_state(self) -> dict[str, Any]:
        """The position in the data, for `set_state` of a source of the same data that nothing was read from."""
        holder = self._holder()
        state = None if holder is None else self.untouched if self.ahead is not None else holder.get_state()
        reading = self.current is not None
        return {"reading": reading, "taken": self.taken, "order": self.order, "epochs": self.epochs, "state": state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes to a position: by the state of the data set or its iterator, otherwise by skipping what was read.

        Raises:
            InputError: the data ends before.
        """
        self.epochs = state["epochs"]
        known, holder = state["state"], self._holder()
        if self.numbered and known is None:
            for _ in range(self.epochs):  # data sets may shuffle themselves there
                if isinstance(self.iterable, BeginsEpochs):
                    self.iterable.on_epoch_begin()
                self.iterable.on_epoch_end()
        if known is not None and holder is not None and holder is self.iterable:
            holder.set_state(known)
            self.current = self.ahead = None
        if not state["reading"]:
            return
        order, taken = state["order"], state["taken"]
        if self.numbered:
            self._start(None if order is None else order[taken:])
        elif self.current is None:
            self._start()
        if known is not None:
            self.ahead = None
            holder = self._holder()
            if holder is not None and holder is not self.iterable:
                holder.set_state(known)
        elif not self.numbered or order is None:
            self._skip(taken)
        self.order, self.taken = order, taken

    def _skip(self, count: int) -> None:
        for done in range(count):
            if self.ahead is not None:
                self.ahead = None
            elif next(self.current or iter(()), _END) is _END:
                raise InputError(
                    f"The run that is resumed had read {count} batches, but the data ends after {done}. Pass the same data,"
                    f" from its beginning."
                )

    def _start(self, order: Any = None) -> None:
        self.order, self.taken = order, 0
        if self.numbered and isinstance(self.iterable, Ordered):
            self.current = iter(self.iterable.in_order(order))
        elif self.numbered and order is not None:
            self.current = (self.iterable[int(i)] for i in order)
        elif isinstance(self.iterable, Passing):
            self.current = self.iterable.iterate(self.passes_before + self.epochs)
        else:
            self.current = iter(iterable(self.iterable))

    def _next(self) -> Batch | None:
        item = next(self.current or iter(()), _END)
        return None if item is _END else self._standard(item)

    def _standard(self, item: Any) -> Batch:
        batch = standardize_batch(item)
        if self.sample is not None:
            self._compare(batch)
        if self.class_weight is None:
            return batch
        if batch.sample_weight is not None:
            raise ArgumentError("Give class_weight, or sample weights in the batches, not both.")
        return dataclasses.replace(batch, sample_weight=class_weights(batch.y, self.class_weight))

    def _compare(self, batch: Batch) -> None:
        """Raises InputError for a batch that is put together in another way than the first."""
        first = self.sample
        if first is None:
            return
        self._compare_part("x", first.x, batch.x)
        self._compare_part("y", first.y, batch.y)
        if self.class_weight is None:
            self._compare_part("sample_weight", first.sample_weight, batch.sample_weight)

    def _compare_part(self, name: str, first: Any, now: Any) -> None:
        if first is now is None or (type(first) is type(now) is np.ndarray and first.ndim == now.ndim):
            return
        structures: list[Any] = [jax.tree.structure(first), jax.tree.structure(now)]
        if structures[0] != structures[1] or any(
            a.ndim != b.ndim for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(now), strict=True)
        ):
            raise InputError(
                f"Batch {self.taken} of the data has {name} = {_shown(now)}, but the first batch had {_shown(first)}. All"
                f" batches must be put together alike."
            )


def _shown(part: object) -> str:
    """The structure of a part of a batch, with types and shapes."""
    shown = jax.tree.map(lambda a: _Text(f"{a.dtype}{list(a.shape)}"), part)
    return repr(shown)


class _Text(str):
    """Text that shows itself without quotes."""

    def __repr__(self) -> str:
        return str(self)


_END = object()
