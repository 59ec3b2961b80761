"""Data as the loop sees it: arrays that may move to the device whole, or a stream of batches.

`as_source` accepts what Keras's `fit` accepts: NumPy and JAX arrays, pandas frames, lists, tuples and dicts of them,
generators, and any iterable of batches `x`, `(x, y)` or `(x, y, sample_weight)`.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError, InputError
from jkeras.training import adapters
from jkeras.training.state import Batch
from jkeras.types import Data

DEFAULT_BATCH_SIZE = 32


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

    def example(self) -> Batch:
        """The shapes of a full batch."""
        size = min(self.batch_size, self.rows)
        result: Batch = jax.tree.map(lambda a: jax.ShapeDtypeStruct((size, *a.shape[1:]), a.dtype), self.data)
        return result

    def batches(self, order: np.ndarray | None = None, first: int = 0, last: int | None = None) -> Iterator[Batch]:
        """Batches `first` to `last` (half open; those of one epoch), gathered on the host."""
        for step in range(first, self.steps_per_epoch if last is None else last):
            start = step * self.batch_size
            rows = slice(start, start + self.batch_size) if order is None else order[start : start + self.batch_size]
            yield jax.tree.map(lambda a, rows=rows: a[rows], self.data)


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
            return getattr(self.iterable, "num_batches", None) if _has_count(self.iterable) else len(self.iterable)
        try:
            count = len(self.iterable)
        except TypeError:
            return None
        return None if count == sys.maxsize else count  # what Grain says of data that is repeated for ever

    @property
    def numbered(self) -> bool:
        """Whether any batch can be had by its number."""
        return hasattr(self.iterable, "__getitem__") and hasattr(self.iterable, "on_epoch_end")

    @property
    def endless(self) -> bool:
        """Whether the data can be read only once."""
        return isinstance(self.iterable, Iterator)

    def example(self) -> Batch:
        """The first batch, which is not lost.

        Raises:
            InputError: there is none.
        """
        if self.sample is None and self.numbered:
            if self.batch_count == 0:
                raise InputError("The data yields no batches.")
            self.sample = self._standard(self.iterable[0])
        if self.sample is None:
            self._start()
            holder = self._holder()
            self.untouched = None if holder is None else holder.get_state()
            self.sample = self.ahead = self._next()
        if self.sample is None:
            raise InputError("The data yields no batches.")
        return self.sample

    def batches(self, order: Any = None, resume: bool = False, done: int = 0) -> Iterator[Batch]:
        """Batches of one epoch.

        Args:
            order: the numbers of all batches in the order wanted, for a data set that has them by number.
            resume: goes on where the last epoch stopped, if that was before the end.
            done: how many batches of this epoch were taken before, by a run that is resumed.
        """
        if self.numbered and hasattr(self.iterable, "on_epoch_begin"):
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

    def _holder(self) -> Any:
        """What knows the position in the data by a state of its own: the data set, or its iterator; None if neither does."""
        for holder in (self.iterable, self.current):
            if hasattr(holder, "get_state") and hasattr(holder, "set_state"):
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
        known = state["state"]
        if self.numbered and known is None:
            for _ in range(self.epochs):  # data sets may shuffle themselves there
                if hasattr(self.iterable, "on_epoch_begin"):
                    self.iterable.on_epoch_begin()
                self.iterable.on_epoch_end()
        if known is not None and self._holder() is self.iterable:
            self._holder().set_state(known)
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
            if self._holder() is not self.iterable:
                self._holder().set_state(known)
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
        in_order = getattr(self.iterable, "in_order", None)
        if self.numbered and in_order is not None:
            self.current = iter(in_order(order))
        elif self.numbered and order is not None:
            self.current = (self.iterable[int(i)] for i in order)
        elif hasattr(self.iterable, "iterate"):  # each pass has a number, and an order that follows from it
            self.current = self.iterable.iterate(self.passes_before + self.epochs)
        else:
            self.current = iter(_as_iterable(self.iterable))

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
        parts = [(name, getattr(self.sample, name), getattr(batch, name)) for name in ("x", "y", "sample_weight")]
        for name, first, now in parts:
            if name == "sample_weight" and self.class_weight is not None:
                continue
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


def _has_count(data: object) -> bool:
    return hasattr(type(data), "num_batches") or "num_batches" in vars(data)


def _as_iterable(data: Any) -> Iterable[Any]:
    if hasattr(data, "__iter__"):
        result: Iterable[Any] = data
        return result
    count = getattr(data, "num_batches", None)
    return (data[i] for i in range(len(data) if count is None else count))


def standardize_batch(item: Any) -> Batch:
    """A batch from what an iterable yielded."""
    if isinstance(item, Batch):
        return item
    if isinstance(item, list) and item and not is_number_list(item) and len(item) in (2, 3):
        item = tuple(item)  # what many data loaders yield for (x, y)
    if not isinstance(item, tuple):
        item = (item,)
    if not 1 <= len(item) <= 3:
        raise InputError(f"A batch must be x, (x, y) or (x, y, sample_weight); got a tuple of {len(item)}.")
    return Batch(*(to_arrays(part, name) for part, name in zip(item, ("x", "y", "sample_weight"), strict=False)))


def is_number_list(value: object) -> bool:
    """Whether a list holds numbers (nested or not) rather than arrays."""
    if isinstance(value, (list, tuple)):
        return all(is_number_list(v) for v in value)
    return isinstance(value, (bool, int, float, np.generic, str))


def to_arrays(value: Any, what: str) -> Any:
    """Arrays of a type the device has, in the structure given.

    Args:
        value: an array, a pandas frame or series, numbers in lists, or a list, tuple or dict of arrays.
        what: for messages: "x", "y" or "sample_weight".

    Raises:
        InputError: something is no array of numbers.
    """
    if value is None or isinstance(value, jax.Array):
        return value
    if isinstance(value, Mapping):
        return {k: to_arrays(v, f"{what}[{k!r}]") for k, v in value.items()}
    if isinstance(value, (list, tuple)) and value and not is_number_list(value):
        return [to_arrays(v, f"{what}[{i}]") for i, v in enumerate(value)]
    try:
        value = adapters.to_array(value)
        array = value if isinstance(value, jax.Array) else np.asarray(value)
    except InputError:
        raise
    except ValueError:  # lists of different lengths
        array = np.empty(0, object)
    if isinstance(array, jax.Array):
        return array
    if array.dtype == object:
        raise InputError(
            f"{what} holds Python objects, not numbers: rows of different lengths, or strings? Make it rectangular"
            f" (`utils.pad_sequences`) or numeric (`layers.StringLookup`) first."
        )
    if array.dtype.kind in "SU":
        raise InputError(
            f"{what} holds strings. Turn them into integers with `layers.StringLookup` or `TextVectorization`."
        )
    if array.dtype == np.float64:
        array = array.astype(config.floatx())
    elif array.dtype in (np.int64, np.uint64) and not jax.config.read("jax_enable_x64"):
        narrow = np.iinfo(np.int32 if array.dtype == np.int64 else np.uint32)
        if array.size and (array.min() < narrow.min or array.max() > narrow.max):
            raise InputError(
                f"{what} holds integers outside {narrow.min} to {narrow.max}, which need x64 enabled in JAX."
            )
        array = array.astype(narrow.dtype)
    return array


def is_array_data(x: object) -> bool:
    """Whether `x` is arrays (or numbers, frames, structures of arrays), not an iterable of batches."""
    if hasattr(x, "shape") or hasattr(x, "to_numpy") or isinstance(x, (Mapping, range)):
        return True
    if isinstance(x, (list, tuple)):
        return bool(x) and (is_number_list(x) or all(is_array_data(v) for v in x))
    return False


def row_count(data: Batch) -> int:
    """The number of rows, the same in all arrays.

    Raises:
        InputError: the numbers differ, an array has no rows axis, or there are no rows.
    """
    rows: dict[str, int] = {}
    for name in ("x", "y", "sample_weight"):
        for path, leaf in jax.tree_util.tree_leaves_with_path(getattr(data, name)):
            label = name + jax.tree_util.keystr(path)
            if leaf.ndim == 0:
                raise InputError(f"{label} is a single number; it needs a first axis with one row per sample.")
            rows[label] = leaf.shape[0]
    if not rows:
        raise InputError("x is empty: there is no data.")
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{label} has {count}" for label, count in rows.items())
        raise InputError(f"All data must have the same number of samples; {counts}.")
    count = next(iter(rows.values()))
    if count == 0:
        raise InputError(f"The data is empty: {', '.join(rows)} have 0 samples.")
    return count


def class_weights(y: Any, class_weight: Mapping[int, float]) -> np.ndarray:
    """A weight per sample from a weight per class; classes that are not named weigh 1.

    Args:
        y: integer classes `(batch,)` or `(batch, 1)`, or one-hot rows.
        class_weight: weight by class.

    Raises:
        InputError: y has several outputs, or no classes.
    """
    if isinstance(y, (Mapping, list, tuple)) or y is None:
        raise InputError("class_weight needs one array of targets; for several outputs pass sample_weight.")
    classes = np.asarray(y)
    if classes.ndim > 1:
        classes = classes[..., 0] if classes.shape[-1] == 1 else classes.argmax(axis=-1)
    classes = np.round(classes).astype(np.int64)
    weights = np.ones(classes.shape, np.float32)
    for label, weight in class_weight.items():
        weights[classes == int(label)] = weight
    return weights


def as_source(
    x: Data | None,
    y: Data | None = None,
    sample_weight: Data | None = None,
    batch_size: int | None = None,
    steps: int | None = None,
) -> ArraySource | StreamSource:
    """The data of `fit`, `evaluate` or `predict` as a source of batches.

    Raises:
        InputError: the data is empty, of different lengths, or of a kind that cannot be used.
        ArgumentError: an argument does not go with this kind of data.
    """
    if isinstance(x, (ArraySource, StreamSource)):
        return x
    if x is None:
        raise InputError("x is None: there is no data.")
    if isinstance(x, (list, tuple, Mapping)) and not x:
        raise InputError("x is empty: there is no data.")
    if steps is None and _without_end(x):
        raise ArgumentError(
            "x is repeated without end: say how many batches are an epoch, with steps_per_epoch (or steps)."
        )
    adapted: Any = adapters.adapt(x, batch_size or DEFAULT_BATCH_SIZE)
    x = adapted
    if isinstance(adapted, adapters.Columns):
        if y is not None and adapted.y is not None:
            raise ArgumentError("y must be None when x is a data set that has targets.")
        x, y = adapted.x, adapted.y if y is None else y
    if not is_array_data(x):
        if isinstance(x, (str, bytes, set, frozenset)) or not (hasattr(x, "__iter__") or hasattr(x, "__getitem__")):
            raise InputError(f"x of type {type(x).__name__} is neither arrays nor an iterable of batches.")
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ArgumentError(f"{name} must be None when x is an iterable of batches: it yields (x, {name}).")
        return StreamSource(x, steps)
    data = Batch(to_arrays(x, "x"), to_arrays(y, "y"), to_arrays(sample_weight, "sample_weight"))
    rows = row_count(data)
    if batch_size is None:
        batch_size = math.ceil(rows / steps) if steps else DEFAULT_BATCH_SIZE
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ArgumentError(f"batch_size={batch_size!r}: expected an integer of at least 1.")
    source = ArraySource(data, rows, min(int(batch_size), rows), steps)
    if steps is not None and steps > source.batch_count:
        warnings.warn(
            f"{steps} steps in an epoch were asked for, but {rows} samples are {source.batch_count} batches of"
            f" {source.batch_size}: an epoch ends with the data.",
            stacklevel=4,
        )
    return source


def _without_end(x: Any) -> bool:
    """Whether a data set says that it has no end, as `tf.data`, `jkeras.data` and Grain do."""
    if hasattr(type(x), "cardinality"):  # `Samples` would have to become a pipeline to answer
        return int(x.cardinality()) == -1
    return adapters.is_from(x, "grain") and hasattr(x, "__len__") and len(x) == sys.maxsize


def weighted(
    source: ArraySource | StreamSource, class_weight: Mapping[int, float] | None
) -> ArraySource | StreamSource:
    """The same data with a weight per class as sample weights.

    Raises:
        ArgumentError: the data has sample weights already, or the weights are no mapping from class to number.
    """
    if class_weight is None:
        return source
    if not isinstance(class_weight, Mapping) or not all(
        isinstance(k, (int, float, np.number)) and isinstance(v, (int, float, np.number))
        for k, v in class_weight.items()
    ):
        raise ArgumentError(
            f"class_weight={class_weight!r}: expected a weight for each class, such as {{0: 1.0, 1: 2.5}}."
        )
    if isinstance(source, StreamSource):
        return dataclasses.replace(source, class_weight=class_weight)
    if source.data.sample_weight is not None:
        raise ArgumentError("Give class_weight or sample_weight, not both.")
    weights = class_weights(source.data.y, class_weight)
    return dataclasses.replace(source, data=dataclasses.replace(source.data, sample_weight=weights))


def split(source: ArraySource, fraction: float) -> tuple[ArraySource, ArraySource]:
    """The first rows for training and the last `fraction` for validation, before any shuffling.

    Raises:
        ArgumentError: it is no fraction, or leaves one side without rows.
    """
    if isinstance(fraction, bool) or not isinstance(fraction, (int, float, np.number)) or not 0 <= fraction <= 1:
        raise ArgumentError(f"validation_split={fraction!r}: expected a number between 0 and 1.")
    at = math.floor(source.rows * (1.0 - fraction))
    if at == 0 or at == source.rows:
        raise ArgumentError(
            f"validation_split={fraction!r} of {source.rows} samples leaves no data for"
            f" {'training' if at == 0 else 'validation'}."
        )

    def part(rows: slice, count: int) -> ArraySource:
        data = jax.tree.map(lambda a: a[rows], source.data)
        return dataclasses.replace(source, data=data, rows=count, batch_size=min(source.batch_size, count))

    return part(slice(None, at), at), part(slice(at, None), source.rows - at)


def fill_up(batch: Batch, size: int) -> Batch:
    """A batch of `size` rows, the added ones repeating the first and marked as not valid."""
    rows = int(jax.tree.leaves(batch.x)[0].shape[0])
    valid = np.arange(max(size, rows)) < rows
    if rows < size:
        batch = jax.tree.map(lambda a: np.concatenate([a, np.repeat(np.asarray(a)[:1], size - rows, axis=0)]), batch)
    return dataclasses.replace(batch, valid=valid)
