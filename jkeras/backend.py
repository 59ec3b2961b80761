"""The functions of the old `keras.backend`, for scripts that say `K.mean(x)`: names for functions of `jkeras.ops`.

Like those they take arrays and symbolic tensors. The old functions that changed values in place (`K.set_value`,
`K.update`, `K.variable`) are not here: nothing in jkeras changes in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import jax
import numpy as np
from jax.typing import ArrayLike, DTypeLike

from jkeras import config, ops, random, random_keys
from jkeras.config import epsilon as epsilon
from jkeras.config import floatx as floatx
from jkeras.config import image_data_format as image_data_format
from jkeras.config import set_epsilon as set_epsilon
from jkeras.config import set_floatx as set_floatx
from jkeras.config import set_image_data_format as set_image_data_format
from jkeras.dispatch import is_symbolic, parse
from jkeras.errors import ArgumentError, suggestion
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.random import ShapeLike
from jkeras.random_keys import SeedLike
from jkeras.types import PyTree

# What the functions take: numbers, arrays, symbolic tensors.
Tensor: TypeAlias = "ArrayLike | SymbolicTensor"
# What they give: an array, or a symbolic tensor where an argument is one. A union of the two would be of no use, as there
# is nothing that both can do.
Result: TypeAlias = Any


@runtime_checkable
class Shaped(Protocol):
    """An array of any library, or a symbolic tensor."""

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes."""

    @property
    def dtype(self) -> Any:
        """The type of the elements."""


# An old name, its signature, the function of `jkeras.ops` that takes the same arguments in the same order.
_ROWS = """
    abs: x -> abs
    all: x axis=None keepdims=False -> all
    any: x axis=None keepdims=False -> any
    argmax: x axis=-1 -> argmax
    argmin: x axis=-1 -> argmin
    arange: start stop=None step=1 dtype='int32' -> arange
    binary_crossentropy: target output from_logits=False -> binary_crossentropy
    cast: x dtype -> cast
    categorical_crossentropy: target output from_logits=False axis=-1 -> categorical_crossentropy
    clip: x min_value max_value -> clip
    concatenate: tensors axis=-1 -> concatenate
    cos: x -> cos
    cumprod: x axis=0 -> cumprod
    cumsum: x axis=0 -> cumsum
    elu: x alpha=1.0 -> elu
    equal: x y -> equal
    exp: x -> exp
    expand_dims: x axis=-1 -> expand_dims
    greater: x y -> greater
    greater_equal: x y -> greater_equal
    less: x y -> less
    less_equal: x y -> less_equal
    log: x -> log
    max: x axis=None keepdims=False -> max
    maximum: x y -> maximum
    mean: x axis=None keepdims=False -> mean
    min: x axis=None keepdims=False -> min
    minimum: x y -> minimum
    not_equal: x y -> not_equal
    one_hot: indices num_classes -> one_hot
    permute_dimensions: x pattern -> transpose
    pow: x a -> power
    prod: x axis=None keepdims=False -> prod
    repeat_elements: x rep axis -> repeat
    reshape: x shape -> reshape
    reverse: x axes -> flip
    round: x -> round
    sigmoid: x -> sigmoid
    sign: x -> sign
    sin: x -> sin
    softmax: x axis=-1 -> softmax
    softplus: x -> softplus
    softsign: x -> softsign
    sparse_categorical_crossentropy: target output from_logits=False axis=-1 -> sparse_categorical_crossentropy
    square: x -> square
    squeeze: x axis -> squeeze
    stack: x axis=0 -> stack
    std: x axis=None keepdims=False -> std
    stop_gradient: variables -> stop_gradient
    sum: x axis=None keepdims=False -> sum
    tanh: x -> tanh
    tile: x n -> tile
    transpose: x -> transpose
    var: x axis=None keepdims=False -> var
    ones_like: x dtype=None -> ones_like
    zeros_like: x dtype=None -> zeros_like
"""


def _renamed(name: str, signature: str, target: Callable[..., Any]) -> Callable[..., Any]:
    spec = parse(signature)

    def call(*args: Any, **kwargs: Any) -> Result:
        bound = spec.bind(*args, **kwargs)
        bound.apply_defaults()
        return target(*bound.arguments.values())

    call.__module__, call.__name__, call.__qualname__ = "jkeras.backend", name, name
    call.__doc__ = f"`keras.backend.{name}{spec}`, now `ops.{target.__name__}`."
    return call


for _line in _ROWS.strip().splitlines():
    _name, _, _rest = _line.strip().partition(": ")
    _signature, _, _target = _rest.partition(" -> ")
    globals()[_name] = _renamed(_name, _signature, getattr(ops, _target))


def backend() -> str:
    """The name of the backend, always "jax"."""
    return "jax"


def dot(x: Tensor, y: Tensor) -> Result:
    """The product over the last axis of `x` and the last but one of `y`, in the old manner for more than two axes."""
    return ops.dot(x, y)


def batch_flatten(x: Shaped) -> Result:
    """All axes but the first made one."""
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def flatten(x: Tensor) -> Result:
    """All axes made one."""
    return ops.reshape(x, (-1,))


def constant(
    value: Tensor, dtype: DTypeLike | None = None, shape: ShapeLike | None = None, name: str | None = None
) -> jax.Array:
    """An array of one value."""
    array: jax.Array = ops.convert_to_tensor(value, dtype or config.floatx())
    if shape is not None:
        array = ops.broadcast_to(array, shape)
    return array


