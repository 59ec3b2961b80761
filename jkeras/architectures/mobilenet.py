"""MobileNetV2 (Sandler et al., 2018, https://arxiv.org/abs/1801.04381)."""

from __future__ import annotations

from jkeras import layers
from jkeras.architectures.parts import channels_of, divisible, head, padding_for
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.models.model import Model
from jkeras.types import ActivationLike

# Filters, repetitions, stride of the first one, expansion.
STAGES = ((16, 1, 1, 1), (24, 2, 2, 6), (32, 3, 2, 6), (64, 4, 2, 6), (96, 3, 1, 6), (160, 3, 2, 6), (320, 1, 1, 6))


def _norm(x: SymbolicTensor, name: str, relu: str | None = None) -> SymbolicTensor:
    x = layers.BatchNormalization(epsilon=1e-3, momentum=0.999, name=name)(x)
    if relu is not None:
        x = layers.ReLU(6.0, name=relu)(x)
    return x


def _block(inputs: SymbolicTensor, filters: int, stride: int, expansion: int, number: int) -> SymbolicTensor:
    name = f"block_{number}_" if number else "expanded_conv_"
    x, channels = inputs, channels_of(inputs)
    if number:
        x = layers.Conv2D(expansion * channels, 1, padding="same", use_bias=False, name=f"{name}expand")(x)
        x = _norm(x, f"{name}expand_BN", f"{name}expand_relu")
    if stride == 2:
        x = layers.ZeroPadding2D(padding_for(x, 3), name=f"{name}pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=stride, use_bias=False, padding=padding, name=f"{name}depthwise")(x)
    x = _norm(x, f"{name}depthwise_BN", f"{name}depthwise_relu")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = _norm(x, f"{name}project_BN")
    if channels == filters and stride == 1:
        x = layers.Add(name=f"{name}add")([inputs, x])
    return x


def MobileNetV2(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    classes: int = 1000,
    *,
    alpha: float = 1.0,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
) -> Model:
    """The network of inverted residuals for small devices, as `keras.applications.MobileNetV2` has it.

    Args:
        input_shape: height, width, channels.
        classes: outputs of the classifier.
        alpha: the width; all numbers of channels are multiplied by it.
        include_top: whether there is a classifier.
        pooling: without one, "avg", "max" or None for the features as they are.
        classifier_activation: of the classifier; None for logits.
    """
    inputs = layers.Input(input_shape)
    x = layers.Conv2D(divisible(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(inputs)
    x = _norm(x, "bn_Conv1", "Conv1_relu")
    number = 0
    for filters, count, stride, expansion in STAGES:
        for i in range(count):
            x = _block(x, divisible(int(filters * alpha)), stride if i == 0 else 1, expansion, number)
            number += 1
    x = layers.Conv2D(divisible(1280 * alpha) if alpha > 1 else 1280, 1, use_bias=False, name="Conv_1")(x)
    x = _norm(x, "Conv_1_bn", "out_relu")
    outputs = head(x, include_top, pooling, classes, classifier_activation, None)
    return Model(inputs, outputs, name=f"mobilenetv2_{alpha:0.2f}_{input_shape[0]}")
