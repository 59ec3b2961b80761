"""What data may offer beside its batches; any object that has these methods offers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Indexed(Protocol):
    """Data that gives the batch of a number."""

    def __getitem__(self, index: int, /) -> Any: ...


@runtime_checkable
class Numbered(Indexed, Protocol):
    """Such data that is told of the end of each epoch (`utils.PyDataset`): its batches can be taken in any order."""

    def on_epoch_end(self) -> None: ...


@runtime_checkable
class BeginsEpochs(Protocol):
    """Data that is told of the beginning of each epoch, too."""

    def on_epoch_begin(self) -> None: ...


@runtime_checkable
class Counted(Protocol):
    """Data that says how many batches it has, in other ways than by its length; None for no end."""

    @property
    def num_batches(self) -> int | None: ...


@runtime_checkable
class Ordered(Protocol):
    """Data that makes the batches of several numbers itself, perhaps ahead of their use."""

    def in_order(self, order: Iterable[int] | None = None, /) -> Iterator[Any]: ...


@runtime_checkable
class Passing(Protocol):
    """Data whose passes have numbers, which the order of batches follows from (`jkeras.data`)."""

    def iterate(self, number: int, /) -> Iterator[Any]: ...


@runtime_checkable
class Positioned(Protocol):
    """Data, or an iterator over it, that knows its position as a state."""

    def get_state(self) -> Any: ...
    def set_state(self, state: Any, /) -> Any: ...


@runtime_checkable
class Cardinal(Protocol):
    """Data that says how many batches it has, -1 without end, as `tf.data` does."""

    def cardinality(self) -> Any: ...


def batch_count(data: Any) -> int | None:
    """How many batches data with numbers has; None for no end."""
    count: int | None = data.num_batches if isinstance(data, Counted) else len(data)
    return count


def iterable(data: Iterable[Any] | Sequence[Any]) -> Iterable[Any]:
    """Data that can be iterated over, of data that perhaps can only be indexed."""
    if isinstance(data, Iterable):
        return data
    count = batch_count(data)
    return (data[i] for i in range(len(data) if count is None else count))
