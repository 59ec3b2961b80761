"""A small vision transformer (Dosovitskiy et al., 2020, https://arxiv.org/abs/2010.11929)."""

from __future__ import annotations

from jkeras import layers
from jkeras.architectures.transformer import Positions, block
from jkeras.errors import ArgumentError
from jkeras.models.model import Model
from jkeras.types import ActivationLike


def ViTTiny(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    *,
    patch_size: int = 16,
    width: int = 192,
    depth: int = 12,
    heads: int = 3,
    dropout_rate: float = 0.0,
    include_top: bool = True,
    classifier_activation: ActivationLike = "softmax",
) -> Model:
    """A transformer over patches of an image, with the mean of all patches before the classifier.

    Args:
        input_shape: height, width, channels; height and width must be multiples of `patch_size`.
        classes: the number of outputs of the classifier.
        patch_size: height and width of a patch.
        width: the number of features per patch.
        depth: blocks.
        heads: the number of attention heads; it must divide the width.
        dropout_rate: the dropout rate in the blocks.
        include_top: whether to add the classifier; without it, outputs are `(batch, patches, width)`.
        classifier_activation: the activation of the classifier; None returns logits.

    Raises:
        ArgumentError: the image does not consist of whole patches, or the number of heads does not divide the width.

    >>> ViTTiny((32, 32, 3), classes=10, patch_size=4, depth=2).output_shape
    (None, 10)
    """
    height, wide = input_shape[:2]
    if height % patch_size or wide % patch_size:
        raise ArgumentError(
            f"ViTTiny(patch_size={patch_size}): an image of {height} x {wide} cannot be divided into whole patches."
        )
    if width % heads:
        raise ArgumentError(f"ViTTiny(heads={heads}): expected a divisor of the width, {width}.")
    inputs = layers.Input(input_shape)
    x = layers.Conv2D(width, patch_size, strides=patch_size, name="patches")(inputs)
    x = layers.Reshape((height // patch_size * (wide // patch_size), width), name="sequence")(x)
    x = Positions(name="positions")(x)
    for i in range(depth):
        x = block(x, heads, dropout_rate, causal=False, name=f"block{i + 1}")
    x = layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    if include_top:
        x = layers.GlobalAveragePooling1D(name="mean")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return Model(inputs, x, name="vit_tiny")
