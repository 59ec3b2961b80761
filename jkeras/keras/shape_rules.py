"""Output shapes of functions whose code needs known sizes or values, or would compute unnecessarily.

Each rule has the arguments of its function, including symbolic tensors.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jkeras import tree
from jkeras.errors import InputError
from jkeras.keras import matrix_shapes
from jkeras.keras.inference import infer_function_spec, infer_output_spec
from jkeras.keras.tensor import KerasTensor
from jkeras.ops.table import FUNCTIONS


def like(value: Any) -> KerasTensor:
    """A symbolic tensor with the shape and dtype of a tensor."""
    return KerasTensor(value.shape, value.dtype, getattr(value, "sparse", False))


def _of_first(first: Any, *others: Any, **options: Any) -> Any:
    return like(first)


def _reshape(x: Any, newshape: Any) -> KerasTensor:
    """Replaces a size of -1 by the remaining size, which is unknown if a size of the input is."""
    sizes = [newshape] if isinstance(newshape, int) else [None if s is None else int(s) for s in newshape]
    if sizes.count(-1) > 1 or any(size is not None and size < -1 for size in sizes):
        raise InputError(
            f"ops.reshape(newshape={newshape!r}): expected sizes of at least 0, with at most one -1 for the remaining size."
        )
    known = None if None in x.shape else math.prod(size for size in x.shape if size is not None)
    rest = math.prod(size for size in sizes if size is not None and size != -1)
    if known is not None and None not in sizes:
        fits = known % max(rest, 1) == 0 if -1 in sizes else known == rest
        if not fits:
            raise InputError(f"ops.reshape: an array of shape {x.shape} cannot be reshaped to {tuple(sizes)}.")
        sizes = [known // max(rest, 1) if size == -1 else size for size in sizes]
    return KerasTensor([None if size == -1 else size for size in sizes], x.dtype)


# -- control flow -----------------------------------------------------------------------------------------------------


def _cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    results = [_spec_of_branch(branch) for branch in (true_fn, false_fn)]
    flat = [[(leaf.shape, leaf.dtype) for leaf in tree.flatten(result) if leaf is not None] for result in results]
    if flat[0] != flat[1]:
        raise InputError(
            "`true_fn` and `false_fn` should return outputs of the same kind (struct, dtype and shape). Got"
            f" {results[0]} and {results[1]} instead."
        )
    return results[0]


def _spec_of_branch(branch: Callable[[], Any]) -> Any:
    """The result of a branch."""
    return infer_output_spec(branch)


def _switch(index: Any, branches: Any, *operands: Any) -> Any:
    return infer_output_spec(branches[0], *operands)


def _while_loop(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    return tree.map_structure(like, loop_vars)


def _fori_loop(lower: Any, upper: Any, body_fun: Any, init_val: Any) -> Any:
    return tree.map_structure(like, init_val)


def _without_first(value: Any) -> KerasTensor:
    return KerasTensor(value.shape[1:], value.dtype)


def _map(f: Callable[..., Any], xs: Any) -> Any:
    return _stacked(infer_output_spec(f, tree.map_structure(_without_first, xs)), tree.flatten(xs)[0].shape[0])


def _vectorized_map(function: Callable[..., Any], elements: Any) -> Any:
    return _map(function, elements)


def _scan(f: Any, init: Any, xs: Any = None, length: Any = None, reverse: Any = False, unroll: Any = 1) -> Any:
    size = tree.flatten(xs)[0].shape[0] if length is None else int(length)
    x = None if xs is None else tree.map_structure(_without_first, xs)
    carry, y = infer_output_spec(f, init, x)
    return carry, _stacked(y, size)


def _stacked(spec: Any, size: int | None) -> Any:
    return tree.map_structure(lambda t: None if t is None else KerasTensor((size, *t.shape), t.dtype), spec)


# -- parts of arrays --------------------------------------------------------------------------------------------------


def _scatter(indices: Any, values: Any, shape: Any) -> KerasTensor:
    return KerasTensor(shape, values.dtype)


def _slice(inputs: Any, start_indices: Any, shape: Any) -> KerasTensor:
    rank = len(inputs.shape)
    starts = None if isinstance(start_indices, KerasTensor) else start_indices
    for argument, value in (("shape", shape), ("start_indices", starts)):
        if value is not None and len(value) != rank:
            raise InputError(
                f"The number of dimensions in `{argument}` must match the number of dimensions in `inputs`."
                f" Received {argument}={value} and inputs.shape={inputs.shape}"
            )
    sizes = []
    for axis, size in enumerate(shape):
        whole = inputs.shape[axis]
        rest = None if whole is None or starts is None else whole - int(starts[axis])
        sizes.append(rest if size == -1 else size)
    return KerasTensor(sizes, inputs.dtype)


def _searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> KerasTensor:
    size = sorted_sequence.shape[-1]
    return KerasTensor(values.shape, "int32" if size is not None and size <= 2**31 - 1 else "int64")


def _unstack(x: Any, num: int | None = None, axis: int = 0) -> list[KerasTensor]:
    rank = len(x.shape)
    if not -rank <= axis < rank:
        raise InputError(f"ops.unstack: axis {axis} is out of bounds for a tensor of {rank} axes.")
    size = x.shape[axis] if num is None else num
    if size is None:
        raise InputError(f"Cannot infer argument `num` from shape {x.shape}. Either provide a tensor with a concrete shape in"
                         f" the `axis` dimension or explicitly pass the `num` argument.")  # fmt: skip
    axis %= rank
    return [KerasTensor((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype) for _ in range(size)]


def _convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> KerasTensor:
    sparse = False if sparse is False else getattr(x, "sparse", False)
    return KerasTensor(x.shape, x.dtype if dtype is None else dtype, sparse)


# -- elementwise ------------------------------------------------------------------------------------------------------


def broadcast(*shapes: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The shape of elementwise results; an unknown size matches any size.

    >>> broadcast((None, 3), (2, 1)), broadcast((None,), (1,))
    ((2, 3), (None,))

    Raises:
        InputError: the shapes do not broadcast.
    """
    rank = max(map(len, shapes))
    sizes: list[int | None] = []
    for axis in range(rank):
        axis_sizes = {shape[axis - rank + len(shape)] for shape in shapes if axis >= rank - len(shape)} - {1}
        known = axis_sizes - {None}
        if len(known) > 1:
            raise InputError(
                f"Cannot broadcast shape, the failure dim has value {sorted(known)}. Input shapes: {shapes}"
            )
        sizes.append(known.pop() if known else None if axis_sizes else 1)
    return tuple(sizes)


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of an elementwise function: sizes by broadcasting, the dtype from scalars."""

    @functools.lru_cache(maxsize=1024)
    def dtype_of(types: tuple[Any, ...], options: tuple[tuple[str, Any], ...]) -> str | None:
        try:
            return infer_output_spec(function, *map(_scalar, types), **dict(options)).dtype
        except Exception:  # a dtype that the function rejects when it runs
            return None

    def rule(*args: Any, **kwargs: Any) -> KerasTensor:
        args = (*args, *(kwargs.pop(name) for name in ("x1", "x2", "x", "y") if name in kwargs))
        values = tree.flatten(args)
        shapes = [
            np.shape(value) if isinstance(value, (list, tuple)) else getattr(value, "shape", ()) for value in args
        ]
        types = tuple(getattr(value, "dtype", value) for value in args if not isinstance(value, (list, tuple)))
        dtype = dtype_of(tuple(map(_type_key, types)), tuple(sorted(kwargs.items())))
        known = next(value.dtype for value in values if isinstance(value, KerasTensor))
        return KerasTensor(broadcast(*shapes), known if dtype is None else dtype)

    return rule


def _type_key(value: Any) -> Any:
    """What the dtype of a result depends on: the name of a dtype, or the type of a Python number."""
    return (
        type(value)
        if isinstance(value, (bool, int, float, complex))
        else None
        if value is None
        else np.dtype(value).name
    )


def _scalar(key: Any) -> Any:
    return key(1) if isinstance(key, type) else None if key is None else KerasTensor((), key, name="scalar")


def _with_integers(function: Callable[..., Any], argument: int) -> Callable[..., Any]:
    """The rule of a function with an integer argument, for which an array of the default dtype is also accepted."""

    name = list(inspect.signature(function).parameters)[argument]

    def integers(value: Any) -> Any:
        return KerasTensor(value.shape, "int32") if isinstance(value, KerasTensor) else value

    def rule(*args: Any, **kwargs: Any) -> Any:
        args = tuple(integers(value) if i == argument else value for i, value in enumerate(args))
        kwargs = {key: integers(value) if key == name else value for key, value in kwargs.items()}
        return infer_function_spec(function, *args, **kwargs)

    return rule


_ELEMENTWISE = """add arctan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor divide divide_no_nan
    equal floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot isclose lcm ldexp left_shift less less_equal
    logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum mod multiply nextafter not_equal power right_shift
    subtract true_divide where""".split()


def _in_top_k(targets: Any, predictions: Any, k: int) -> KerasTensor:
    return KerasTensor(targets.shape, "bool")


def _segment(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> KerasTensor:
    sizes = data.shape[0], segment_ids.shape[0]
    if None not in sizes and sizes[0] != sizes[1]:
        raise InputError(
            f"ops.segment_*: `data` of shape {data.shape} and `segment_ids` of shape {segment_ids.shape} must have as many"
            " elements along the first axis."
        )
    return KerasTensor((num_segments, *data.shape[1:]), data.dtype)


def _scaled(images: Any, output_shape: Any, *others: Any, **options: Any) -> KerasTensor:
    return KerasTensor(tuple(output_shape), images.dtype)


RULES: dict[str, Callable[..., Any]] = {
    **matrix_shapes.RULES,
    "cond": _cond,
    "convert_to_tensor": _convert_to_tensor,
    "fori_loop": _fori_loop,
    "image.scale_and_translate": _scaled,
    "in_top_k": _in_top_k,
    "map": _map,
    "reshape": _reshape,
    "scan": _scan,
    "scatter": _scatter,
    "scatter_update": _of_first,
    "searchsorted": _searchsorted,
    "slice": _slice,
    "slice_update": _of_first,
    **{f"segment_{name}": _segment for name in ("max", "min", "prod", "sum")},
    "stop_gradient": _of_first,
    "switch": _switch,
    "unstack": _unstack,
    "vectorized_map": _vectorized_map,
    "while_loop": _while_loop,
    **{name: elementwise(FUNCTIONS[name]) for name in _ELEMENTWISE},
    **{name: _with_integers(FUNCTIONS[name], 1) for name in ("take", "take_along_axis")},
}
