"""Depthwise convolution as a sum of shifted, scaled images, with gradients of the same kind.

XLA's CPU backend has no fast depthwise convolution. The gradient of the kernel is added up row by row of the output: sums
over a whole batch leave the cache and are not vectorised, and a sum for each position in the window takes long to compile.
Times in `benchmarks/lowering.py`. On other platforms XLA's own operation and gradients are used. Forward-mode
differentiation needs `jkeras.config.lowering = "plain"`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.export import is_symbolic_dim

from jkeras.dtypes import at_least_float32
from jkeras.lowering import plain
from jkeras.lowering.plain import Padding, explicit_padding
from jkeras.lowering.switch import current_mode, on_cpu
from jkeras.lowering.taps import Pairs, few, fits, spread, weighted_sum, wide
from jkeras.types import Array

# The program grows with the number of outputs per channel; beyond this it is too long.
FEW_OUTPUTS = 64


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    channels_first: bool = False,
) -> jax.Array:
    """Convolution of each channel on its own. Equals `plain.depthwise_conv`.

    Args:
        x: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` with `channels_first`.
        kernel: `(*window, channels, multiplier)`.
        strides: the distances between windows.
        padding: "valid", "same", "causal" or pairs of rows.
        dilation: the distances within a window.
        channels_first: the layout of `x` and of the result.

    Returns:
        `(batch, *outputs, channels * multiplier)`.
    """
    rank = kernel.ndim - 2
    window, strides, dilation = kernel.shape[:rank], tuple(strides), tuple(dilation)
    kernel = kernel.astype(x.dtype)
    sizes = plain.spatial_sizes(x, channels_first)
    pairs = tuple(explicit_padding(padding, sizes, window, strides, dilation))
    small = few(window) and kernel.shape[-1] <= FEW_OUTPUTS
    known = small and fits(sizes, window, pairs, dilation) and jnp.issubdtype(x.dtype, jnp.floating)
    if current_mode() == "plain" or not known:
        return plain.depthwise_conv(
            x, kernel, strides=strides, padding=pairs, dilation=dilation, channels_first=channels_first
        )
    result: jax.Array = _outer(x, kernel, strides, pairs, dilation, channels_first)
    return result


@functools.partial(jax.jit, static_argnums=(2, 3, 4, 5), inline=True)
def _outer(
    x: jax.Array,
    kernel: jax.Array,
    strides: tuple[int, ...],
    pairs: Pairs,
    dilation: tuple[int, ...],
    channels_first: bool,
) -> jax.Array:
    x = jnp.moveaxis(x, 1, -1) if channels_first else x
    outputs = _depthwise(x, kernel, strides, pairs, dilation)
    return jnp.moveaxis(outputs, -1, 1) if channels_first else outputs


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _depthwise(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...]
) -> jax.Array:
    ones = (1,) * len(strides)

    def shifted(x: jax.Array, kernel: jax.Array) -> jax.Array:
        channels, multiplier = kernel.shape[-2:]
        outputs = [weighted_sum(x, kernel[..., n], strides, pairs, dilation, ones) for n in range(multiplier)]
        return jnp.stack(outputs, -1).reshape(*outputs[0].shape[:-1], channels * multiplier)

    result: jax.Array = on_cpu(
        shifted, functools.partial(_stock, strides=strides, pairs=pairs, dilation=dilation), x, kernel
    )
    return result


def _stock(
    x: jax.Array, kernel: jax.Array, *, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...]
) -> jax.Array:
    return plain.depthwise_conv(x, kernel, strides=strides, padding=pairs, dilation=dilation)


def _forward(x: Array, kernel: Array, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...]) -> Any:
    return _depthwise(x, kernel, strides, pairs, dilation), (x, kernel)


def _backward(
    strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...], residuals: tuple[Array, ...], dy: jax.Array
) -> Any:
    def fast(x: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        gradient = dy.reshape(*dy.shape[:-1], *kernel.shape[-2:])
        return (
            _input_gradient(gradient, kernel, x.shape, strides, pairs, dilation),
            _kernel_gradient(x, gradient, kernel, strides, pairs, dilation),
        )

    def stock(x: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        forward = functools.partial(_stock, strides=strides, pairs=pairs, dilation=dilation)
        result: tuple[jax.Array, jax.Array] = jax.vjp(forward, x, kernel)[1](dy)
        return result

    return on_cpu(fast, stock, *residuals, dy)


_depthwise.defvjp(_forward, _backward)


def _input_gradient(
    dy: jax.Array,
    kernel: jax.Array,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    pairs: Pairs,
    dilation: tuple[int, ...],
) -> jax.Array:
    """The output's gradient, spread by the strides, under the flipped kernel; `dy` is `(..., channels, multiplier)`."""
    rank = len(strides)
    ones = (1,) * rank
    borders = []
    for i in range(rank):
        reach = (kernel.shape[i] - 1) * dilation[i]
        left = reach - pairs[i][0]
        borders.append((left, shape[1 + i] + reach - left - ((dy.shape[1 + i] - 1) * strides[i] + 1)))
    flipped = jnp.flip(kernel, range(rank))
    parts = [
        weighted_sum(dy[..., n], flipped[..., n], ones, tuple(borders), dilation, strides)
        for n in range(kernel.shape[-1])
    ]
    return functools.reduce(jnp.add, parts)


def _kernel_gradient(
    x: jax.Array, dy: jax.Array, kernel: jax.Array, strides: tuple[int, ...], pairs: Pairs, dilation: tuple[int, ...]
) -> jax.Array:
    """Sums of products with the output's gradient, row by row: `dy` is `(batch, *outputs, channels, multiplier)`.

    A loop over the columns of the window is around one over the rows of the output. The positions of a row and their channels
    are one axis, so that the program has one short vectorised pass, and is compiled in half of the time of one for each column.
    With a stride, the columns that meet the same column of the window are put side by side first, once for all passes.
    """
    if dy.shape[0] == 0:  # there are no rows to cut out
        return jnp.zeros_like(kernel)
    rank, last = len(strides), len(strides) - 1
    window, (width, channels, multiplier) = kernel.shape[:rank], dy.shape[rank:]
    stride, step = strides[last], dilation[last]
    length = (window[last] - 1) * step // stride + width  # of the columns side by side
    low = pairs[last][0]
    padded = spread(x, (*pairs[:last], (low, length * stride - x.shape[rank] - low)), (1,) * rank)
    if stride > 1:
        padded = jnp.concatenate([padded[..., phase::stride, :] for phase in range(stride)], rank)
    padded = padded.reshape(*padded.shape[:rank], -1)
    gradients = jnp.moveaxis(dy, -1, 0).reshape(multiplier, -1, width * channels)
    starts = _starts(dy.shape[:rank], (1, *strides[:last]))
    reach = [(size - 1) * gap + 1 for size, gap in zip(window[:last], dilation[:last], strict=True)]

    def summed(place: jax.Array) -> jax.Array:
        column = place // multiplier * step
        start = ((column % stride * length + column // stride) * channels).astype("uint32")

        def add(total: jax.Array, item: Any) -> tuple[jax.Array, None]:
            first, gradient = item
            rows = lax.dynamic_slice(padded, (*first, start), (1, *reach, width * channels))[0]
            rows = rows[tuple(slice(None, None, gap) for gap in dilation[:last])]
            return total + wide(rows) * wide(gradient), None

        total = jnp.zeros((*window[:last], width * channels), at_least_float32(dy.dtype))
        total, _ = lax.scan(add, total, (starts, lax.dynamic_index_in_dim(gradients, place % multiplier, 0, False)))
        return jnp.sum(total.reshape(*window[:last], width, channels), axis=last)

    sums = lax.map(summed, jnp.arange(window[last] * multiplier)).reshape(
        window[last], multiplier, *window[:last], channels
    )
    return jnp.moveaxis(sums, (0, 1), (last, -1)).astype(kernel.dtype)


def _starts(sizes: Sequence[int], steps: Sequence[int]) -> jax.Array | np.ndarray:
    """Where the windows of each row of the output begin, `(rows, axes)`: constants, which compile sooner, if sizes are known."""
    if is_symbolic_dim(sizes[0]):
        firsts: Any = jnp.stack([lax.broadcasted_iota("uint32", sizes, axis) for axis in range(len(sizes))], -1)
    else:
        firsts = np.moveaxis(np.indices(sizes, "uint32"), 0, -1)
    starts: jax.Array | np.ndarray = firsts.reshape(-1, len(sizes)) * np.array(steps, "uint32")
    return starts
