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
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, suggestion
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.old_operations import RENAMED
from jkeras.random import ShapeLike
from jkeras.random_keys import SeedLike
from jkeras.types import PyTree

# What the functions take: numbers, arrays, symbolic tensors.
_Tensor: TypeAlias = "ArrayLike | SymbolicTensor"
# What they give: an array, or a symbolic tensor where an argument is one. A union of the two would be of no use, as there
# is nothing that both can do.
_Result: TypeAlias = Any


@runtime_checkable
class _Shaped(Protocol):
    """An array of any library, or a symbolic tensor."""

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes."""

    @property
    def dtype(self) -> Any:
        """The type of the elements."""


globals().update(RENAMED)
__test__ = RENAMED  # doctest passes over functions of another module unless it is told of them


def backend() -> str:
    """The name of the backend.

    Returns:
        Always "jax".

    >>> backend()
    'jax'
    """
    return "jax"


def dot(x: _Tensor, y: _Tensor) -> _Result:
    """The product over the last axis of `x` and the second-to-last of `y`, also for more than two axes.

    Args:
        x: an array `(..., n)`.
        y: an array `(..., n, m)`, or a vector `(n,)`.

    Returns:
        An array with the remaining axes of `x`, then those of `y`.

    Raises:
        InputError: the sizes of the two axes differ.

    >>> dot(np.ones((2, 3)), np.ones((4, 3, 5))).shape
    (2, 4, 5)
    """
    return ops.dot(x, y)


def batch_flatten(x: _Shaped) -> _Result:
    """Joins all axes except the first.

    Args:
        x: an array `(batch, ...)`, whose other sizes are known.

    Returns:
        A matrix `(batch, size)`.

    >>> batch_flatten(np.ones((2, 3, 4))).shape
    (2, 12)
    """
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def flatten(x: _Tensor) -> _Result:
    """Joins all axes.

    Args:
        x: an array.

    Returns:
        A vector of all values, row by row.

    >>> flatten(np.ones((2, 3))).shape
    (6,)
    """
    return ops.reshape(x, (-1,))


def constant(
    value: _Tensor, dtype: DTypeLike | None = None, shape: ShapeLike | None = None, name: str | None = None
) -> jax.Array:
    """An array of given values.

    Args:
        value: a number or an array.
        dtype: the type of the result; None means `jkeras.config.floatx()`.
        shape: the shape to broadcast to; None means that of `value`.
        name: accepted for compatibility with Keras.

    Returns:
        A JAX array.

    Raises:
        InputError: the value cannot be broadcast to `shape`.

    >>> constant(2, shape=(2, 2)).tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    """
    array: jax.Array = ops.convert_to_tensor(value, dtype or config.floatx())
    if shape is not None:
        array = ops.broadcast_to(array, shape)
    return array


def cast_to_floatx(x: _Tensor) -> _Result:
    """Casts to the default float type.

    Args:
        x: numbers, an array or a symbolic tensor.

    Returns:
        A JAX array or symbolic tensor for one of these, otherwise a NumPy array.

    >>> cast_to_floatx([1, 2])
    array([1., 2.], dtype=float32)
    """
    if isinstance(x, _Shaped) and not isinstance(x, np.ndarray):
        return ops.cast(x, config.floatx())
    return np.asarray(x, dtype=config.floatx())


def count_params(x: _Shaped) -> int:
    """The number of elements.

    Args:
        x: an array.

    Returns:
        An integer.

    >>> count_params(np.ones((2, 3)))
    6
    """
    return math.prod(x.shape)


def dropout(
    x: ArrayLike, level: float, noise_shape: Sequence[int | None] | None = None, seed: SeedLike = None
) -> jax.Array:
    """Sets a random part of the values to zero and scales the others, as `jkeras.random.dropout`.

    Args:
        x: an array.
        level: the fraction to drop, from 0 to 1.
        noise_shape: the shape of the mask, which is broadcast along axes of size 1; None means the shape of `x`.
        seed: an integer, a key of `jax.random`, a `SeedGenerator`, or None for the default seed.

    Returns:
        An array of the same shape, with the same expected values.

    Raises:
        ArgumentError: `level` is not between 0 and 1, or the shape of the mask does not fit.

    >>> sorted({float(value) for value in dropout(np.ones(100), 0.5, seed=0)})
    [0.0, 2.0]
    """
    return random.dropout(x, level, noise_shape, seed)


def dtype(x: _Shaped) -> str:
    """The name of an array's type.

    Args:
        x: an array.

    Returns:
        A string.

    >>> dtype(np.ones(2, "float32"))
    'float32'
    """
    return str(x.dtype)


def eval(x: _Tensor) -> np.ndarray:
    """The values of an array.

    Args:
        x: an array.

    Returns:
        A NumPy array.

    Raises:
        ArgumentError: `x` is a symbolic tensor, which has no values.

    >>> eval(jax.numpy.arange(3))
    array([0, 1, 2], dtype=int32)
    """
    return get_value(x)


def eye(size: int, dtype: DTypeLike | None = None, name: str | None = None) -> jax.Array:
    """The identity matrix.

    Args:
        size: the number of rows and columns.
        dtype: the type of the result; None means `jkeras.config.floatx()`.
        name: accepted for compatibility with Keras.

    Returns:
        A JAX array `(size, size)`.

    >>> eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    array: jax.Array = ops.eye(size, dtype=dtype)
    return array


