"""Transposed convolution: the gradient of a convolution, whose own gradients are two convolutions.

See `jkeras.lowering.convolution` for why they are written out on CPUs. Forward-mode differentiation needs
`jkeras.config.lowering = "plain"`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.lowering import plain
from jkeras.lowering.convolution import kernel_gradient, stock_conv
from jkeras.lowering.switch import current_mode, on_cpu
from jkeras.types import Array


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
    """The transpose of `conv`. Equals `plain.conv_transpose`, which states the sizes.

    Args:
        x: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` with `channels_first`.
        kernel: `(*window, outputs, channels)`.
        strides: by how much the spatial axes grow.
        padding: "valid" or "same".
        output_padding: rows added at the end, in place of Keras's rule.
        dilation: the distances within a window.
        channels_first: the layout of `x` and of the result.

    Returns:
        `(batch, *positions, outputs)`, or the channels first.
    """
    padding_sizes = None if output_padding is None else tuple(output_padding)
    options = (tuple(strides), padding, padding_sizes, tuple(dilation))
    kernel = kernel.astype(x.dtype)
    if current_mode() == "plain" or not jnp.issubdtype(x.dtype, jnp.floating):
        return _stock(x, kernel, options, channels_first)
    result: jax.Array = _outer(x, kernel, options, channels_first)
    return result


def _stock(x: jax.Array, kernel: jax.Array, options: Any, channels_first: bool = False) -> jax.Array:
    strides, padding, output_padding, dilation = options
    return plain.conv_transpose(
        x,
        kernel,
        strides=strides,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        channels_first=channels_first,
    )


@functools.partial(jax.jit, static_argnums=(2, 3), inline=True)
def _outer(x: jax.Array, kernel: jax.Array, options: Any, channels_first: bool) -> jax.Array:
    outputs = _transposed(jnp.moveaxis(x, 1, -1) if channels_first else x, kernel, options)
    return jnp.moveaxis(outputs, -1, 1) if channels_first else outputs


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _transposed(x: jax.Array, kernel: jax.Array, options: Any) -> jax.Array:
    return _stock(x, kernel, options)


def _forward(x: Array, kernel: Array, options: Any) -> Any:
    return _transposed(x, kernel, options), (x, kernel)


def _backward(options: Any, residuals: tuple[Array, ...], dy: jax.Array) -> Any:
    strides, padding, output_padding, dilation = options

    def fast(x: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        pairs = []
        for i in range(len(strides)):
            reach = (kernel.shape[i] - 1) * dilation[i]
            extra = None if output_padding is None else output_padding[i]
            low, high = plain.transpose_padding(reach + 1, strides[i], padding, extra)
            # The padding of the convolution that this is the transpose of; less than nothing where rows were added.
            pairs.append((reach - low, reach - high))
        return (
            stock_conv(dy, kernel, strides=strides, pairs=tuple(pairs), dilation=dilation),
            kernel_gradient(dy, x, kernel.shape, strides, tuple(pairs), dilation),
        )

    def stock(x: jax.Array, kernel: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
        result: tuple[jax.Array, jax.Array] = jax.vjp(functools.partial(_stock, options=options), x, kernel)[1](dy)
        return result

    return on_cpu(fast, stock, *residuals, dy)


_transposed.defvjp(_forward, _backward)
