"""Bounds on gradients, in the forms of Keras."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def clip_by_value(gradients: list[jax.Array], limit: float) -> list[jax.Array]:
    """Every entry between `-limit` and `limit`."""
    return [jnp.clip(g, -limit, limit) for g in gradients]


def clip_by_norm(gradients: list[jax.Array], limit: float) -> list[jax.Array]:
    """Every gradient by itself scaled to a norm of at most `limit`.

    >>> clip_by_norm([jnp.array([3.0, 4.0])], 1.0)[0].round(3).tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    return [g * (limit / jnp.maximum(jnp.sqrt(jnp.sum(jnp.square(g))), limit)) for g in gradients]


def clip_by_global_norm(gradients: list[jax.Array], limit: float) -> list[jax.Array]:
    """All gradients scaled together to a joint norm of at most `limit`; all become NaN if the norm is not finite.

    >>> clip_by_global_norm([jnp.array([3.0]), jnp.array([4.0])], 1.0)[1].round(3).tolist()
    [0.800000011920929]
    """
    if not gradients:
        return gradients
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in gradients))
    # `norm - norm` is zero, or NaN for a norm that is not finite: the step fails visibly, as in Keras.
    scale = limit / jnp.maximum(norm, limit) + (norm - norm)
    return [g * scale for g in gradients]
