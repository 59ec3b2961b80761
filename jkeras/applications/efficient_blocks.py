"""The building blocks of both versions of EfficientNet: mobile blocks with squeeze and excitation."""

from __future__ import annotations

from typing import Any

from jkeras.applications.application import Options
from jkeras.applications.face import Blocks, Tensor

CONV = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
DENSE = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0 / 3.0, "mode": "fan_out", "distribution": "uniform"},
}


def normalized(b: Blocks, x: Tensor, name: str, active: str | None = None, **options: Any) -> Tensor:
    """Batch normalization, followed by an activation if it has a name."""
    x = b.norm(x, name, **options)
    return x if active is None else b.activation(x, active, "swish")


def convolved(b: Blocks, x: Tensor, filters: int, name: str, kernel: int = 1, strides: int = 1) -> Tensor:
    """A convolution without a bias."""
    return b.layers.Conv2D(
        filters, kernel, strides=strides, padding="same", use_bias=False, kernel_initializer=CONV, name=name
    )(x)


def excited(b: Blocks, x: Tensor, squeezed: int, name: str) -> Tensor:
    """Scales each channel depending on the whole image (squeeze and excitation)."""
    layers, wide = b.layers, b.channels(x)
    scale = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    scale = layers.Reshape((wide, 1, 1) if b.channels_first else (1, 1, wide), name=f"{name}se_reshape")(scale)
    for filters, activation, part in ((squeezed, "swish", "se_reduce"), (wide, "sigmoid", "se_expand")):
        scale = layers.Conv2D(
            filters, 1, padding="same", activation=activation, kernel_initializer=CONV, name=f"{name}{part}"
        )(scale)
    return layers.Multiply(name=f"{name}se_excite")([x, scale])


def mobile_block(
    b: Blocks,
    inputs: Tensor,
    kernel: int,
    filters: int,
    expansion: int,
    strides: int,
    drop: float,
    name: str,
    *,
    padded: bool,
    squeeze: float = 0.25,
    **norm: Any,
) -> Tensor:
    """A mobile block: expansion, depthwise convolution, squeeze and excitation, projection.

    Args:
        b: the face.
        inputs: features.
        kernel: the kernel size of the depthwise convolution.
        filters: the number of output channels.
        expansion: the factor by which the block is wider inside.
        strides: the strides of the depthwise convolution.
        drop: the probability that a sample skips the block.
        name: the prefix of the names of its layers.
        padded: whether explicit zero padding replaces "same" if the stride is 2, as in the first version.
        squeeze: the fraction of channels in the bottleneck of squeeze and excitation.
        norm: options for the normalization layers.
    """
    layers, channels, x = b.layers, b.channels(inputs), inputs
    if expansion != 1:
        x = convolved(b, x, channels * expansion, f"{name}expand_conv")
        x = normalized(b, x, f"{name}expand_bn", f"{name}expand_activation", **norm)
    pad = padded and strides == 2
    if pad:
        x = b.pad_for(x, kernel, f"{name}dwconv_pad")
    x = layers.DepthwiseConv2D(
        kernel,
        strides=strides,
        padding="valid" if pad else "same",
        use_bias=False,
        depthwise_initializer=CONV,
        name=f"{name}dwconv" if padded else f"{name}dwconv2",
    )(x)
    x = normalized(b, x, f"{name}bn", f"{name}activation", **norm)
    if squeeze:
        x = excited(b, x, max(1, int(channels * squeeze)), name)
    x = convolved(b, x, filters, f"{name}project_conv")
    x = normalized(b, x, f"{name}project_bn", **norm)
    return added(b, x, inputs, drop, name) if strides == 1 and channels == filters else x


def fused_block(
    b: Blocks,
    inputs: Tensor,
    kernel: int,
    filters: int,
    expansion: int,
    strides: int,
    drop: float,
    name: str,
    **norm: Any,
) -> Tensor:
    """A mobile block with the first two convolutions fused; without expansion, a single convolution."""
    channels, x = b.channels(inputs), inputs
    if expansion != 1:
        x = convolved(b, x, channels * expansion, f"{name}expand_conv", kernel, strides)
        x = normalized(b, x, f"{name}expand_bn", f"{name}expand_activation", **norm)
        x = convolved(b, x, filters, f"{name}project_conv")
    else:
        x = convolved(b, x, filters, f"{name}project_conv", kernel, strides)
    x = normalized(b, x, f"{name}project_bn", f"{name}project_activation" if expansion == 1 else None, **norm)
    return added(b, x, inputs, drop, name) if strides == 1 and channels == filters else x


def added(b: Blocks, x: Tensor, inputs: Tensor, drop: float, name: str) -> Tensor:
    """The sum of a block and its input; samples skip the block with a given probability."""
    if drop > 0:
        x = b.layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return b.layers.Add(name=f"{name}add")([x, inputs])


def classified(b: Blocks, x: Tensor, options: Options, dropout_rate: float) -> Tensor:
    """The classifier."""
    layers = b.layers
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(dropout_rate, name="top_dropout")(x) if dropout_rate > 0 else x
    return layers.Dense(
        options["classes"], activation=options["classifier_activation"], kernel_initializer=DENSE, name="predictions"
    )(x)
