"""Stages of a pipeline, each built from the previous one.

There are three kinds. `Rows` are arrays in memory in some order, gathered a batch at a time. A `grain.MapDataset` has random
access, so it can be shuffled as a whole and read by several threads. A `grain.IterDataset` is sequential. Every function here
returns the strongest kind that its operation allows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import grain
import numpy as np

from jkeras import arguments, random_keys
from jkeras.data import joined_streams, streams, threaded_streams
from jkeras.data.elements import Element, call, flatten, leaves
from jkeras.errors import ArgumentError, InputError

# Up to this size an order is an array of indices, at most 128 MiB; beyond it, Grain's cipher computes one index at a time. That
# needs no memory, but can take milliseconds per index for a small data set.
MOST_ORDERED = 2**24


@dataclasses.dataclass(frozen=True)
class Rows:
    """Arrays in memory, whose rows are elements.

    Attributes:
        arrays: a structure of arrays with one length.
        order: the indices of the rows, in order.
    """

    arrays: Element
    order: np.ndarray

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int | slice) -> Element:
        """The row with an index, or the rows of several indices, stacked."""
        rows = self.order[index]
        flat, structure = flatten(self.arrays)
        return structure.unflatten([np.asarray(array[rows]) for array in flat])


@dataclasses.dataclass(frozen=True)
class Batches:
    """Batches of rows, each gathered in one operation."""

    rows: Rows
    size: int
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Element:
        return self.rows[index * self.size : (index + 1) * self.size]


class Source(Protocol):
    """Data with random access."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Element: ...


class Numbered(grain.MapDataset):  # type: ignore[misc]  # Grain has no types
    """Elements computed by a function of their index and of the elements of the parents, if any.

    Grain's own stages collect statistics for each element, which takes longer than many functions do.
    """

    def __init__(self, parents: Sequence[grain.MapDataset], length: int, get: Callable[[int], Element]):
        super().__init__(parents)
        self._length = length
        self._get = get

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int | slice) -> Element:
        return self.slice(index) if isinstance(index, slice) else self._get(index % self._length)


@dataclasses.dataclass(frozen=True)
class Stage:
    """The output of a pipeline at some point, and how to read it.

    Attributes:
        data: `Rows`, a `grain.MapDataset` or a `grain.IterDataset`.
        threads: how many threads prepare elements, if the data has random access; 0 means the reader's own thread.
        ahead: how many elements are prepared ahead.
    """

    data: Any  # Grain's classes have no types
    threads: int = 0
    ahead: int = 0

    def having(self, data: Rows | grain.MapDataset | grain.IterDataset) -> Stage:
        """The same stage with other data."""
        return dataclasses.replace(self, data=data)

    @property
    def numbered(self) -> bool:
        """Whether the data has random access."""
        return not isinstance(self.data, grain.IterDataset)

    @property
    def by_number(self) -> grain.MapDataset:
        """The data, which must have random access, as a Grain data set."""
        return numbered_source(self.data) if isinstance(self.data, Rows) else self.data

    @property
    def stream(self) -> grain.IterDataset:
        """The data as a sequential Grain data set."""
        if not self.numbered:
            return self.data
        threads = self.threads or (1 if self.ahead else 0)
        buffer = threads + max(self.ahead, 1) if threads else 0
        return self.by_number.to_iter_dataset(grain.ReadOptions(num_threads=threads, prefetch_buffer_size=buffer))


def numbered_source(data: Source) -> Numbered:
    """Anything with a length and indexing, as a Grain data set."""
    return Numbered([], len(data), data.__getitem__)


def rows(arrays: Element) -> Stage:
    """Arrays of the same length as a stage.

    Raises:
        InputError: they have different lengths, or there are no arrays.
    """
    lengths = {len(array) if array.ndim else -1 for array in leaves(arrays)}
    if len(lengths) != 1 or -1 in lengths:
        shapes = ", ".join(str(array.shape) for array in leaves(arrays))
        raise InputError(
            f"from_tensor_slices() needs arrays with the same number of rows; got the shapes {shapes or 'of none'}."
        )
    return Stage(Rows(arrays, np.arange(lengths.pop())))


def shuffled(stage: Stage, buffer_size: int, seed: int) -> Stage:
    """Shuffles: everything if the data has random access, otherwise within windows."""
    if isinstance(stage.data, Rows):
        order = np.random.default_rng(seed).permutation(stage.data.order)
        return stage.having(Rows(stage.data.arrays, order))
    if not stage.numbered:
        return stage.having(streams.Stream(streams.Shuffled, stage.data, window=buffer_size, seed=seed))
    data, length = stage.data, len(stage.data)
    if length > MOST_ORDERED:
        return stage.having(data.shuffle(seed))
    order = np.random.default_rng(seed).permutation(length)
    return stage.having(Numbered([data], length, lambda index: data[int(order[index])]))


