"""Converts arrays from files to JAX arrays; on CPUs without a copy if JAX can use the memory directly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from jkeras.files.containers.buffers import LARGE

K = TypeVar("K")


def on_device(values: Mapping[K, Any], types: Mapping[K, DTypeLike], size: int = 0) -> dict[K, jax.Array]:
    """JAX arrays with the given values, in memory that no one else writes to.

    Args:
        values: arrays just read from a file.
        types: the dtypes of the arrays, by the same keys.
        size: the size of the memory that contains all of the arrays, if there is one. If they fill less than half of it they are
            copied, because all of it is kept as long as one of them exists.
    """
    shared = 2 * sum(value.nbytes for value in values.values() if isinstance(value, np.ndarray)) >= size

    def array(value: Any, dtype: DTypeLike) -> jax.Array:
        is_taken = (
            shared and isinstance(value, np.ndarray) and value.nbytes >= LARGE and value.dtype == jnp.dtype(dtype)
        )
        result: jax.Array = jax.device_put(value) if is_taken else jnp.array(value, dtype)
        return result

    return {key: array(value, types[key]) for key, value in values.items()}
