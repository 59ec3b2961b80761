"""Max pooling whose gradient is one pass over the input on CPUs.

XLA finds the largest element of each window again to route the gradient. Here the forward pass remembers its position,
the first one on ties as XLA has it, and the gradient of each input element is the sum over the few windows that it lies
in. On other platforms XLA's own operation is used. Forward-mode differentiation needs `config.lowering = "plain"`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.lowering import plain
from jkeras.lowering.plain import explicit_padding
from jkeras.lowering.switch import mode, on_cpu


def max_pool(
    x: jax.Array, *, pool_size: Sequence[int], strides: Sequence[int], padding: str, channels_first: bool = False
) -> jax.Array:
    """The largest value of each window. Equals `plain.max_pool`, ties included."""
    pool_size, strides = tuple(pool_size), tuple(strides)
    if mode() == "plain" or not jnp.issubdtype(x.dtype, jnp.floating):
        return plain.max_pool(
            x, pool_size=pool_size, strides=strides, padding=padding, channels_first=channels_first
        )
    x = jnp.moveaxis(x, 1, -1) if channels_first else x
    outputs = _max_pool(x, pool_size, strides, padding)
    return jnp.moveaxis(outputs, -1, 1) if channels_first else outputs


def _stock(x: jax.Array, pool_size: Any, strides: Any, padding: str) -> jax.Array:
    return plain.max_pool(x, pool_size=pool_size, strides=strides, padding=padding)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _max_pool(x: jax.Array, pool_size: Any, strides: Any, padding: str) -> jax.Array:
    if not _fits(x, pool_size, padding):
        return _stock(x, pool_size, strides, padding)

    def fast(x: jax.Array) -> jax.Array:
        return functools.reduce(jnp.maximum, _window_slices(x, pool_size, strides, padding))

    return on_cpu(fast, lambda x: _stock(x, pool_size, strides, padding), x)


def _fits(x: jax.Array, pool_size: Any, padding: str) -> bool:
    return padding != "valid" or all(size >= width for size, width in zip(x.shape[1:-1], pool_size, strict=True))


def _padded(x: jax.Array, pool_size: Any, strides: Any, padding: str) -> tuple[jax.Array, list[tuple[int, int]]]:
    pairs = explicit_padding(padding, x.shape[1:-1], pool_size, strides, (1,) * len(pool_size))
    lowest = jnp.asarray(-jnp.inf, x.dtype)
    return lax.pad(x, lowest, [(0, 0, 0), *((low, high, 0) for low, high in pairs), (0, 0, 0)]), pairs


def _window_slices(x: jax.Array, pool_size: Any, strides: Any, padding: str) -> list[jax.Array]:
    """For each position in the window: the element that each window has there."""
    padded, _ = _padded(x, pool_size, strides, padding)
    rank = len(pool_size)
    sizes = [(padded.shape[1 + i] - pool_size[i]) // strides[i] + 1 for i in range(rank)]
    slices = []
    for start in itertools.product(*map(range, pool_size)):
        stop = [start[i] + (sizes[i] - 1) * strides[i] + 1 for i in range(rank)]
        slices.append(lax.slice(padded, (0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *strides, 1)))
    return slices


def _forward(x: jax.Array, pool_size: Any, strides: Any, padding: str) -> Any:
    return _max_pool(x, pool_size, strides, padding), x


def _backward(pool_size: Any, strides: Any, padding: str, x: jax.Array, dy: jax.Array) -> tuple[jax.Array]:
    def stock(x: jax.Array, dy: jax.Array) -> jax.Array:
        return jax.vjp(lambda a: _stock(a, pool_size, strides, padding), x)[1](dy)[0]

    def fast(x: jax.Array, dy: jax.Array) -> jax.Array:
        slices = _window_slices(x, pool_size, strides, padding)
        largest = functools.reduce(jnp.maximum, slices)
        winner = jnp.full(largest.shape, len(slices), jnp.int16)
        for number in reversed(range(len(slices))):
            winner = jnp.where(slices[number] == largest, jnp.int16(number), winner)
        return _route(x.shape, winner, dy, pool_size, strides, padding)

    if not _fits(x, pool_size, padding):
        return (stock(x, dy),)
    return (on_cpu(fast, stock, x, dy),)


_max_pool.defvjp(_forward, _backward)


def _route(
    shape: tuple[int, ...], winner: jax.Array, dy: jax.Array, pool_size: Any, strides: Any, padding: str
) -> jax.Array:
    """Brings each window's gradient to the element that won it.

    The padded input position `m * stride + a` lies in the windows `m - q`, there at `a + stride * q`. All phases `a` are one
    broadcast axis, so XLA makes a single loop of it.
    """
    rank = len(pool_size)
    pairs = explicit_padding(padding, shape[1:-1], pool_size, strides, (1,) * rank)
    counts = [-(-(shape[1 + i] + sum(pairs[i])) // strides[i]) for i in range(rank)]
    # Axes: batch, then (block, phase) for each spatial axis, then channels.
    phases = [
        jnp.arange(strides[i], dtype=jnp.int16).reshape([-1 if axis == 2 + 2 * i else 1 for axis in range(2 + 2 * rank)])
        for i in range(rank)
    ]
    reaches = [range(-(-pool_size[i] // strides[i])) for i in range(rank)]
    total: Any = jnp.zeros((), dy.dtype)
    for shift in itertools.product(*reaches):
        borders = [(0, 0, 0)]
        for i, q in enumerate(shift):
            borders.append((q, counts[i] - winner.shape[1 + i] - q, 0))
        borders.append((0, 0, 0))
        spread = [winner.shape[0], *(size for i in range(rank) for size in (counts[i], 1)), winner.shape[-1]]
        here = lax.pad(winner, jnp.int16(-1), borders).reshape(spread)
        gradient = lax.pad(dy, jnp.zeros((), dy.dtype), borders).reshape(spread)
        number: Any = jnp.int16(0)
        inside: Any = True
        for i, q in enumerate(shift):
            tap = phases[i] + jnp.int16(q * strides[i])
            number = number * jnp.int16(pool_size[i]) + tap
            inside = inside & (tap < pool_size[i])
        total = total + jnp.where(inside & (here == number), gradient, jnp.zeros((), dy.dtype))
    joined = total.reshape(shape[0], *(counts[i] * strides[i] for i in range(rank)), shape[-1])
    start = (0, *(low for low, _ in pairs), 0)
    return lax.slice(joined, start, tuple(s + size for s, size in zip(start, shape, strict=True)))