def cast_to_floatx(x: Tensor) -> Result:
    """`x` in the default float type."""
    if isinstance(x, Shaped) and not isinstance(x, np.ndarray):
        return ops.cast(x, config.floatx())
    return np.asarray(x, dtype=config.floatx())


def count_params(x: Shaped) -> int:
    """The number of elements."""
    return math.prod(x.shape)


def dropout(
    x: ArrayLike, level: float, noise_shape: Sequence[int | None] | None = None, seed: SeedLike = None
) -> jax.Array:
    """See `jkeras.random.dropout`."""
    return random.dropout(x, level, noise_shape, seed)


def dtype(x: Shaped) -> str:
    """The name of an array's type."""
    return str(x.dtype)


def eval(x: Tensor) -> np.ndarray:
    """The values of an array."""
    return get_value(x)


def eye(size: int, dtype: DTypeLike | None = None, name: str | None = None) -> jax.Array:
    """The identity matrix."""
    array: jax.Array = ops.eye(size, dtype=dtype)
    return array


def gather(reference: Tensor, indices: Tensor) -> Result:
    """Rows of an array."""
    return ops.take(reference, indices, axis=0)


def get_value(x: Tensor) -> np.ndarray:
    """The values of an array.

    Raises:
        ArgumentError: a symbolic tensor has none.
    """
    if is_symbolic(x):
        raise ArgumentError(f"{x!r} has no values: call the model on data, `model(x)`.")
    return np.asarray(x)


def hard_sigmoid(x: Tensor) -> Result:
    """The old form, `clip(0.2 * x + 0.5, 0, 1)`; `ops.hard_sigmoid` has another slope."""
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> Result:
    """Whether a target is among the best predictions; the arguments in the old order."""
    return ops.in_top_k(targets, predictions, k)


def int_shape(x: Tensor) -> tuple[int | None, ...] | None:
    """The sizes of an array or symbolic tensor, None where unknown."""
    return tuple(x.shape) if isinstance(x, Shaped) else None


def is_float_dtype(dtype: DTypeLike | None) -> bool:
    """Whether a type is one of floating-point numbers."""
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: DTypeLike | None) -> bool:
    """Whether a type is one of integers, with or without a sign."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def is_keras_tensor(x: object) -> bool:
    """Whether `x` is a symbolic tensor."""
    return is_symbolic(x)


def l2_normalize(x: Tensor, axis: int | Sequence[int] | None = None) -> Result:
    """`x` divided by its Euclidean norm."""
    return ops.divide(x, ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12)))


def map_fn(
    fn: Callable[..., PyTree[Any]], elems: PyTree[Any], name: str | None = None, dtype: DTypeLike | None = None
) -> Result:
    """`fn` of every element along the first axis."""
    return ops.map(fn, elems)


def ndim(x: Shaped) -> int:
    """The number of axes."""
    return len(x.shape)


def ones(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> jax.Array:
    """Ones."""
    array: jax.Array = ops.ones(shape, dtype)
    return array


def zeros(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> jax.Array:
    """Zeros."""
    array: jax.Array = ops.zeros(shape, dtype)
    return array


def random_bernoulli(
    shape: ShapeLike, p: float = 0.0, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> jax.Array:
    """Ones with probability `p`, otherwise zeros."""
    sizes = (shape,) if isinstance(shape, int) else shape
    return jax.random.bernoulli(random_keys.as_key(seed), p, sizes).astype(dtype or config.floatx())


random_normal = random.normal
random_uniform = random.uniform
truncated_normal = random.truncated_normal


def relu(x: Tensor, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Result:
    """The rectifier with all its old arguments."""
    return ops.relu(x, alpha, max_value, threshold)


def repeat(x: Tensor, n: int) -> Result:
    """A matrix repeated along a new second axis."""
    return ops.tile(ops.expand_dims(x, 1), (1, n, 1))


def result_type(*dtypes: DTypeLike | ArrayLike) -> str:
    """The type of a computation with values of given types."""
    return str(np.dtype(jax.numpy.result_type(*dtypes)))


def shape(x: Tensor) -> Result:
    """The sizes of an array."""
    return ops.shape(x)


def sqrt(x: Tensor) -> Result:
    """The square root, 0 for negative numbers."""
    return ops.sqrt(ops.maximum(x, 0.0))


def standardize_dtype(dtype: DTypeLike | None) -> str:
    """The name of a type; None is the default float type."""
    return str(np.dtype(dtype)) if dtype is not None else config.floatx()


def switch(
    condition: Tensor, then_expression: Tensor | Callable[[], Tensor], else_expression: Tensor | Callable[[], Tensor]
) -> Result:
    """One of two values (or of two functions' results), by element."""
    first, second = (value() if callable(value) else value for value in (then_expression, else_expression))
    return ops.where(condition, first, second)


def clear_session(free_memory: bool = True) -> None:
    """Does nothing: there is no session, and names start anew in every model."""


def get_uid(prefix: str = "") -> int:
    """Always 1: names are numbered within a model, not in a session."""
    return 1


def __getattr__(name: str) -> Result:
    raise AttributeError(f"jkeras.backend has no function {name!r}.{suggestion(name, dir(ops))} See jkeras.ops.")
