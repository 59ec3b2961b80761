"""Sequential data: iterators whose position can be saved and restored.

`get_state()` returns numbers and dicts, and `set_state(state)` makes a new iterator over the same data continue with exactly the
elements that were left. What cannot be stored, such as elements in preparation, is computed again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import grain
import numpy as np

from jkeras.data.elements import Element, leaves, map_leaves
from jkeras.errors import InputError

# A position in data: numbers, lists and dicts that JSON can store.
State: TypeAlias = dict[str, Any]

# Builds a batch from elements and the index of the first of them in the data set.
Stack: TypeAlias = Callable[[list[Element], int], Element]


# Grain has no type hints, so its classes are `Any` to type checkers.
class Stream(grain.IterDataset):  # type: ignore[misc]
    """A data set read by an iterator of a given class, which is passed the parents' iterators and some arguments."""

    def __init__(self, reader: Callable[..., grain.DatasetIterator], *parents: grain.IterDataset, **arguments: Any):
        super().__init__(parents)
        self._reader = reader
        self._arguments = arguments

    def __iter__(self) -> grain.DatasetIterator:
        return self._reader(*(iter(parent) for parent in self.parents), **self._arguments)


class Reader(grain.DatasetIterator):  # type: ignore[misc]
    """An iterator over the elements of one parent; its state is the parent's state and a count."""

    count: int

    def __init__(self, parent: grain.DatasetIterator):
        super().__init__(parent)
        self.parent = parent
        self.count = 0

    def get_state(self) -> State:
        return {"parent": self.parent.get_state(), "count": self.count}

    def set_state(self, state: State) -> None:
        self.parent.set_state(state["parent"])
        self.count = state["count"]


class Part(Reader):
    """Every `step`-th element in `[start, stop)`."""

    def __init__(self, parent: grain.DatasetIterator, start: int, stop: int | None, step: int):
        super().__init__(parent)
        self.start = start
        self.stop = stop
        self.step = step

    def __next__(self) -> Element:
        while self.stop is None or self.count < self.stop:
            index, element = self.count, next(self.parent)
            self.count += 1
            if index >= self.start and (index - self.start) % self.step == 0:
                return element
        raise StopIteration


class Filtered(Reader):
    """The elements for which a function is true."""

    def __init__(self, parent: grain.DatasetIterator, keep: Callable[[Element], bool]):
        super().__init__(parent)
        self.keep = keep

    def __next__(self) -> Element:
        while True:
            element = next(self.parent)
            if self.keep(element):
                return element


class Mapped(Reader):
    """The results of a function of each element and its index."""

    def __init__(self, parent: grain.DatasetIterator, function: Callable[[Element, int], Element]):
        super().__init__(parent)
        self.function = function

    def __next__(self) -> Element:
        element = next(self.parent)
        self.count += 1
        return self.function(element, self.count - 1)


class Numbered(Reader):
    """Elements `(number, element)`."""

    def __init__(self, parent: grain.DatasetIterator, start: int):
        super().__init__(parent)
        self.start = start

    def __next__(self) -> Element:
        element = next(self.parent)
        self.count += 1
        return np.int64(self.start + self.count - 1), element


class Shuffled(Reader):
    """Shuffles the elements within each window."""

    def __init__(self, parent: grain.DatasetIterator, window: int, seed: int):
        super().__init__(parent)
        self.window = window
        self.seed = seed
        self.elements: list[Element] = []
        self.windows: int = 0  # the number of windows started
        self.before: State = parent.get_state()

    def __next__(self) -> Element:
        if self.count == len(self.elements):
            self._read()
        self.count += 1
        return self.elements[self.count - 1]

    def _read(self) -> None:
        self.before = self.parent.get_state()
        elements = list(itertools.islice(self.parent, self.window))
        order = np.random.default_rng((self.seed, self.windows)).permutation(len(elements))
        self.elements, self.count = [elements[i] for i in order], 0
        if not elements:
            raise StopIteration
        self.windows += 1

    def get_state(self) -> State:
        return {"parent": self.before, "count": self.count, "windows": self.windows}

    def set_state(self, state: State) -> None:
        self.parent.set_state(state["parent"])
        self.before, self.elements, self.count, self.windows = state["parent"], [], 0, state["windows"]
        if state["count"]:
            self.windows -= 1
            self._read()
            self.count = state["count"]


