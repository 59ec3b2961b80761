"""Array functions with TensorFlow's signatures, if `keras.ops` has none or another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError, InputError
from jkeras.keras import ops
from jkeras.keras import random as _random
from jkeras.keras.tensor import any_symbolic_tensors
from jkeras.keras.variables import unwrap
from jkeras.scripts.tensorflow.tensors import host
from jkeras.types import DTypeLike, TensorLike

random: Any = _random  # its functions are made from those of the core


def dtype_of(dtype: DTypeLike) -> np.dtype[Any]:
    """The dtype that arrays get for a requested one: 32 bits instead of 64 unless JAX has 64-bit types enabled."""
    return jax.dtypes.canonicalize_dtype(dtype)


def constant(value: TensorLike, dtype: DTypeLike | None = None, shape: Any = None) -> Any:
    """A tensor of fixed values; strings stay on the host."""
    if isinstance(value, bytes) or (isinstance(value, np.ndarray) and value.dtype.kind in "SO"):
        return host(np.array(value, object))
    value = unwrap(value)
    plain = value if isinstance(value, jax.Array) else np.asarray(value)
    if plain.dtype.kind in "UO":
        return host(plain)
    if dtype is None and plain.dtype == np.float64 and not isinstance(value, (np.ndarray, np.generic)):
        dtype = "float32"
    array = jnp.asarray(plain, dtype_of(plain.dtype if dtype is None else dtype))
    return (
        array
        if shape is None
        else jnp.broadcast_to(array.reshape(-1) if array.size == 1 else array.reshape(shape), shape)
    )


def convert_to_tensor(value: Any, dtype: Any = None) -> Any:
    """A tensor of the values; a tensor is returned unchanged."""
    if any_symbolic_tensors((value,)) or (isinstance(value, jax.Array) and dtype is None):
        return value
    return cast(value, dtype) if isinstance(value, jax.Array) else constant(value, dtype)


def cast(x: TensorLike, dtype: DTypeLike) -> Any:
    """The values in another dtype; arrays on the host stay there."""
    kind = dtype_of(dtype)
    if isinstance(x, np.ndarray):
        return host(np.asarray(x).astype(kind))
    return ops.cast(x, kind.name)


def shape(input: TensorLike, out_type: Any = "int32") -> Any:
    """The sizes, as a tensor on the host: they are known while a program is compiled."""
    if any_symbolic_tensors((input,)):
        return ops.shape(input)
    return host(np.array(np.shape(unwrap(input)), out_type))


def size(input: TensorLike, out_type: Any = "int32") -> Any:
    """The number of elements."""
    return host(np.array(np.size(unwrap(input)), out_type))


def rank(input: TensorLike) -> Any:
    """The number of axes."""
    return host(np.array(np.ndim(unwrap(input)), "int32"))


def sizes(value: Any) -> Any:
    """A shape as whole numbers, from a tensor or a sequence."""
    if isinstance(value, (int, np.integer)):
        return (int(value),)
    return tuple(
        s if s is None else int(s) for s in (np.asarray(value) if isinstance(value, (jax.Array, np.ndarray)) else value)
    )


def reshape(tensor: TensorLike, shape: Any) -> Any:
    """The elements in another shape; one size may be -1."""
    return ops.reshape(tensor, sizes(shape))


def zeros(shape: Any, dtype: DTypeLike = "float32") -> Any:
    """Zeros."""
    return jnp.zeros(sizes(shape), dtype_of(dtype))


def ones(shape: Any, dtype: DTypeLike = "float32") -> Any:
    """Ones."""
    return jnp.ones(sizes(shape), dtype_of(dtype))


def fill(dims: Any, value: Any) -> Any:
    """One value throughout."""
    value = constant(value)
    return jnp.full(sizes(dims), value, value.dtype)


def eye(num_rows: int, num_columns: int | None = None, batch_shape: Any = None, dtype: DTypeLike = "float32") -> Any:
    """The identity matrix."""
    matrix = jnp.eye(num_rows, num_columns, dtype=dtype_of(dtype))
    return matrix if batch_shape is None else jnp.broadcast_to(matrix, (*sizes(batch_shape), *matrix.shape))


def range_(start: TensorLike, limit: Any = None, delta: Any = 1, dtype: DTypeLike | None = None) -> Any:
    """Numbers from `start` (0 if there is one argument) up to but not including `limit`."""
    first, last = (0, start) if limit is None else (start, limit)
    return jnp.arange(first, last, delta, dtype=None if dtype is None else dtype_of(dtype))


def linspace(start: Any, stop: Any, num: int, axis: int = 0) -> Any:
    """Evenly spaced numbers, including both ends."""
    return jnp.linspace(start, stop, num, axis=axis)


def concat(values: Any, axis: int) -> Any:
    """Tensors one after the other along an axis."""
    return ops.concatenate(list(values), axis=axis)


def split(value: Any, num_or_size_splits: Any, axis: int = 0) -> list[Any]:
    """A number of equal parts, or parts of these sizes."""
    if isinstance(num_or_size_splits, (int, np.integer)):
        return list(ops.split(value, int(num_or_size_splits), axis=axis))
    lengths = list(sizes(num_or_size_splits))
    if -1 in lengths:
        lengths[lengths.index(-1)] = value.shape[axis] - sum(length for length in lengths if length != -1)
    return list(ops.split(value, np.cumsum(lengths)[:-1].tolist(), axis=axis))


def unstack(value: TensorLike, num: int | None = None, axis: int = 0) -> list[Any]:
    """The parts along an axis, without it."""
    return list(ops.unstack(value, num, axis))


def transpose(a: TensorLike, perm: Any = None) -> Any:
    """The axes in another order."""
    return ops.transpose(a, perm)


def where(condition: Any, x: TensorLike | None = None, y: TensorLike | None = None) -> Any:
    """Chooses between two values by element; without values, the indices of true elements, one per row."""
    if x is None and y is None:
        return jnp.stack(jnp.nonzero(jnp.asarray(condition)), axis=-1)
    return ops.where(condition, x, y)


def gather(params: Any, indices: Any, axis: int = 0, batch_dims: int = 0) -> Any:
    """Slices by their indices along an axis."""
    if not batch_dims:
        return ops.take(params, indices, axis=axis)

    def one(params: Any, indices: Any) -> Any:
        return jnp.take(params, indices, axis=max(axis, batch_dims) - batch_dims)

    function: Callable[..., Any] = one
    for _ in range(batch_dims):
        function = jax.vmap(function)
    return function(jnp.asarray(params), jnp.asarray(indices))


def gather_nd(params: TensorLike, indices: TensorLike, batch_dims: int = 0) -> Any:
    """Slices by indices along the first axes."""
    if batch_dims:
        return jax.vmap(lambda p, i: gather_nd(p, i, batch_dims - 1))(jnp.asarray(params), jnp.asarray(indices))
    return jnp.asarray(params)[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))]


def scatter_nd(indices: TensorLike, updates: TensorLike, shape: Any) -> Any:
    """Zeros with values added at indices."""
    return ops.scatter(indices, updates, sizes(shape))


def tensor_scatter_nd_update(tensor: TensorLike, indices: TensorLike, updates: TensorLike) -> Any:
    """A copy with values replaced at indices."""
    return ops.scatter_update(tensor, indices, updates)


def boolean_mask(tensor: TensorLike, mask: Any, axis: int = 0) -> Any:
    """The slices where a mask is true; their number depends on values, so this does not work in compiled programs.

    Raises:
        InputError: it is called in a compiled program.
    """
    if isinstance(mask, jax.core.Tracer):
        raise InputError(
            "tf.boolean_mask in a compiled program: the result has no fixed shape; write `keras.ops.where`."
        )
    mask = np.asarray(mask)
    flat = jnp.asarray(tensor)
    flat = flat.reshape(*flat.shape[:axis], -1, *flat.shape[axis + mask.ndim :])
    return jnp.take(flat, np.flatnonzero(mask), axis=axis)


def slice_(input_: Any, begin: Any, size: Any) -> Any:
    """A block that begins at a place; a size of -1 goes to the end."""
    starts, lengths = sizes(begin), sizes(size)
    parts = tuple(slice(b, None if s == -1 else b + s) for b, s in zip(starts, lengths, strict=True))
    return input_[parts]


def strided_slice(input_: Any, begin: Any, end: Any, strides: Any = None) -> Any:
    """A block from one place to another, in steps."""
    steps = (1,) * len(sizes(begin)) if strides is None else sizes(strides)
    return input_[tuple(slice(*part) for part in zip(sizes(begin), sizes(end), steps, strict=True))]


def pad(tensor: TensorLike, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    """Values before and after each axis."""
    widths = [tuple(map(int, pair)) for pair in np.asarray(paddings)]
    mode = mode.lower()
    return ops.pad(tensor, widths, mode, constant_values) if mode == "constant" else ops.pad(tensor, widths, mode)


def reverse(tensor: TensorLike, axis: Any) -> Any:
    """Reverses the elements along axes."""
    return ops.flip(tensor, axis=tuple(sizes(axis)))


def unique(x: TensorLike, out_idx: Any = "int32") -> tuple[Any, Any]:
    """The distinct values in order of appearance, and the index of each element's value."""
    plain = np.asarray(x)
    values, first, number = np.unique(plain, return_index=True, return_inverse=True)
    order = np.argsort(first)
    places = np.argsort(order)
    return constant(values[order]), constant(places[number].astype(out_idx))


