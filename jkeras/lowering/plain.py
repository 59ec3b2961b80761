"""The textbook JAX forms of convolution and pooling: what every faster form must equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Padding = str | Sequence[tuple[int, int]]

_LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def dimension_numbers(rank: int, channels_first: bool) -> tuple[str, str, str]:
    """The layouts of input, kernel and output: `(batch, *spatial, channels)`, `(*spatial, in, out)`."""
    space = _LETTERS[rank]
    layout = f"NC{space}" if channels_first else f"N{space}C"
    return layout, f"{space}IO", layout


def explicit_padding(
    padding: Padding, sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Rows to add before and after each spatial axis; "same" puts an odd one at the end, as XLA does.

    >>> explicit_padding("same", [5], [2], [2], [1])
    [(0, 1)]
    """
    if not isinstance(padding, str):
        return [(int(low), int(high)) for low, high in padding]
    pairs = []
    for size, width, stride, spread in zip(sizes, window, strides, dilation, strict=True):
        reach = (width - 1) * spread
        if padding == "valid":
            pairs.append((0, 0))
        elif padding == "causal":
            pairs.append((reach, 0))
        else:
            total = max(0, (-(-size // stride) - 1) * stride + reach + 1 - size)
            pairs.append((total // 2, total - total // 2))
    return pairs


def spatial_sizes(x: jax.Array, channels_first: bool) -> tuple[int, ...]:
    """The sizes of the spatial axes."""
    return x.shape[2:] if channels_first else x.shape[1:-1]


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
    """Convolution over 1 to 3 axes; kernel `(*window, in / groups, out)`."""
    rank = kernel.ndim - 2
    pairs = explicit_padding(padding, spatial_sizes(x, channels_first), kernel.shape[:rank], strides, dilation)
    return lax.conv_general_dilated(
        x,
        kernel.astype(x.dtype),
        strides,
        pairs,
        rhs_dilation=dilation,
        dimension_numbers=dimension_numbers(rank, channels_first),
        feature_group_count=groups,
    )


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    channels_first: bool = False,
) -> jax.Array:
    """Convolution of each channel on its own; kernel `(*window, in, multiplier)`."""
    channels = kernel.shape[-2]
    kernel = kernel.reshape(*kernel.shape[:-2], 1, channels * kernel.shape[-1])
    return conv(
        x,
        kernel,
        strides=strides,
        padding=padding,
        dilation=dilation,
        groups=channels,
        channels_first=channels_first,
    )


def conv_transpose(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int] | None,
    dilation: Sequence[int],
    channels_first: bool = False,
) -> jax.Array:
    """The transpose of `conv`; kernel `(*window, out, in)`.

    The output has `size * stride` rows with "same", `(size - 1) * stride + max(window, stride)` with "valid"; a given
    `output_padding` replaces the rows that this rule adds at the end. Keras's rule.
    """
    rank = kernel.ndim - 2
    pairs = []
    for i in range(rank):
        reach = (kernel.shape[i] - 1) * dilation[i] + 1
        extra = None if output_padding is None else output_padding[i]
        pairs.append(transpose_padding(reach, strides[i], padding, extra))
    return lax.conv_transpose(
        x,
        kernel.astype(x.dtype),
        strides,
        pairs,
        rhs_dilation=dilation,
        dimension_numbers=dimension_numbers(rank, channels_first),
        transpose_kernel=True,
    )


def transpose_padding(window: int, stride: int, padding: str, extra: int | None) -> tuple[int, int]:
    """Keras's rule for one axis: rows around an input whose neighbours are `stride` apart; see `conv_transpose`."""
    if padding == "valid":
        extra = max(window, stride) - window if extra is None else extra
        return window - 1, window - 1 + extra
    total = stride + window - 2 if extra is None else window + window % 2 - 2 + extra
    left = min(total // 2 + total % 2, window - 1)
    return left, total - left


def _windows(x: jax.Array, sizes: Sequence[int], channels_first: bool) -> tuple[int, ...]:
    return (1, 1, *sizes) if channels_first else (1, *sizes, 1)


def _pool(
    x: jax.Array,
    initial: Any,
    reducer: Any,
    pool_size: Sequence[int],
    strides: Sequence[int],
    padding: str,
    channels_first: bool,
) -> jax.Array:
    ones = (1,) * len(pool_size)
    pairs = explicit_padding(padding, spatial_sizes(x, channels_first), pool_size, strides, ones)
    borders = [(0, 0), (0, 0), *pairs] if channels_first else [(0, 0), *pairs, (0, 0)]
    result: jax.Array = lax.reduce_window(
        x,
        initial,
        reducer,
        _windows(x, pool_size, channels_first),
        _windows(x, strides, channels_first),
        borders,
    )
    return result


def max_pool(
    x: jax.Array, *, pool_size: Sequence[int], strides: Sequence[int], padding: str, channels_first: bool = False
) -> jax.Array:
    """The largest value of each window; padding never wins."""
    lowest = -np.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    return _pool(x, np.array(lowest, x.dtype)[()], lax.max, pool_size, strides, padding, channels_first)


def average_pool(
    x: jax.Array, *, pool_size: Sequence[int], strides: Sequence[int], padding: str, channels_first: bool = False
) -> jax.Array:
    """The mean of each window; padding does not count."""
    total = _pool(x, 0.0, lax.add, pool_size, strides, padding, channels_first)
    if padding == "valid":
        return total / math.prod(pool_size)
    ones = jnp.ones((1, 1, *x.shape[2:]) if channels_first else (1, *x.shape[1:-1], 1), x.dtype)
    return total / _pool(ones, 0.0, lax.add, pool_size, strides, padding, channels_first)


def mean_and_scale(x: jax.Array, axes: tuple[int, ...], epsilon: float) -> tuple[jax.Array, jax.Array]:
    """The mean over the axes, which stay with size 1, and what makes the variance there one."""
    mean = jnp.mean(x, axis=axes, keepdims=True)
    return mean, lax.rsqrt(jnp.mean(jnp.square(x - mean), axis=axes, keepdims=True) + epsilon)


def standardized(x: jax.Array, axes: tuple[int, ...], epsilon: float) -> jax.Array:
    """`x` with mean 0 and variance 1 over the axes."""
    mean, scale = mean_and_scale(x, axes, epsilon)
    return (x - mean) * scale
