"""Where height, width and channels of images are, and how their arguments are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jkeras import config
from jkeras.errors import ArgumentError, InputError
from jkeras.types import TensorLike


def checked(function: str, name: str, value: Any, check: Callable[[Any], Any]) -> Any:
    """An argument of a function in `ops.image` as `check` gives it; its errors name both."""
    try:
        return check(value)
    except ArgumentError as error:
        raise ArgumentError(f"ops.image.{function}({name}={value!r}): {error}") from None


def image_array(function: str, images: TensorLike) -> jax.Array:
    """One image or a batch of images as an array."""
    images = jnp.asarray(images)
    if images.ndim not in (3, 4):
        raise InputError(
            f"ops.image.{function}: expected one image (3 axes) or a batch of images (4 axes), got {images.shape}."
        )
    return images


def image_axes(data_format: str | None) -> tuple[int, int, int]:
    """The axes of height, width and channels, counted from the end."""
    return (-3, -2, -1) if config.standardize_data_format(data_format) == "channels_last" else (-2, -1, -3)


def as_batch(images: jax.Array, data_format: str | None) -> tuple[jax.Array, Callable[[jax.Array], jax.Array]]:
    """Images as `(batch, height, width, channels)`, and the way back."""
    single = images.ndim == 3
    first = config.standardize_data_format(data_format) == "channels_first"
    batch = images[None] if single else images
    batch = batch.transpose(0, 2, 3, 1) if first else batch

    def back(result: jax.Array) -> jax.Array:
        result = jnp.moveaxis(result, 3, 1) if first else result
        return result[0] if single else result

    return batch, back


def planes(images: jax.Array, axis: int) -> list[jax.Array]:
    """The channels of images, each cut out where it lies: to move their axis to the front takes a copy in another order."""
    return [jax.lax.index_in_dim(images, channel, axis, keepdims=False) for channel in range(images.shape[axis])]
