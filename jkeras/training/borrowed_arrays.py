"""Data that a program reads where it lies, without a copy.

On CPUs JAX uses the memory of a NumPy array whose address is a multiple of 64 bytes, and copies any other; NumPy's own large
arrays begin 16 bytes after one, and so would all be copied at the beginning of each `fit`. `BorrowedArray` is such an array
from its first suitable element on, with the rows that begin before it as a small array of their own.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jkeras.buffers import ALIGNMENT, owned_copy, put_together
from jkeras.types import Array, PyTree

# Smaller arrays are copied in less time than it takes to think about it.
LEAST_BYTES = 1 << 20
# Positions of elements are 32-bit numbers.
MOST_ELEMENTS = 2**31 - 1


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class BorrowedArray:
    """An array `(rows, ...)` whose memory somebody else owns.

    Attributes:
        body: its elements from number `skipped` on, in one axis.
        head: a copy of the rows that begin before that.
        shape: the shape of the whole.
        skipped: see above.
    """

    body: jax.Array
    head: jax.Array
    shape: tuple[int, ...] = dataclasses.field(metadata={"static": True})
    skipped: int = dataclasses.field(metadata={"static": True})


def place(tree: PyTree[Any]) -> Any:
    """Arrays on the default device; those of the host as `BorrowedArray` where that saves a copy."""
    if all(isinstance(leaf, np.ndarray) and leaf.nbytes < LEAST_BYTES for leaf in jax.tree.leaves(tree)):
        return owned_copy(tree)
    return put_together(tree, lambda leaf: _skipped(leaf) is None, _lent)


def _lent(array: Array) -> BorrowedArray:
    skipped = _skipped(array) or 0
    head = -(-skipped // math.prod(array.shape[1:]))
    early = jax.device_put(array[:head], may_alias=False)
    return BorrowedArray(jax.device_put(array.reshape(-1)[skipped:]), early, array.shape, skipped)


def _skipped(array: Array) -> int | None:
    """The number of the first element that JAX can read in place; None where the array is better handed over whole."""
    if not isinstance(array, np.ndarray) or array.nbytes < LEAST_BYTES or array.size > MOST_ELEMENTS:
        return None
    offset = -array.ctypes.data % ALIGNMENT
    usable = array.flags.c_contiguous and array.ndim > 1 and offset and offset % array.itemsize == 0
    if not usable or jax.dtypes.canonicalize_dtype(array.dtype) != array.dtype or jax.default_backend() != "cpu":
        return None
    return offset // array.itemsize


def row_count(tree: PyTree[Any]) -> int:
    """The number of rows, that of any of the arrays."""
    result: int = jax.tree.leaves(tree, is_leaf=_is_borrowed)[0].shape[0]
    return result


def take(tree: PyTree[Any], rows: jax.Array) -> Any:
    """The rows of these numbers, all of which there are, in a program or outside."""
    return jax.tree.map(lambda array: _take(array, rows), tree, is_leaf=_is_borrowed)


def cut(tree: PyTree[Any], start: Array | int, size: int) -> Any:
    """`size` neighbouring rows, all of which there are."""
    return jax.tree.map(lambda array: _cut(array, start, size), tree, is_leaf=_is_borrowed)


def _is_borrowed(value: object) -> bool:
    return isinstance(value, BorrowedArray)


def _take(array: Array, rows: jax.Array) -> jax.Array:
    if not isinstance(array, BorrowedArray):
        return array.at[rows].get(mode="promise_in_bounds")
    width = math.prod(array.shape[1:])
    places = jnp.maximum(rows * width - array.skipped, 0)
    windows = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(), start_index_map=(0,))
    late = lax.gather(array.body, places[:, None], windows, (width,), mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS)
    return _with_head(array, rows, late.reshape(rows.shape[0], *array.shape[1:]))


def _cut(array: Array, start: Array | int, size: int) -> jax.Array:
    if not isinstance(array, BorrowedArray):
        return lax.dynamic_slice_in_dim(array, start, size)
    width = math.prod(array.shape[1:])
    # The slice begins at the body's first element where it should begin before: rows of the head are then late by
    # `skipped` elements, and so is what follows them.
    place = start * width - array.skipped
    early = jnp.minimum(place, 0)
    late = lax.dynamic_slice_in_dim(array.body, place - early, min(size * width, array.body.shape[0]))
    filler = array.head.reshape(-1)[: array.skipped]
    late = lax.dynamic_slice_in_dim(jnp.concatenate([filler, late]), array.skipped + early, size * width)
    return late.reshape(size, *array.shape[1:])


def _with_head(array: BorrowedArray, rows: jax.Array, late: jax.Array) -> jax.Array:
    count = array.head.shape[0]
    early = (rows < count).reshape(-1, *[1] * (late.ndim - 1))
    return jnp.where(early, array.head.at[jnp.minimum(rows, count - 1)].get(mode="promise_in_bounds"), late)
