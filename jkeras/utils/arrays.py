"""Small conversions of arrays: class numbers to indicator vectors, rows to unit length, data to and from tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.config import epsilon
from jkeras.errors import ArgumentError, InputError
from jkeras.types import NestedNumbers, PyTree

# What NumPy makes an array of, and no JAX array.
HostNumbers: TypeAlias = np.ndarray | np.generic | float | Sequence["NestedNumbers"]


@overload
def to_categorical(x: jax.Array, num_classes: int | None = None) -> jax.Array: ...
@overload
def to_categorical(x: HostNumbers, num_classes: int | None = None) -> np.ndarray: ...
def to_categorical(x: jax.Array | HostNumbers, num_classes: int | None = None) -> jax.Array | np.ndarray:
    """Indicator vectors of class numbers: `(...)` or `(..., 1)` becomes `(..., num_classes)`.

    A JAX array gives a float32 JAX array, anything else a float64 NumPy array, as in Keras. Keras counts a negative
    number from the end; here it is an error.

    Args:
        x: class numbers from 0 to `num_classes - 1`.
        num_classes: length of the vectors; the default is the largest number plus one.

    Raises:
        InputError: a number is negative or not below `num_classes`, or there are no numbers to count classes by.
        ArgumentError: `x` is not an array of numbers, or `num_classes` no integer.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    arguments.checked("to_categorical", "num_classes", num_classes, arguments.optional(arguments.at_least(0)))
    if isinstance(x, jax.core.Tracer):
        if not num_classes:
            raise ArgumentError("to_categorical() of a traced array needs `num_classes`.")
        return jax.nn.one_hot(x.reshape(_class_shape(x.shape)), num_classes)
    numbers = arguments.checked("to_categorical", "x", x, _whole_numbers)
    shape = _class_shape(numbers.shape)
    if not num_classes:
        if not numbers.size:
            raise InputError("to_categorical() of no numbers needs `num_classes`.")
        num_classes = int(numbers.max()) + 1
    if numbers.size and (numbers.min() < 0 or numbers.max() >= num_classes):
        raise InputError(
            f"to_categorical() got class numbers from {numbers.min()} to {numbers.max()};"
            f" with num_classes={num_classes} they must be from 0 to {num_classes - 1}."
        )
    if isinstance(x, jax.Array):
        return jax.nn.one_hot(x.reshape(shape), num_classes)
    vectors = np.zeros((numbers.size, num_classes))
    vectors[np.arange(numbers.size), numbers.reshape(-1)] = 1
    return vectors.reshape(*shape, num_classes)


def _whole_numbers(x: object) -> np.ndarray:
    numbers = arguments.array(x)
    if numbers.dtype.kind == "c" or not np.isfinite(numbers).all():
        raise ArgumentError("expected class numbers")
    return numbers.astype("int64")


def _class_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


@overload
def normalize(x: jax.Array, axis: int = -1, order: int = 2) -> jax.Array: ...
@overload
def normalize(x: HostNumbers, axis: int = -1, order: int = 2) -> np.ndarray: ...
def normalize(x: jax.Array | HostNumbers, axis: int = -1, order: float = 2) -> jax.Array | np.ndarray:
    """`x` divided by its norm along `axis`; where the norm is zero, `x` stays zero.

    Args:
        x: an array of any shape. A JAX array gives a JAX array, anything else a NumPy array.
        axis: the axis along which to measure. (Keras 3.15 divides by the wrong norms for `axis=0`.)
        order: 2 for the Euclidean norm, 1 for the sum of absolute values, and so on.

    Raises:
        ArgumentError: `x` is not an array of numbers, it has no such axis, or `order` is not a number; for a JAX array, it is not
            an integer of at least 1.

    >>> normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    array = x if isinstance(x, jax.Array) else arguments.checked("normalize", "x", x, arguments.array)
    rank = max(array.ndim, 1)
    if not -rank <= arguments.checked("normalize", "axis", axis, arguments.integer) < rank:
        raise ArgumentError(f"normalize(axis={axis}): the array has {rank} axes.")
    arguments.checked("normalize", "order", order, arguments.number)
    if isinstance(array, np.ndarray):
        array = np.atleast_1d(array)
        norm = np.linalg.norm(array, order, axis, keepdims=True)
        return array / np.where(norm == 0, 1, norm)
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"normalize(order={order!r}): expected an integer of at least 1.")
    array = jnp.atleast_1d(array)
    if order == 2:
        # Through rsqrt, whose gradient at zero is bounded by the minimum; the same numbers as Keras.
        return array * jnp.minimum(jax.lax.rsqrt(jnp.sum(jnp.square(array), axis, keepdims=True)), 1 / epsilon())
    return array / jnp.maximum(jnp.linalg.norm(array, order, axis, keepdims=True), epsilon())


def pack_x_y_sample_weight(x: PyTree[Any], y: PyTree[Any] = None, sample_weight: PyTree[Any] = None) -> PyTree[Any]:
    """The shortest form of a batch that `fit` takes.

    Args:
        x: inputs.
        y: targets, or None.
        sample_weight: a weight per sample, or None.

    Returns:
        `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: PyTree[Any]) -> tuple[PyTree[Any], PyTree[Any], PyTree[Any]]:
    """The parts of a batch in any form that `fit` takes.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Returns:
        `(x, y, sample_weight)`, with None for missing parts.

    Raises:
        InputError: a tuple or list does not have 1, 2 or 3 parts.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise InputError(
            "A batch must be `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`;"
            f" got a {type(data).__name__} of {len(data)} parts."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight
