"""Centring, scaling and the Gaussian error linear unit, with derivatives that CPUs compute in few passes.

What automatic differentiation makes of a mean and a variance takes XLA's CPU backend several passes over the array, with
sums that are computed again for each element that uses them; the derivative of `erfc`, by which JAX defines the unit, calls
two slow functions where one is enough. The derivatives here are written out. On other platforms XLA's own are used.
Forward-mode differentiation of `standardized` needs `jkeras.config.lowering = "plain"`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.lowering import plain
from jkeras.lowering.switch import current_mode, on_cpu
from jkeras.types import Array


def standardized(x: jax.Array, axes: tuple[int, ...], epsilon: float) -> jax.Array:
    """`(x - mean) / sqrt(variance + epsilon)` over the given axes. Equals `plain.standardized`.

    Args:
        x: floating point, of any shape.
        axes: the axes of mean and variance, not negative.
        epsilon: added to the variance.
    """
    if current_mode() == "plain":
        return plain.standardized(x, axes, epsilon)
    result: jax.Array = _outer(x, axes, epsilon)
    return result


@functools.partial(jax.jit, static_argnums=(1, 2), inline=True)
def _outer(x: jax.Array, axes: tuple[int, ...], epsilon: float) -> jax.Array:
    return _standardized(x, axes, epsilon)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def _standardized(x: jax.Array, axes: tuple[int, ...], epsilon: float) -> jax.Array:
    return plain.standardized(x, axes, epsilon)


def _forward(x: jax.Array, axes: tuple[int, ...], epsilon: float) -> Any:
    mean, scale = plain.mean_and_scale(x, axes, epsilon)
    return (x - mean) * scale, (x, mean, scale)


def _backward(axes: tuple[int, ...], epsilon: float, residuals: tuple[Array, ...], dy: jax.Array) -> tuple[jax.Array]:
    def fast(x: jax.Array, mean: jax.Array, scale: jax.Array, dy: jax.Array) -> jax.Array:
        y = (x - mean) * scale
        along = jnp.mean(dy * y, axis=axes, keepdims=True)
        return scale * (dy - jnp.mean(dy, axis=axes, keepdims=True) - y * along)

    def stock(x: jax.Array, mean: jax.Array, scale: jax.Array, dy: jax.Array) -> jax.Array:
        result: jax.Array = jax.vjp(lambda x: plain.standardized(x, axes, epsilon), x)[1](dy)[0]
        return result

    return (on_cpu(fast, stock, *residuals, dy),)


_standardized.defvjp(_forward, _backward)


def gelu(x: jax.Array) -> jax.Array:
    """`x * P(X <= x)` for a standard normal X. Equals `jax.nn.gelu(x, approximate=False)`; arrays of 16 bits take that."""
    if current_mode() == "plain" or x.dtype != jnp.float32:
        return jax.nn.gelu(x, approximate=False)
    result: jax.Array = _outer_gelu(x)
    return result


@functools.partial(jax.jit, inline=True)
def _outer_gelu(x: jax.Array) -> jax.Array:
    return _gelu(x)


def _below(x: jax.Array) -> jax.Array:
    """P(X <= x)."""
    return 0.5 * (1 + lax.erf(x * math.sqrt(0.5)))


@jax.custom_jvp
def _gelu(x: jax.Array) -> jax.Array:
    result: jax.Array = on_cpu(lambda x: x * _below(x), functools.partial(jax.nn.gelu, approximate=False), x)
    return result


@_gelu.defjvp
def _gelu_tangent(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    def fast(x: jax.Array) -> jax.Array:
        return _below(x) + x * jnp.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))

    def stock(x: jax.Array) -> jax.Array:
        result: jax.Array = jax.jvp(functools.partial(jax.nn.gelu, approximate=False), (x,), (jnp.ones_like(x),))[1]
        return result

    (x,), (dx,) = primals, tangents
    return _gelu(x), on_cpu(fast, stock, x) * dx
