"""Functions of the structure of programs and arrays: types, control flow, scattering, slicing, segments."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jkeras.allowance import OPERATION, charge
from jkeras.dispatch import as_array
from jkeras.errors import ArgumentError
from jkeras.types import DTypeLike, PyTree, TensorLike


def cast(x: TensorLike, dtype: DTypeLike | None) -> jax.Array:
    """`x` in another type."""
    return jnp.asarray(x).astype(dtype)


def convert_to_tensor(
    x: TensorLike, dtype: DTypeLike | None = None, sparse: bool | None = None, ragged: bool | None = None
) -> jax.Array:
    """A JAX array.

    Raises:
        ArgumentError: `sparse` or `ragged` is asked for.
    """
    if sparse or ragged:
        raise ArgumentError("ops.convert_to_tensor(sparse=True) and (ragged=True) are not supported: arrays are dense.")
    return jnp.asarray(x, dtype=dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """A NumPy array with a copy of the values.

    Args:
        x: an array.

    >>> convert_to_numpy(jnp.array([1, 2]))
    array([1, 2], dtype=int32)
    """
    return np.array(x)


def is_tensor(x: TensorLike) -> bool:
    """Whether `x` is a JAX array.

    Args:
        x: any object.

    >>> is_tensor(jnp.zeros(2)), is_tensor([0.0, 0.0])
    (True, False)
    """
    return isinstance(x, jax.Array)


def dtype(x: TensorLike) -> str:
    """The name of an array's dtype.

    Args:
        x: an array or number.

    >>> dtype(jnp.zeros(2))
    'float32'
    """
    return str(jnp.result_type(x) if not hasattr(x, "dtype") else x.dtype)


def saturate_cast(x: TensorLike, dtype: DTypeLike | None) -> jax.Array:
    """`x` in another type, values beyond its range at its ends.

    >>> saturate_cast([-1, 300], "uint8").tolist()
    [0, 255]
    """
    x = jnp.asarray(x)
    target = jnp.dtype(dtype)
    return x.astype(target) if x.dtype == bool else jnp.clip(x, *_common_range(x.dtype, target)).astype(target)


@functools.lru_cache(maxsize=256)
def _common_range(dtype: Any, target: Any) -> tuple[Any, Any]:
    """The smallest and largest number of a dtype that another dtype can also represent."""
    low, high = (0, 1) if target == jnp.bool_ else _range(target)
    least, greatest = _range(dtype)
    # The bounds must be exact in the array's own type: a float32 cannot hold the largest int32.
    bounds = []
    for bound in (max(float(low), float(least)), min(float(high), float(greatest))):
        nearest = np.asarray(bound).astype(dtype)
        if float(nearest) < float(low) or float(nearest) > float(high):
            nearest = np.nextafter(nearest, np.zeros((), dtype))
        bounds.append(nearest)
    return bounds[0], bounds[1]


def _range(dtype: Any) -> tuple[Any, Any]:
    info: Any = jnp.iinfo(dtype) if jnp.issubdtype(dtype, jnp.integer) else jnp.finfo(dtype)
    return info.min, info.max


def stop_gradient(variable: TensorLike) -> Any:
    """The same values, through which no gradient flows."""
    return lax.stop_gradient(as_array(variable))


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that defines its own gradient.

    Args:
        f: a function that returns its value, and a function from the gradient of that value to those of the inputs.

    >>> doubled = custom_gradient(lambda x: (x**2, lambda upstream: 10.0 * upstream))
    >>> jax.grad(doubled)(3.0).item()
    10.0
    """
    result: Callable[..., Any] = jax.custom_gradient(f)
    return result


# -- control flow -----------------------------------------------------------------------------------------------------


