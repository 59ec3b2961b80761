"""Quantisation by the largest absolute value, and by the range of groups."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.quantization.zero_points import compute_quantization_parameters
from jkeras.types import Array, ArrayLike, Axis

EPSILON = 1e-7
INT4 = (-8, 7)
INT8 = (-127, 127)


def abs_max_quantize(
    inputs: ArrayLike,
    axis: Axis,
    value_range: tuple[int, int] = INT8,
    dtype: str = "int8",
    epsilon: float = EPSILON,
    to_numpy: bool = False,
) -> tuple[Array, Array]:
    """Integers `round(inputs * scale)` with `scale = value_range[1] / (max(|inputs|) + epsilon)`.

    Args:
        inputs: floats of any shape.
        axis: the axes that share a scale.
        value_range: the smallest and largest integer.
        dtype: the dtype of the integers.
        epsilon: a small number that keeps the scale of zeros finite.
        to_numpy: whether to compute on the host, to save device memory.

    Returns:
        The integers, and the scale, with axes of size 1; `integers / scale` is nearly `inputs`.

    >>> quantized, scale = abs_max_quantize(jnp.array([[1.0, -2.0]]), axis=-1)
    >>> quantized.tolist(), scale.tolist()
    ([[64, -127]], [[63.5]])
    """
    xp: ModuleType = np if to_numpy else jnp
    values: Any = xp.asarray(inputs)
    if isinstance(axis, (list, tuple)):
        axis = tuple(axis)
    scale = xp.divide(value_range[1], xp.add(xp.max(xp.abs(values), axis=axis, keepdims=True), epsilon))
    # As in Keras, NumPy keeps the promoted dtype of the scale, JAX casts the scale to that of the inputs.
    scale = scale if to_numpy else scale.astype(values.dtype)
    quantized = xp.clip(xp.round(xp.multiply(values, scale)), *value_range).astype(dtype)
    return jnp.asarray(quantized), jnp.asarray(scale, values.dtype)


def abs_max_quantize_grouped_with_zero_point(
    inputs: ArrayLike,
    block_size: int,
    value_range: tuple[int, int] = INT4,
    dtype: str = "int8",
    epsilon: float = EPSILON,
    to_numpy: bool = False,
) -> tuple[Array, Array, Array]:
    """Integers `round(inputs / scale) + zero` for groups of rows, each with a scale and zero for its own range.

    Args:
        inputs: `(rows, columns)`.
        block_size: the number of rows in a group; the last group may be smaller.
        value_range: the smallest and largest integer.
        dtype: the dtype of the integers.
        epsilon: a small number that keeps the scale of constants above zero.
        to_numpy: whether to compute on the host.

    Returns:
        The integers, and the scales and zeros, both `(groups, columns)`; `(integers - zero) * scale` is nearly `inputs`.

    >>> quantized, scale, zero = abs_max_quantize_grouped_with_zero_point(jnp.array([[0.0], [1.5]]), block_size=2)
    >>> quantized.tolist(), zero.tolist()
    ([[-8], [7]], [[-8]])
    """
    xp: ModuleType = np if to_numpy else jnp
    values: Any = xp.asarray(inputs)
    rows, columns = values.shape
    groups = math.ceil(rows / block_size)
    low, high = value_range
    padded_values = xp.pad(values, [(0, groups * block_size - rows), (0, 0)])
    grouped = padded_values.reshape(groups, block_size, columns)
    if to_numpy:
        least, largest = grouped.min(axis=1), grouped.max(axis=1)
        scale = np.divide(np.subtract(largest, least) + epsilon, high - low)
        zero = np.clip(np.round(np.divide(-least, scale)) + low, low, high)
    else:
        scale, zero, _ = compute_quantization_parameters(
            values.T,
            bits=int(math.log2(high - low + 1)),
            per_channel=True,
            group_size=block_size,
            compute_dtype=values.dtype.name,
            epsilon=epsilon,
            signed=True,
        )
        scale, zero = scale.T, zero.T
    quantized = xp.round(xp.divide(grouped, scale[:, None])) + zero[:, None]
    quantized = xp.clip(quantized, low, high).astype(dtype).reshape(groups * block_size, columns)[:rows]
    return jnp.asarray(quantized), jnp.asarray(scale, values.dtype), jnp.asarray(zero.astype("int8"))


def group_of_row(rows: int, block_size: int) -> jax.Array:
    """The group number of each row, as floats, as Keras stores it.

    >>> group_of_row(5, 2).tolist()
    [0.0, 0.0, 1.0, 1.0, 2.0]
    """
    return jnp.floor_divide(jnp.arange(rows, dtype=jnp.float32), block_size)


__all__ = ["abs_max_quantize", "abs_max_quantize_grouped_with_zero_point", "group_of_row"]
