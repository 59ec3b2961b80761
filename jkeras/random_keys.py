"""Random keys from what users call a seed."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError


def as_key(seed: Any = None) -> jax.Array:
    """The random key that a seed means.

    Args:
        seed: None (the default seed), an integer, a JAX key, or an object with a method `next()` that gives a key, such
            as `jkeras.random.SeedGenerator`.

    Raises:
        ArgumentError: it is none of these.

    >>> bool(as_key(3) == jax.random.key(3))
    True
    """
    if seed is None:
        return jax.random.key(config.default_seed)
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return jax.random.key(int(seed))
    if isinstance(seed, jax.Array):
        return seed
    if callable(getattr(seed, "next", None)):
        return seed.next()
    raise ArgumentError(f"seed={seed!r}: expected None, an integer, a JAX key or a SeedGenerator.")
