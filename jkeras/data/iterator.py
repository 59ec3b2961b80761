"""One pass through a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jkeras import arguments
from jkeras.data.elements import (
    Element,
    as_arrays,
)
from jkeras.data.passes import Pass

if TYPE_CHECKING:
    from jkeras.data.dataset import Dataset


class DatasetIterator(Iterator[Element]):
    """One pass through a data set, whose position can be saved and restored; `Dataset.iterate` returns it.

    Args:
        dataset: the data set.
        number: the number of the pass, which determines the order of shuffles.
        finish: converts each element before it is returned.

    Raises:
        ArgumentError: `number` is not an integer from 0.

    >>> import jkeras as jk
    >>> ds = jk.data.Dataset.range(10).shuffle(10, seed=1).batch(2)
    >>> first, other = ds.iterate(3), ds.iterate()
    >>> _ = next(first)
    >>> other.set_state(first.get_state())
    >>> [batch.tolist() for batch in first] == [batch.tolist() for batch in other]
    True
    """

    def __init__(self, dataset: Dataset, number: int = 0, finish: Callable[[Element], Element] = as_arrays):
        self.dataset = dataset
        self.finish = finish
        self._begin(number)

    def _begin(self, number: int) -> None:
        self.number: int = arguments.checked("iterate", "number", number, arguments.at_least(0))
        self._inner = iter(self.dataset.stage(Pass((self.number,))).stream)

    def __next__(self) -> Element:
        return self.finish(next(self._inner))

    def get_state(self) -> dict[str, Any]:
        """The number of the pass and the position in it, as numbers, lists and dicts that JSON can store."""
        return {"pass": self.number, "position": self._inner.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a position in the same data: exactly the elements that were left follow."""
        self._inner.close()
        self._begin(state["pass"])
        self._inner.set_state(state["position"])

    def close(self) -> None:
        """Stops the threads that read ahead."""
        self._inner.close()
