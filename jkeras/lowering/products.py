"""Matrix products, and selections from long rows, in forms that XLA's CPU backend computes without copies and slow loops."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.lowering.softmaxes import logits_of
from jkeras.lowering.switch import current_mode, on_cpu

# For shorter rows JAX's own form is as fast.
LONG = 64


def product(x: jax.Array, kernel: jax.Array, contracted: int = 1) -> jax.Array:
    """The sum of products over the last axes of `x` and the first of `kernel`. Equals `jnp.tensordot(x, kernel, contracted)`.

    With more than two axes XLA copies the gradient of the result, transposed, before it multiplies it to that of the kernel,
    which takes up to five times as long as the product; with two axes it does not.

    Args:
        x: `(..., *summed)`.
        kernel: `(*summed, ...)`.
        contracted: the number of axes to sum over.
    """
    matrices = x.ndim == 2 and kernel.ndim == 2
    if matrices or x.ndim <= contracted or current_mode() == "plain" or jax.default_backend() != "cpu":
        return jnp.matmul(x, kernel) if contracted == 1 and kernel.ndim == 2 else jnp.tensordot(x, kernel, contracted)
    leading, sizes = x.shape[: x.ndim - contracted], kernel.shape[contracted:]
    summed = math.prod(kernel.shape[:contracted])
    rows = jnp.reshape(x, (math.prod(leading), summed))
    return jnp.matmul(rows, jnp.reshape(kernel, (summed, math.prod(sizes)))).reshape(*leading, *sizes)


def last_argmax(x: jax.Array) -> jax.Array:
    """The index of the first largest value, or of the first NaN, on the last axis. Equals `jnp.argmax(x, -1)`."""

    def fast(x: jax.Array) -> jax.Array:
        places = lax.broadcasted_iota(jnp.int32, x.shape, x.ndim - 1)
        is_largest = (x == jnp.max(x, axis=-1, keepdims=True)) | jnp.isnan(x)
        return jnp.min(jnp.where(is_largest, places, x.shape[-1]), axis=-1)

    if x.ndim == 0 or not isinstance(x.shape[-1], int) or current_mode() == "plain":
        return jnp.argmax(x, axis=-1)
    here = _argmax if x.shape[-1] < LONG else fast
    elsewhere, known = _on_accelerators(x)
    if here is elsewhere:
        return jnp.argmax(x, axis=-1)
    return on_cpu(lambda x, _: here(x), lambda _, known: elsewhere(known), x, known)


def _argmax(x: jax.Array) -> jax.Array:
    return jnp.argmax(x, axis=-1).astype(jnp.int32)


def _on_accelerators(x: jax.Array) -> tuple[Callable[[jax.Array], jax.Array], jax.Array]:
    """How GPUs and TPUs find the index, and in what.

    Of a softmax it is in the logits: they would write the exponentials to memory, and read them again.
    """
    logits = logits_of(x, -1)
    return (_argmax, x) if logits is None else (softmax_argmax, logits)


def softmax_argmax(logits: jax.Array) -> jax.Array:
    """The index of the first largest number in the softmax of the last axis, 0 where that is NaN.

    Numbers that it rounds to the same come from logits so close together that `exp(x)` rounds as `1 + x` does.
    """
    shifted = logits - jnp.max(logits, -1, keepdims=True)
    total = jnp.sum(jnp.exp(shifted), -1, keepdims=True)
    places = lax.broadcasted_iota(jnp.int32, logits.shape, logits.ndim - 1)
    first = jnp.min(jnp.where((1 + shifted) / total == 1 / total, places, logits.shape[-1]), -1)
    return jnp.where(first < logits.shape[-1], first, 0)


def is_argmax(x: jax.Array, ids: jax.Array) -> jax.Array:
    """Whether an index is that of the first largest value, or of the first NaN, on the last axis: `ids == last_argmax(x)`.

    On CPUs one pass over the values says whether another index comes first; the index itself takes two, and an array of
    places as large as that of the values.

    Args:
        x: `(..., classes)`, real.
        ids: the indices, numbers of the same shape without the last axis.
    """

    def fast(x: jax.Array, ids: jax.Array, _: jax.Array) -> jax.Array:
        place = ids.astype(jnp.int32)
        in_range = (place == ids) & (place >= 0) & (place < x.shape[-1])
        value = jnp.take_along_axis(x, jnp.clip(place, 0, x.shape[-1] - 1)[..., None], axis=-1)
        places = lax.broadcasted_iota(jnp.int32, x.shape, x.ndim - 1)
        earlier = (places < place[..., None]) & ((x == value) | jnp.isnan(x))
        larger = (places != place[..., None]) & ~(x <= value) & ~jnp.isnan(value)
        return in_range & ~jnp.any(earlier | larger, axis=-1)

    fits = x.ndim > 0 and ids.shape == x.shape[:-1] and isinstance(x.shape[-1], int) and x.shape[-1] >= LONG
    if not fits or current_mode() == "plain":
        return jnp.equal(ids, last_argmax(x))
    elsewhere, known = _on_accelerators(x)
    return on_cpu(fast, lambda _, ids, known: jnp.equal(ids, elsewhere(known)), x, ids, known)


def chosen(x: jax.Array, ids: jax.Array, axis: int) -> jax.Array:
    """The value at an index of each row, 0 for indices out of range. Equals a sum of products with one-hot vectors.

    Args:
        x: `(..., classes, ...)`, floating point.
        ids: the indices, integers of the same shape without `axis`.
        axis: the axis of the classes.
    """
    axis %= x.ndim
    if current_mode() == "plain":
        return _one_hot_sum(x, ids, axis)
    return _gathered(jnp.moveaxis(x, axis, -1), ids)


def _one_hot_sum(x: jax.Array, ids: jax.Array, axis: int) -> jax.Array:
    return jnp.sum(jax.nn.one_hot(ids, x.shape[axis], axis=axis, dtype=x.dtype) * x, axis=axis)


@jax.custom_jvp
def _gathered(x: jax.Array, ids: jax.Array) -> jax.Array:
    def fast(x: jax.Array, ids: jax.Array) -> jax.Array:
        values = jnp.take_along_axis(x, jnp.clip(ids, 0, x.shape[-1] - 1)[..., None], axis=-1)[..., 0]
        return jnp.where((ids >= 0) & (ids < x.shape[-1]), values, 0)

    result: jax.Array = on_cpu(fast, lambda x, ids: _one_hot_sum(x, ids, -1), x, ids)
    return result


@_gathered.defjvp
def _gathered_tangent(
    primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (x, ids), (dx, _) = primals, tangents
    # The transpose of this is a selection; that of a gather is a loop over rows.
    return _gathered(x, ids), _one_hot_sum(dx, ids, -1)
