"""Which arrays of a step are softmaxes, and of what: a cross-entropy of a softmax is computed from its logits.

From probabilities it sums over the classes three times more (they are scaled to sum to one, in both directions, and a
softmax has a sum in its derivative), and each of these is a sum over devices where the classes are divided.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.lowering.switch import current_mode

# By the identity of the probabilities: these, so that they live as long as the entry, the logits and the axis.
Known = dict[int, tuple[Any, jax.Array, int]]

_known: contextvars.ContextVar[Known | None] = contextvars.ContextVar("jkeras_softmaxes", default=None)


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """While the block is traced, losses can ask what a softmax was taken of."""
    before = _known.set({})
    try:
        yield
    finally:
        _known.reset(before)


def softmax(x: jax.Array, axis: int | tuple[int, ...]) -> jax.Array:
    """`jax.nn.softmax`, remembered."""
    y = jax.nn.softmax(x, axis)
    known = _known.get()
    if known is not None and isinstance(axis, int):
        known[id(y)] = (y, x, axis % y.ndim)
    return y


def as_array(x: Any, dtype: str | None = None) -> jax.Array:
    """`jnp.asarray`, which gives back an array of that dtype itself, so that it stays known as a softmax."""
    if isinstance(x, jax.Array) and (dtype is None or x.dtype == dtype):
        return x
    return jnp.asarray(x, dtype)


def logits_of(probabilities: Any, axis: int) -> jax.Array | None:
    """What an array is the softmax of along an axis; None where that is not known.

    Those of integers count as not known, and those of 16 bits, in which probabilities are rounded, as in Keras's loss.
    """
    known = _known.get()
    _, logits, over = (known or {}).get(id(probabilities), (None, None, 0))
    if logits is None or current_mode() == "plain" or axis % logits.ndim != over:
        return None
    return logits if logits.dtype in (jnp.float32, jnp.float64) else None
