"""Options of networks for small devices: the widths and image sizes with published weights."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from jkeras import arguments
from jkeras.applications.image_shape import sides
from jkeras.errors import ArgumentError

_POSITIVE = arguments.between(0, float("inf"), open_low=True)


def square(shape: Sequence[int | None] | None, sizes: Sequence[int]) -> int | None:
    """The side of square images with one of the sizes; None for others."""
    if not shape or len(shape) != 3:
        return None
    height, width = sides(tuple(shape))
    return height if height == width and height in sizes else None


def check_width(network: str, options: Mapping[str, Any], widths: Sequence[float]) -> None:
    """Checks `alpha`.

    Raises:
        ArgumentError: it is not a positive number, or there are no weights for it.
    """
    alpha = arguments.checked(network, "alpha", options["alpha"], _POSITIVE)
    if options["weights"] == "imagenet" and alpha not in widths:
        known = ", ".join(map(str, widths))
        raise ArgumentError(f"{network}(alpha={alpha}): with weights='imagenet' expected one of {known}.")


def warn_of_size(network: str, options: Mapping[str, Any], sizes: Sequence[int]) -> None:
    """Warns that weights for images of 224 x 224 are used if there are none for the image size."""
    if options["weights"] == "imagenet" and square(options["input_shape"], sizes) is None:
        warnings.warn(
            f"{network}(input_shape={options['input_shape']}): there are weights for square images of"
            f" {', '.join(map(str, sizes))} pixels; those for 224 are loaded.",
            stacklevel=5,
        )


def prepare(
    network: str,
    options: dict[str, Any],
    sizes: Sequence[int],
    widths: Sequence[float],
    name: str,
    shape: Sequence[int | None] | None = None,
) -> None:
    """Determines the width, the expected image size, and the model's name.

    Args:
        network: the name of the network.
        options: the options, to which `size` and `model_name` are added.
        sizes: the sizes of square images with published weights.
        widths: the values of `alpha` with published weights.
        name: the name of the model, with `{alpha}` and `{side}`.
        shape: the shape of images, if not determined by `input_shape`.
    """
    check_width(network, options, widths)
    options["size"] = square(options["input_shape"] if shape is None else shape, sizes) or 224

    def model_name(shape: Sequence[int | None]) -> str:
        side = sides(tuple(shape))[0]
        if options["weights"] == "imagenet" and square(shape, sizes) is None:
            side = 224
        return name.format(alpha=options["alpha"], side=side)

    options["model_name"] = model_name
