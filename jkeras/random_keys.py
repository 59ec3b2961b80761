"""Random keys from what users call a seed."""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, config
from jkeras.errors import ArgumentError


@runtime_checkable
class KeySource(Protocol):
    """What gives a random key when asked for the next one, such as `jkeras.random.SeedGenerator`."""

    def next(self) -> jax.Array:
        """A random key."""


SeedLike: TypeAlias = int | np.integer | jax.Array | KeySource | None


def as_key(seed: SeedLike = None) -> jax.Array:
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
        raw = seed.dtype == jnp.uint32 and seed.ndim == 1
        if raw or jnp.issubdtype(seed.dtype, jax.dtypes.prng_key):
            return seed
    if isinstance(seed, KeySource):
        return seed.next()
    raise ArgumentError(f"seed={arguments.shown(seed)}: expected None, an integer, a JAX key or a SeedGenerator.")
