"""From values per sample to one number: matching ranks, weights, masks, Keras's reductions."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax

from jkeras import collectives
from jkeras.errors import InputError
from jkeras.types import Array, ArrayLike, PyTree

REDUCTIONS = (None, "none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight")


def squeeze_or_expand(a: jax.Array, b: jax.Array, expand_rank_1: bool = True) -> tuple[jax.Array, jax.Array]:
    """Makes two ranks equal if they differ by one trailing axis of size 1.

    `(batch,)` is expanded to match `(batch, 1)`; at higher ranks the axis of size 1 is removed.

    >>> [x.shape for x in squeeze_or_expand(jnp.ones(3), jnp.ones((3, 1)))]
    [(3, 1), (3, 1)]
    >>> [x.shape for x in squeeze_or_expand(jnp.ones((3, 2)), jnp.ones((3, 2, 1)))]
    [(3, 2), (3, 2)]
    """
    if a.ndim == b.ndim + 1:
        b, a = squeeze_or_expand(b, a, expand_rank_1)
    elif b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        if a.ndim == 1 and expand_rank_1:
            a = a[..., None]
        else:
            b = jnp.squeeze(b, -1)
    return a, b


def align(values: jax.Array, weights: jax.Array, what: str = "sample_weight") -> tuple[jax.Array, jax.Array]:
    """Gives `weights` the rank of `values`: weights `(batch,)` apply to whole rows, whatever axes follow.

    Raises:
        InputError: the shapes do not match.

    >>> align(jnp.ones((3, 3)), jnp.arange(3.0))[1].shape
    (3, 1)
    """
    values, weights = squeeze_or_expand(values, weights)
    if 0 < weights.ndim < values.ndim:
        leading = values.shape[: weights.ndim]
        if all(w in (1, v) for w, v in zip(weights.shape, leading, strict=True)):
            weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    try:
        jnp.broadcast_shapes(values.shape, weights.shape)
    except ValueError:
        raise InputError(f"{what} of shape {weights.shape} does not match values of shape {values.shape}.") from None
    return values, weights


def divide_no_nan(a: jax.Array, b: jax.Array) -> jax.Array:
    """`a / b`, or 0 with a finite gradient where `b` is 0."""
    zero = b == 0
    return jnp.where(zero, 0, a / jnp.where(zero, 1, b))


def reduce_weighted(
    values: jax.Array,
    sample_weight: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    reduction: str | None = "sum_over_batch_size",
) -> jax.Array:
    """One number from values, weights and a mask.

    Args:
        values: `(batch, ...)`, or a scalar.
        sample_weight: broadcast to the values from the left, `(batch,)` or `(batch, time)`.
        mask: true where a value counts; the other values are ignored, even NaN.
        reduction: "sum_over_batch_size" and "mean" divide the weighted sum by the number of values that count,
            "mean_with_sample_weight" divides it by the sum of the weights, "sum" returns it; "none" and None return
            the weighted values.

    Raises:
        InputError: weights or mask do not match the values.

    >>> float(reduce_weighted(jnp.array([1.0, 3.0, jnp.nan]), mask=jnp.array([True, True, False])))
    2.0
    >>> float(reduce_weighted(jnp.array([1.0, 3.0]), jnp.array([3.0, 1.0]), reduction="mean_with_sample_weight"))
    1.5
    """
    weights = None
    if sample_weight is not None:
        weights = jnp.asarray(sample_weight, values.dtype)
        values, weights = align(values, weights)
    unmasked = None
    if mask is not None:
        unmasked = jnp.asarray(mask, bool)
        values, unmasked = align(values, unmasked, "mask")
        if weights is not None and weights.ndim != values.ndim:
            values, weights = align(values, weights)
        # Select instead of multiplying: masked values may be NaN.
        values = jnp.where(unmasked, values, 0)
    weighted = values if weights is None else values * weights
    if unmasked is not None and weights is not None:
        weighted = jnp.where(unmasked, weighted, 0)
    if reduction in (None, "none"):
        return weighted
    total = collectives.psum(jnp.sum(weighted))
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weights is not None:
        unmasked_weights = weights if unmasked is None else jnp.where(unmasked, weights, 0)
        divisor = collectives.psum(jnp.sum(jnp.broadcast_to(unmasked_weights, weighted.shape)))
    elif unmasked is not None:
        divisor = collectives.psum(jnp.sum(jnp.broadcast_to(unmasked, weighted.shape), dtype=weighted.dtype))
    else:
        # A number, which replicas need not exchange.
        divisor = jnp.asarray(collectives.psum(math.prod(weighted.shape)), weighted.dtype)
    return divide_no_nan(total, divisor)


def fill_rows(mask: ArrayLike | None, tree: PyTree[Array]) -> PyTree[Array]:
    """Replaces masked rows by copies of the first row that counts.

    Rows that do not count then have ordinary values and gradients, even if they held NaN.
    `mask` is `(batch, ...)`; a row is masked if no element of it counts.
    """
    mask = jnp.asarray(mask, bool)
    if mask.ndim == 0:
        return tree
    rows = jnp.any(mask, axis=tuple(range(1, mask.ndim)))
    first = jnp.argmax(rows)

    def fill(x: jax.Array) -> jax.Array:
        if x.ndim == 0 or x.shape[0] != rows.shape[0]:
            return x
        return jnp.where(rows.reshape(rows.shape + (1,) * (x.ndim - 1)), x, lax.stop_gradient(x[first]))

    return jax.tree.map(fill, tree)
