"""Residual networks (He et al., 2015, https://arxiv.org/abs/1512.03385)."""

from __future__ import annotations

from collections.abc import Callable

from jkeras import layers
from jkeras.architectures.parts import head
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.models.model import Model
from jkeras.types import ActivationLike

EPSILON = 1.001e-5


def _unit(
    x: SymbolicTensor, filters: int, kernel: int, stride: int, name: str, *, same: bool = False, active: bool = True
) -> SymbolicTensor:
    x = layers.Conv2D(filters, kernel, strides=stride, padding="same" if same else "valid", name=f"{name}_conv")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    if active:
        x = layers.Activation("relu", name=f"{name}_relu")(x)
    return x


def _bottleneck(x: SymbolicTensor, filters: int, stride: int, project: bool, name: str) -> SymbolicTensor:
    shortcut = _unit(x, 4 * filters, 1, stride, f"{name}_0", active=False) if project else x
    x = _unit(x, filters, 1, stride, f"{name}_1")
    x = _unit(x, filters, 3, 1, f"{name}_2", same=True)
    x = _unit(x, 4 * filters, 1, 1, f"{name}_3", active=False)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    x = layers.Activation("relu", name=f"{name}_out")(x)
    return x


def _basic(x: SymbolicTensor, filters: int, stride: int, project: bool, name: str) -> SymbolicTensor:
    project = project and (stride > 1 or x.shape[-1] != filters)
    shortcut = _unit(x, filters, 1, stride, f"{name}_0", active=False) if project else x
    x = _unit(x, filters, 3, stride, f"{name}_1", same=True)
    x = _unit(x, filters, 3, 1, f"{name}_2", same=True, active=False)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    x = layers.Activation("relu", name=f"{name}_out")(x)
    return x


def _resnet(
    name: str,
    block: Callable[[SymbolicTensor, int, int, bool, str], SymbolicTensor],
    depths: tuple[int, ...],
    input_shape: tuple[int | None, int | None, int],
    classes: int,
    include_top: bool,
    pooling: str | None,
    classifier_activation: ActivationLike,
    small_images: bool,
) -> Model:
    inputs = layers.Input(input_shape)
    x = inputs
    if small_images:
        x = _unit(x, 64, 3, 1, "conv1", same=True)
    else:
        x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
        x = _unit(x, 64, 7, 2, "conv1")
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            stride = 2 if stage and i == 0 else 1
            x = block(x, 64 * 2**stage, stride, i == 0, f"conv{stage + 2}_block{i + 1}")
    return Model(inputs, head(x, include_top, pooling, classes, classifier_activation), name=name)


def ResNet18(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    classes: int = 1000,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
    small_images: bool = False,
) -> Model:
    """The residual network of 18 layers.

    Args:
        input_shape: height, width, channels.
        classes: outputs of the classifier.
        include_top: whether there is one.
        pooling: without a classifier, "avg", "max" or None for the features as they are.
        classifier_activation: of the classifier; None for logits.
        small_images: starts with a 3x3 convolution of stride 1 and no pooling, for images such as CIFAR's.

    >>> ResNet18((32, 32, 3), classes=10, small_images=True).count_params()
    11188362
    """
    top = (classes, include_top, pooling, classifier_activation)
    return _resnet("resnet18", _basic, (2, 2, 2, 2), input_shape, *top, small_images)


def ResNet34(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    classes: int = 1000,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
    small_images: bool = False,
) -> Model:
    """The residual network of 34 layers; arguments as for `ResNet18`."""
    top = (classes, include_top, pooling, classifier_activation)
    return _resnet("resnet34", _basic, (3, 4, 6, 3), input_shape, *top, small_images)


def ResNet50(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    classes: int = 1000,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: ActivationLike = "softmax",
    small_images: bool = False,
) -> Model:
    """The residual network of 50 layers, with bottlenecks, as `keras.applications.ResNet50` has it.

    Arguments as for `ResNet18`. Weight files of `keras.applications` fit if `small_images` is False.
    """
    top = (classes, include_top, pooling, classifier_activation)
    return _resnet("resnet50", _bottleneck, (3, 4, 6, 3), input_shape, *top, small_images)
