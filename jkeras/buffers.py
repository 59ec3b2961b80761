"""Copies of the memory of arrays."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


def owned_copy(tree: Any) -> Any:
    """New buffers with the same contents, for the training loop to donate. Compiles nothing."""
    leaves, structure = jax.tree.flatten(tree)
    together = [i for i, leaf in enumerate(leaves) if _is_put(leaf)]
    # One call for all of them, which takes a third of the time.
    copied = dict(zip(together, jax.device_put([leaves[i] for i in together], may_alias=False), strict=True))
    fresh = [copied[i] if i in copied else jnp.array(leaf) for i, leaf in enumerate(leaves)]
    return jax.tree.unflatten(structure, fresh)


def _is_put(leaf: Any) -> bool:
    """Whether `jax.device_put` copies the leaf where it is."""
    if isinstance(leaf, jax.core.Tracer) or not isinstance(leaf, jax.Array) or not leaf.is_fully_addressable:
        return False
    # Keys on several devices keep their buffers, whatever `may_alias` says.
    return len(leaf.sharding.device_set) == 1 or not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
