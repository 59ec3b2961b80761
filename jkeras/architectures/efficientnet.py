"""EfficientNet-B0 (Tan and Le, 2019, https://arxiv.org/abs/1905.11946)."""

from __future__ import annotations

from jkeras import layers
from jkeras.architectures.parts import channels_of, padding_for
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
CONV = VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")
DENSE = VarianceScaling(1.0 / 3.0, mode="fan_out", distribution="uniform")


def _conv(
    x: SymbolicTensor, filters: int, name: str, *, activation: str | None = None, use_bias: bool = True
) -> SymbolicTensor:
    convolution = layers.Conv2D(
        filters, 1, padding="same", activation=activation, use_bias=use_bias, kernel_initializer=CONV, name=name
    )
    x = convolution(x)
    return x


def _norm(x: SymbolicTensor, name: str, active: str | None = None) -> SymbolicTensor:
    x = layers.BatchNormalization(name=name)(x)
    if active is not None:
        x = layers.Activation("swish", name=active)(x)
    return x


def _block(
    inputs: SymbolicTensor, kernel: int, filters: int, expansion: int, stride: int, drop: float, name: str
) -> SymbolicTensor:
    channels = channels_of(inputs)
    wide, x = channels * expansion, inputs
    if expansion != 1:
        x = _norm(_conv(x, wide, f"{name}expand_conv", use_bias=False), f"{name}expand_bn", f"{name}expand_activation")
    if stride == 2:
        x = layers.ZeroPadding2D(padding_for(x, kernel), name=f"{name}dwconv_pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = layers.DepthwiseConv2D(
        kernel, strides=stride, padding=padding, use_bias=False, depthwise_initializer=CONV, name=f"{name}dwconv"
    )(x)
    x = _norm(x, f"{name}bn", f"{name}activation")
    # Squeeze and excitation: each channel is scaled by what the whole image says.
    scale = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    scale = layers.Reshape((1, 1, wide), name=f"{name}se_reshape")(scale)
    scale = _conv(scale, max(1, channels // 4), f"{name}se_reduce", activation="swish")
    scale = _conv(scale, wide, f"{name}se_expand", activation="sigmoid")
    x = layers.Multiply(name=f"{name}se_excite")([x, scale])
    x = _norm(_conv(x, filters, f"{name}project_conv", use_bias=False), f"{name}project_bn")
    if stride == 1 and channels == filters:
        if drop > 0:  # whole samples skip the block
            x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        x = layers.Add(name=f"{name}add")([x, inputs])
    return x


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
    inputs = layers.Input(input_shape)
    x = layers.Rescaling(1.0 / 255.0)(inputs)
    x = layers.Normalization(axis=-1, mean=[0.0] * input_shape[-1], variance=[1.0] * input_shape[-1])(x)
    x = layers.ZeroPadding2D(padding_for(x, 3), name="stem_conv_pad")(x)
    x = layers.Conv2D(32, 3, strides=2, use_bias=False, kernel_initializer=CONV, name="stem_conv")(x)
    x = _norm(x, "stem_bn", "stem_activation")
    total, number = sum(count for _, count, *_ in STAGES), 0
    for stage, (kernel, count, filters, expansion, stride) in enumerate(STAGES):
        for i in range(count):
            name = f"block{stage + 1}{chr(ord('a') + i)}_"
            x = _block(x, kernel, filters, expansion, stride if i == 0 else 1, drop_connect_rate * number / total, name)
            number += 1
    x = _norm(_conv(x, 1280, "top_conv", use_bias=False), "top_bn", "top_activation")
    if not include_top:
        return Model(inputs, classifier(x, False, pooling, classes, None), name="efficientnetb0")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(dropout_rate, name="top_dropout")(x) if dropout_rate > 0 else x
    x = layers.Dense(classes, activation=classifier_activation, kernel_initializer=DENSE, name="predictions")(x)
    return Model(inputs, x, name="efficientnetb0")