def cond(pred: PyTree[Any], true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> PyTree[Any]:
    """The result of one of two functions."""
    return lax.cond(pred, true_fn, false_fn)


def switch(index: PyTree[Any], branches: Any, *operands: Any) -> PyTree[Any]:
    """The result of one of several functions, the first or last if the index is out of range."""
    return lax.switch(index, branches, *operands)


def map(f: Callable[..., Any], xs: PyTree[Any]) -> PyTree[Any]:
    """`f` of every element along the first axis, one after the other."""
    return lax.map(f, jax.tree.map(jnp.asarray, xs))


def vectorized_map(function: Callable[..., Any], elements: PyTree[Any]) -> PyTree[Any]:
    """`function` of every element along the first axis, all at once."""
    return jax.vmap(function)(jax.tree.map(jnp.asarray, elements))


def scan(
    f: Callable[..., Any],
    init: PyTree[Any],
    xs: PyTree[Any] = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> PyTree[Any]:
    """Carries a state along the first axis: `carry, y = f(carry, x)`; returns the last carry and all `y`."""
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ArgumentError(f"ops.scan(unroll={unroll!r}): expected a positive integer or a boolean.")
    return lax.scan(f, init, xs, length, reverse, unroll)


def associative_scan(f: Callable[..., Any], elems: PyTree[Any], reverse: bool = False, axis: int = 0) -> PyTree[Any]:
    """Running results of an associative function, in logarithmic depth."""
    return lax.associative_scan(f, elems, reverse, axis)


def fori_loop(
    lower: PyTree[Any], upper: PyTree[Any], body_fun: Callable[..., Any], init_val: PyTree[Any]
) -> PyTree[Any]:
    """`value = body_fun(i, value)` for i from `lower` to `upper - 1`."""
    return lax.fori_loop(lower, upper, body_fun, init_val)


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: PyTree[Any], maximum_iterations: int | None = None
) -> PyTree[Any]:
    """`loop_vars = body(*loop_vars)` while `cond(*loop_vars)`, at most `maximum_iterations` times.

    >>> tuple(int(v) for v in while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, 1)))
    (3, 8)
    """
    several = isinstance(loop_vars, (tuple, list))
    start = tuple(loop_vars) if several else (loop_vars,)

    def proceed(state: PyTree[Any]) -> PyTree[Any]:
        go = cond(*state[1])
        return go if maximum_iterations is None else go & (state[0] < maximum_iterations)

    def step(state: PyTree[Any]) -> PyTree[Any]:
        results = body(*state[1])
        return state[0] + 1, tuple(results) if several else (results,)

    _, end = lax.while_loop(proceed, step, (0, start))
    return end if several else end[0]


# -- parts of arrays --------------------------------------------------------------------------------------------------


def scatter(indices: TensorLike, values: TensorLike, shape: Sequence[int]) -> jax.Array:
    """Zeros of a shape with values added at indices, whose last axis holds the coordinates."""
    values = jnp.asarray(values)
    places = tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))
    return jnp.zeros(shape, values.dtype).at[places].add(values)


def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> jax.Array:
    """`inputs` with elements set (or added to, multiplied, ...) at indices of shape `(n, axes)`."""
    at = jnp.asarray(inputs).at[tuple(jnp.transpose(jnp.asarray(indices)))]
    methods: dict[str | None, Any] = {None: at.set, "add": at.add, "max": at.max, "min": at.min, "mul": at.multiply}
    reduction = reduction.lower() if isinstance(reduction, str) else reduction
    if reduction not in methods:
        raise ArgumentError(f"ops.scatter_update(reduction={reduction!r}): expected one of {list(methods)}.")
    result: jax.Array = methods[reduction](as_array(updates))
    return result


def slice(inputs: TensorLike, start_indices: Sequence[int], shape: Sequence[int]) -> jax.Array:
    """The block of a given shape from a given corner; a size of -1 takes all that is left."""
    inputs = jnp.asarray(inputs)
    rest = zip(inputs.shape, start_indices, strict=True)
    sizes = [n - int(start) if size == -1 else size for (n, start), size in zip(rest, shape, strict=True)]
    return lax.dynamic_slice(inputs, start_indices, sizes)


def slice_update(inputs: TensorLike, start_indices: Sequence[int], updates: TensorLike) -> jax.Array:
    """`inputs` with a block replaced, from a given corner."""
    return lax.dynamic_update_slice(jnp.asarray(inputs), jnp.asarray(updates), start_indices)


def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[jax.Array]:
    """The elements along an axis as a list."""
    x = jnp.asarray(x)
    charge(x.shape[axis], "parts of an array", OPERATION)
    return [lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis])]