def gather(reference: _Tensor, indices: _Tensor) -> _Result:
    """Selects entries along the first axis.

    Args:
        reference: an array.
        indices: integers, in any shape.

    Returns:
        An array whose first axis is replaced by the axes of `indices`.

    Raises:
        InputError: the indices are not integers.

    >>> gather(np.array([10, 20, 30]), np.array([2, 0])).tolist()
    [30, 10]
    """
    return ops.take(reference, indices, axis=0)


def get_value(x: _Tensor) -> np.ndarray:
    """The values of an array.

    Args:
        x: an array.

    Returns:
        A NumPy array.

    Raises:
        ArgumentError: `x` is a symbolic tensor, which has no values.

    >>> get_value(jax.numpy.arange(3))
    array([0, 1, 2], dtype=int32)
    """
    if is_symbolic(x):
        raise ArgumentError(f"{x!r} has no values: call the model on data, `model(x)`.")
    return np.asarray(x)


def hard_sigmoid(x: _Tensor) -> _Result:
    """A piecewise linear sigmoid, `clip(0.2 * x + 0.5, 0, 1)`; `ops.hard_sigmoid` has another slope.

    Args:
        x: an array.

    Returns:
        An array of the same shape.

    >>> hard_sigmoid(np.array([-5.0, 0.0, 1.0])).tolist()
    [0.0, 0.5, 0.7]
    """
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def in_top_k(predictions: _Tensor, targets: _Tensor, k: int) -> _Result:
    """Whether each target is among the k classes with the largest scores.

    Args:
        predictions: scores `(batch, classes)`.
        targets: class ids `(batch,)`.
        k: the number of classes to consider.

    Returns:
        Booleans `(batch,)`.

    Raises:
        InputError: the shapes do not match.

    >>> in_top_k(np.array([[0.1, 0.6, 0.3]]), np.array([2]), 2).tolist()
    [True]
    """
    return ops.in_top_k(targets, predictions, k)


def int_shape(x: _Tensor) -> tuple[int | None, ...] | None:
    """The sizes of an array or symbolic tensor.

    Args:
        x: an array or symbolic tensor.

    Returns:
        A tuple with None for unknown sizes; None for objects without a shape.

    >>> int_shape(np.ones((2, 3)))
    (2, 3)
    """
    return tuple(x.shape) if isinstance(x, _Shaped) else None


