"""Iterators over the elements of several data sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import grain

from jkeras.data.elements import Element
from jkeras.data.streams import State

# For one of several data sets: the state of the parent before its element, and the iterator.
Place: TypeAlias = "tuple[State, grain.DatasetIterator]"


class Zipped(grain.DatasetIterator):  # type: ignore[misc]
    """Combines one element of each parent, until the shortest ends."""

    def __init__(self, *parents: grain.DatasetIterator, join: Callable[[list[Element]], Element]):
        super().__init__(parents)
        self.parents = parents
        self.join = join

    def __next__(self) -> Element:
        return self.join([next(parent) for parent in self.parents])

    def get_state(self) -> State:
        return {"parents": [parent.get_state() for parent in self.parents]}

    def set_state(self, state: State) -> None:
        for parent, position in zip(self.parents, state["parents"], strict=True):
            parent.set_state(position)


class Chained(grain.DatasetIterator):  # type: ignore[misc]
    """Data sets one after the other, each started when the previous one has ended.

    `part` returns the data set with a given number, or None if there are no more. With `stop_when_empty`, a data set
    without elements is the last one, so that infinite repetition of an empty data set ends.
    """

    def __init__(self, part: Callable[[int], grain.IterDataset | None], stop_when_empty: bool = False):
        super().__init__()
        self.part = part
        self.stop_when_empty = stop_when_empty
        self.index: int = 0
        self.current: grain.DatasetIterator | None = None
        self.empty: bool = False

    def __next__(self) -> Element:
        while True:
            if self.current is None:
                data = self.part(self.index)
                if data is None:
                    raise StopIteration
                self.current, self.empty = iter(data), True
            try:
                element = next(self.current)
            except StopIteration:
                self.close_current()
                if self.empty and self.stop_when_empty:
                    raise
                self.index += 1
            else:
                self.empty = False
                return element

    def get_state(self) -> State:
        position = None if self.current is None else self.current.get_state()
        return {"index": self.index, "position": position}

    def set_state(self, state: State) -> None:
        self.close_current()
        self.index = state["index"]
        if state["position"] is not None:
            data = self.part(self.index)
            if data is not None:
                self.current, self.empty = iter(data), False
                self.current.set_state(state["position"])

    def close_current(self) -> None:
        if self.current is not None:
            self.current.close()
            self.current = None

    def close(self) -> None:
        self.close_current()
        super().close()


class Interleaved(grain.DatasetIterator):  # type: ignore[misc]
    """Interleaves the elements of several data sets, one data set per element of the parent.

    `cycle` data sets are read at a time, `block` elements of each in turn; one that ends is replaced by the next.
    """

    def __init__(
        self, parent: grain.DatasetIterator, make: Callable[[Element], grain.IterDataset], cycle: int, block: int
    ):
        super().__init__(parent)
        self.parent = parent
        self.make = make
        self.cycle = cycle
        self.block = block
        # For each slot, the state of the parent before its element, and the iterator; None for an empty slot.
        self.places: list[Place | None] = [None] * cycle
        self.turn: int = 0
        self.done: int = 0
        self.ended: bool = False

    def __next__(self) -> Element:
        empty = 0
        while empty < self.cycle:
            place = self.places[self.turn]
            if place is None and not self.ended:
                place = self._open()
            if place is None:
                empty += 1
                self._move()
                continue
            try:
                element = next(place[1])
            except StopIteration:
                place[1].close()
                self.places[self.turn] = None
                self._move()
                empty = 0
                continue
            self.done += 1
            if self.done == self.block:
                self._move()
            return element
        raise StopIteration

    def _move(self) -> None:
        self.turn, self.done = (self.turn + 1) % self.cycle, 0

    def _open(self) -> Place | None:
        before = self.parent.get_state()
        try:
            element = next(self.parent)
        except StopIteration:
            self.ended = True
            return None
        self.places[self.turn] = before, iter(self.make(element))
        return self.places[self.turn]

    def get_state(self) -> State:
        places = [None if place is None else [place[0], place[1].get_state()] for place in self.places]
        return {
            "parent": self.parent.get_state(),
            "places": places,
            "turn": self.turn,
            "done": self.done,
            "ended": self.ended,
        }

    def set_state(self, state: State) -> None:
        self._close_places()
        for index, place in enumerate(state["places"]):
            if place is not None:
                before, position = place
                self.parent.set_state(before)
                iterator = iter(self.make(next(self.parent)))
                iterator.set_state(position)
                self.places[index] = before, iterator
        self.parent.set_state(state["parent"])
        self.turn, self.done, self.ended = state["turn"], state["done"], state["ended"]

    def _close_places(self) -> None:
        for place in self.places:
            if place is not None:
                place[1].close()
        self.places = [None] * self.cycle

    def close(self) -> None:
        self._close_places()
        super().close()
