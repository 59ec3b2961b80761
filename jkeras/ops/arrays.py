"""The array functions: `jax.numpy` under Keras's signatures, and the few that differ."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Sequence
from typing import Any, SupportsInt

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import config
from jkeras.allowance import OPERATION, charge
from jkeras.dispatch import as_array, thin
from jkeras.errors import ArgumentError
from jkeras.types import Array, ArrayLike, Axis, DTypeLike, TensorLike

# Each row: a signature, and the functions of `jax.numpy` that have it.
_NUMPY: dict[str, str] = {
    "x": """abs absolute angle arccos arccosh arcsin arcsinh arctan arctanh cbrt conj conjugate copy corrcoef cos cosh
        deg2rad exp exp2 expm1 fabs fliplr flipud i0 imag isfinite isinf isnan isneginf isposinf isreal log
        log10 log1p log2 logical_not ndim negative nonzero rad2deg ravel real reciprocal sign signbit sin sinc sinh
        size sqrt square tan tanh""",
    "x1 x2": """add arctan2 divide equal floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot inner
        kron lcm ldexp less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum mod
        multiply nextafter not_equal outer power subtract true_divide vdot dot""",
    "x y": "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor left_shift right_shift",
    "x axis=None keepdims=False": """all amax amin any median nanargmax nanargmin nanmax nanmean nanmedian nanmin
        nanprod nanstd nansum nanvar ptp std sum""",
    "x axis=None keepdims=False initial=None": "max min",
    "x axis=None keepdims=False dtype=None": "prod",
    "x axis=None dtype=None": "cumprod cumsum nancumprod nancumsum",
    "x q axis=None method='linear' keepdims=False": "nanpercentile nanquantile percentile quantile",
    "x axis=None": "count_nonzero flip",
    "x axis=-1": "sort",
    "x axis": "expand_dims",
    "x1 x2 axis=None": "append",
    "x1 x2 rtol=1e-05 atol=1e-08 equal_nan=False": "allclose isclose",
    "x1 x2 axisa=-1 axisb=-1 axisc=-1 axis=None": "cross",
    "x1 x2 mode='valid'": "correlate",
    "x1 x2 axes=2": "tensordot",
    "x indices_or_sections axis=0": "split",
    "x indices_or_sections": "dsplit hsplit vsplit",
    "xs": "dstack hstack vstack",
    "xs axis=0": "concatenate",
    "x axis=0": "stack",
    "x shape": "broadcast_to",
    "x newshape": "reshape",
    "x k=0": "diag diagflat tril triu",
    "x offset=0 axis1=0 axis2=1": "diagonal trace",
    "x axis1 axis2": "swapaxes",
    "x source destination": "moveaxis",
    "x repeats": "tile",
    "x repeats axis=None": "repeat",
    "x shift axis=None": "roll",
    "x indices axis=None": "take take_along_axis",
    "x axes=None": "transpose",
    "x nan=0.0 posinf=None neginf=None": "nan_to_num",
    "x dtype=None": "array empty_like ones_like zeros_like",
    "x fill_value dtype=None": "full_like",
    "x bins": "digitize",
    "x bins=10 range=None": "histogram",
    "x N=None increasing=False": "vander",
    "array k=1 axes=(0,1)": "rot90",
    "y x=None dx=1.0 axis=-1": "trapezoid",
    "indices shape": "unravel_index",
    "sorted_sequence values side='left'": "searchsorted",
    "condlist choicelist default=0": "select",
    "shape fill_value dtype=None": "full",
    "start stop num=50 endpoint=True retstep=False dtype=None axis=0": "linspace",
    "start stop num=50 endpoint=True base=10 dtype=None axis=0": "logspace",
    "start stop num=50 endpoint=True dtype=None axis=0": "geomspace",
    "x1 x2 assume_unique=False invert=False": "isin",
    "x kth axis=-1": "argpartition",
    "*x indexing='xy'": "meshgrid",
}


def _floats(x: TensorLike) -> Array:
    """`x` with integers and booleans made floats."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(config.floatx())


def _wide(function: Callable[..., Any], x: TensorLike, axis: Axis | None, keepdims: bool) -> jax.Array:
    """A reduction of 16-bit floats that is computed in float32, whose range it needs."""
    floats = _floats(x)
    if floats.dtype in (jnp.float16, jnp.bfloat16):
        wide: Array = function(floats, axis=axis, keepdims=keepdims, dtype="float32")
        return wide.astype(floats.dtype)
    reduced: Array = function(floats, axis=axis, keepdims=keepdims)
    return reduced


