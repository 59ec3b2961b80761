"""Convolutions that stay on XLA's fast path on CPUs, inside loops too.

XLA's CPU backend has a fast convolution for one layout. Outside of loops it rewrites the gradients of a convolution
into that layout; inside `scan` and `while` it does not, and they run up to a hundred times slower. Here the gradients are
written in that layout from the start. A window of a single element is a matrix product. One input channel is a sum of
shifted images. Depthwise convolution is a sum of shifted, scaled images. On other platforms XLA's own gradients are used.

These forms have a reverse rule of their own, so forward-mode differentiation (`jax.jvp`, `jax.hessian`) needs
`jkeras.config.lowering = "plain"`.
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

from jkeras.lowering import plain
from jkeras.lowering.plain import Padding, dimension_numbers, explicit_padding
from jkeras.lowering.switch import mode, on_cpu

Pairs = tuple[tuple[int, int], ...]


def conv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    groups: int = 1,
    channels_first: bool = False,
) -> jax.Array:
    """Convolution over 1 to 3 axes; kernel `(*window, in / groups, out)`. Equals `plain.conv`."""
    strides, dilation = tuple(strides), tuple(dilation)
    if mode() == "plain" or groups != 1 or not jnp.issubdtype(x.dtype, jnp.floating):
        return plain.conv(
            x,
            kernel,
            strides=strides,
            padding=padding,
            dilation=dilation,
            groups=groups,
            channels_first=channels_first,
        )
    if channels_first:
        x = jnp.moveaxis(x, 1, -1)
    rank = kernel.ndim - 2
    pairs = tuple(explicit_padding(padding, x.shape[1:-1], kernel.shape[:rank], strides, dilation))
    kernel = kernel.astype(x.dtype)
    if math.prod(kernel.shape[:rank]) == 1 and not any(map(sum, pairs)):
        every = tuple(slice(None, None, stride) for stride in strides)
        outputs = x[(slice(None), *every)] @ kernel.reshape(kernel.shape[rank:])
    else:
        outputs = _conv(x, kernel, strides, pairs, dilation)
    return jnp.moveaxis(outputs, -1, 1) if channels_first else outputs


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _conv(x: jax.Array, kernel: jax.Array, strides: Any, pairs: Pairs, dilation: Any) -> jax.Array:
    if kernel.shape[-2] == 1:
        shifted = functools.partial(_shifted_forward, strides=strides, pairs=pairs, dilation=dilation)
        return on_cpu(shifted, functools.partial(_stock, strides=strides, pairs=pairs, dilation=dilation), x, kernel)
    return _stock(x, kernel, strides, pairs, dilation)


def _stock(x: jax.Array, kernel: jax.Array, strides: Any, pairs: Pairs, dilation: Any) -> jax.Array:
    numbers = dimension_numbers(kernel.ndim - 2, False)
    return lax.conv_general_dilated(x, kernel, strides, pairs, rhs_dilation=dilation, dimension_numbers=numbers)


def _conv_forward(x: Any, kernel: Any, strides: Any, pairs: Pairs, dilation: Any) -> Any:
    return _conv(x, kernel, strides, pairs, dilation), (x, kernel)


def _conv_backward(strides: Any, pairs: Pairs, dilation: Any, saved: Any, dy: jax.Array) -> Any:
    x, kernel = saved

    def fast(x: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        weight_gradient = _patches_gradient if kernel.shape[-2] == 1 else _kernel_gradient
        return (
            _input_gradient(dy, kernel, x.shape, strides, pairs, dilation),
            weight_gradient(x, dy, kernel.shape, strides, pairs, dilation),
        )

    def stock(x: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.vjp(lambda a, b: _stock(a, b, strides, pairs, dilation), x, kernel)[1](dy)

    return on_cpu(fast, stock, x, kernel, dy)


_conv.defvjp(_conv_forward, _conv_backward)


def _kernel_gradient(
    x: jax.Array, dy: jax.Array, shape: tuple[int, ...], strides: Any, pairs: Pairs, dilation: Any
) -> jax.Array:
    """A convolution of the inputs (channels as batch) with the output's gradient (as kernel)."""
    rank = len(shape) - 2
    sizes = dy.shape[1:-1]
    borders = [
        (pairs[i][0], (shape[i] - 1) * dilation[i] + (sizes[i] - 1) * strides[i] + 1 - x.shape[1 + i] - pairs[i][0])
        for i in range(rank)
    ]
    space = tuple(range(1, rank + 1))
    gradient = lax.conv_general_dilated(
        x.transpose(rank + 1, *space, 0),
        dy.transpose(*space, 0, rank + 1),
        dilation,
        borders,
        rhs_dilation=strides,
        dimension_numbers=dimension_numbers(rank, False),
    )
    return gradient.transpose(*space, 0, rank + 1)


