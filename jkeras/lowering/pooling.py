"""Pooling as a maximum or a sum of shifted arrays, with gradients of the same kind on CPUs.

XLA finds the largest element of each window again to route the gradient of max pooling, in a loop that is not
vectorised, and takes a general convolution-like loop for that of average pooling. Here each input element collects its
gradient from the few windows that it lies in; on ties the first element of a window wins, as XLA has it. Times in
`benchmarks/lowering.py`. On other platforms XLA's own operations are used. Forward-mode differentiation needs
`jkeras.config.lowering = "plain"`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jkeras.allowance import charge
from jkeras.lowering import plain
from jkeras.lowering.plain import explicit_padding, spatial_sizes
from jkeras.lowering.switch import current_mode, on_cpu
from jkeras.lowering.taps import Pairs, few, fits, spread, taps, wide


class Windows(NamedTuple):
    """Where the windows lie: their size, their distances, and the padding, as given and in rows."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    pairs: Pairs

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of the plain forms."""
        return {"pool_size": self.size, "strides": self.strides, "padding": self.padding}

    @property
    def ones(self) -> tuple[int, ...]:
        """A distance of one along each axis."""
        return (1,) * len(self.size)

    def parts(self, x: jax.Array, fill: float) -> list[jax.Array]:
        """For each position in the window, the element that each window has there."""
        return [piece for _, piece in taps(spread(x, self.pairs, self.ones, fill), self.size, self.strides, self.ones)]


def max_pool(
    x: jax.Array, *, pool_size: Sequence[int], strides: Sequence[int], padding: str, channels_first: bool = False
) -> jax.Array:
    """The largest value of each window; padding never wins. Equals `plain.max_pool`, ties included.

    Args:
        x: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` with `channels_first`.
        pool_size: the size of a window along each spatial axis.
        strides: the distances between windows.
        padding: "valid" or "same".
        channels_first: the layout of `x` and of the result.
    """
    return _pooled("max", plain.max_pool, x, pool_size, strides, padding, channels_first)


def average_pool(
    x: jax.Array, *, pool_size: Sequence[int], strides: Sequence[int], padding: str, channels_first: bool = False
) -> jax.Array:
    """The mean of each window; padding does not count. Equals `plain.average_pool`; arguments as in `max_pool`."""
    return _pooled("average", plain.average_pool, x, pool_size, strides, padding, channels_first)


def _pooled(
    kind: str,
    stock: Callable[..., jax.Array],
    x: jax.Array,
    size: Sequence[int],
    strides: Sequence[int],
    padding: str,
    channels_first: bool,
) -> jax.Array:
    size, strides = tuple(size), tuple(strides)
    sizes = spatial_sizes(x, channels_first)
    ones = (1,) * len(size)
    pairs = tuple(explicit_padding(padding, sizes, size, strides, ones))
    known = few(size) and fits(sizes, size, pairs, ones) and jnp.issubdtype(x.dtype, jnp.floating)
    if current_mode() == "plain" or not known:
        return stock(x, pool_size=size, strides=strides, padding=padding, channels_first=channels_first)
    pooled: jax.Array = _outer(x, kind, Windows(size, strides, padding, pairs), channels_first)
    return pooled


@functools.partial(jax.jit, static_argnums=(1, 2, 3), inline=True)
def _outer(x: jax.Array, kind: str, windows: Windows, channels_first: bool) -> jax.Array:
    pool = {"max": _max_pool, "average": _average_pool}[kind]
    outputs = pool(jnp.moveaxis(x, 1, -1) if channels_first else x, windows)
    return jnp.moveaxis(outputs, -1, 1) if channels_first else outputs


# -- maximum ----------------------------------------------------------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _max_pool(x: jax.Array, windows: Windows) -> jax.Array:
    def fast(x: jax.Array) -> jax.Array:
        return functools.reduce(jnp.maximum, windows.parts(x, -math.inf))

    return on_cpu(fast, functools.partial(plain.max_pool, **windows.options), x)


def _max_forward(x: jax.Array, windows: Windows) -> Any:
    return _max_pool(x, windows), x


def _max_backward(windows: Windows, x: jax.Array, dy: jax.Array) -> tuple[jax.Array]:
    def fast(x: jax.Array, dy: jax.Array) -> jax.Array:
        parts = windows.parts(x, -math.inf)
        largest = functools.reduce(jnp.maximum, parts)
        winner = jnp.full(largest.shape, len(parts), jnp.int16)
        for number in reversed(range(len(parts))):
            winner = jnp.where(parts[number] == largest, jnp.int16(number), winner)
        # The remainder changes no number. XLA counts it as expensive, and so computes the winner once for all elements of a
        # block, not for each of them, and with it what gives `x`, such as a convolution of one channel.
        return _route(x.shape, lax.rem(winner, jnp.int16(len(parts) + 1)), dy, windows)

    def stock(x: jax.Array, dy: jax.Array) -> jax.Array:
        gradient: jax.Array = jax.vjp(functools.partial(plain.max_pool, **windows.options), x)[1](dy)[0]
        return gradient

    return (on_cpu(fast, stock, x, dy),)


_max_pool.defvjp(_max_forward, _max_backward)


def _route(shape: tuple[int, ...], winner: jax.Array, dy: jax.Array, windows: Windows) -> jax.Array:
    """Brings each window's gradient to the element that won it.

    The padded input position `m * stride + a` lies in the windows `m - q`, there at `a + stride * q`. All phases `a`
    are one broadcast axis, so XLA makes a single loop of it.
    """
    size, strides, _, pairs = windows
    rank = len(size)
    counts = [-(-(shape[1 + i] + sum(pairs[i])) // strides[i]) for i in range(rank)]
    # Axes: batch, then (block, phase) for each spatial axis, then channels.
    phases = []
    for i in range(rank):
        along = [-1 if axis == 2 + 2 * i else 1 for axis in range(2 + 2 * rank)]
        phases.append(jnp.arange(strides[i], dtype=jnp.int16).reshape(along))
    nothing = jnp.zeros((), dy.dtype)
    total: Any = nothing
    for shift in itertools.product(*(range(-(-size[i] // strides[i])) for i in range(rank))):
        borders = [(0, 0, 0)]
        for i, q in enumerate(shift):
            borders.append((q, counts[i] - winner.shape[1 + i] - q, 0))
        borders.append((0, 0, 0))
        blocks = [winner.shape[0], *(extent for i in range(rank) for extent in (counts[i], 1)), winner.shape[-1]]
        here = lax.pad(winner, jnp.int16(-1), borders).reshape(blocks)
        gradient = lax.pad(dy, nothing, borders).reshape(blocks)
        number: Any = jnp.int16(0)
        inside: Any = True
        for i, q in enumerate(shift):
            tap = phases[i] + jnp.int16(q * strides[i])
            number = number * jnp.int16(size[i]) + tap
            inside = inside & (tap < size[i])
        total = total + jnp.where(inside & (here == number), gradient, nothing)
    joined = total.reshape(shape[0], *(counts[i] * strides[i] for i in range(rank)), shape[-1])
    start = (0, *(low for low, _ in pairs), 0)
    return lax.slice(joined, start, tuple(s + extent for s, extent in zip(start, shape, strict=True)))


# -- mean -------------------------------------------------------------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _average_pool(x: jax.Array, windows: Windows) -> jax.Array:
    def fast(x: jax.Array) -> jax.Array:
        total = functools.reduce(jnp.add, map(wide, windows.parts(x, 0)))
        return (total / _counts(x.shape, windows)).astype(x.dtype)

    return on_cpu(fast, functools.partial(plain.average_pool, **windows.options), x)


def _counts(shape: tuple[int, ...], windows: Windows) -> np.ndarray:
    """How many elements of the input lie in each window: `(1, *windows, 1)`."""
    charge(math.prod(shape[1:-1]), "places of an average pooling layer", 4)
    counts = np.ones((), np.float32)
    for i, (low, high) in enumerate(windows.pairs):
        size, here = windows.size[i], np.pad(np.ones(shape[1 + i], np.float32), (low, high))
        along = np.lib.stride_tricks.sliding_window_view(here, size)[:: windows.strides[i]].sum(-1)
        counts = counts[..., None] * along
    return counts[None, ..., None]


def _average_forward(x: jax.Array, windows: Windows) -> Any:
    # Only the input's shape is used, so XLA drops its values.
    return _average_pool(x, windows), x


def _average_backward(windows: Windows, x: jax.Array, dy: jax.Array) -> tuple[jax.Array]:
    def fast(x: jax.Array, dy: jax.Array) -> jax.Array:
        share = wide(dy) / _counts(x.shape, windows)
        borders = []
        for i, (low, _) in enumerate(windows.pairs):
            left = windows.size[i] - 1 - low
            right = x.shape[1 + i] + low - ((dy.shape[1 + i] - 1) * windows.strides[i] + 1)
            borders.append((left, right))
        parts = taps(spread(share, borders, windows.strides), windows.size, windows.ones, windows.ones)
        return functools.reduce(jnp.add, (piece for _, piece in parts)).astype(dy.dtype)

    def stock(x: jax.Array, dy: jax.Array) -> jax.Array:
        gradient: jax.Array = jax.vjp(functools.partial(plain.average_pool, **windows.options), x)[1](dy)[0]
        return gradient

    return (on_cpu(fast, stock, x, dy),)


_average_pool.defvjp(_average_forward, _average_backward)
