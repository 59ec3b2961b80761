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
    """The network of inverted residuals, as `jkeras.applications.MobileNetV2` has it, with fresh weights.

    Args:
        input_shape: height, width, channels.
        classes: outputs of the classifier.
        alpha: the width; all numbers of channels are multiplied by it.
        include_top: whether there is a classifier.
        pooling: without one, "avg", "max" or None for the features as they are.
        classifier_activation: of the classifier; None for logits.
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
    """The smallest EfficientNet, as `jkeras.applications.EfficientNetB0` has it, with fresh weights.

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
    inputs, parts = layers.Input(input_shape), blocks()
    x = efficientnet.scaled(parts, inputs, {"weights": None, "path": None})
    x = efficientnet.features(parts, x, efficientnet.SIZES["B0"], drop_connect_rate)
    if include_top:
        options = {"classes": classes, "classifier_activation": classifier_activation}
        x = classified(parts, x, options, dropout_rate)
    else:
        x = head(x, False, pooling, classes, None)
    return Model(inputs, x, name="efficientnetb0")