def _input_gradient(
    dy: jax.Array, kernel: jax.Array, shape: tuple[int, ...], strides: Any, pairs: Pairs, dilation: Any
) -> jax.Array:
    """A convolution of the output's gradient, spread by the strides, with the flipped kernel."""
    rank = kernel.ndim - 2
    borders = []
    for i in range(rank):
        reach = (kernel.shape[i] - 1) * dilation[i]
        left = reach - pairs[i][0]
        borders.append((left, shape[1 + i] + reach - left - ((dy.shape[1 + i] - 1) * strides[i] + 1)))
    return lax.conv_general_dilated(
        dy,
        jnp.flip(kernel, range(rank)).swapaxes(rank, rank + 1),
        (1,) * rank,
        borders,
        lhs_dilation=strides,
        rhs_dilation=dilation,
        dimension_numbers=dimension_numbers(rank, False),
    )


def _taps(
    x: jax.Array, window: Sequence[int], strides: Any, pairs: Pairs, dilation: Any
) -> list[tuple[tuple[int, ...], jax.Array]]:
    """For each position in the window: the input that it meets at every output."""
    rank = len(window)
    padded = lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *((low, high, 0) for low, high in pairs), (0, 0, 0)])
    sizes = [
        (padded.shape[1 + i] - (window[i] - 1) * dilation[i] - 1) // strides[i] + 1 for i in range(rank)
    ]
    taps = []
    for position in itertools.product(*map(range, window)):
        start = [position[i] * dilation[i] for i in range(rank)]
        stop = [start[i] + (sizes[i] - 1) * strides[i] + 1 for i in range(rank)]
        piece = lax.slice(
            padded, (0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *strides, 1)
        )
        taps.append((position, piece))
    return taps


def _shifted_forward(x: jax.Array, kernel: jax.Array, strides: Any, pairs: Pairs, dilation: Any) -> jax.Array:
    """One input channel: the sum of shifted images times their weights."""
    taps = _taps(x, kernel.shape[:-2], strides, pairs, dilation)
    return functools.reduce(jnp.add, (piece * kernel[position][0] for position, piece in taps))


def _patches_gradient(
    x: jax.Array, dy: jax.Array, shape: tuple[int, ...], strides: Any, pairs: Pairs, dilation: Any
) -> jax.Array:
    """One input channel: the product of all patches with the output's gradient."""
    taps = _taps(x, shape[:-2], strides, pairs, dilation)
    patches = jnp.concatenate([piece for _, piece in taps], axis=-1).reshape(-1, len(taps))
    return (patches.T @ dy.reshape(-1, dy.shape[-1])).reshape(shape)


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    channels_first: bool = False,
) -> jax.Array:
    """Convolution of each channel on its own; kernel `(*window, in, multiplier)`. Equals `plain.depthwise_conv`."""

    def stock(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return plain.depthwise_conv(
            x, kernel, strides=strides, padding=padding, dilation=dilation, channels_first=channels_first
        )

    def shifted(x: jax.Array, kernel: jax.Array) -> jax.Array:
        x = jnp.moveaxis(x, 1, -1) if channels_first else x
        rank = kernel.ndim - 2
        pairs = tuple(explicit_padding(padding, x.shape[1:-1], kernel.shape[:rank], strides, dilation))
        taps = _taps(x, kernel.shape[:rank], tuple(strides), pairs, tuple(dilation))
        if kernel.shape[-1] == 1:
            outputs = functools.reduce(jnp.add, (piece * kernel[position][:, 0] for position, piece in taps))
        else:
            outputs = functools.reduce(jnp.add, (piece[..., None] * kernel[position] for position, piece in taps))
            outputs = outputs.reshape(*outputs.shape[:-2], -1)
        return jnp.moveaxis(outputs, -1, 1) if channels_first else outputs

    if mode() == "plain":
        return stock(x, kernel.astype(x.dtype))
    return on_cpu(shifted, stock, x, kernel.astype(x.dtype))
