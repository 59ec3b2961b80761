"""Convolutions that stay on XLA's fast path on CPUs, inside loops too.

XLA's CPU backend has a fast convolution for one layout. Outside loops it rewrites the gradients of a convolution
into that layout; inside `scan` and `while` it does not, and they run up to a hundred times slower. Here the gradients
are written in that layout from the start. A window of a single element is a matrix product; one input channel is a sum
of shifted images; windows of 3x3 over many channels are products of transformed tiles (`winograd`). Times in
`benchmarks/lowering.py`. On other platforms XLA's own operations and gradients are used.

These forms have custom reverse rules, so forward-mode differentiation (`jax.jvp`, `jax.hessian`) needs
`jkeras.config.lowering = "plain"`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.lowering import plain, winograd
from jkeras.lowering.depthwise import depthwise_conv
from jkeras.lowering.plain import Padding, dimension_numbers, explicit_padding
from jkeras.lowering.switch import current_mode, on_cpu
from jkeras.lowering.taps import Pairs, few, fits, spread, taps, weighted_sum
from jkeras.types import Array


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
    """Convolution over 1 to 3 axes. Equals `plain.conv`.

    Args:
        x: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` with `channels_first`.
        kernel: `(*window, channels / groups, outputs)`.
        strides: the distances between windows.
        padding: "valid", "same", "causal" or pairs of rows.
        dilation: the distances within a window.
        groups: the number of groups of channels, each with its own outputs.
        channels_first: the layout of `x` and of the result.

    Returns:
        `(batch, *positions, outputs)`, or with the channels first.

    >>> x, kernel = jnp.ones((1, 5, 5, 2)), jnp.ones((3, 3, 2, 4))
    >>> conv(x, kernel, strides=(2, 2), padding="same", dilation=(1, 1)).shape
    (1, 3, 3, 4)
    """
    rank = kernel.ndim - 2
    window, strides, dilation = kernel.shape[:rank], tuple(strides), tuple(dilation)
    layout: dict[str, Any] = {"strides": strides, "dilation": dilation, "channels_first": channels_first}
    kernel = kernel.astype(x.dtype)
    sizes = plain.spatial_sizes(x, channels_first)
    pairs = tuple(explicit_padding(padding, sizes, window, strides, dilation))
    known = fits(sizes, window, pairs, dilation) and jnp.issubdtype(x.dtype, jnp.floating)
    if current_mode() == "plain" or not known:
        return plain.conv(x, kernel, padding=pairs, groups=groups, **layout)
    if groups > 1 and kernel.shape[-2] == 1:
        each = kernel.reshape(*window, groups, kernel.shape[-1] // groups)
        return depthwise_conv(x, each, padding=pairs, **layout)
    result: jax.Array = _outer(x, kernel, strides, pairs, dilation, groups, channels_first)
    return result


@functools.partial(jax.jit, static_argnums=(2, 3, 4, 5, 6), inline=True)
def _outer(
    x: jax.Array,
    kernel: jax.Array,
    strides: tuple[int, ...],
    pairs: Pairs,
    dilation: tuple[int, ...],
    groups: int,
    channels_first: bool,
) -> jax.Array:
    if channels_first:
        x = jnp.moveaxis(x, 1, -1)
    if _one_element(kernel, pairs, groups) and set(strides) == {1}:
        outputs = _one_element_conv(x, kernel, strides, pairs, dilation)
    else:
        outputs = _conv(x, kernel, strides, pairs, dilation, groups)
    return jnp.moveaxis(outputs, -1, 1) if channels_first else outputs


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5))
def _conv(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...], groups: int
) -> jax.Array:
    if _one_element(kernel, pairs, groups):
        return _one_element_conv(x, kernel, strides, pairs, dilation)
    stock = functools.partial(stock_conv, strides=strides, pairs=pairs, dilation=dilation, groups=groups)
    tile = _tile(x, kernel, strides, pairs, dilation, groups)
    if tile is not None:
        outputs: jax.Array = on_cpu(functools.partial(winograd.conv, pairs=pairs, tile=tile), stock, x, kernel)
        return outputs
    if not _one_channel(kernel, groups):
        return stock(x, kernel)

    def shifted(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return weighted_sum(x, kernel[..., 0, :], strides, pairs, dilation, (1,) * len(strides))

    result: jax.Array = on_cpu(shifted, stock, x, kernel)
    return result


def _tile(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...], groups: int
) -> int | None:
    """The size of tiles, where products of transformed ones are fastest."""
    if groups > 1 or set(strides) | set(dilation) != {1}:
        return None
    return winograd.tile_for(x.shape, kernel.shape, pairs, x.dtype)


def _one_element(kernel: jax.Array, pairs: Pairs, groups: int) -> bool:
    """Whether each result comes from one place of the inputs."""
    return math.prod(kernel.shape[:-2]) == 1 and groups == 1 and not any(any(pair) for pair in pairs)


def _one_element_conv(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...]
) -> jax.Array:
    """The convolution with a window of one element, a product on CPUs.

    On GPUs XLA keeps more results of products than of convolutions, and its compiler ends the process at some products of
    every second row.
    """
    stock = functools.partial(stock_conv, strides=strides, pairs=pairs, dilation=dilation)
    return on_cpu(functools.partial(_product, strides=strides), stock, x, kernel)


def _product(x: jax.Array, kernel: jax.Array, strides: tuple[int, ...]) -> jax.Array:
    """The convolution with a window of one element."""
    every = tuple(slice(None, None, stride) for stride in strides)
    return x[(slice(None), *every)] @ kernel.reshape(kernel.shape[-2:])


def _one_channel(kernel: jax.Array, groups: int) -> bool:
    return kernel.shape[-2] == groups == 1 and few(kernel.shape[:-2])


def stock_conv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, ...],
    pairs: Pairs,
    dilation: tuple[int, ...],
    groups: int = 1,
) -> jax.Array:
    """XLA's convolution, channels last."""
    return plain.conv(x, kernel, strides=strides, padding=pairs, dilation=dilation, groups=groups)


def _forward(
    x: Array, kernel: Array, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...], groups: int
) -> Any:
    return _conv(x, kernel, strides, pairs, dilation, groups), (x, kernel)


def _backward(
    strides: tuple[int, ...],
    pairs: Pairs,
    dilation: tuple[int, ...],
    groups: int,
    residuals: tuple[Array, ...],
    dy: jax.Array,
) -> Any:
    def fast(x: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        if _one_element(kernel, pairs, groups):
            backward = jax.vjp(functools.partial(_product, strides=strides), x, kernel)[1]
            gradients: tuple[jax.Array, jax.Array] = backward(dy)
            return gradients
        tile = _tile(x, kernel, strides, pairs, dilation, groups)
        if tile is not None:
            by_kernel = winograd.kernel_gradient(x, dy, pairs, tile)
            return winograd.input_gradient(dy, kernel, pairs, tile), by_kernel
        if _one_channel(kernel, groups):
            weights = _patches_gradient(x, dy, kernel, strides, pairs, dilation)
        else:
            weights = kernel_gradient(x, dy, kernel.shape, strides, pairs, dilation, groups)
        return input_gradient(dy, kernel, x.shape, strides, pairs, dilation, groups), weights

    def stock(x: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        forward = functools.partial(stock_conv, strides=strides, pairs=pairs, dilation=dilation, groups=groups)
        result: tuple[jax.Array, jax.Array] = jax.vjp(forward, x, kernel)[1](dy)
        return result

    return on_cpu(fast, stock, *residuals, dy)


_conv.defvjp(_forward, _backward)


def kernel_gradient(
    x: jax.Array,
    dy: jax.Array,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    pairs: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    groups: int = 1,
) -> jax.Array:
    """A convolution of the inputs (channels as batch, samples as channels) with the output's gradient as kernel."""
    rank = len(shape) - 2
    space = tuple(range(1, rank + 1))
    borders = []
    for i in range(rank):
        low, size, outputs = pairs[i][0], x.shape[1 + i], dy.shape[1 + i]
        borders.append((low, (shape[i] - 1) * dilation[i] + (outputs - 1) * strides[i] + 1 - size - low))
    grouped = x.reshape(*x.shape[:-1], groups, shape[-2])
    images = grouped.transpose(rank + 2, *space, rank + 1, 0).reshape(shape[-2], *x.shape[1:-1], groups * x.shape[0])
    gradient = lax.conv_general_dilated(
        images,
        dy.transpose(*space, 0, rank + 1),
        dilation,
        borders,
        rhs_dilation=strides,
        dimension_numbers=dimension_numbers(rank, False),
        feature_group_count=groups,
    )
    return gradient.transpose(*space, 0, rank + 1)


def input_gradient(
    dy: jax.Array,
    kernel: jax.Array,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    pairs: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    groups: int = 1,
) -> jax.Array:
    """A convolution of the output's gradient, spread by the strides, with the flipped kernel."""
    rank = kernel.ndim - 2
    borders = []
    for i in range(rank):
        reach = (kernel.shape[i] - 1) * dilation[i]
        left = reach - pairs[i][0]
        borders.append((left, shape[1 + i] + reach - left - ((dy.shape[1 + i] - 1) * strides[i] + 1)))
    window, inner, outer = kernel.shape[:rank], kernel.shape[rank], kernel.shape[rank + 1]
    flipped = jnp.flip(kernel, range(rank)).reshape(*window, inner, groups, outer // groups)
    return lax.conv_general_dilated(
        dy,
        jnp.moveaxis(flipped, -1, rank).swapaxes(-1, -2).reshape(*window, outer // groups, groups * inner),
        (1,) * rank,
        borders,
        lhs_dilation=strides,
        rhs_dilation=dilation,
        dimension_numbers=dimension_numbers(rank, False),
        feature_group_count=groups,
    )


def _patches_gradient(
    x: jax.Array, dy: jax.Array, kernel: jax.Array, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...]
) -> jax.Array:
    """One input channel: the product of all patches with the output's gradient."""
    window = kernel.shape[:-2]
    parts = taps(spread(x, pairs, (1,) * len(window)), window, strides, dilation)
    patches = jnp.concatenate([piece for _, piece in parts], axis=-1).reshape(-1, len(parts))
    return (patches.T @ dy.reshape(-1, dy.shape[-1])).reshape(kernel.shape)
