"""Arrays of one number, made on the host: outside compiled functions JAX compiles a program for each shape of others."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike

from jkeras.buffers import put_together
from jkeras.tracing import is_traced

# Larger arrays are made faster on the device than brought there.
MOST_ON_HOST = 1 << 16


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> jax.Array:
    """Zeros on the default device."""
    return put(np.zeros(shape, dtype))


def zeros_like(array: ArrayLike) -> Any:
    """Zeros of an array's shape and type, where the array is; on the host yet if that is the default device.

    `on_device` brings those there, many in one call.
    """
    if isinstance(array, jax.core.Tracer) or not isinstance(array, jax.Array) or not array.is_fully_addressable:
        return jnp.zeros_like(array)
    host = np.zeros(array.shape, array.dtype)
    return jax.device_put(host, array.sharding) if array.committed else host


def on_device(tree: Any) -> Any:
    """The tree with its NumPy arrays on the default device, in one call."""
    return put_together(tree, lambda leaf: isinstance(leaf, np.ndarray), lambda leaf: leaf)


def scalar(value: ArrayLike, dtype: DTypeLike) -> jax.Array:
    """A strongly typed number; traced ones are converted."""
    if isinstance(value, jax.Array):
        return jnp.asarray(value, dtype)
    return put(np.asarray(value, dtype))


def full(shape: tuple[int, ...], value: int, dtype: DTypeLike) -> jax.Array:
    """An array of one number, on the default device."""
    plain = np.dtype(dtype).kind in "fiub" and jax.dtypes.canonicalize_dtype(dtype) == dtype
    if is_traced() or not plain or not is_made_on_host(shape):
        return jnp.full(shape, value, dtype)
    return put(np.full(shape, value, dtype))


def is_made_on_host(shape: tuple[int, ...]) -> bool:
    """Whether an array of one number is small enough to be brought to the device."""
    return math.prod(shape) <= MOST_ON_HOST


def put(array: np.ndarray) -> jax.Array:
    """An array of the host on the default device; the host's is not to be written to any more."""
    # `jnp.asarray` compiles a program for each shape and type; in a trace it makes a constant.
    return jnp.asarray(array) if is_traced() else jax.device_put(array)
