"""AWQ: weights of important inputs are scaled up before rounding, and down afterwards.

Source: Lin et al., arXiv:2306.00978. The scales are `m ** r`, where `m` is the largest absolute value of each input and `r`, from
0 to 1, minimises `mean((w - w_rounded)^2 m^2)`.
"""

from __future__ import annotations

import jax.numpy as jnp

from jkeras.quantization.zero_points import (
    compute_quantization_parameters,
    dequantize_with_sz_map,
    quantize_with_sz_map,
)
from jkeras.types import Array

BITS = 4


def _rounded(weights: Array, group_size: int) -> tuple[Array, Array, Array, Array]:
    inputs = weights.shape[1]
    groups = jnp.arange(inputs) // (inputs if group_size == -1 else group_size)
    scale, zero, largest = compute_quantization_parameters(weights, bits=BITS, per_channel=True, group_size=group_size)
    return quantize_with_sz_map(weights, scale, zero, groups, largest), scale, zero, groups.astype(jnp.float32)


def awq_search_optimal_scales(
    weights: Array, activation_magnitudes: Array, *, num_grid_points: int = 20, group_size: int = -1
) -> Array:
    """The scale of each input.

    Args:
        weights: `(outputs, inputs)`.
        activation_magnitudes: the largest absolute value of each input.
        num_grid_points: the number of powers to try, besides 0.
        group_size: the number of inputs that share a scale and a zero; -1 means all.

    >>> awq_search_optimal_scales(jnp.array([[0.3, -1.0]]), jnp.ones(2)).tolist()
    [1.0, 1.0]
    """
    largest = jnp.asarray(activation_magnitudes, jnp.float32)
    largest = jnp.where(largest < 1e-8, 1.0, largest)
    best, least = jnp.ones_like(largest), None
    for point in range(num_grid_points + 1):
        scales = jnp.maximum(largest ** (point / num_grid_points), 1e-4)
        scales = scales / jnp.maximum(jnp.sqrt(jnp.max(scales) * jnp.min(scales)), 1e-8)
        rounded, scale, zero, groups = _rounded(weights * scales, group_size)
        again = dequantize_with_sz_map(rounded, scale, zero, groups) / scales
        loss = float(jnp.mean(jnp.square(weights - again) * jnp.square(largest)))
        if least is None or loss < least:
            best, least = scales, loss
    return best


def awq_quantize_matrix(
    weights: Array, activation_magnitudes: Array, *, num_grid_points: int = 20, group_size: int = -1
) -> tuple[Array, Array, Array, Array, Array]:
    """Quantises weights to four bits; for the arguments see `awq_search_optimal_scales`.

    Returns:
        Integers `(outputs, inputs)`, scales and zeros `(outputs, groups)`, the scale of each input, and the group of each input.
    """
    scales = awq_search_optimal_scales(
        weights, activation_magnitudes, num_grid_points=num_grid_points, group_size=group_size
    )
    rounded, scale, zero, groups = _rounded(weights * scales, group_size)
    return rounded, scale, zero, scales, groups


__all__ = ["awq_quantize_matrix", "awq_search_optimal_scales"]