def mean(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> jax.Array:
    """The mean, in float32 for 16-bit floats."""
    return _wide(jnp.mean, x, axis, keepdims)


def var(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> jax.Array:
    """The variance, in float32 for 16-bit floats."""
    return _wide(jnp.var, x, axis, keepdims)


def average(x: TensorLike, axis: Axis | None = None, weights: TensorLike | None = None) -> jax.Array:
    """The mean with weights."""
    return jnp.average(_floats(x), axis=axis, weights=None if weights is None else _floats(weights))


def _arg(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> jax.Array:
        """The index of the largest (smallest) element; -0.0 counts as less than 0.0, as in Keras on CPU."""
        x = jnp.asarray(x)
        if jnp.issubdtype(x.dtype, jnp.floating) and x.ndim:
            x = jnp.where((x == 0) & jnp.signbit(x), -jnp.finfo(x.dtype).tiny, x)
        result: jax.Array = function(x, axis=axis, keepdims=keepdims)
        return result

    return call


def argsort(x: TensorLike, axis: int | None = -1) -> jax.Array:
    """The indices that sort `x`."""
    x = jnp.asarray(x)
    return jnp.argsort(x, axis=axis if x.ndim else None)


def arange(
    start: ArrayLike, stop: ArrayLike | None = None, step: ArrayLike | None = None, dtype: DTypeLike | None = None
) -> jax.Array:
    """Numbers from `start` up to `stop`."""
    return jnp.arange(start, stop, step, dtype=dtype)


def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> jax.Array:
    """How often each integer occurs; for a matrix, in each row."""
    if sparse:
        raise ArgumentError("ops.bincount(sparse=True) is not supported: results are dense arrays.")
    x = jnp.asarray(x)
    weights = None if weights is None else jnp.asarray(weights)
    if x.ndim == 2:
        length = builtins.max(minlength, int(x.max()) + 1 if x.size else 0)
        rows = [jnp.bincount(r, None if weights is None else weights[i], length=length) for i, r in enumerate(x)]
        return jnp.stack(rows)
    return jnp.bincount(x, weights=weights, minlength=minlength)


def bitwise_invert(x: TensorLike) -> jax.Array:
    """Every bit flipped."""
    return jnp.invert(jnp.asarray(x))


def ceil(x: TensorLike) -> jax.Array:
    """The next integer above, as a float."""
    return jnp.ceil(_floats(x))


def floor(x: TensorLike) -> jax.Array:
    """The next integer below, as a float."""
    return jnp.floor(_floats(x))


def clip(x: TensorLike, x_min: ArrayLike | None, x_max: ArrayLike | None) -> jax.Array:
    """`x` between two bounds."""
    x = jnp.asarray(x)
    return jnp.clip(x.astype("int32") if x.dtype == bool else x, x_min, x_max)


def divide_no_nan(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """`x1 / x2`, and 0 where `x2` is 0."""
    x1, x2 = jnp.asarray(x1), jnp.asarray(x2)
    return jnp.where(x2 == 0, 0, x1 / jnp.where(x2 == 0, 1, x2))


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> jax.Array:
    """A sum over products, as `numpy.einsum`; 8-bit integers are summed in 32 bits.

    Args:
        subscripts: the equation, `"ij,jk->ik"` for example.
        operands: arrays.
        kwargs: arguments of `jax.numpy.einsum`, such as `precision`.
    """
    arrays = [jnp.asarray(operand) for operand in operands]
    if all(array.dtype == jnp.int8 for array in arrays):
        kwargs = {"preferred_element_type": "int32", **kwargs}
    return jnp.einsum(subscripts, *arrays, **kwargs)


def matmul(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """The matrix product; integers of 8 bits add up in 32."""
    x1, x2 = jnp.asarray(x1), jnp.asarray(x2)
    wide = "int32" if x1.dtype == x2.dtype == jnp.int8 else None
    return jnp.matmul(x1, x2, preferred_element_type=wide)


def array_split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[jax.Array]:
    """Parts along an axis, of equal size to one."""
    if isinstance(indices_or_sections, int):
        charge(indices_or_sections, "parts of an array", OPERATION)
    return jnp.array_split(jnp.asarray(x), indices_or_sections, axis)


def diff(a: TensorLike, n: int = 1, axis: int = -1) -> jax.Array:
    """The differences of neighbours along an axis, `n` times."""
    charge(n, "differences", OPERATION)
    return jnp.diff(jnp.asarray(a), n, axis)


def empty(shape: Sequence[int], dtype: DTypeLike | None = None) -> jax.Array:
    """Zeros: JAX has no uninitialised arrays."""
    return jnp.zeros(shape, dtype or config.floatx())


def ones(shape: Sequence[int], dtype: DTypeLike | None = None) -> jax.Array:
    """Ones."""
    return jnp.ones(shape, dtype or config.floatx())


def zeros(shape: Sequence[int], dtype: DTypeLike | None = None) -> jax.Array:
    """Zeros."""
    return jnp.zeros(shape, dtype or config.floatx())


def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> jax.Array:  # noqa: N803  (NumPy's names)
    """Ones on one diagonal."""
    return jnp.eye(N, M, k, dtype or config.floatx())


def identity(n: int, dtype: DTypeLike | None = None) -> jax.Array:
    """The identity matrix."""
    return jnp.identity(n, dtype or config.floatx())


def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> jax.Array:  # noqa: N803  (NumPy's names)
    """Ones at and below a diagonal."""
    return jnp.tri(N, M, k, dtype or config.floatx())


def _window(name: str) -> Callable[..., Any]:
    def call(x: SupportsInt, *more: Any) -> jax.Array:
        window: Array = getattr(jnp, name)(int(x), *more)
        return window.astype(config.floatx())

    return thin(name, "x beta" if name == "kaiser" else "x", call)


def get_item(x: TensorLike, key: Any) -> Any:
    """`x[key]`."""
    return operator.getitem(as_array(x), key)


def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: TensorLike | None = None) -> jax.Array:
    """`x` made larger at its borders.

    Raises:
        ArgumentError: `constant_values` is given for another mode than "constant".
    """
    if constant_values is None:
        return jnp.pad(jnp.asarray(x), pad_width, mode=mode)
    if mode != "constant":
        raise ArgumentError(f"ops.pad(mode={mode!r}): `constant_values` goes with mode 'constant' only.")
    return jnp.pad(jnp.asarray(x), pad_width, mode=mode, constant_values=constant_values)


def round(x: TensorLike, decimals: int = 0) -> jax.Array:
    """The nearest number with that many decimals, halves to even."""
    x = jnp.asarray(x)
    if decimals < 0 and jnp.issubdtype(x.dtype, jnp.integer):
        factor = 10.0**decimals
        return (jnp.round(x.astype(config.floatx()) * factor) / factor).astype(x.dtype)
    return jnp.round(x, decimals)


def slogdet(x: TensorLike) -> tuple[jax.Array, jax.Array]:
    """Sign and logarithm of the absolute value of a determinant."""
    return tuple(jnp.linalg.slogdet(jnp.asarray(x)))


def squeeze(x: TensorLike, axis: Axis | None = None) -> jax.Array:
    """`x` without axes of size 1."""
    return jnp.squeeze(jnp.asarray(x), axis=tuple(axis) if isinstance(axis, Sequence) else axis)


def trunc(x: TensorLike) -> jax.Array:
    """The integer part."""
    x = jnp.asarray(x)
    return jnp.trunc(x) if jnp.issubdtype(x.dtype, jnp.inexact) else x


def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Any:
    """The different elements; inside a compiled program `size` must be given."""
    return jnp.unique(
        jnp.asarray(x),
        return_index,
        return_inverse,
        return_counts,
        axis,
        equal_nan=False,
        size=size,
        fill_value=fill_value,
        sorted=sorted,
    )


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """A function of arrays from a function of numbers.

    Args:
        pyfunc: the function.
        excluded: the positions or names of arguments that are passed as they are.
        signature: the core dimensions of inputs and outputs, `"(n),(n)->()"` for example; None means numbers.

    >>> add_one = vectorize(lambda x: x + 1)
    >>> add_one(jnp.array([1, 2])).tolist()
    [2, 3]
    """
    return jnp.vectorize(pyfunc, excluded=excluded or set(), signature=signature)


def view(x: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """The same bytes as another type."""
    return jnp.asarray(x).view(dtype)


def shape(x: TensorLike) -> tuple[int | None, ...]:
    """The shape of an array; unknown sizes of symbolic tensors are None.

    Args:
        x: an array or symbolic tensor.

    >>> shape([[1, 2, 3], [4, 5, 6]])
    (2, 3)
    """
    sizes: tuple[int | None, ...] = x.shape if hasattr(x, "shape") else np.shape(np.asarray(x))
    return tuple(sizes)


TABLE: dict[str, Callable[..., Any]] = {
    name: thin(name, signature, getattr(jnp, name)) for signature, names in _NUMPY.items() for name in names.split()
}
TABLE |= {
    function.__name__: function
    for function in (
        *(
            array_split,
            diff,
            mean,
            var,
            average,
            argsort,
            arange,
            bincount,
            bitwise_invert,
            clip,
            divide_no_nan,
            einsum,
            matmul,
        ),
        *(empty, ones, zeros, eye, identity, tri, get_item, pad, round, slogdet, squeeze, trunc, unique, view),
    )
}
TABLE |= {
    "where": thin("where", "condition x1=None x2=None", jnp.where),
    "argmax": _arg(jnp.argmax),
    "argmin": _arg(jnp.argmin),
    "bitwise_not": bitwise_invert,
    "ceil": ceil,
    "floor": floor,
    "getitem": operator.getitem,
    **{name: _window(name) for name in ("bartlett", "blackman", "hamming", "hanning", "kaiser")},
}
# These never extend a graph: the first looks at a tensor's description, the second makes a function.
PLAIN: dict[str, Callable[..., Any]] = {"shape": shape, "vectorize": vectorize}
