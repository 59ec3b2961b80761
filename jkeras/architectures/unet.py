"""The U-Net for images to images (Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597)."""

from __future__ import annotations

from jkeras import layers
from jkeras.errors import ArgumentError
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.models.model import Model
from jkeras.types import ActivationLike


def _pair(x: SymbolicTensor, filters: int, name: str) -> SymbolicTensor:
    for i in (1, 2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv{i}")(x)
        x = layers.BatchNormalization(name=f"{name}_bn{i}")(x)
        x = layers.Activation("relu", name=f"{name}_relu{i}")(x)
    return x


def UNet(
    input_shape: tuple[int | None, int | None, int] = (128, 128, 3),
    classes: int = 1,
    *,
    filters: int = 32,
    depth: int = 4,
    activation: ActivationLike = "sigmoid",
) -> Model:
    """A network that predicts a value or a class for each pixel, with shortcuts between layers of equal resolution.

    Convolutions use padding "same", so outputs are as large as inputs, and are followed by batch normalization.

    Args:
        input_shape: height, width, channels; height and width must be multiples of `2**depth`.
        classes: the number of output channels.
        filters: the number of channels of the first convolutions; doubled at each downsampling step.
        depth: the number of downsampling steps.
        activation: the activation of the output; "softmax" for several classes, None for logits.

    Raises:
        ArgumentError: height and width cannot be halved `depth` times.

    >>> UNet((32, 32, 1), filters=4, depth=2).output_shape
    (None, 32, 32, 1)
    """
    if any(size is not None and size % 2**depth for size in input_shape[:2]):
        raise ArgumentError(f"UNet(depth={depth}): height and width {input_shape[:2]} must be multiples of {2**depth}.")
    inputs = layers.Input(input_shape)
    x, skips = inputs, []
    for level in range(depth):
        x = _pair(x, filters * 2**level, f"down{level + 1}")
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"down{level + 1}_pool")(x)
    x = _pair(x, filters * 2**depth, "bottom")
    for level in reversed(range(depth)):
        x = layers.Conv2DTranspose(filters * 2**level, 2, strides=2, name=f"up{level + 1}_conv")(x)
        x = layers.Concatenate(name=f"up{level + 1}_join")([skips[level], x])
        x = _pair(x, filters * 2**level, f"up{level + 1}")
    return Model(inputs, layers.Conv2D(classes, 1, activation=activation, name="outputs")(x), name="unet")
