"""The shape of a network's input images."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from jkeras import arguments, config
from jkeras.errors import ArgumentError

Shape = tuple[int | None, ...]


def image_shape(network: str, options: Mapping[str, Any], size: int, smallest: int, *, any_size: bool = False) -> Shape:
    """Height, width and channels, in the configured data format; None means any size.

    Args:
        network: the name of the network, for messages.
        options: its arguments.
        size: the default height and width.
        smallest: the least height and width.
        any_size: whether the classifier also accepts images of any size.

    Raises:
        ArgumentError: the shape is not that of an image, is too small, or does not match the weights.
    """
    shape_argument, pretrained = options["input_shape"], options["weights"] == "imagenet"
    with_top = options["include_top"] and not any_size
    if not shape_argument:
        return _ordered(size, size, 3) if with_top else _ordered(None, None, 3)
    shape = tuple(arguments.checked(network, "input_shape", shape_argument, arguments.shape))
    where = f"{network}(input_shape={shape_argument!r})"
    if len(shape) != 3:
        raise ArgumentError(f"{where}: `input_shape` must be a tuple of three integers, {_layout()}.")
    channels = shape[channel_place()]
    if pretrained and with_top:
        expected = _ordered(size, size, 3)
        if shape != expected:
            raise ArgumentError(
                f"{where}: with `include_top=True` and weights='imagenet', `input_shape` should be {expected}."
                " Write include_top=False for images of other sizes."
            )
        return expected
    if pretrained and channels != 3:
        raise ArgumentError(f"{where}: with weights='imagenet' the input must have 3 channels.")
    if not pretrained and channels not in (1, 3):
        warnings.warn(f"{where}: images usually have 1 or 3 channels, these have {channels}.", stacklevel=4)
    height, width = sides(shape)
    if any(side is not None and side < smallest for side in (height, width)):
        raise ArgumentError(f"{where}: Input size must be at least {smallest}x{smallest}.")
    if with_top and None in shape:
        raise ArgumentError(
            f"{where}: If `include_top` is True, you should specify a static `input_shape`, without None."
        )
    return shape


def check_same_width(network: str, tensor: Shape, shape: Shape) -> None:
    """Checks a shape against that of a symbolic input tensor.

    Raises:
        ArgumentError: the widths differ.
    """
    width = sides(tensor[1:])[1]
    if width != sides(shape)[1]:
        raise ArgumentError(
            f"{network}(input_shape={shape}): the width differs from that of `input_tensor`, {width}. Pass only one of them."
        )


def channel_place() -> int:
    """The index of the channels in a shape without the batch axis."""
    return 0 if config.image_data_format() == "channels_first" else 2


def sides(shape: Shape) -> tuple[int | None, int | None]:
    """The height and width in a shape without the batch axis."""
    height, width = (size for place, size in enumerate(shape) if place != channel_place())
    return height, width


def _ordered(height: int | None, width: int | None, channels: int) -> Shape:
    return (channels, height, width) if channel_place() == 0 else (height, width, channels)


def _layout() -> str:
    return "channels, height, width" if channel_place() == 0 else "height, width, channels"
