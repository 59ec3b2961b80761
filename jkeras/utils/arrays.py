"""Small conversions of arrays: class numbers to indicator vectors, rows to unit length, data to and from tuples."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.config import epsilon
from jkeras.errors import ArgumentError, InputError


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Indicator vectors of class numbers: `(...)` or `(..., 1)` becomes `(..., num_classes)`.

    A JAX array gives a float32 JAX array, anything else a float64 NumPy array, as in Keras. Keras counts a negative
    number from the end; here it is an error.

    Args:
        x: class numbers from 0 to `num_classes - 1`.
        num_classes: length of the vectors; the default is the largest number plus one.

    Raises:
        InputError: a number is negative or not below `num_classes`, or there are no numbers to count classes by.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    if isinstance(x, jax.core.Tracer):
        if not num_classes:
            raise ArgumentError("to_categorical() of a traced array needs `num_classes`.")
        return jax.nn.one_hot(x.reshape(_class_shape(x.shape)), num_classes)
    numbers = np.asarray(x).astype("int64")
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


def _class_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """`x` divided by its norm along `axis`; where the norm is zero, `x` stays zero.

    Args:
        x: an array of any shape. A JAX array gives a JAX array, anything else a NumPy array.
        axis: the axis along which to measure. (Keras 3.15 divides by the wrong norms for `axis=0`.)
        order: 2 for the Euclidean norm, 1 for the sum of absolute values, and so on.

    Raises:
        ArgumentError: for a JAX array, `order` is not an integer of at least 1.

    >>> normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    if not isinstance(x, jax.Array):
        x = np.atleast_1d(np.asarray(x))
        norm = np.linalg.norm(x, order, axis, keepdims=True)
        return x / np.where(norm == 0, 1, norm)
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"normalize(order={order!r}): expected an integer of at least 1.")
    x = jnp.atleast_1d(x)
    if order == 2:
        # Through rsqrt, whose gradient at zero is bounded by the minimum; the same numbers as Keras.
        return x * jnp.minimum(jax.lax.rsqrt(jnp.sum(jnp.square(x), axis, keepdims=True)), 1 / epsilon())
    return x / jnp.maximum(jnp.linalg.norm(x, order, axis, keepdims=True), epsilon())


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The shortest form of a batch that `fit` takes: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of a batch in any form that `fit` takes, with None for what it lacks.

    Raises:
        InputError: a tuple or list of another length than 1, 2 or 3.

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