def sort(values: TensorLike, axis: int = -1, direction: str = "ASCENDING") -> Any:
    """Sorted values."""
    ascending = jnp.sort(jnp.asarray(values), axis=axis)
    return jnp.flip(ascending, axis) if _descending(direction) else ascending


def argsort(values: TensorLike, axis: int = -1, direction: str = "ASCENDING", stable: bool = False) -> Any:
    """The indices of the elements in sorted order."""
    return jnp.argsort(jnp.asarray(values), axis=axis, descending=_descending(direction), stable=True)


def _descending(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ArgumentError(f"direction={direction!r}: expected 'ASCENDING' or 'DESCENDING'.")
    return direction == "DESCENDING"


def cumsum(x: TensorLike, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    """Running sums."""
    return _running(jnp.cumsum, x, axis, exclusive, reverse, 0)


def cumprod(x: TensorLike, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    """Running products."""
    return _running(jnp.cumprod, x, axis, exclusive, reverse, 1)


def _running(function: Callable[..., Any], x: TensorLike, axis: int, exclusive: bool, reverse: bool, first: int) -> Any:
    array = jnp.asarray(x)
    array = jnp.flip(array, axis) if reverse else array
    if exclusive:
        start = jnp.full_like(jax.lax.slice_in_dim(array, 0, 1, axis=axis), first)
        array = jnp.concatenate([start, jax.lax.slice_in_dim(array, 0, array.shape[axis] - 1, axis=axis)], axis)
    total = function(array, axis=axis)
    return jnp.flip(total, axis) if reverse else total


def one_hot(
    indices: TensorLike,
    depth: int,
    on_value: Any = None,
    off_value: Any = None,
    axis: int = -1,
    dtype: DTypeLike = "float32",
) -> Any:
    """A one, or another value, at the index of each number."""
    marks = ops.one_hot(indices, int(depth), axis=axis, dtype=np.dtype(dtype).name)
    if on_value is None and off_value is None:
        return marks
    on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
    return jnp.where(marks > 0, on, off)


def matmul(a: TensorLike, b: TensorLike, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """The product of matrices."""
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    b = ops.swapaxes(b, -1, -2) if transpose_b else b
    return ops.matmul(a, b)


def norm(tensor: TensorLike, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Any:
    """A norm; without an axis, that of all elements."""
    x = jnp.asarray(tensor)
    if axis is None:
        x = x.reshape(-1)
        keepdims = False
    return ops.norm(x, None if ord == "euclidean" else ord, axis=axis, keepdims=keepdims)


def clip_by_norm(t: Any, clip_norm: float, axes: Any = None) -> Any:
    """Values scaled so that their norm is at most a limit."""
    x = jnp.asarray(t)
    length = jnp.sqrt(jnp.sum(jnp.square(x), axis=axes, keepdims=True))
    return x * clip_norm / jnp.maximum(length, clip_norm)


def l2_normalize(x: TensorLike, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """Values divided by their Euclidean norm."""
    return ops.multiply(x, ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), epsilon)))


def top_k(input: TensorLike, k: int = 1, sorted: bool = True) -> Any:
    """The largest values along the last axis, and their indices."""
    return ops.top_k(input, k, sorted=sorted)


def in_top_k(targets: Any, predictions: TensorLike, k: int) -> Any:
    """Whether a target is among the best predictions."""
    return ops.in_top_k(targets, predictions, k)


def moments(x: TensorLike, axes: Any, keepdims: bool = False) -> Any:
    """Mean and variance."""
    return ops.moments(x, axes, keepdims=keepdims)


def confusion_matrix(
    labels: TensorLike,
    predictions: TensorLike,
    num_classes: int | None = None,
    weights: TensorLike | None = None,
    dtype: DTypeLike = "int32",
) -> Any:
    """How often each class was predicted for each class."""
    true, predicted = np.asarray(labels).astype(int), np.asarray(predictions).astype(int)
    count = num_classes or int(max(true.max(initial=0), predicted.max(initial=0))) + 1
    matrix = np.zeros((count, count), dtype)
    np.add.at(matrix, (true, predicted), 1 if weights is None else np.asarray(weights))
    return jnp.asarray(matrix)


def bincount(arr: Any, weights: TensorLike | None = None, minlength: int = 0) -> Any:
    """How often each number occurs."""
    return ops.bincount(arr, weights=weights, minlength=minlength)


def sequence_mask(lengths: Any, maxlen: int | None = None, dtype: DTypeLike = "bool") -> Any:
    """True for the first positions of each row, by length."""
    counts = jnp.asarray(lengths)
    places = jnp.arange(int(np.max(np.asarray(counts))) if maxlen is None else maxlen)
    return (places < counts[..., None]).astype(dtype_of(dtype))


def map_fn(fn: Callable[..., Any], elems: Any, *_: Any, **__: Any) -> Any:
    """`fn` of every element along the first axis."""
    return ops.map(fn, elems)


def identity(input: TensorLike) -> Any:
    """The value."""
    return input


def add_n(inputs: Sequence[Any]) -> Any:
    """The sum of tensors."""
    total = inputs[0]
    for tensor in inputs[1:]:
        total = ops.add(total, tensor)
    return total


def softmax_cross_entropy(labels: TensorLike, logits: TensorLike, axis: int = -1) -> Any:
    """Cross-entropy of each row, for probabilities as targets."""
    return -ops.sum(ops.multiply(labels, ops.log_softmax(logits, axis=axis)), axis=axis)


def sparse_softmax_cross_entropy(labels: TensorLike, logits: TensorLike) -> Any:
    """Cross-entropy of each row, for numbers of classes as targets."""
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def sigmoid_cross_entropy(labels: TensorLike, logits: TensorLike) -> Any:
    """Cross-entropy of each value, for independent probabilities as targets."""
    return ops.add(
        ops.subtract(ops.relu(logits), ops.multiply(logits, labels)), ops.log1p(ops.exp(ops.negative(ops.abs(logits))))
    )


def dropout(x: TensorLike, rate: float, noise_shape: Any = None, seed: int | None = None) -> Any:
    """Values set to zero at random, with the others scaled up."""

    return random.dropout(x, rate, noise_shape=noise_shape, seed=seed)


def conv2d(input: Any, filters: Any, strides: Any = 1, padding: str = "VALID", data_format: str = "NHWC",
           dilations: Any = None) -> Any:  # fmt: skip
    """A convolution of images."""
    first = data_format == "NCHW"
    inner = slice(2, 4) if first else slice(1, 3)

    def two(value: Any) -> Any:
        return tuple(value[inner]) if isinstance(value, (list, tuple)) and len(value) == 4 else value

    layout = "channels_first" if first else "channels_last"
    return ops.conv(input, filters, two(strides), padding.lower(), layout, two(1 if dilations is None else dilations))


def max_pool2d(input: TensorLike, ksize: Any, strides: Any = None, padding: str = "VALID") -> Any:
    """The largest value in a window."""
    return ops.max_pool(input, _window(ksize), _window(strides), padding.lower())


def avg_pool2d(input: TensorLike, ksize: Any, strides: Any = None, padding: str = "VALID") -> Any:
    """The average in a window."""
    return ops.average_pool(input, _window(ksize), _window(strides), padding.lower())


def _window(value: TensorLike) -> Any:
    return tuple(value[1:3]) if isinstance(value, (list, tuple)) and len(value) == 4 else value


def embedding_lookup(params: TensorLike, ids: Any) -> Any:
    """Rows of a table."""
    return ops.take(params, ids, axis=0)


def bias_add(value: TensorLike, bias: Any) -> Any:
    """Adds a bias for each channel."""
    return ops.add(value, bias)


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of one of two functions."""
    return ops.cond(pred, true_fn, false_fn)


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: Any = None
) -> Any:
    """Repeats a step while a condition holds."""
    return ops.while_loop(cond, body, loop_vars, maximum_iterations=maximum_iterations)


def meshgrid(*args: Any, indexing: str = "xy") -> list[Any]:
    """Coordinates of the points of a grid."""
    return list(ops.meshgrid(*args, indexing=indexing))


def einsum(equation: str, *inputs: Any) -> Any:
    """Sums of products, by an equation."""
    return ops.einsum(equation, *inputs)


def segment_sum(data: TensorLike, segment_ids: TensorLike) -> Any:
    """Sums of consecutive rows with the same number."""
    return ops.segment_sum(data, segment_ids, int(np.max(np.asarray(segment_ids))) + 1)


def unsorted_segment_sum(data: TensorLike, segment_ids: TensorLike, num_segments: int) -> Any:
    """Sums of rows with the same number."""
    return ops.segment_sum(data, segment_ids, num_segments)


def searchsorted(sorted_sequence: Any, values: TensorLike, side: str = "left") -> Any:
    """Where values belong in a sorted sequence."""
    return ops.searchsorted(sorted_sequence, values, side)


def diag_part(input: TensorLike) -> Any:
    """The diagonal of matrices."""
    return jnp.diagonal(jnp.asarray(input), axis1=-2, axis2=-1)


def diag(diagonal: Any) -> Any:
    """Matrices with these diagonals."""
    values = jnp.asarray(diagonal)
    return values[..., None] * jnp.eye(values.shape[-1], dtype=values.dtype)


def band_part(input: TensorLike, num_lower: int, num_upper: int) -> Any:
    """Matrices with so many diagonals below and above the main one, all if negative; zeros elsewhere."""
    matrix = jnp.asarray(input)
    row, column = jnp.ogrid[: matrix.shape[-2], : matrix.shape[-1]]
    below = (num_lower < 0) | (row - column <= num_lower)
    above = (num_upper < 0) | (column - row <= num_upper)
    return jnp.where(below & above, matrix, 0)
