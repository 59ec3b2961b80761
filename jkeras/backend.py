"""The functions of the old `keras.backend`, for scripts that say `K.mean(x)`: names for functions of `jkeras.ops`.

Like those they take arrays and symbolic tensors. The old functions that changed values in place (`K.set_value`,
`K.update`, `K.variable`) are not here: nothing in jkeras changes in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jkeras import config, ops, random, random_keys
from jkeras.config import epsilon as epsilon
from jkeras.config import floatx as floatx
from jkeras.config import image_data_format as image_data_format
from jkeras.config import set_epsilon as set_epsilon
from jkeras.config import set_floatx as set_floatx
from jkeras.config import set_image_data_format as set_image_data_format
from jkeras.dispatch import is_symbolic, parse
from jkeras.errors import ArgumentError, suggestion

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

    def call(*args: Any, **kwargs: Any) -> Any:
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


def dot(x: Any, y: Any) -> Any:
    """The product over the last axis of `x` and the last but one of `y`, in the old manner for more than two axes."""
    return ops.dot(x, y)


def batch_flatten(x: Any) -> Any:
    """All axes but the first made one."""
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def flatten(x: Any) -> Any:
    """All axes made one."""
    return ops.reshape(x, (-1,))


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> jax.Array:
    """An array of one value."""
    array = ops.convert_to_tensor(value, dtype or config.floatx())
    return array if shape is None else ops.broadcast_to(array, shape)


def cast_to_floatx(x: Any) -> Any:
    """`x` in the default float type."""
    return (
        ops.cast(x, config.floatx())
        if hasattr(x, "dtype") and not isinstance(x, np.ndarray)
        else np.asarray(x, dtype=config.floatx())
    )


def count_params(x: Any) -> int:
    """The number of elements."""
    return math.prod(x.shape)


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> jax.Array:
    """See `jkeras.random.dropout`."""
    return random.dropout(x, level, noise_shape, seed)


def dtype(x: Any) -> str:
    """The name of an array's type."""
    return str(x.dtype)


def eval(x: Any) -> np.ndarray:
    """The values of an array."""
    return get_value(x)


def eye(size: int, dtype: Any = None, name: str | None = None) -> jax.Array:
    """The identity matrix."""
    return ops.eye(size, dtype=dtype)


def gather(reference: Any, indices: Any) -> Any:
    """Rows of an array."""
    return ops.take(reference, indices, axis=0)


def get_value(x: Any) -> np.ndarray:
    """The values of an array.

    Raises:
        ArgumentError: a symbolic tensor has none.
    """
    if is_symbolic(x):
        raise ArgumentError(f"{x!r} has no values: call the model on data, `model(x)`.")
    return np.asarray(x)


def hard_sigmoid(x: Any) -> Any:
    """The old form, `clip(0.2 * x + 0.5, 0, 1)`; `ops.hard_sigmoid` has another slope."""
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether a target is among the best predictions; the arguments in the old order."""
    return ops.in_top_k(targets, predictions, k)


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """The sizes of an array or symbolic tensor, None where unknown."""
    return tuple(x.shape) if hasattr(x, "shape") else None


def is_float_dtype(dtype: Any) -> bool:
    """Whether a type is one of floating-point numbers."""
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Whether a type is one of integers, with or without a sign."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return is_symbolic(x)


def l2_normalize(x: Any, axis: Any = None) -> Any:
    """`x` divided by its Euclidean norm."""
    return ops.divide(x, ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12)))


def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of every element along the first axis."""
    return ops.map(fn, elems)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(x.shape)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> jax.Array:
    """Ones."""
    return ops.ones(shape, dtype)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> jax.Array:
    """Zeros."""
    return ops.zeros(shape, dtype)


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> jax.Array:
    """Ones with probability `p`, otherwise zeros."""
    return jax.random.bernoulli(random_keys.as_key(seed), p, shape).astype(dtype or config.floatx())


random_normal = random.normal
random_uniform = random.uniform
truncated_normal = random.truncated_normal


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """The rectifier with all its old arguments."""
    return ops.relu(x, alpha, max_value, threshold)


def repeat(x: Any, n: int) -> Any:
    """A matrix repeated along a new second axis."""
    return ops.tile(ops.expand_dims(x, 1), (1, n, 1))


def result_type(*dtypes: Any) -> str:
    """The type of a computation with values of given types."""
    return str(np.dtype(jax.numpy.result_type(*dtypes)))


def shape(x: Any) -> Any:
    """The sizes of an array."""
    return ops.shape(x)


def sqrt(x: Any) -> Any:
    """The square root, 0 for negative numbers."""
    return ops.sqrt(ops.maximum(x, 0.0))


def standardize_dtype(dtype: Any) -> str:
    """The name of a type; None is the default float type."""
    return str(np.dtype(dtype)) if dtype is not None else config.floatx()


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two values (or of two functions' results), by element."""
    first, second = (value() if callable(value) else value for value in (then_expression, else_expression))
    return ops.where(condition, first, second)


def clear_session(free_memory: bool = True) -> None:
    """Does nothing: there is no session, and names start anew in every model."""


def get_uid(prefix: str = "") -> int:
    """Always 1: names are numbered within a model, not in a session."""
    return 1


def __getattr__(name: str) -> Any:
    raise AttributeError(f"jkeras.backend has no function {name!r}.{suggestion(name, dir(ops))} See jkeras.ops.")
