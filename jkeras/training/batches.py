"""Batches of arrays, made of what users give."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jkeras import config
from jkeras.errors import InputError
from jkeras.training import adapters
from jkeras.training.state import Batch

PARTS = ("x", "y", "sample_weight")


def standardize_batch(item: Any) -> Batch:
    """A batch from what an iterable yielded."""
    if item is None:
        raise InputError("The data gave None where a batch was expected: x, (x, y) or (x, y, sample_weight).")
    if isinstance(item, Batch):
        return item
    if isinstance(item, list) and item and not is_number_list(item) and len(item) in (2, 3):
        item = tuple(item)  # what many data loaders yield for (x, y)
    if not isinstance(item, tuple):
        item = (item,)
    if not 1 <= len(item) <= 3:
        raise InputError(f"A batch must be x, (x, y) or (x, y, sample_weight); got a tuple of {len(item)}.")
    return Batch(*map(to_arrays, item, PARTS))


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
        InputError: something is not an array of numbers.
    """
    array = value if type(value) is np.ndarray else _converted(value, what)
    if not isinstance(array, np.ndarray):
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
    if array.dtype.kind in "mM":
        raise InputError(
            f"{what} holds {array.dtype.name}. Turn times into numbers, such as the days since the first: `(t - t[0]) /"
            f" np.timedelta64(1, 'D')`."
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


def _converted(value: Any, what: str) -> Any:
    """An array of the host of what is none yet; arrays of JAX, None and structures of arrays are done with."""
    if isinstance(value, jax.core.Tracer):
        raise InputError(
            f"{what} has no values: `fit`, `evaluate` and `predict` were called in a function that JAX traces (`jit`, `grad`,"
            f" `vmap`). They compile by themselves, so call them outside of it; inside, use `model(x)`, `model.apply`,"
            f" `jk.train_step` or `jk.eval_step`."
        )
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
    return array


def is_array_data(x: object) -> bool:
    """Whether `x` is arrays (or numbers, frames, structures of arrays), not an iterable of batches."""
    if isinstance(x, (np.ndarray, jax.Array, adapters.Shaped, adapters.Frame, Mapping, range)):
        return True
    if isinstance(x, (list, tuple)):
        return bool(x) and (is_number_list(x) or all(is_array_data(v) for v in x))
    return False


def row_count(data: Batch) -> int:
    """The number of rows, the same in all arrays.

    Raises:
        InputError: the numbers differ, an array has no rows axis, or there are no rows.
    """
    counts = {leaf.shape[0] if leaf.ndim else None for leaf in jax.tree.leaves(data.parts())}
    if len(counts) == 1:
        (count,) = counts
        if count:
            return int(count)
    raise InputError(_uncountable(data))


def _uncountable(data: Batch) -> str:
    """What is wrong with data that has no number of rows."""
    rows: dict[str, int] = {}
    for name, part in data.parts().items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(part):
            label = name + jax.tree_util.keystr(path)
            if leaf.ndim == 0:
                return f"{label} is a single number; it needs a first axis with one row per sample."
            rows[label] = leaf.shape[0]
    if not rows:
        return "x is empty: there is no data."
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{label} has {count}" for label, count in rows.items())
        return f"All data must have the same number of samples; {counts}."
    return f"The data is empty: {', '.join(rows)} have 0 samples. Pass at least one."


def fill_up(batch: Batch, size: int) -> Batch:
    """A batch of `size` rows, the added ones repeating the first and marked as not valid."""
    rows = int(jax.tree.leaves(batch.x)[0].shape[0])
    valid = _first_rows(rows, max(size, rows))
    if rows < size:
        batch = jax.tree.map(lambda a: np.concatenate([a, np.repeat(np.asarray(a)[:1], size - rows, axis=0)]), batch)
    return Batch(batch.x, batch.y, batch.sample_weight, valid)


@functools.lru_cache(maxsize=64)
def _first_rows(count: int, size: int) -> np.ndarray:
    """A mask of the first rows."""
    mask = np.arange(size) < count
    mask.flags.writeable = False
    return mask
