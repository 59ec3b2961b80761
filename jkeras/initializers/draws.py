"""Random values of every shape from few programs.

Compiling a program that draws takes longer than drawing, and networks have kernels of dozens of shapes. With JAX's own
generator a value depends on the key and on its place alone, so that the values of a shape are the first ones of any longer
vector: one program serves all small shapes, and one for each power of two the others, with the same bits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from jkeras import constants
from jkeras.lowering.switch import quick_options
from jkeras.types import DTypeLike

# Vectors have at least this length, which takes half a millisecond where one more program would take 150 to compile; those
# longer than the other limit keep theirs, as drawing takes longer than compiling.
SHORTEST, LONGEST = 2**16, 2**24


class Distribution(NamedTuple):
    """What values are drawn from.

    Attributes:
        kind: "uniform", "normal" or "truncated_normal" (within two standard deviations).
        first: the lowest value, or the mean.
        second: the highest value, or the standard deviation.
    """

    kind: str
    first: float
    second: float


def draw(distribution: Distribution, key: jax.Array, shape: tuple[int, ...], dtype: DTypeLike) -> jax.Array:
    """Values of a shape."""
    kind, first, second = distribution
    length = common_length(shape)
    if length is None or isinstance(key, jax.core.Tracer) or not _starts_alike(key):
        return _drawn(kind, shape, dtype, key, first, second)
    values = np.asarray(_program()(kind, (length,), np.dtype(dtype), key, first, second))
    # A copy: the vector is not kept in memory for what is a part of it.
    return constants.put(np.array(values[: math.prod(shape)].reshape(shape)))


def common_length(shape: tuple[int, ...]) -> int | None:
    """The length of the vector that values of a shape are the beginning of; None where they are drawn alone."""
    size = math.prod(shape)
    return max(SHORTEST, 1 << (size - 1).bit_length()) if 0 < size <= LONGEST else None


def _starts_alike(key: jax.Array) -> bool:
    """Whether a longer vector from the key begins with a shorter one."""
    return str(jax.random.key_impl(key)) == "threefry2x32" and bool(jax.config.jax_threefry_partitionable)  # type: ignore[attr-defined]


def _drawn(kind: str, shape: tuple[int, ...], dtype: DTypeLike, key: jax.Array, first: Any, second: Any) -> jax.Array:
    if kind == "uniform":
        return jax.random.uniform(key, shape, dtype, first, second)
    if kind == "normal":
        values = jax.random.normal(key, shape, dtype)
    else:
        values = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    result: jax.Array = first + second * values
    return result


@functools.lru_cache(maxsize=1)
def _program() -> Callable[..., jax.Array]:
    # Made late, since options depend on the platform, which importing does not start.
    return jax.jit(_drawn, static_argnums=(0, 1, 2), compiler_options=quick_options())
