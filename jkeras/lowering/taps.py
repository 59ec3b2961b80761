"""Windows taken apart: for each position in a window, the elements that the windows have there.

A convolution or a pooling is then a sum, or a maximum, of a few shifted arrays, which XLA makes one vectorised loop of.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.export import is_symbolic_dim

from jkeras.dtypes import at_least_float32

Position = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

# The program grows with each position; a larger window takes another form.
LARGEST_WINDOW = 128


def few(window: Sequence[int]) -> bool:
    """Whether a window is small enough to be taken apart."""
    return math.prod(window) <= LARGEST_WINDOW


def fits(sizes: Sequence[int], window: Sequence[int], pairs: Pairs, dilation: Sequence[int]) -> bool:
    """Whether there is at least one window; results without elements, and symbolic sizes, are left to XLA."""
    if any(is_symbolic_dim(size) for size in sizes):
        return False
    reaches = [(width - 1) * step + 1 for width, step in zip(window, dilation, strict=True)]
    return all(size + sum(pair) >= reach > 0 for size, pair, reach in zip(sizes, pairs, reaches, strict=True))


def spread(x: jax.Array, pairs: Sequence[tuple[int, int]], gaps: Sequence[int], value: Any = 0) -> jax.Array:
    """Pads the spatial axes of `(batch, *spatial, channels)` and puts `gap - 1` elements between neighbours."""
    space = [(low, high, gap - 1) for (low, high), gap in zip(pairs, gaps, strict=True)]
    value = jnp.asarray(value, x.dtype)
    if gaps[-1] > 1:
        return lax.pad(x, value, [(0, 0, 0), *space, (0, 0, 0)])
    # Rows with their channels in one axis: such a program is compiled in a third of the time.
    *images, width, channels = x.shape
    low, high = pairs[-1]
    rows = lax.pad(
        x.reshape(*images, width * channels), value, [(0, 0, 0), *space[:-1], (low * channels, high * channels, 0)]
    )
    return rows.reshape(*rows.shape[:-1], width + low + high, channels)


def taps(
    padded: jax.Array, window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> list[tuple[Position, jax.Array]]:
    """Each position in the window, and what it meets at every output: `(batch, *outputs, channels)`."""
    rank = len(window)
    sizes = [(padded.shape[1 + i] - (window[i] - 1) * dilation[i] - 1) // strides[i] + 1 for i in range(rank)]
    slices = []
    for position in itertools.product(*map(range, window)):
        start = [position[i] * dilation[i] for i in range(rank)]
        stop = [start[i] + (sizes[i] - 1) * strides[i] + 1 for i in range(rank)]
        piece = lax.slice(padded, (0, *start, 0), (padded.shape[0], *stop, padded.shape[-1]), (1, *strides, 1))
        slices.append((position, piece))
    return slices


def wide(x: jax.Array) -> jax.Array:
    """The values in the type that sums of them are taken in, 32 bits at least."""
    return x.astype(at_least_float32(x.dtype))


def weighted_sum(
    x: jax.Array, weights: jax.Array, strides: Sequence[int], pairs: Pairs, dilation: Sequence[int], gaps: Sequence[int]
) -> jax.Array:
    """The sum over a window of shifted arrays times a weight for each channel.

    Args:
        x: `(batch, *spatial, channels)`.
        weights: `(*window, channels)`, or `(*window, outputs)` for one channel.
        strides: the distances of the windows.
        pairs: the padding.
        dilation: the distances within a window.
        gaps: the distances between neighbours of `x`, the rest being zeros.

    Returns:
        `(batch, *outputs, channels)` in the type of `x`.
    """
    parts = taps(spread(x, pairs, gaps), weights.shape[:-1], strides, dilation)
    weights = wide(weights)
    return functools.reduce(jnp.add, (wide(piece) * weights[at] for at, piece in parts)).astype(x.dtype)
