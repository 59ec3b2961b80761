"""Changes of colour spaces."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jkeras import config
from jkeras.errors import InputError
from jkeras.ops.image_layout import image_array, image_axes, planes
from jkeras.types import TensorLike


def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> jax.Array:
    """The luminance of colours, in one channel."""
    images = image_array("rgb_to_grayscale", images)
    channels = image_axes(data_format)[2]
    if images.shape[channels] == 1:
        return images
    if images.shape[channels] != 3:
        raise InputError(f"ops.image.rgb_to_grayscale: expected 1 or 3 channels, got shape {images.shape}.")
    exact = images if jnp.issubdtype(images.dtype, jnp.floating) else images.astype(config.floatx())
    grey = jnp.tensordot(exact, jnp.asarray([0.2989, 0.5870, 0.1140], exact.dtype), axes=(channels, 0))
    return jnp.expand_dims(grey, channels).astype(images.dtype)


def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> jax.Array:
    """Hue, saturation and value of colours in [0, 1]."""
    images = _colours("rgb_to_hsv", images)
    channels = image_axes(data_format)[2]
    images = jnp.where(jnp.abs(images) < jnp.finfo(images.dtype).eps, 0, images)
    red, green, blue = planes(images, channels)
    value = jnp.maximum(jnp.maximum(red, green), blue)
    span = value - jnp.minimum(jnp.minimum(red, green), blue)
    saturation = jnp.where(value > 0, span / jnp.where(value > 0, value, 1), 0)
    sixth = 1 / (6 * jnp.where(span > 0, span, 1))
    hue = jnp.where(value == green, sixth * (blue - red) + 2 / 6, sixth * (red - green) + 4 / 6)
    hue = jnp.where(value == red, sixth * (green - blue), hue)
    hue = jnp.where(span > 0, hue, 0) + (hue < 0)
    return jnp.stack([hue, saturation, value], axis=channels).astype(images.dtype)


def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> jax.Array:
    """Colours from hue, saturation and value."""
    images = _colours("hsv_to_rgb", images)
    channels = image_axes(data_format)[2]
    hue, saturation, value = planes(images, channels)
    sixths = (hue % 1) * 6
    shares = (jnp.abs(sixths - 3) - 1, 2 - jnp.abs(sixths - 2), 2 - jnp.abs(sixths - 4))
    mixed = [value * (1 - saturation + saturation * jnp.clip(share, 0, 1)) for share in shares]
    return jnp.stack(mixed, axis=channels)


def _colours(function: str, images: TensorLike) -> jax.Array:
    images = image_array(function, images)
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise InputError(f"ops.image.{function}: expected floats in [0, 1], got {images.dtype}; divide by 255 first.")
    return images
