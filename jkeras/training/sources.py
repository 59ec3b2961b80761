"""Data as the loop sees it: arrays that may move to the device whole, or a stream of batches.

`as_source` accepts what Keras's `fit` accepts: NumPy and JAX arrays, pandas frames, lists, tuples and dicts of them,
generators, and any iterable of batches `x`, `(x, y)` or `(x, y, sample_weight)`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, TypeAlias

import jax
import numpy as np

from jkeras.errors import ArgumentError, InputError
from jkeras.training import adapters
from jkeras.training.array_source import ArraySource
from jkeras.training.batches import is_array_data, row_count, to_arrays
from jkeras.training.class_weights import check_class_weight, class_weights
from jkeras.training.data_protocols import Cardinal, Indexed
from jkeras.training.state import Batch
from jkeras.training.stream_source import StreamSource
from jkeras.types import Data

Source: TypeAlias = ArraySource | StreamSource

DEFAULT_BATCH_SIZE = 32


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
        raise InputError("x is None: there is no data. Pass arrays, or an iterable of batches.")
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
        if isinstance(x, (str, bytes, set, frozenset)) or not isinstance(x, (Iterable, Indexed)):
            raise InputError(
                f"x of type {type(x).__name__} is neither arrays nor an iterable of batches. Pass one of them."
            )
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


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """Data as users give it to `fit` and `evaluate`; their docstrings say what each part may be."""

    x: Any
    y: Any = None
    sample_weight: Any = None
    batch_size: int | None = None
    steps: int | None = None
    class_weight: Mapping[Any, float] | None = None


@dataclasses.dataclass(frozen=True)
class ValidationData:
    """Data to validate on: given, or a share of the data to train on."""

    data: Any = None
    split: float = 0.0
    batch_size: int | None = None
    steps: int | None = None


def sources_of(data: TrainingData, held_out: ValidationData | None) -> tuple[Source, Source | None]:
    """What to train on, and what to validate on.

    Args:
        data: see there.
        held_out: see there.

    Raises:
        InputError: the data is empty, of different lengths, or of a kind that cannot be used.
        ArgumentError: an argument does not go with this kind of data.
    """
    source = as_source(data.x, data.y, data.sample_weight, data.batch_size, data.steps)
    validation: Source | None = None
    if held_out is not None and held_out.data is not None:
        validation = _validation_source(held_out.data, held_out.batch_size or data.batch_size, held_out.steps)
    elif held_out is not None and held_out.split:
        if not isinstance(source, ArraySource):
            raise ArgumentError("validation_split needs arrays; for an iterable of batches pass validation_data.")
        source, own = split(source, held_out.split)
        validation = own
        if held_out.batch_size:
            validation = dataclasses.replace(own, batch_size=min(held_out.batch_size, own.rows))
    # Class weights are for training alone, so they come after the split.
    return weighted(source, data.class_weight), validation


def _validation_source(data: Any, batch_size: int | None, steps: int | None) -> Source:
    if isinstance(data, tuple) and len(data) == 1 and is_array_data(data[0]):
        data = data[0]
    if isinstance(data, tuple) and len(data) > 3 and is_array_data(data[0]):
        raise ArgumentError(f"validation_data: expected (x, y) or (x, y, sample_weight), got a tuple of {len(data)}.")
    if isinstance(data, (tuple, list)) and 2 <= len(data) <= 3 and is_array_data(data[0]):
        data, y, weight = data[0], data[1], data[2] if len(data) == 3 else None
    else:
        y = weight = None
    with validating():
        return as_source(data, y, weight, batch_size, steps)


@contextlib.contextmanager
def validating() -> Iterator[None]:
    """Says of the errors of the block that the data is `validation_data`."""
    try:
        yield
    except (InputError, ArgumentError) as error:
        raise type(error)(f"validation_data: {error}") from None


def _without_end(x: Any) -> bool:
    """Whether a data set says that it has no end, as `tf.data`, `jkeras.data` and Grain do."""
    if issubclass(type(x), Cardinal):  # of the class: `Samples` would have to become a pipeline to answer
        return int(x.cardinality()) == -1
    return adapters.is_from(x, "grain") and isinstance(x, Sized) and len(x) == sys.maxsize


def weighted(
    source: ArraySource | StreamSource, class_weight: Mapping[int, float] | None
) -> ArraySource | StreamSource:
    """The same data with a weight per class as sample weights.

    Raises:
        ArgumentError: the data has sample weights already, or the weights are not a mapping from class to number.
    """
    if class_weight is None:
        return source
    check_class_weight(class_weight)
    if isinstance(source, StreamSource):
        return dataclasses.replace(source, class_weight=class_weight)
    if source.data.sample_weight is not None:
        raise ArgumentError("Give class_weight or sample_weight, not both.")
    weights = class_weights(source.data.y, class_weight)
    return dataclasses.replace(source, data=dataclasses.replace(source.data, sample_weight=weights))


def split(source: ArraySource, fraction: float) -> tuple[ArraySource, ArraySource]:
    """The first rows for training and the last `fraction` for validation, before any shuffling.

    Raises:
        ArgumentError: it is not a fraction, or leaves one side without rows.
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
