"""A finite data set whose samples are read by index, singly or in batches."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import jax
import numpy as np

from jkeras import arguments, config
from jkeras.errors import ArgumentError, InputError

# One sample or a batch: an array, or a tuple, list or dict of arrays. A checker cannot tell which.
Batch: TypeAlias = Any

# Methods of pipelines; `Samples` becomes a pipeline when one is called.
PIPELINE_METHODS = frozenset(
    "apply as_numpy_iterator cache cardinality concatenate element_spec enumerate filter flat_map interleave map"
    " padded_batch prefetch rebatch reduce repeat shard shuffle skip take unbatch with_options".split()
)

_LIBRARIES = arguments.one_of(None, "tensorflow", "torch", "jax", "numpy")


@dataclasses.dataclass(frozen=True)
class OnePass:
    """The batches (or single samples) of one pass, by their numbers.

    Attributes:
        samples: what is read.
        order: the numbers of samples, in the order of the pass.
    """

    samples: Samples
    order: np.ndarray

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Batch:
        size = self.samples.batch_size or 1
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches, no number {index}.")
        batch = self.samples.read(self.order[index * size : (index + 1) * size])
        return batch if self.samples.batch_size is not None else jax.tree.map(lambda array: array[0], batch)


class Samples:
    """A data set of samples or batches, which can be iterated over any number of times and passed to `fit`.

    A shuffled data set has a new order in each pass; the orders follow from the seed, so the same script sees the same
    data. Nothing is read before it is needed.

    It has the methods of `jkeras.data.Dataset`, such as `map`, `take`, `cache` and `prefetch`, which return a `Dataset`.

    Args:
        count: number of samples.
        read: returns the samples of an array of numbers, stacked: an array `(n, ...)` or a tuple, list or dict of them.
        batch_size: samples in a batch, None for one sample at a time without a batch axis.
        shuffle: whether each pass has its own order.
        seed: the seed of the orders; `jkeras.config.default_seed` if None.
        class_names: the names of the classes, if there are any.
        file_paths: the file of each sample, if there are files.

    >>> squares = Samples(5, lambda index: index**2, batch_size=2)
    >>> len(squares), [batch.tolist() for batch in squares]
    (3, [[0, 1], [4, 9], [16]])
    """

    def __init__(
        self,
        count: int,
        read: Callable[[np.ndarray], Batch],
        batch_size: int | None = None,
        shuffle: bool = False,
        seed: int | None = None,
        class_names: Sequence[str] | None = None,
        file_paths: Sequence[str] | None = None,
    ):
        arguments.checked("Samples", "count", count, arguments.at_least(0))
        arguments.checked("Samples", "read", read, arguments.function)
        arguments.checked("Samples", "batch_size", batch_size, arguments.optional(arguments.positive_int))
        arguments.checked("Samples", "seed", seed, arguments.optional(arguments.at_least(0)))
        arguments.checked("Samples", "class_names", class_names, arguments.optional(arguments.texts))
        arguments.checked("Samples", "file_paths", file_paths, arguments.optional(arguments.several))
        arguments.flags("Samples", shuffle=shuffle)
        self.count = count
        self.read = read
        self.batch_size = batch_size
        self.shuffled = shuffle
        self.seed: int = config.default_seed if seed is None else seed
        self.class_names: list[str] | None = None if class_names is None else list(class_names)
        self.file_paths: list[str] | None = None if file_paths is None else list(file_paths)
        self._passes = itertools.count()

    def __len__(self) -> int:
        return math.ceil(self.count / (self.batch_size or 1))

    def __iter__(self) -> Iterator[Batch]:
        return self.iterate(next(self._passes))

    def iterate(self, number: int = 0) -> Iterator[Batch]:
        """The pass of a number, in the same order whenever it is asked for."""
        return iter(self.of_pass(number))

    def of_pass(self, number: int) -> OnePass:
        """The pass of a number, by the numbers of its batches."""
        order = np.arange(self.count)
        if self.shuffled:
            order = np.random.default_rng((self.seed, number)).permutation(self.count)
        return OnePass(self, order)

    def __getattr__(
        self, name: str
    ) -> Any:  # methods of `jkeras.data.Dataset`, which needs a package that may be missing
        if name in PIPELINE_METHODS:
            return getattr(importlib.import_module("jkeras.data").Dataset.from_samples(self), name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *PIPELINE_METHODS])

    def batch(self, batch_size: int | None) -> Samples:
        """The same samples in batches of another size."""
        return self._like(self.count, self.read, batch_size)

    def select(self, index: np.ndarray) -> Samples:
        """The samples of these numbers, in their order."""
        index = np.asarray(index)
        files = None if self.file_paths is None else [self.file_paths[i] for i in index]
        return self._like(len(index), lambda places: self.read(index[places]), self.batch_size, files)

    def _like(
        self,
        count: int,
        read: Callable[[np.ndarray], Batch],
        batch_size: int | None,
        file_paths: Sequence[str] | None = None,
    ) -> Samples:
        files = self.file_paths if file_paths is None else file_paths
        return Samples(count, read, batch_size, self.shuffled, self.seed, self.class_names, files)

    def __repr__(self) -> str:
        return f"Samples({self.count}, batch_size={self.batch_size}, shuffle={self.shuffled})"


@runtime_checkable
class Numbered(Protocol):
    """An object that has samples by their numbers."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Batch: ...


