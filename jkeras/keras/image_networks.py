"""Helpers of image networks under the names of Keras's internals, for libraries that define such networks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from jkeras.errors import ArgumentError
from jkeras.keras import activations
from jkeras.keras.config import image_data_format

Shape = tuple[int | None, ...]


def obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int,
    min_size: int,
    data_format: str,
    require_flatten: bool,
    weights: str | None = None,
) -> Shape:
    """The shape of a network's images, from the user's argument and the network's requirements.

    Args:
        input_shape: the user's argument; None means the default.
        default_size: the height and width without an argument.
        min_size: the smallest height and width.
        data_format: "channels_last" or "channels_first".
        require_flatten: whether the network needs known sizes, for a dense layer on top.
        weights: "imagenet" requires three channels, and the default size below a dense layer.

    Raises:
        ArgumentError: the network or its weights do not support the sizes.

    >>> obtain_input_shape(None, 224, 32, "channels_last", require_flatten=False)
    (None, None, 3)
    >>> obtain_input_shape((96, 96, 3), 224, 32, "channels_last", require_flatten=True)
    (96, 96, 3)
    """
    first = data_format == "channels_first"
    channel_axis, sizes = (0, slice(1, 3)) if first else (-1, slice(0, 2))

    def shape_of(size: int | None, channels: int | None) -> Shape:
        return (channels, size, size) if first else (size, size, channels)

    channels: int | None = 3
    if weights != "imagenet" and input_shape and len(input_shape) == 3:
        channels = input_shape[channel_axis]
        if channels not in (1, 3):
            warnings.warn(
                "This model usually expects 1 or 3 input channels. However, it was passed an input_shape with"
                f" {channels} input channels.",
                stacklevel=2,
            )
    default = shape_of(default_size, channels)
    if weights == "imagenet" and require_flatten:
        if input_shape is not None and tuple(input_shape) != default:
            raise ArgumentError(
                "When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be"
                f" {default}.  Received: input_shape={input_shape}"
            )
        return default
    if not input_shape:
        return default if require_flatten else shape_of(None, 3)
    shape = tuple(input_shape)
    if len(shape) != 3:
        raise ArgumentError("`input_shape` must be a tuple of three integers.")
    if weights == "imagenet" and shape[channel_axis] != 3:
        raise ArgumentError(f"The input must have 3 channels; Received `input_shape={shape}`")
    if any(size is not None and size < min_size for size in shape[sizes]):
        raise ArgumentError(f"Input size must be at least {min_size}x{min_size}; Received: input_shape={shape}")
    if require_flatten and None in shape:
        raise ArgumentError(
            f"If `include_top` is True, you should specify a static `input_shape`. Received: input_shape={shape}"
        )
    return shape


def correct_pad(inputs: Any, kernel_size: int | Sequence[int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The rows and columns to add around images before a convolution with stride 2 and no padding.

    Args:
        inputs: images; only their shape is used.
        kernel_size: of the convolution.
    """
    axis = 2 if image_data_format() == "channels_first" else 1
    sizes = inputs.shape[axis : axis + 2]
    windows = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
    odd = (0, 0) if sizes[0] is None else (sizes[0] % 2, sizes[1] % 2)
    height, width = ((window // 2 - 1 + remainder, window // 2) for window, remainder in zip(windows, odd, strict=True))
    return height, width


def validate_activation(classifier_activation: Any, weights: str | None) -> None:
    """Refuses an activation that published weights were not trained with.

    Args:
        classifier_activation: of the top.
        weights: None is none.

    Raises:
        ArgumentError: it is neither None nor softmax.
    """
    if weights is not None and activations.get(classifier_activation) not in (
        activations.get("softmax"),
        activations.get(None),
    ):
        raise ArgumentError(
            "Only `None` and `softmax` activations are allowed for the `classifier_activation` argument when using"
            f" pretrained weights, with `include_top=True`; Received: classifier_activation={classifier_activation}"
        )
