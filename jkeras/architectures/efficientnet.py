"""EfficientNet (Tan and Le, 2019, https://arxiv.org/abs/1905.11946).

What does the work is written over a module of layers, `jkeras.layers` or the one of the drop-in.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from jkeras import layers as own_layers
from jkeras.architectures.parts import channels_of, divisible, padding_for
from jkeras.architectures.parts import head as classifier
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.initializers import VarianceScaling
from jkeras.models.model import Model
from jkeras.types import ActivationLike

# Kernel size, repetitions, filters, expansion, stride of the first one.
STAGES = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)


class Size(NamedTuple):
    """How much wider and deeper than B0, the images that it is meant for, and the dropout before the classifier."""

    width: float
    depth: float
    image: int
    dropout: float


SIZES = {
    "B0": Size(1.0, 1.0, 224, 0.2),
    "B1": Size(1.0, 1.1, 240, 0.2),
    "B2": Size(1.1, 1.2, 260, 0.3),
    "B3": Size(1.2, 1.4, 300, 0.3),
    "B4": Size(1.4, 1.8, 380, 0.4),
    "B5": Size(1.6, 2.2, 456, 0.4),
    "B6": Size(1.8, 2.6, 528, 0.5),
    "B7": Size(2.0, 3.1, 600, 0.5),
}
CONV = VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")
DENSE = VarianceScaling(1.0 / 3.0, mode="fan_out", distribution="uniform")


def _conv(layers: Any, x: Any, filters: int, name: str, *, activation: str | None = None, use_bias: bool = True) -> Any:
    convolution = layers.Conv2D(
        filters, 1, padding="same", activation=activation, use_bias=use_bias, kernel_initializer=CONV, name=name
    )
    return convolution(x)


def _norm(layers: Any, x: Any, name: str, active: str | None = None) -> Any:
    x = layers.BatchNormalization(name=name)(x)
    return x if active is None else layers.Activation("swish", name=active)(x)


def _block(
    layers: Any, inputs: Any, kernel: int, filters: int, expansion: int, stride: int, drop: float, name: str
) -> Any:
    channels = channels_of(inputs)
    wide, x = channels * expansion, inputs
    if expansion != 1:
        x = _norm(
            layers,
            _conv(layers, x, wide, f"{name}expand_conv", use_bias=False),
            f"{name}expand_bn",
            f"{name}expand_activation",
        )
    if stride == 2:
        x = layers.ZeroPadding2D(padding_for(x, kernel), name=f"{name}dwconv_pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = layers.DepthwiseConv2D(
        kernel, strides=stride, padding=padding, use_bias=False, depthwise_initializer=CONV, name=f"{name}dwconv"
    )(x)
    x = _norm(layers, x, f"{name}bn", f"{name}activation")
    # Squeeze and excitation: each channel is scaled by what the whole image says.
    scale = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    scale = layers.Reshape((1, 1, wide), name=f"{name}se_reshape")(scale)
    scale = _conv(layers, scale, max(1, channels // 4), f"{name}se_reduce", activation="swish")
    scale = _conv(layers, scale, wide, f"{name}se_expand", activation="sigmoid")
    x = layers.Multiply(name=f"{name}se_excite")([x, scale])
    x = _norm(layers, _conv(layers, x, filters, f"{name}project_conv", use_bias=False), f"{name}project_bn")
    if stride == 1 and channels == filters:
        if drop > 0:  # whole samples skip the block
            x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        x = layers.Add(name=f"{name}add")([x, inputs])
    return x


def features(layers: Any, x: Any, size: Size, drop_connect_rate: float = 0.2) -> Any:
    """All but the classifier, on images that are scaled already."""

    def filters_of(filters: int) -> int:
        return divisible(filters * size.width)

    x = layers.ZeroPadding2D(padding_for(x, 3), name="stem_conv_pad")(x)
    x = layers.Conv2D(filters_of(32), 3, strides=2, use_bias=False, kernel_initializer=CONV, name="stem_conv")(x)
    x = _norm(layers, x, "stem_bn", "stem_activation")
    counts = [math.ceil(size.depth * count) for _, count, *_ in STAGES]
    number = 0
    for stage, (kernel, _, filters, expansion, stride) in enumerate(STAGES):
        for i in range(counts[stage]):
            name = f"block{stage + 1}{chr(ord('a') + i)}_"
            drop = drop_connect_rate * number / sum(counts)
            x = _block(layers, x, kernel, filters_of(filters), expansion, stride if i == 0 else 1, drop, name)
            number += 1
    return _norm(layers, _conv(layers, x, filters_of(1280), "top_conv", use_bias=False), "top_bn", "top_activation")


def classified(layers: Any, x: Any, classes: int, activation: Any, dropout_rate: float) -> Any:
    """The classifier."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(dropout_rate, name="top_dropout")(x) if dropout_rate > 0 else x
    return layers.Dense(classes, activation=activation, kernel_initializer=DENSE, name="predictions")(x)


def EfficientNetB0(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    classes: int = 1000,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
    dropout_rate: float = 0.2,
    drop_connect_rate: float = 0.2,
) -> Model:
    """The smallest EfficientNet, as `keras.applications.EfficientNetB0` has it with `weights=None`.

    Images have values from 0 to 255; the network scales them itself.

    Args:
        input_shape: height, width, channels.
        classes: outputs of the classifier.
        include_top: whether there is one.
        pooling: without a classifier, "avg", "max" or None for the features as they are.
        classifier_activation: of the classifier; None for logits.
        dropout_rate: before the classifier.
        drop_connect_rate: the rate at which samples skip the last block; earlier ones are skipped less often.
    """
    inputs = own_layers.Input(input_shape)
    x: SymbolicTensor = own_layers.Rescaling(1.0 / 255.0)(inputs)
    x = own_layers.Normalization(axis=-1, mean=[0.0] * input_shape[-1], variance=[1.0] * input_shape[-1])(x)
    x = features(own_layers, x, SIZES["B0"], drop_connect_rate)
    if include_top:
        x = classified(own_layers, x, classes, classifier_activation, dropout_rate)
    else:
        x = classifier(x, False, pooling, classes, None)
    return Model(inputs, x, name="efficientnetb0")
