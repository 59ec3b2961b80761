"""Data and tensors of other libraries, recognised by the names of their classes: none of them is imported here.

`ADAPTERS` turns data into what `as_source` knows: arrays `Columns`, or an iterable of batches. `TENSORS` turns single tensors
into arrays. What is in neither table is used as it is: arrays, lists, dicts, generators, `PyDataset`, and everything that can be
iterated over and yields batches (`jkeras.data`, Grain's data sets and loaders, PyTorch's `DataLoader`).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

from jkeras.errors import InputError

# Columns that hold targets in data sets of Hugging Face.
TARGETS = ("label", "labels")


@runtime_checkable
class Shaped(Protocol):
    """An array of any library."""

    @property
    def shape(self) -> Any: ...


@runtime_checkable
class Frame(Protocol):
    """A table or column of pandas, Polars and their like."""

    def to_numpy(self) -> Any: ...


@runtime_checkable
class Convertible(Protocol):
    """What NumPy makes an array of."""

    def __array__(self) -> Any: ...


@runtime_checkable
class Exchangeable(Protocol):
    """What gives its memory to other libraries."""

    def __dlpack__(self) -> Any: ...


@runtime_checkable
class Formatted(Protocol):
    """A data set of Hugging Face."""

    def with_format(self, type: str, /) -> Any: ...


@dataclasses.dataclass(frozen=True)
class Columns:
    """A data set in memory: inputs and targets."""

    x: Any
    y: Any = None


@dataclasses.dataclass(frozen=True)
class Batches:
    """An iterable of batches, restarted whenever it is iterated over.

    Attributes:
        begin: gives an iterator over batches.
        count: gives their number; raises TypeError if it is not known.
    """

    begin: Callable[[], Iterator[Any]]
    count: Callable[[], int]

    def __iter__(self) -> Iterator[Any]:
        return self.begin()

    def __len__(self) -> int:
        return self.count()


def is_from(value: object, library: str, *names: str) -> bool:
    """Whether a class of a library (`"torch"`, or a module of it, `"torch.utils.data"`) is among those of a value.

    >>> is_from(np.ones(3), "numpy", "ndarray"), is_from(np.ones(3), "torch")
    (True, False)
    """
    return is_of(type(value), library, *names)


def is_of(kind: type, library: str, *names: str) -> bool:
    """The same for a class."""
    return any(
        (each.__module__ == library or each.__module__.startswith(library + "."))
        and (not names or each.__name__ in names)
        for each in kind.__mro__
    )


# -- data sets -----------------------------------------------------------------------------------------------------------


def _tensorflow(data: Any, batch_size: int) -> Batches:
    return Batches(data.as_numpy_iterator, data.__len__)


def _torch_tensors(data: Any, batch_size: int) -> Columns:
    if len(data.tensors) > 2:
        return Columns(list(data.tensors[:-1]), data.tensors[-1])
    return Columns(*data.tensors)


def _torch_samples(data: Any, batch_size: int) -> Any:
    kind = type(data).__name__
    raise InputError(
        f"x is a PyTorch data set ({kind}), which yields single samples. Write"
        f" `torch.utils.data.DataLoader(data, batch_size={batch_size}, shuffle=True)`."
    )


def _hugging_face(data: Any, batch_size: int) -> Any:
    if not isinstance(data, Formatted):
        return data  # of a user's own module that is called `datasets`
    columns = data.with_format("numpy")[:]
    return Columns(*_targets({name: np.asarray(column) for name, column in columns.items()}))


def _hugging_face_stream(data: Any, batch_size: int) -> Any:
    source: Any = data
    if not isinstance(source, Formatted):
        return data

    def begin() -> Iterator[Any]:
        rows = iter(data)
        while chunk := list(itertools.islice(rows, batch_size)):
            x, y = _targets({name: np.stack([np.asarray(row[name]) for row in chunk]) for name in chunk[0]})
            yield (x,) if y is None else (x, y)

    def count() -> int:
        raise TypeError("a stream does not know its length")

    return Batches(begin, count)


def _targets(columns: Mapping[str, Any]) -> tuple[Any, Any]:
    """Inputs and targets from columns; one input alone needs no name."""
    target = next((name for name in TARGETS if name in columns), None)
    inputs = {name: column for name, column in columns.items() if name != target}
    x = next(iter(inputs.values())) if len(inputs) == 1 else inputs
    return x, None if target is None else columns[target]


# Library, names of classes (none: all), and what is made of it. The first that fits counts.
ADAPTERS: tuple[tuple[str, tuple[str, ...], Callable[[Any, int], Any]], ...] = (
    ("tensorflow", ("Dataset", "DatasetV1", "DatasetV2"), _tensorflow),
    ("datasets", ("IterableDataset",), _hugging_face_stream),
    ("datasets", ("Dataset",), _hugging_face),
    ("torch.utils.data", ("TensorDataset",), _torch_tensors),
    ("torch.utils.data", ("IterableDataset", "Dataset"), _torch_samples),
)


def adapt(data: Any, batch_size: int) -> Any:
    """Data of another library as `Columns` or an iterable of batches; everything else unchanged.

    Args:
        data: what `fit` got as x.
        batch_size: the batch size of the batches, where the data comes one sample after the other.

    Raises:
        InputError: it has to be prepared first; the message says how.
    """
    make = _adapter(data.__class__)
    return data if make is None else make(data, batch_size)


@functools.lru_cache(maxsize=64)
def _adapter(kind: type) -> Callable[[Any, int], Any] | None:
    """What makes columns or batches of data of a class; None where it is used as it is."""
    return next((make for library, names, make in ADAPTERS if is_of(kind, library, *names)), None)


# -- tensors ---------------------------------------------------------------------------------------------------------


def _torch_tensor(tensor: Any) -> Any:
    tensor = tensor.detach().cpu()
    # NumPy has no bfloat16.
    return jax.dlpack.from_dlpack(tensor.contiguous()) if "bfloat16" in str(tensor.dtype) else tensor.numpy()


def _ragged(tensor: Any) -> Any:
    raise InputError(
        f"a {type(tensor).__name__} cannot be used: rows must have one length. Use `padded_batch`, or `tensor.to_tensor()`"
        " (ragged) or `tf.sparse.to_dense(tensor)` (sparse)."
    )


TENSORS: tuple[tuple[str, tuple[str, ...], Callable[[Any], Any]], ...] = (
    ("torch", ("Tensor",), _torch_tensor),
    ("tensorflow", ("RaggedTensor", "SparseTensor"), _ragged),
    ("tensorflow", (), lambda tensor: tensor.numpy()),
    ("scipy.sparse", (), lambda matrix: matrix.toarray()),
    ("pandas", (), lambda frame: frame.to_numpy()),
    ("polars", (), lambda frame: frame.to_numpy()),
)


def to_array(value: Any) -> Any:
    """A tensor, matrix, frame or column of any library, or numbers in lists, as an array of NumPy or JAX."""
    if isinstance(value, (np.ndarray, jax.Array)):
        return value
    for library, names, convert in TENSORS:
        if is_from(value, library, *names):
            return convert(value)
    if isinstance(value, Frame):
        return value.to_numpy()
    if isinstance(value, Exchangeable) and not isinstance(value, Convertible):
        return jax.dlpack.from_dlpack(value)
    return np.asarray(value)
