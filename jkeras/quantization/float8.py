"""8-bit floats, with a scale that follows the largest values of recent steps.

Source: Micikevicius et al., "FP8 formats for deep learning", arXiv:2209.05433. Values are divided by a scale and rounded to 8
bits; the next scale is the largest absolute value in the history divided by the largest number of the dtype.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

from jkeras.types import Array, ArrayLike, DTypeLike

FORWARD = "float8_e4m3fn"
BACKWARD = "float8_e5m2"


def compute_float8_scale(amax: ArrayLike, scale: ArrayLike, dtype_max: ArrayLike, margin: int = 0) -> Array:
    """`amax * 2 ** margin / dtype_max`; the old scale if `amax` is not positive and finite.

    >>> compute_float8_scale(jnp.array([224.0, 0.0]), jnp.array([1.0, 2.0]), 448.0).tolist()
    [0.5, 2.0]
    """
    amax = jnp.asarray(amax)
    old = jnp.reciprocal(jnp.asarray(scale))
    factor = dtype_max / amax / 2**margin
    return jnp.reciprocal(jnp.where((amax > 0) & jnp.isfinite(amax), factor, old))


def compute_float8_amax_history(x: ArrayLike, amax_history: ArrayLike) -> Array:
    """The history shifted by one, with the largest absolute value of `x` at the front.

    >>> compute_float8_amax_history(jnp.array([-3.0, 2.0]), jnp.array([1.0, 4.0, 5.0])).tolist()
    [3.0, 5.0, 1.0]
    """
    history = jnp.asarray(amax_history)
    return jnp.roll(history, -1).at[0].set(jnp.max(jnp.abs(jnp.asarray(x))).astype(history.dtype))


def quantize_and_dequantize(
    inputs: ArrayLike, scale: ArrayLike, quantized_dtype: DTypeLike, compute_dtype: DTypeLike
) -> Array:
    """`inputs` rounded to 8-bit floats times a scale.

    >>> quantize_and_dequantize(jnp.array([1.03, 1000.0]), 1.0, "float8_e4m3fn", "float32").tolist()
    [1.0, 448.0]
    """
    largest = jnp.finfo(quantized_dtype).max.astype(compute_dtype)
    scale = jnp.asarray(scale).astype(compute_dtype)
    x = jnp.clip(inputs / scale, -largest, largest).astype(quantized_dtype)
    return x.astype(compute_dtype) * scale


def _next(values: Array, scale: Array, history: Array, dtype: str) -> tuple[Array, Array]:
    """The scale and the history for the next step."""
    largest = jnp.finfo(dtype).max.astype("float32")
    return compute_float8_scale(jnp.max(history, axis=0), scale, largest), compute_float8_amax_history(values, history)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def rounded_values(values: Array, scale: Array, history: Array, compute_dtype: str, training: bool) -> Array:
    """Values rounded to 8 bits. The "gradients" of scale and history are their values for the next step."""
    return quantize_and_dequantize(values, scale, FORWARD, compute_dtype)


def _values_forward(
    values: Array, scale: Array, history: Array, compute_dtype: str, training: bool
) -> tuple[Array, tuple[Array, Array]]:
    following = _next(values, scale, history, FORWARD) if training else (jnp.zeros_like(scale), jnp.zeros_like(history))
    return quantize_and_dequantize(values, scale, FORWARD, compute_dtype), following


def _values_backward(
    compute_dtype: str, training: bool, following: tuple[Array, Array], upstream: Array
) -> tuple[Array, Array, Array]:
    return upstream, *following


rounded_values.defvjp(_values_forward, _values_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def rounded_gradients(outputs: Array, scale: Array, history: Array, compute_dtype: str) -> Array:
    """Returns the outputs unchanged, but rounds their gradient to 8 bits. For scale and history see `rounded_values`."""
    return outputs


def _gradients_forward(
    outputs: Array, scale: Array, history: Array, compute_dtype: str
) -> tuple[Array, tuple[Array, Array]]:
    return outputs, (scale, history)


def _gradients_backward(
    compute_dtype: str, residuals: tuple[Array, Array], upstream: Array
) -> tuple[Array, Array, Array]:
    scale, history = residuals
    rounded = quantize_and_dequantize(upstream, scale, BACKWARD, compute_dtype)
    return rounded, *_next(upstream, scale, history, BACKWARD)


rounded_gradients.defvjp(_gradients_forward, _gradients_backward)

__all__ = ["compute_float8_amax_history", "compute_float8_scale", "quantize_and_dequantize"]
