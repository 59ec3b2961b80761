"""Convolutions, pooling and their relatives, in the forms of `jkeras.lowering`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jkeras import arguments, config, lowering
from jkeras.types import Sizes, TensorLike

PADDINGS = arguments.one_of("valid", "same")


def _several(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _first(data_format: str | None) -> bool:
    return config.standardize_data_format(data_format) == "channels_first"


def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes | None = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes | None = 1,
) -> jax.Array:
    """Convolution over 1 to 3 axes; kernel `(*window, in / groups, out)`, as many groups as the sizes say."""
    x, kernel = jnp.asarray(inputs), jnp.asarray(kernel)
    rank, first = x.ndim - 2, _first(data_format)
    return lowering.conv(
        x,
        kernel,
        strides=_several(strides, rank),
        padding=arguments.checked("ops.conv", "padding", padding, PADDINGS),
        dilation=_several(dilation_rate, rank),
        groups=x.shape[1 if first else -1] // kernel.shape[-2],
        channels_first=first,
    )


def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes | None = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes | None = 1,
) -> jax.Array:
    """Convolution of each channel on its own; kernel `(*window, in, multiplier)`."""
    x = jnp.asarray(inputs)
    return lowering.depthwise_conv(
        x,
        jnp.asarray(kernel),
        strides=_several(strides, x.ndim - 2),
        padding=arguments.checked("ops.depthwise_conv", "padding", padding, PADDINGS),
        dilation=_several(dilation_rate, x.ndim - 2),
        channels_first=_first(data_format),
    )


def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Sizes | None = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes | None = 1,
) -> jax.Array:
    """A convolution of each channel, then one that mixes channels at every place."""
    between = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(between, pointwise_kernel, 1, "valid", data_format)


def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes | None = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes | None = 1,
) -> jax.Array:
    """The transpose of `conv`; kernel `(*window, out, in)`."""
    x = jnp.asarray(inputs)
    rank = x.ndim - 2
    return lowering.conv_transpose(
        x,
        jnp.asarray(kernel),
        strides=_several(strides, rank),
        padding=arguments.checked("ops.conv_transpose", "padding", padding, PADDINGS),
        output_padding=None if output_padding is None else _several(output_padding, rank),
        dilation=_several(dilation_rate, rank),
        channels_first=_first(data_format),
    )


def _pool(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(
        inputs: TensorLike,
        pool_size: Sizes | None,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> jax.Array:
        """Pools windows of the spatial axes; the strides are the window's sizes if None."""
        x = jnp.asarray(inputs)
        size = _several(pool_size, x.ndim - 2)
        result: jax.Array = function(
            x,
            pool_size=size,
            strides=size if strides is None else _several(strides, x.ndim - 2),
            padding=arguments.checked(f"ops.{function.__name__}", "padding", padding, PADDINGS),
            channels_first=_first(data_format),
        )
        return result

    return call


def unfold(
    x: TensorLike,
    kernel_size: Sizes | None,
    dilation: Sizes | None = 1,
    padding: Sizes | None = 0,
    stride: Sizes | None = 1,
) -> jax.Array:
    """The windows of images `(batch, channels, height, width)` as columns, `(batch, channels * window, windows)`."""
    x = jnp.asarray(x)
    size, dilation, padding, stride = (_several(v, 2) for v in (kernel_size, dilation, padding, stride))
    patches = jax.lax.conv_general_dilated_patches(
        x, size, stride, [(p, p) for p in padding], rhs_dilation=dilation, dimension_numbers=("NCHW", "OIHW", "NCHW")
    )
    return patches.reshape(*patches.shape[:2], -1)


def fold(
    x: TensorLike,
    output_size: Sizes | None,
    kernel_size: Sizes | None,
    dilation: Sizes | None = 1,
    padding: Sizes | None = 0,
    stride: Sizes | None = 1,
) -> jax.Array:
    """Columns added up at the places that `unfold` took them from: its transpose."""
    x = jnp.asarray(x)
    height, width = _several(output_size, 2)
    window = _several(kernel_size, 2)
    shape = (x.shape[0], x.shape[1] // (window[0] * window[1]), height, width)
    image = jax.ShapeDtypeStruct(shape, x.dtype)
    transpose = jax.linear_transpose(lambda image: unfold(image, kernel_size, dilation, padding, stride), image)
    result: jax.Array = transpose(x)[0]
    return result


TABLE: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (conv, depthwise_conv, separable_conv, conv_transpose, unfold, fold)
}
TABLE |= {"max_pool": _pool(lowering.max_pool), "average_pool": _pool(lowering.average_pool)}
