"""Residual networks (He et al., 2015, https://arxiv.org/abs/1512.03385)."""

from __future__ import annotations

from jkeras import layers
from jkeras.applications.residual import Block, basic, bottleneck, stages, stem, unit
from jkeras.architectures.parts import ImageShape, blocks, head
from jkeras.models.model import Model
from jkeras.types import ActivationLike


def _resnet(
    name: str,
    block: Block,
    depths: tuple[int, ...],
    input_shape: ImageShape,
    classes: int,
    include_top: bool,
    pooling: str | None,
    classifier_activation: ActivationLike,
    small_images: bool,
) -> Model:
    inputs = layers.Input(input_shape)
    parts = blocks()
    x = unit(parts, inputs, 64, 3, 1, "conv1", same=True) if small_images else stem(parts, inputs)
    x = stages(parts, x, block, depths)
    return Model(inputs, head(x, include_top, pooling, classes, classifier_activation), name=name)


def ResNet18(
    input_shape: ImageShape = (224, 224, 3),
    classes: int = 1000,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
    small_images: bool = False,
) -> Model:
    """The residual network with 18 layers.

    Args:
        input_shape: height, width, channels.
        classes: the number of outputs of the classifier.
        include_top: whether to add the classifier.
        pooling: without a classifier, "avg", "max", or None for no pooling.
        classifier_activation: the activation of the classifier; None returns logits.
        small_images: whether to start with a 3x3 convolution with stride 1 and no pooling, for small images such as CIFAR's.

    Returns:
        A `Model` with random weights.

    Source: He et al., 2015, https://arxiv.org/abs/1512.03385.

    >>> ResNet18((32, 32, 3), classes=10, small_images=True).count_params()
    11188362
    """
    top = (classes, include_top, pooling, classifier_activation)
    return _resnet("resnet18", basic, (2, 2, 2, 2), input_shape, *top, small_images)


def ResNet34(
    input_shape: ImageShape = (224, 224, 3),
    classes: int = 1000,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
    small_images: bool = False,
) -> Model:
    """The residual network with 34 layers.

    Args:
        input_shape: height, width, channels.
        classes: the number of outputs of the classifier.
        include_top: whether to add the classifier.
        pooling: without a classifier, "avg", "max", or None for no pooling.
        classifier_activation: the activation of the classifier; None returns logits.
        small_images: whether to start with a 3x3 convolution with stride 1 and no pooling, for small images such as CIFAR's.

    Returns:
        A `Model` with random weights.

    Source: He et al., 2015, https://arxiv.org/abs/1512.03385.

    >>> ResNet34((32, 32, 3), classes=10, small_images=True).output_shape
    (None, 10)
    """
    top = (classes, include_top, pooling, classifier_activation)
    return _resnet("resnet34", basic, (3, 4, 6, 3), input_shape, *top, small_images)


def ResNet50(
    input_shape: ImageShape = (224, 224, 3),
    classes: int = 1000,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
    small_images: bool = False,
) -> Model:
    """The residual network with 50 layers and bottleneck blocks, as in `keras.applications.ResNet50`.

    If `small_images` is False, weight files of `keras.applications` load.

    Args:
        input_shape: height, width, channels.
        classes: the number of outputs of the classifier.
        include_top: whether to add the classifier.
        pooling: without a classifier, "avg", "max", or None for no pooling.
        classifier_activation: the activation of the classifier; None returns logits.
        small_images: whether to start with a 3x3 convolution with stride 1 and no pooling, for small images such as CIFAR's.

    Returns:
        A `Model` with random weights.

    Source: He et al., 2015, https://arxiv.org/abs/1512.03385.

    >>> ResNet50(include_top=False, pooling="avg").output_shape
    (None, 2048)
    """
    top = (classes, include_top, pooling, classifier_activation)
    return _resnet("resnet50", bottleneck, (3, 4, 6, 3), input_shape, *top, small_images)