def part(stage: Stage, start: int = 0, stop: int | None = None, step: int = 1) -> Stage:
    """Every `step`-th of the elements in `[start, stop)`."""
    if isinstance(stage.data, Rows):
        return stage.having(Rows(stage.data.arrays, stage.data.order[start:stop:step]))
    if stage.numbered:
        return stage.having(stage.data.slice(slice(start, stop, step)))
    return stage.having(streams.Stream(streams.Part, stage.data, start=start, stop=stop, step=step))


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A function of elements and their indices in which layers draw new random numbers for each element.

    Attributes:
        function: a function of elements.
        entropy: the entropy that determines the random numbers.
    """

    function: Callable[[Element], Element]
    entropy: tuple[int, ...]

    def __call__(self, element: Element, number: int) -> Element:
        with random_keys.Drawing((*self.entropy, number)):
            return self.function(element)


def mapped(stage: Stage, function: Callable[[Element, int], Element], threads: int) -> Stage:
    """Applies a function of elements and their indices to every element."""
    if stage.numbered:
        data = stage.by_number
        results = Numbered([data], len(data), lambda index: function(data[index], index))
        return Stage(results, max(stage.threads, threads), stage.ahead)
    if threads:
        return stage.having(streams.Stream(threaded_streams.Mapped, stage.data, function=function, threads=threads))
    return stage.having(streams.Stream(streams.Mapped, stage.data, function=function))


def numbered(stage: Stage, start: int) -> Stage:
    """Elements `(number, element)`."""
    if stage.numbered:
        data = stage.by_number
        return stage.having(Numbered([data], len(data), lambda index: (np.int64(index + start), data[index])))
    return stage.having(streams.Stream(streams.Numbered, stage.data, start=start))


def batched(stage: Stage, size: int, drop_remainder: bool, stack: Callable[[Sequence[Element], int], Element]) -> Stage:
    """Batches of elements, built by a function of elements and the index of the first."""
    if not stage.numbered:
        return stage.having(
            streams.Stream(streams.Batched, stage.data, size=size, drop_remainder=drop_remainder, stack=stack)
        )
    count = len(stage.data) // size if drop_remainder else math.ceil(len(stage.data) / size)
    if isinstance(stage.data, Rows):
        return stage.having(numbered_source(Batches(stage.data, size, count)))
    data, length = stage.data, len(stage.data)

    def get(index: int) -> Element:
        start = index * size
        return stack([data[i] for i in range(start, min(start + size, length))], start)

    return stage.having(Numbered([data], count, get))


def ahead(stage: Stage, count: int) -> Stage:
    """Prepares elements ahead."""
    if stage.numbered:
        return dataclasses.replace(stage, ahead=max(stage.ahead, count))
    return stage.having(streams.Stream(threaded_streams.Ahead, stage.data, count=count))


def zipped(stages: Sequence[Stage], join: Callable[[list[Element]], Element]) -> Stage:
    """Combines one element of each stage, until the shortest ends."""
    threads, count = max(stage.threads for stage in stages), max(stage.ahead for stage in stages)
    if all(stage.numbered for stage in stages):
        parts = [stage.by_number for stage in stages]
        length = min(len(part) for part in parts)
        return Stage(Numbered(parts, length, lambda index: join([part[index] for part in parts])), threads, count)
    return Stage(streams.Stream(joined_streams.Zipped, *(stage.stream for stage in stages), join=join))


def chained(stages: Sequence[Stage]) -> Stage:
    """Concatenates stages."""
    threads, count = max(stage.threads for stage in stages), max(stage.ahead for stage in stages)
    if all(stage.numbered for stage in stages):
        return Stage(grain.MapDataset.concatenate([stage.by_number for stage in stages]), threads, count)
    return Stage(
        streams.Stream(joined_streams.Chained, part=lambda index: stages[index].stream if index < len(stages) else None)
    )


def interleaved(
    stage: Stage, inner: Callable[[int, Element], Stage], cycle: int, block: int, ahead_of_use: int
) -> Stage:
    """Interleaves `cycle` of the stages that a function returns for each element and its index, `block` elements in turn."""

    def make(element: Element) -> grain.IterDataset:
        each = inner(*element)
        return (ahead(each, ahead_of_use) if ahead_of_use else each).stream

    return Stage(
        streams.Stream(joined_streams.Interleaved, numbered(stage, 0).stream, make=make, cycle=cycle, block=block)
    )


def repeated(lap: Callable[[int], Stage], count: int | None) -> Stage:
    """`count` passes, each built when it begins; None means infinitely many."""

    def part(index: int) -> grain.IterDataset | None:
        return lap(index).stream if count is None or index < count else None

    return Stage(streams.Stream(joined_streams.Chained, part=part, stop_when_empty=True))


def cached(stage: Stage, memory: dict[int, Element]) -> Stage:
    """Stores elements in memory once they have been computed."""
    if isinstance(stage.data, Rows):
        return stage
    if not stage.numbered:
        return Stage(streams.Stream(streams.Cached, source=stage.data, memory=memory))
    data = stage.data

    def get(index: int) -> Element:
        if index not in memory:
            memory[index] = data[index]
        return memory[index]

    return Stage(Numbered([data], len(data), get), stage.threads, stage.ahead)


def kept(stage: Stage, keep: Callable[[Element], bool]) -> Stage:
    """The elements for which a function is true."""
    return Stage(streams.Stream(streams.Filtered, stage.stream, keep=keep))


def unbatched(stage: Stage) -> Stage:
    """The rows of elements as separate elements."""
    return Stage(streams.Stream(streams.Unbatched, stage.stream))


def applied(function: Callable[..., Any], name: str) -> Callable[[Element], Element]:
    """A user's function as a function of elements, which must not return None.

    Grain treats None as a missing element.

    Raises:
        ArgumentError: it is not a function.
    """
    if not callable(function):
        raise ArgumentError(f"{name.removesuffix('()')}({arguments.shown(function)}): expected a function.")

    def apply(element: Element) -> Element:
        result = call(function, element)
        if result is None:
            raise InputError(
                f"{name}: the function {arguments.name_of(function) or function!r} returned None. Did it forget to `return`?"
            )
        return result

    return apply