def is_float_dtype(dtype: DTypeLike | None) -> bool:
    """Whether a type is one of floating-point numbers.

    Args:
        dtype: a name or type; None means the default float type.

    Returns:
        A boolean.

    >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
    (True, False)
    """
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: DTypeLike | None) -> bool:
    """Whether a type is one of integers, with or without a sign.

    Args:
        dtype: a name or type; None means the default float type.

    Returns:
        A boolean.

    >>> is_int_dtype("uint8"), is_int_dtype("bool")
    (True, False)
    """
    return standardize_dtype(dtype).startswith(("int", "uint"))


def is_keras_tensor(x: object) -> bool:
    """Whether an object is a symbolic tensor.

    Args:
        x: any object.

    Returns:
        A boolean.

    >>> import jkeras as jk
    >>> is_keras_tensor(jk.Input((3,))), is_keras_tensor(np.ones(3))
    (True, False)
    """
    return is_symbolic(x)


def l2_normalize(x: _Tensor, axis: int | Sequence[int] | None = None) -> _Result:
    """Divides by the Euclidean norm.

    Args:
        x: an array.
        axis: the axis or axes of the norm; None means all axes.

    Returns:
        An array of the same shape; vectors of zeros stay zeros.

    Raises:
        InputError: `x` does not have the axis.

    >>> l2_normalize(np.array([3.0, 4.0])).tolist()
    [0.6, 0.8]
    """
    return ops.divide(x, ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12)))


def map_fn(
    fn: Callable[..., PyTree[Any]], elems: PyTree[Any], name: str | None = None, dtype: DTypeLike | None = None
) -> _Result:
    """Applies a function to each entry along the first axis, in one compiled loop.

    Args:
        fn: a function of one entry.
        elems: an array, or a tree of arrays.
        name: accepted for compatibility with Keras.
        dtype: accepted for compatibility with Keras.

    Returns:
        The results, stacked along a new first axis.

    >>> map_fn(lambda x: x * 2, np.array([1, 2, 3])).tolist()
    [2, 4, 6]
    """
    return ops.map(fn, elems)


def ndim(x: _Shaped) -> int:
    """The number of axes.

    Args:
        x: an array or symbolic tensor.

    Returns:
        An integer.

    >>> ndim(np.ones((2, 3)))
    2
    """
    return len(x.shape)