def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> jax.Array:
    """Windows along the last axis, `(..., windows, sequence_length)`.

    >>> extract_sequences(jnp.arange(5), 3, 2).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    x = jnp.asarray(x)
    starts = jnp.arange(0, x.shape[-1] - sequence_length + 1, sequence_stride)
    return x[..., starts[:, None] + jnp.arange(sequence_length)]


# -- segments and ranks -----------------------------------------------------------------------------------------------


def _segment(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def call(
        data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
    ) -> jax.Array:
        """Reduces the elements with the same id; ids outside `0 ... num_segments - 1` are left out."""
        data, ids = jnp.asarray(data), jnp.asarray(segment_ids)
        if num_segments is None and isinstance(ids, jax.core.Tracer):
            raise ArgumentError("ops.segment_*(num_segments=None): inside a compiled program the number must be given.")
        result: jax.Array = reduce(data, ids, num_segments, indices_are_sorted=sorted)
        return result

    return call


def top_k(x: TensorLike, k: int, sorted: bool = True) -> Any:
    """The `k` largest values along the last axis and their indices."""
    return tuple(lax.top_k(jnp.asarray(x), k))


def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> jax.Array:
    """Whether fewer than `k` predictions are greater than that of the target; NaN counts as the smallest."""
    targets, predictions = jnp.asarray(targets), jnp.asarray(predictions)
    own = jnp.take_along_axis(predictions, targets[..., None], axis=-1)
    own = jnp.where(jnp.isnan(own), -jnp.inf, own)
    return jnp.sum(predictions > own, axis=-1) < k


def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> jax.Array:
    """Axes reordered, split and merged by a pattern, `"b (h w) c -> b c h w"` (Rogozhnikov, 2022, "Einops").

    Raises:
        ArgumentError: the pattern does not fit the array.

    >>> rearrange(jnp.arange(6), "(a b) -> b a", a=2).shape
    (3, 2)
    """
    tensor = jnp.asarray(tensor)
    left, arrow, right = pattern.partition("->")
    if not arrow or left.count("(") != left.count(")") or right.count("(") != right.count(")"):
        raise ArgumentError(f"ops.rearrange(pattern={pattern!r}): expected 'axes -> axes' with matching parentheses.")
    before, after = _groups(left), _groups(right)
    if len(before) != tensor.ndim:
        raise ArgumentError(f"ops.rearrange(pattern={pattern!r}): the array has {tensor.ndim} axes.")
    sizes = dict(axes_lengths)
    for group, size in zip(before, tensor.shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1 or size % max(known, 1) or (not unknown and known != size):
            raise ArgumentError(f"ops.rearrange(pattern={pattern!r}): cannot split an axis of size {size} as {group}.")
        sizes.update(dict.fromkeys(unknown, size // known))
    names = [name for group in before for name in group]
    output_names = [name for group in after for name in group]
    if sorted(names) != sorted(output_names):
        raise ArgumentError(f"ops.rearrange(pattern={pattern!r}): both sides must name the same axes.")
    split = tensor.reshape([sizes[name] for name in names]).transpose([names.index(name) for name in output_names])
    return split.reshape([math.prod(sizes[name] for name in group) for group in after])


def _groups(side: str) -> list[list[str]]:
    groups: list[list[str]] = []
    inside = False
    for word in side.replace("(", " ( ").replace(")", " ) ").split():
        if word in "()":
            inside = word == "("
            groups += [[]] if inside else []
        elif inside:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


TABLE: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(cast, convert_to_tensor, saturate_cast, stop_gradient, cond, switch, map, vectorized_map, scan),
        *(associative_scan, fori_loop, while_loop, scatter, scatter_update, slice, slice_update, unstack),
        *(extract_sequences, top_k, in_top_k, rearrange),
    )
}
TABLE |= {f"segment_{name}": _segment(getattr(jax.ops, f"segment_{name}")) for name in ("max", "min", "prod", "sum")}
# These do not extend a graph: they tell something about a value or make a function.
PLAIN: dict[str, Callable[..., Any]] = {
    "convert_to_numpy": convert_to_numpy,
    "custom_gradient": custom_gradient,
    "dtype": dtype,
    "is_tensor": is_tensor,
}
