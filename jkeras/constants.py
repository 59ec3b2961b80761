"""Arrays of one number, made on the host: outside of compiled functions JAX compiles a program for each shape of others."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> jax.Array:
    """Zeros on the default device."""
    return jnp.asarray(np.zeros(shape, dtype))


def zeros_like(array: ArrayLike) -> jax.Array:
    """Zeros of an array's shape and type, where the array is."""
    if isinstance(array, jax.core.Tracer) or not isinstance(array, jax.Array) or not array.is_fully_addressable:
        return jnp.zeros_like(array)
    zeros: jax.Array = jax.device_put(np.zeros(array.shape, array.dtype), array.sharding if array.committed else None)
    return zeros


def scalar(value: ArrayLike, dtype: DTypeLike) -> jax.Array:
    """A strongly typed number; traced ones are converted."""
    if isinstance(value, jax.Array):
        return jnp.asarray(value, dtype)
    return jnp.asarray(np.asarray(value, dtype))