def ones(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> jax.Array:
    """An array of ones.

    Args:
        shape: the shape.
        dtype: the type; None means `jkeras.config.floatx()`.
        name: accepted for compatibility with Keras.

    Returns:
        A JAX array.

    >>> ones((2,)).tolist()
    [1.0, 1.0]
    """
    array: jax.Array = ops.ones(shape, dtype)
    return array


def zeros(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> jax.Array:
    """An array of zeros.

    Args:
        shape: the shape.
        dtype: the type; None means `jkeras.config.floatx()`.
        name: accepted for compatibility with Keras.

    Returns:
        A JAX array.

    >>> zeros((2,)).tolist()
    [0.0, 0.0]
    """
    array: jax.Array = ops.zeros(shape, dtype)
    return array


def random_bernoulli(
    shape: ShapeLike, p: float = 0.0, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> jax.Array:
    """Draws ones and zeros.

    Args:
        shape: the shape.
        p: the probability of a one.
        dtype: the type; None means `jkeras.config.floatx()`.
        seed: an integer, a key of `jax.random`, a `SeedGenerator`, or None for the default seed.

    Returns:
        A JAX array.

    >>> random_bernoulli((3,), p=1.0).tolist()
    [1.0, 1.0, 1.0]
    """
    sizes = (shape,) if isinstance(shape, int) else shape
    return jax.random.bernoulli(random_keys.as_key(seed), p, sizes).astype(dtype or config.floatx())


random_normal = random.normal
random_uniform = random.uniform
truncated_normal = random.truncated_normal


def relu(x: _Tensor, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> _Result:
    """The rectifier: `x` above the threshold, otherwise `alpha * (x - threshold)`.

    Args:
        x: an array.
        alpha: the slope below the threshold.
        max_value: the largest value of the result; None means no limit.
        threshold: the value from which `x` is returned as it is.

    Returns:
        An array of the same shape.

    Raises:
        ArgumentError: `alpha` or `max_value` is negative.

    >>> relu(np.array([-1.0, 0.5, 9.0]), alpha=0.1, max_value=6.0).tolist()
    [-0.1, 0.5, 6.0]
    """
    return ops.relu(x, alpha, max_value, threshold)


def repeat(x: _Tensor, n: int) -> _Result:
    """Repeats each row of a matrix along a new second axis.

    Args:
        x: a matrix `(batch, features)`.
        n: the number of repetitions.

    Returns:
        An array `(batch, n, features)`.

    Raises:
        InputError: `x` is not a matrix.

    >>> repeat(np.ones((2, 3)), 4).shape
    (2, 4, 3)
    """
    return ops.tile(ops.expand_dims(x, 1), (1, n, 1))


def result_type(*dtypes: DTypeLike | ArrayLike) -> str:
    """The type of a computation with values of several types.

    Args:
        dtypes: names, types or arrays.

    Returns:
        The name of the type.

    >>> result_type("int32", "float32")
    'float32'
    """
    return str(np.dtype(jax.numpy.result_type(*dtypes)))


def shape(x: _Tensor) -> _Result:
    """The sizes of an array.

    Args:
        x: an array or symbolic tensor.

    Returns:
        A tuple with None for sizes that are unknown.

    >>> shape(np.ones((2, 3)))
    (2, 3)
    """
    return ops.shape(x)


def sqrt(x: _Tensor) -> _Result:
    """The square root; 0 for negative numbers.

    Args:
        x: an array.

    Returns:
        An array of the same shape.

    >>> sqrt(np.array([4.0, -1.0])).tolist()
    [2.0, 0.0]
    """
    return ops.sqrt(ops.maximum(x, 0.0))


def standardize_dtype(dtype: DTypeLike | None) -> str:
    """The name of a type.

    Args:
        dtype: a name or type; None means the default float type.

    Returns:
        A string.

    >>> standardize_dtype(np.float32), standardize_dtype(None)
    ('float32', 'float32')
    """
    return str(np.dtype(dtype)) if dtype is not None else config.floatx()


def switch(
    condition: _Tensor,
    then_expression: _Tensor | Callable[[], _Tensor],
    else_expression: _Tensor | Callable[[], _Tensor],
) -> _Result:
    """Chooses between two values, element by element.

    Args:
        condition: a boolean, or an array of booleans.
        then_expression: the value where the condition holds, or a function without arguments that returns it.
        else_expression: the value elsewhere, or a function without arguments that returns it. Both functions are called.

    Returns:
        An array.

    Raises:
        InputError: the shapes cannot be broadcast together.

    >>> switch(np.array([True, False]), np.array([1, 2]), lambda: np.array([3, 4])).tolist()
    [1, 4]
    """
    first, second = (value() if callable(value) else value for value in (then_expression, else_expression))
    return ops.where(condition, first, second)


def clear_session(free_memory: bool = True) -> None:
    """Does nothing: there is no session, and names are numbered within a model.

    Args:
        free_memory: accepted for compatibility with Keras.

    >>> clear_session()
    """


def get_uid(prefix: str = "") -> int:
    """A number for a name; names are numbered within a model, so this is always 1.

    Args:
        prefix: the name.

    Returns:
        Always 1.

    >>> get_uid("dense")
    1
    """
    return 1


def __getattr__(name: str) -> _Result:
    raise AttributeError(f"jkeras.backend has no function {name!r}.{suggestion(name, dir(ops))} See jkeras.ops.")
