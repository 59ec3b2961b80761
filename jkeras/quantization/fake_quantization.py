"""Fake quantisation: rounding to a range of integers and back, with gradients, for quantisation-aware training.

Source: Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
arXiv:1712.05877. The range is shifted slightly, so that zero is one of its values.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.types import Array, ArrayLike


def adjust_and_nudge(
    min_range: Array, max_range: Array, num_bits: int, narrow_range: bool
) -> tuple[Array, Array, Array, Array]:
    """The nearest range with zero among its `2 ** num_bits` values, their distance, and its inverse."""
    dtype = jnp.promote_types(min_range.dtype, jnp.float32)
    low, high = min_range.astype(dtype), max_range.astype(dtype)
    largest, least = (1 << num_bits) - 1, int(narrow_range)
    scale = (high - low) / (largest - least)
    inverse = (largest - least) / (high - low)
    zero = jnp.round(jnp.clip(least - low / scale, least, largest))
    return (least - zero) * scale, (largest - zero) * scale, scale, inverse


def fake_quant_with_min_max_vars(
    inputs: ArrayLike,
    min_vals: ArrayLike,
    max_vals: ArrayLike,
    num_bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Array:
    """`inputs` clipped to a range and rounded to one of its `2 ** num_bits` values.

    Gradients pass through inside the range; outside it they go to the bound that the input was clipped to.

    Args:
        inputs: floats.
        min_vals: the lower bound: one number, or one for each index along `axis`.
        max_vals: the upper bound, in the same form.
        num_bits: the number of bits of an integer.
        narrow_range: whether to exclude the smallest integer.
        axis: the axis along which each index has its own range; None means a single range.

    >>> fake_quant_with_min_max_vars(jnp.array([-2.0, 0.6, 3.0]), -1.0, 2.0, num_bits=2).tolist()
    [-1.0, 1.0, 2.0]
    """
    x, low, high = (jnp.asarray(value) for value in (inputs, min_vals, max_vals))
    axis = None if axis is None else axis % x.ndim
    outputs: Array = _rounded(x, low, high, int(num_bits), bool(narrow_range), axis)
    return outputs


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def _rounded(x: Array, low: Array, high: Array, bits: int, narrow: bool, axis: int | None) -> Array:
    return _forward(x, low, high, bits, narrow, axis)[0]


def _forward(x: Array, low: Array, high: Array, bits: int, narrow: bool, axis: int | None) -> tuple[Array, Any]:
    low_end, high_end, scale, inverse = adjust_and_nudge(low, high, bits, narrow)
    zero = jnp.floor(-low_end * inverse + 0.5)
    shifted = jnp.clip(x.astype(low_end.dtype), low_end, high_end) - low_end
    outputs = (jnp.floor(shifted * inverse - zero + 0.5) * scale).astype(x.dtype)
    return outputs, (x, low, high, low_end, high_end)


def _backward(bits: int, narrow: bool, axis: int | None, residuals: Any, upstream: Array) -> tuple[Array, Array, Array]:
    x, low, high, low_end, high_end = residuals
    axes = None if axis is None else tuple(place for place in range(x.ndim) if place != axis)

    def part(where: Array, like: Array) -> Array:
        return jnp.where(where, upstream, 0.0).sum(axis=axes).reshape(like.shape).astype(like.dtype)

    inside = jnp.where((x >= low_end) & (x <= high_end), upstream, 0.0).astype(x.dtype)
    return inside, part(x <= low_end, low), part(x >= high_end, high)


_rounded.defvjp(_forward, _backward)

__all__ = ["fake_quant_with_min_max_vars"]
