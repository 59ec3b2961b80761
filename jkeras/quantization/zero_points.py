"""Integers with a scale and a zero, `scale * (q - zero)`, for whole rows or groups of columns."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jkeras.errors import ArgumentError
from jkeras.types import Array, ArrayLike


def compute_quantization_parameters(
    x: ArrayLike | None,
    *,
    bits: int,
    symmetric: bool = False,
    per_channel: bool = False,
    group_size: int = -1,
    compute_dtype: str = "float32",
    epsilon: float = 0.0,
    signed: bool = False,
) -> tuple[Array, Array, Array]:
    """The scale and the zero with which `round(x / scale) + zero` uses all of `2 ** bits` integers.

    `scale = (max - min + epsilon) / (2 ** bits - 1)` and `zero = round(-min / scale)`, minus half the range if `signed`.

    Args:
        x: weights, `(outputs, inputs)`.
        bits: the number of bits of an integer.
        symmetric: whether to make the range symmetric around zero.
        per_channel: whether each row has its own scale and zero.
        group_size: the number of columns that share a scale and a zero; -1 means all. Only with `per_channel`.
        compute_dtype: the dtype of the largest integer.
        epsilon: a small number that is added to each range.
        signed: whether the integers are signed.

    Returns:
        Scales and zeros, both `(outputs, groups)`, and the largest integer.

    Raises:
        ArgumentError: `x` is None, empty, or has fewer than two axes.

    >>> scale, zero, largest = compute_quantization_parameters(jnp.array([[-1.0, 2.0]]), bits=2, per_channel=True)
    >>> scale.tolist(), zero.tolist(), float(largest)
    ([[1.0]], [[1]], 3.0)
    """
    if x is None:
        raise ArgumentError("compute_quantization_parameters: Input tensor x cannot be None; expected weights.")
    x = jnp.asarray(x)
    if x.ndim < 2:
        raise ArgumentError(
            f"compute_quantization_parameters: Input weight tensor x must have a rank of at least 2, but got rank {x.ndim}."
        )
    if x.size == 0:
        raise ArgumentError("compute_quantization_parameters: Input tensor 'x' cannot be empty.")
    outputs, inputs = x.shape[:2]
    groups = -(-inputs // group_size) if per_channel and group_size > 0 else 1
    if groups > 1:
        rows = jnp.pad(x, [(0, 0), (0, groups * group_size - inputs)]).reshape(outputs, groups, group_size)
    else:
        rows = x.reshape(outputs if per_channel else 1, 1, -1)
    least, largest = rows.min(axis=-1), rows.max(axis=-1)
    if symmetric:
        largest = jnp.maximum(jnp.abs(least), largest)
        least = jnp.where(least < 0, -largest, least)
    constant = least == largest
    least, largest = jnp.where(constant, least - 1, least), jnp.where(constant, largest + 1, largest)
    levels = jnp.asarray(2**bits - 1, compute_dtype)
    scale = (largest - least + epsilon) / levels
    scale = jnp.where(scale <= 0, 1e-8, scale)
    below = 2 ** (bits - 1) if signed else 0
    zero = jnp.full_like(scale, 2 ** (bits - 1)) if symmetric else jnp.round(-least / scale)
    zero = zero - below
    if signed:
        zero = jnp.clip(zero, -below, below - 1)
    shape = (outputs, groups)
    kind = "int8" if signed else "uint8"
    return jnp.broadcast_to(scale, shape), jnp.broadcast_to(zero, shape).astype(kind), levels


def quantize_with_zero_point(input_tensor: ArrayLike, scale: Array, zero: Array, maxq: ArrayLike) -> Array:
    """`clip(round(input_tensor / scale + zero), 0, maxq)`, as floats.

    >>> quantize_with_zero_point(jnp.array([-1.0, 0.6]), jnp.array(1.0), jnp.array(1), 3).tolist()
    [0.0, 2.0]
    """
    safe = jnp.where(scale == 0, jnp.asarray(1e-8, scale.dtype), scale)
    quantized: Array = jnp.clip(jnp.round(input_tensor / safe + jnp.asarray(zero, scale.dtype)), 0, maxq)
    return quantized


def dequantize_with_zero_point(input_tensor: ArrayLike, scale: Array, zero: Array) -> Array:
    """`scale * (input_tensor - zero)`.

    >>> dequantize_with_zero_point(jnp.array([0.0, 2.0]), jnp.array(1.0), jnp.array(1)).tolist()
    [-1.0, 1.0]
    """
    return scale * (jnp.asarray(input_tensor) - jnp.asarray(zero, scale.dtype))


def _of_groups(parameters: ArrayLike, g_idx: ArrayLike, group_axis: int) -> Array:
    return jnp.take(jnp.asarray(parameters), jnp.asarray(g_idx, jnp.int32), axis=group_axis)


def quantize_with_sz_map(
    weights_matrix: ArrayLike,
    scale: ArrayLike,
    zero: ArrayLike,
    g_idx: ArrayLike,
    maxq: ArrayLike,
    group_axis: int = -1,
) -> Array:
    """Like `quantize_with_zero_point`, with the scale and zero of the group `g_idx` of each position.

    Args:
        weights_matrix: weights.
        scale: the scales of the groups, along `group_axis`.
        zero: the zeros of the groups, along `group_axis`.
        g_idx: the group of each position along the axis.
        maxq: the largest integer.
        group_axis: the axis of `scale` and `zero` that enumerates groups.
    """
    return quantize_with_zero_point(
        weights_matrix, _of_groups(scale, g_idx, group_axis), _of_groups(zero, g_idx, group_axis), maxq
    )


def dequantize_with_sz_map(
    weights_matrix: ArrayLike, scale: ArrayLike, zero: ArrayLike, g_idx: ArrayLike, group_axis: int = -1
) -> Array:
    """Like `dequantize_with_zero_point`, with the scale and zero of the group `g_idx` of each position.

    >>> dequantize_with_sz_map(jnp.array([[1, 2]]), jnp.array([[0.5, 2.0]]), jnp.array([[0, 1]]), jnp.array([0, 1])).tolist()
    [[0.5, 2.0]]
    """
    scales: Any = _of_groups(scale, g_idx, group_axis)
    weights: Array = (jnp.asarray(weights_matrix) - _of_groups(zero, g_idx, group_axis).astype(scales.dtype)) * scales
    return weights


__all__ = [
    "compute_quantization_parameters",
    "dequantize_with_sz_map",
    "dequantize_with_zero_point",
    "quantize_with_sz_map",
    "quantize_with_zero_point",
]
