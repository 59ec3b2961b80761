"""Gradient clipping, as in Keras."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def clip_by_value(gradients: list[jax.Array], limit: float) -> list[jax.Array]:
    """Clips every entry to `[-limit, limit]`."""
    return [jnp.clip(g, -limit, limit) for g in gradients]


def clip_by_norm(gradients: list[jax.Array], limit: float) -> list[jax.Array]:
    """Scales each gradient separately to a norm of at most `limit`.

    >>> clip_by_norm([jnp.array([3.0, 4.0])], 1.0)[0].round(3).tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    return [g * (limit / jnp.maximum(jnp.sqrt(jnp.sum(jnp.square(g))), limit)) for g in gradients]


def clip_by_global_norm(gradients: list[jax.Array], limit: float) -> list[jax.Array]:
    """Scales all gradients together to a joint norm of at most `limit`; if the norm is not finite, all become NaN.

    >>> clip_by_global_norm([jnp.array([3.0]), jnp.array([4.0])], 1.0)[1].round(3).tolist()
    [0.800000011920929]
    """
    if not gradients:
        return gradients
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in gradients))
    # `norm - norm` is zero, or NaN if the norm is not finite: then the step fails visibly, as in Keras.
    scale = limit / jnp.maximum(norm, limit) + (norm - norm)
    return [g * scale for g in gradients]