class Batched(Reader):
    """Elements in batches."""

    def __init__(
        self,
        parent: grain.DatasetIterator,
        size: int,
        drop_remainder: bool,
        stack: Callable[[list[Element], int], Element],
    ):
        super().__init__(parent)
        self.size = size
        self.drop_remainder = drop_remainder
        self.stack = stack

    def __next__(self) -> Element:
        elements = list(itertools.islice(self.parent, self.size))
        if not elements or (self.drop_remainder and len(elements) < self.size):
            raise StopIteration
        start = self.count
        self.count += len(elements)
        return self.stack(elements, start)


class Unbatched(Reader):
    """The rows of batches, in sequence."""

    def __init__(self, parent: grain.DatasetIterator):
        super().__init__(parent)
        self.batch: Element = None
        self.rows: int = 0
        self.before: State = parent.get_state()

    def __next__(self) -> Element:
        while self.count >= self.rows:
            self._read()
        self.count += 1
        return map_leaves(lambda leaf: leaf[self.count - 1], self.batch)

    def _read(self) -> None:
        # At the end `next` raises, and then there is no current batch.
        self.before, self.count, self.rows = self.parent.get_state(), 0, 0
        self.batch = next(self.parent)
        lengths = {len(leaf) if np.ndim(leaf) else -1 for leaf in leaves(self.batch)}
        if len(lengths) != 1 or -1 in lengths:
            raise InputError(
                f"unbatch() needs arrays with the same number of rows, got {[np.shape(v) for v in leaves(self.batch)]}."
            )
        self.rows = lengths.pop()

    def get_state(self) -> State:
        return {"parent": self.before, "count": self.count}

    def set_state(self, state: State) -> None:
        self.parent.set_state(state["parent"])
        self.before, self.count, self.rows = state["parent"], 0, 0
        if state["count"]:
            self._read()
            self.count = state["count"]


class Generated(grain.DatasetIterator):  # type: ignore[misc]
    """The elements of a generator function. To resume, the function is called again and earlier elements are skipped."""

    def __init__(self, start: Callable[[], Iterator[Element]], check: Callable[[Element, int], Element]):
        super().__init__()
        self.start = start
        self.check = check
        self.count: int = 0
        self.generator: Iterator[Element] | None = None

    def __next__(self) -> Element:
        if self.generator is None:
            self.generator = itertools.islice(self.start(), self.count, None)
        element = next(self.generator)
        self.count += 1
        return self.check(element, self.count - 1)

    def get_state(self) -> State:
        return {"count": self.count}

    def set_state(self, state: State) -> None:
        self.count, self.generator = state["count"], None


class Cached(grain.DatasetIterator):  # type: ignore[misc]
    """Elements cached in memory, read from their source the first time."""

    def __init__(self, source: grain.IterDataset, memory: dict[int, Element]):
        super().__init__()
        self.source = source
        self.memory = memory
        self.count: int = 0
        self.reading: grain.DatasetIterator | None = None
        self.read: int = 0

    def __next__(self) -> Element:
        # Element -1 marks the cache as complete.
        while self.count not in self.memory:
            if -1 in self.memory:
                raise StopIteration
            if self.reading is None:
                self.reading, self.read = iter(self.source), 0
            try:
                self.memory[self.read] = next(self.reading)
            except StopIteration:
                self.memory[-1] = None
                raise
            self.read += 1
        self.count += 1
        return self.memory[self.count - 1]

    def get_state(self) -> State:
        return {"count": self.count}

    def set_state(self, state: State) -> None:
        self.count = state["count"]

    def close(self) -> None:
        if self.reading is not None:
            self.reading.close()
        super().close()
