"""Networks for small devices, from `jkeras.applications`."""

from __future__ import annotations

from jkeras import layers
from jkeras.applications import efficientnet
from jkeras.applications.efficient_blocks import classified
from jkeras.applications.mobilenet_v2 import MobileNetV2 as _MobileNetV2
from jkeras.architectures.parts import ImageShape, blocks, head
from jkeras.models.model import Model
from jkeras.types import ActivationLike


def MobileNetV2(
    input_shape: ImageShape = (224, 224, 3),
    classes: int = 1000,
    *,
    alpha: float = 1.0,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
) -> Model:
    """The network of inverted residuals, as in `jkeras.applications.MobileNetV2`, with fresh weights.

    Args:
        input_shape: height, width, channels.
        classes: the number of outputs of the classifier.
        alpha: the width multiplier of all channel counts.
        include_top: whether to add the classifier.
        pooling: without a classifier, "avg", "max", or None for no pooling.
        classifier_activation: the activation of the classifier; None returns logits.

    Returns:
        A `Model` with random weights.

    Raises:
        ArgumentError: an argument is invalid, or the image is smaller than 32 x 32.

    Source: Sandler et al., 2018, https://arxiv.org/abs/1801.04381.

    >>> MobileNetV2((96, 96, 3), alpha=0.5, include_top=False, pooling="avg").output_shape
    (None, 1280)
    """
    return _MobileNetV2(
        input_shape,
        alpha,
        include_top,
        weights=None,
        pooling=pooling,  # type: ignore[arg-type]  # checked there
        classes=classes,
        classifier_activation=classifier_activation,
    )


def EfficientNetB0(
    input_shape: ImageShape = (224, 224, 3),
    classes: int = 1000,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
    dropout_rate: float = 0.2,
    drop_connect_rate: float = 0.2,
) -> Model:
    """The smallest EfficientNet, as in `jkeras.applications.EfficientNetB0`, with fresh weights.

    Pixel values are from 0 to 255; the network rescales them itself.

    Args:
        input_shape: height, width, channels.
        classes: the number of outputs of the classifier.
        include_top: whether to add the classifier.
        pooling: without a classifier, "avg", "max", or None for no pooling.
        classifier_activation: the activation of the classifier; None returns logits.
        dropout_rate: the dropout rate before the classifier.
        drop_connect_rate: the probability that a sample skips the last block; earlier blocks are skipped less often.

    Returns:
        A `Model` with random weights.

    Source: Tan and Le, 2019, https://arxiv.org/abs/1905.11946.

    >>> EfficientNetB0(include_top=False, pooling="avg").output_shape
    (None, 1280)
    """
    inputs, parts = layers.Input(input_shape), blocks()
    x = efficientnet.scaled(parts, inputs, {"weights": None, "path": None})
    x = efficientnet.features(parts, x, efficientnet.SIZES["B0"], drop_connect_rate)
    if include_top:
        options = {"classes": classes, "classifier_activation": classifier_activation}
        x = classified(parts, x, options, dropout_rate)
    else:
        x = head(x, False, pooling, classes, None)
    return Model(inputs, x, name="efficientnetb0")