# What `split_dataset` takes: arrays, a tuple, list or dict of arrays, `Samples`, or samples by their numbers.
SamplesLike: TypeAlias = Samples | Numbered | Batch


def as_samples(data: SamplesLike) -> Samples:
    """`Samples` of arrays, of a tuple, list or dict of arrays, or of an object with `len()` and `[number]`.

    Raises:
        InputError: the arrays differ in length, are empty, or `data` is none of these.
    """
    if isinstance(data, Samples):
        return data
    if isinstance(data, (np.ndarray, jax.Array, tuple, list, dict)):
        arrays = jax.tree.map(np.asarray, data, is_leaf=lambda leaf: isinstance(leaf, jax.Array))
        lengths = {len(array) for array in jax.tree.leaves(arrays) if array.ndim}
        if len(lengths) != 1 or not min(lengths) or any(not a.ndim for a in jax.tree.leaves(arrays)):
            raise InputError(f"Expected arrays of one length that is not 0, got the lengths {sorted(lengths)}.")
        return Samples(lengths.pop(), lambda index: jax.tree.map(lambda array: array[index], arrays))
    if isinstance(data, Numbered) and not isinstance(data, (str, bytes)):
        source: Numbered = data
        return Samples(len(source), lambda index: _stack([source[int(i)] for i in index]))
    raise InputError(f"Expected arrays, or an object with len() and [number], got {type(data).__name__}.")


def _stack(samples: list[Batch]) -> Batch:
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *samples)


def split_dataset(
    dataset: SamplesLike,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Samples, Samples]:
    """Splits a data set into its first and its last samples.

    Args:
        dataset: an array, a tuple, list or dict of arrays of one length, `Samples`, or an object with `len()` and
            `[number]` that returns one sample.
        left_size: the number or fraction of samples on the left; None means those that are not on the right.
        right_size: likewise.
        shuffle: whether to shuffle before splitting.
        seed: the seed of that shuffle.
        preferred_backend: None, "tensorflow", "torch", "jax" or "numpy"; the result is the same.

    Returns:
        Two `Samples`, which give single samples unless `dataset` came in batches; `.batch(32)` makes batches for `fit`.

    Raises:
        ArgumentError: a size is out of range, the sizes add up to too much, or a part would be empty.
        InputError: `dataset` is none of the above.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), [int(sample) for sample in right]
    (8, [8, 9])
    """
    arguments.checked("split_dataset", "seed", seed, arguments.optional(arguments.integer))
    arguments.flags("split_dataset", shuffle=shuffle)
    arguments.checked("split_dataset", "preferred_backend", preferred_backend, _LIBRARIES)
    try:
        samples = as_samples(dataset)
    except InputError as error:
        raise InputError(f"split_dataset(dataset={arguments.shown(dataset)}): {error}") from None
    left, right = _split_sizes(samples.count, left_size, right_size)
    order = list(range(samples.count))
    if shuffle:
        # The generator and the algorithm are Python's, as in Keras, so that equal seeds give equal parts.
        random.Random(config.default_seed if seed is None else seed).shuffle(order)
    return samples.select(np.array(order[:left])), samples.select(np.array(order[-right:]))


def _split_sizes(total: int, left: float | int | None, right: float | int | None) -> tuple[int, int]:
    if left is None and right is None:
        raise ArgumentError("split_dataset() needs `left_size` or `right_size`.")
    left_count, right_count = _split_size(total, "left_size", left), _split_size(total, "right_size", right)
    if left_count is None:
        left_count = total - (right_count or 0)
    if right_count is None:
        right_count = total - left_count
    both_shares = isinstance(left, float) and isinstance(right, float) and left + right > 1
    if both_shares or left_count + right_count > total:
        raise ArgumentError(
            f"split_dataset(left_size={left!r}, right_size={right!r}): together more than the {total} samples."
        )
    if min(left_count, right_count) == 0:
        raise ArgumentError(
            f"split_dataset(left_size={left!r}, right_size={right!r}): one part of the {total} samples would be empty."
        )
    return left_count, right_count


def _split_size(total: int, name: str, size: float | int | None) -> int | None:
    if size is None:
        return None
    if isinstance(size, float) and 0 < size < 1:
        return round(size * total)
    if isinstance(size, (int, np.integer)) and not isinstance(size, bool) and 0 < size < total:
        return int(size)
    raise ArgumentError(
        f"split_dataset({name}={size!r}): expected an integer from 1 to {total - 1}, or a share between 0 and 1."
    )
