"""Options of the networks for small devices: widths that there are weights for, sizes that decide which."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from jkeras import arguments
from jkeras.applications.image_shape import sides
from jkeras.errors import ArgumentError

_POSITIVE = arguments.between(0, float("inf"), open_low=True)


def square(shape: Sequence[int | None] | None, sizes: Sequence[int]) -> int | None:
    """The side of images that are square and of one of the sizes."""
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
    """Says that the published weights are those for images of 224 by 224, if these are of a size that has none."""
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
    """Settles the width, the size that is expected of images, and how the model's name is made.

    Args:
        network: whose options these are.
        options: completed by `size` and `model_name`.
        sizes: the sizes of square images that there are weights for.
        widths: values of `alpha` that there are weights for.
        name: the name of the model, with `{alpha}` and `{side}`.
        shape: the shape of the images, where it is known by something else than `input_shape`.
    """
    check_width(network, options, widths)
    options["size"] = square(options["input_shape"] if shape is None else shape, sizes) or 224

    def model_name(shape: Sequence[int | None]) -> str:
        side = sides(tuple(shape))[0]
        if options["weights"] == "imagenet" and square(shape, sizes) is None:
            side = 224
        return name.format(alpha=options["alpha"], side=side)

    options["model_name"] = model_name
