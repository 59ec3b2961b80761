"""Arrays of one number, made on the host: outside of compiled functions JAX compiles a program for each shape of others."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def zeros(shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """Zeros on the default device."""
    return jnp.asarray(np.zeros(shape, dtype))


def zeros_like(array: Any) -> jax.Array:
    """Zeros of an array's shape and type, where the array is."""
    if isinstance(array, jax.core.Tracer) or not isinstance(array, jax.Array) or not array.is_fully_addressable:
        return jnp.zeros_like(array)
    return jax.device_put(np.zeros(array.shape, array.dtype), array.sharding if array.committed else None)


def scalar(value: Any, dtype: Any) -> jax.Array:
    """A strongly typed number; traced ones are converted."""
    if isinstance(value, jax.Array):
        return jnp.asarray(value, dtype)
    return jnp.asarray(np.asarray(value, dtype))
