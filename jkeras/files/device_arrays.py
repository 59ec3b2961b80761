"""Arrays out of files as arrays of JAX, on the processor without a copy where JAX can take the memory as it is."""

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
    """Arrays of JAX with those values, whose memory nobody else writes to.

    Args:
        values: arrays just read from a file.
        types: the dtypes of the arrays, by the same keys.
        size: the size of the memory that all of them lie in, if they do. Where they are less than half of it they are copied, because
            it is there as long as one of them is.
    """
    shared = 2 * sum(value.nbytes for value in values.values() if isinstance(value, np.ndarray)) >= size

    def array(value: Any, dtype: DTypeLike) -> jax.Array:
        is_taken = (
            shared and isinstance(value, np.ndarray) and value.nbytes >= LARGE and value.dtype == jnp.dtype(dtype)
        )
        found: jax.Array = jax.device_put(value) if is_taken else jnp.array(value, dtype)
        return found

    return {key: array(value, types[key]) for key, value in values.items()}
