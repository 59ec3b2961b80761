"""`tf.image`: pictures `(height, width, channels)` and batches of them. Arrays on the host stay there, so that a data set of
pictures of many sizes compiles nothing."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError, InputError
from jkeras.keras import ops
from jkeras.keras import random as _random
from jkeras.scripts.tensorflow.arrays import dtype_of, sizes
from jkeras.scripts.tensorflow.tensors import host
from jkeras.types import DTypeLike, TensorLike
from jkeras.utils import images as pictures

random: Any = _random  # its functions are made from those of the core

# Names of interpolations; what Keras calls them.
METHODS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


def _library(image: TensorLike) -> Any:
    return jnp if isinstance(image, jax.Array) else np


def _array(image: TensorLike) -> Any:
    return image if isinstance(image, jax.Array) else np.asarray(image)


def _back(image: TensorLike) -> Any:
    return image if isinstance(image, jax.Array) else host(image)


def _floats(image: TensorLike) -> Any:
    """Pictures as numbers from 0 to 1."""
    array = _array(image)
    if array.dtype.kind in "iu":
        return array.astype("float32") / np.float32(np.iinfo(array.dtype).max)
    return array


def _like(changed: Any, image: TensorLike) -> Any:
    """Numbers from 0 to 1 as values of the type that a picture has."""
    kind = _array(image).dtype
    if kind.kind not in "iu":
        return _back(changed.astype(kind))
    top = np.iinfo(kind).max
    return _back(_library(changed).clip(changed * (top + 0.5), 0, top).astype(kind))


# -- sizes --------------------------------------------------------------------------------------------------------------------


def resize(
    images: Any, size: Any, method: str = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False
) -> Any:
    """Pictures in another size, as float32, or with "nearest" in their own type.

    Raises:
        ArgumentError: an unknown method.
    """
    if method not in METHODS:
        raise ArgumentError(f"tf.image.resize(method={method!r}): expected one of {', '.join(map(repr, METHODS))}.")
    height, width = sizes(size)
    if preserve_aspect_ratio:
        have = images.shape[-3:-1]
        scale = min(height / have[0], width / have[1])
        height, width = round(have[0] * scale), round(have[1] * scale)
    if isinstance(images, jax.Array) or antialias:
        resized = ops.image.resize(
            jnp.asarray(images, "float32"), (height, width), interpolation=method, antialias=antialias,
            data_format="channels_last",
        )  # fmt: skip
    else:
        resized = host(pictures.resize(np.asarray(images), (height, width), method, "channels_last"))
    return resized.astype(images.dtype) if method == "nearest" else resized


def resize_with_pad(image: Any, target_height: int, target_width: int, method: str = "bilinear") -> Any:
    """Pictures resized as far as they fit in, with zeros around."""
    height, width = image.shape[-3:-1]
    ratio = max(height / target_height, width / target_width)
    resized = resize(image, (math.floor(height / ratio), math.floor(width / ratio)), method)
    return resize_with_crop_or_pad(resized, target_height, target_width)


def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Any:
    """Pictures cut off or filled up with zeros around their centre."""
    height, width = image.shape[-3:-1]
    cut = (max(height - target_height, 0) // 2, max(width - target_width, 0) // 2)
    cropped = crop_to_bounding_box(image, *cut, min(height, target_height), min(width, target_width))
    before = (max(target_height - height, 0) // 2, max(target_width - width, 0) // 2)
    return pad_to_bounding_box(cropped, *before, target_height, target_width)


def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """A part of pictures.

    Raises:
        InputError: it is not inside.
    """
    height, width = image.shape[-3:-1]
    if (
        min(offset_height, offset_width) < 0
        or offset_height + target_height > height
        or offset_width + target_width > width
    ):
        raise InputError(
            f"tf.image.crop_to_bounding_box: {target_height} x {target_width} from ({offset_height}, {offset_width}) is not"
            f" inside of {height} x {width}."
        )
    rows, columns = (
        slice(offset_height, offset_height + target_height),
        slice(offset_width, offset_width + target_width),
    )
    return image[..., rows, columns, :]


def pad_to_bounding_box(
    image: TensorLike, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """Pictures with zeros around.

    Raises:
        InputError: they do not fit in.
    """
    array = _array(image)
    height, width = array.shape[-3:-1]
    after = (target_height - offset_height - height, target_width - offset_width - width)
    if min(offset_height, offset_width, *after) < 0:
        raise InputError(
            f"tf.image.pad_to_bounding_box: {height} x {width} from ({offset_height}, {offset_width}) does not fit into"
            f" {target_height} x {target_width}."
        )
    widths = [(0, 0)] * (array.ndim - 3) + [(offset_height, after[0]), (offset_width, after[1]), (0, 0)]
    return _back(_library(array).pad(array, widths))


def central_crop(image: Any, central_fraction: float) -> Any:
    """The centre of pictures, a share of each side.

    Raises:
        ArgumentError: the share is not between 0 and 1.
    """
    if not 0 < central_fraction <= 1:
        raise ArgumentError(
            f"tf.image.central_crop(central_fraction={central_fraction!r}): expected a number from 0 to 1."
        )
    height, width = image.shape[-3:-1]
    top, left = int((height - height * central_fraction) / 2), int((width - width * central_fraction) / 2)
    return image[..., top : height - top, left : width - left, :]


# -- turning ------------------------------------------------------------------------------------------------------------------


def flip_left_right(image: TensorLike) -> Any:
    """Pictures mirrored from left to right."""
    return _back(_library(image).flip(_array(image), -2))


def flip_up_down(image: TensorLike) -> Any:
    """Pictures turned upside down."""
    return _back(_library(image).flip(_array(image), -3))


def rot90(image: TensorLike, k: int = 1) -> Any:
    """Pictures turned by a quarter, against the clock."""
    return _back(_library(image).rot90(_array(image), k, (-3, -2)))


def transpose(image: TensorLike) -> Any:
    """Pictures with rows and columns exchanged."""
    return _back(_library(image).swapaxes(_array(image), -3, -2))


def _draw(seed: int | None, low: float = 0.0, high: float = 1.0) -> float:
    return float(random.uniform((), low, high, seed=seed))


def random_flip_left_right(image: TensorLike, seed: int | None = None) -> Any:
    """Pictures, every second one mirrored."""
    return _some(image, flip_left_right, seed)


def random_flip_up_down(image: TensorLike, seed: int | None = None) -> Any:
    """Pictures, every second one upside down."""
    return _some(image, flip_up_down, seed)


def _some(image: Any, change: Any, seed: Any) -> Any:
    if image.ndim == 3:
        return change(image) if _draw(seed) < 0.5 else image
    flips = np.asarray(random.uniform((len(image),), seed=seed)) < 0.5
    return _back(_library(image).where(flips[:, None, None, None], change(image), _array(image)))


def random_crop(value: Any, size: Any, seed: Any = None) -> Any:
    """A block of a size from a random place.

    Raises:
        InputError: it is larger than the tensor.
    """
    lengths = sizes(size)
    room = [have - want for have, want in zip(value.shape, lengths, strict=True)]
    if min(room) < 0:
        raise InputError(f"tf.image.random_crop: {lengths} is larger than {tuple(value.shape)}.")
    shares = np.asarray(random.uniform((len(lengths),), seed=seed))
    starts = [int(share * (space + 1)) for share, space in zip(shares, room, strict=True)]
    return value[tuple(slice(start, start + length) for start, length in zip(starts, lengths, strict=True))]


# -- colours ------------------------------------------------------------------------------------------------------------------

_GREY = np.array([0.2989, 0.587, 0.114], "float32")  # ITU-R BT.601


def convert_image_dtype(image: TensorLike, dtype: DTypeLike, saturate: bool = False) -> Any:
    """Values scaled from the range of their type to that of another; floats are from 0 to 1."""
    array, kind = _array(image), dtype_of(dtype)
    if array.dtype == kind:
        return image
    if array.dtype.kind in "iu" and kind.kind in "iu":
        have, want = np.iinfo(array.dtype).max, np.iinfo(kind).max
        return _back(
            (
                array // ((have + 1) // (want + 1)) if have > want else array.astype(kind) * ((want + 1) // (have + 1))
            ).astype(kind)
        )
    if kind.kind not in "iu":
        return _back(_floats(array).astype(kind))
    top = np.iinfo(kind).max
    scaled = array * (top + 0.5)
    return _back((_library(array).clip(scaled, 0, top) if saturate else scaled).astype(kind))


def rgb_to_grayscale(images: TensorLike) -> Any:
    """Colours as shades of grey, in the pictures' type."""
    grey = (_floats(images) * _GREY).sum(-1, keepdims=True)
    return _like(grey, images)


def grayscale_to_rgb(images: TensorLike) -> Any:
    """Shades of grey three times."""
    return _back(_library(images).repeat(_array(images), 3, axis=-1))


def rgb_to_hsv(images: TensorLike) -> Any:
    """Hue, saturation and value, each from 0 to 1."""
    lib, rgb = _library(images), _array(images)
    high, low = rgb.max(-1), rgb.min(-1)
    spread = high - low
    safe = lib.where(spread == 0, 1, spread)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    hue = lib.where(
        high == red, (green - blue) / safe, lib.where(high == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    )
    hue = lib.where(spread == 0, 0, hue / 6 % 1)
    saturation = lib.where(high == 0, 0, spread / lib.where(high == 0, 1, high))
    return _back(lib.stack([hue, saturation, high], -1).astype(rgb.dtype))


def hsv_to_rgb(images: TensorLike) -> Any:
    """The colours of hue, saturation and value."""
    lib, hsv = _library(images), _array(images)
    hue, saturation, value = hsv[..., :1], hsv[..., 1:2], hsv[..., 2:]
    offsets = np.array([0, 4, 2], "float32") / np.float32(6)
    share = lib.clip(lib.abs((hue + offsets) % 1 * 6 - 3) - 1, 0, 1)
    return _back((value * (1 - saturation * (1 - share))).astype(hsv.dtype))


def adjust_brightness(image: TensorLike, delta: float) -> Any:
    """Pictures with a number added; the number is of the scale from 0 to 1."""
    return _like(_floats(image) + np.float32(delta), image)


def adjust_contrast(images: TensorLike, contrast_factor: float) -> Any:
    """Pictures with the distance of each channel from its mean multiplied."""
    values = _floats(images)
    mean = values.mean((-3, -2), keepdims=True)
    return _like((values - mean) * np.float32(contrast_factor) + mean, images)


def adjust_gamma(image: TensorLike, gamma: float = 1, gain: float = 1) -> Any:
    """Pictures with their values, from 0 to 1, raised to a power."""
    return _like(np.float32(gain) * _floats(image) ** np.float32(gamma), image)


def adjust_saturation(image: TensorLike, saturation_factor: float) -> Any:
    """Pictures with stronger or weaker colours."""
    lib, hsv = _library(image), _array(rgb_to_hsv(_floats(image)))
    strong = lib.clip(hsv[..., 1:2] * np.float32(saturation_factor), 0, 1)
    return _like(_array(hsv_to_rgb(lib.concatenate([hsv[..., :1], strong, hsv[..., 2:]], -1))), image)


def adjust_hue(image: TensorLike, delta: float) -> Any:
    """Pictures with their hue turned by a share of the circle."""
    lib, hsv = _library(image), _array(rgb_to_hsv(_floats(image)))
    hue = (hsv[..., :1] + np.float32(delta)) % 1
    return _like(_array(hsv_to_rgb(lib.concatenate([hue, hsv[..., 1:]], -1))), image)


def random_brightness(image: TensorLike, max_delta: float, seed: int | None = None) -> Any:
    """Pictures made darker or brighter."""
    return adjust_brightness(image, _draw(seed, -max_delta, max_delta))


def random_contrast(image: TensorLike, lower: float, upper: float, seed: int | None = None) -> Any:
    """Pictures with less or more contrast."""
    return adjust_contrast(image, _draw(seed, lower, upper))


def random_saturation(image: TensorLike, lower: float, upper: float, seed: int | None = None) -> Any:
    """Pictures with weaker or stronger colours."""
    return adjust_saturation(image, _draw(seed, lower, upper))


def random_hue(image: TensorLike, max_delta: float, seed: int | None = None) -> Any:
    """Pictures with their hue turned."""
    return adjust_hue(image, _draw(seed, -max_delta, max_delta))


def per_image_standardization(image: TensorLike) -> Any:
    """Each picture with mean 0 and variance 1."""
    values = _array(image).astype("float32")
    axes, count = (-3, -2, -1), np.prod(values.shape[-3:])
    deviation = _library(values).maximum(values.std(axes, keepdims=True), np.float32(1 / np.sqrt(count)))
    return _back((values - values.mean(axes, keepdims=True)) / deviation)


def total_variation(images: TensorLike) -> Any:
    """The sum of the differences between neighbours, of each picture."""
    values = _array(images)
    lib = _library(values)
    down, right = (
        lib.abs(values[..., 1:, :, :] - values[..., :-1, :, :]),
        lib.abs(values[..., 1:, :] - values[..., :-1, :]),
    )
    axes = (-3, -2, -1)
    return _back(lib.asarray(down.sum(axes) + right.sum(axes)))


def psnr(a: TensorLike, b: TensorLike, max_val: float) -> Any:
    """The ratio of the peak to the noise, of each pair of pictures, in decibels."""
    difference = jnp.mean(jnp.square(jnp.asarray(a, "float32") - jnp.asarray(b, "float32")), axis=(-3, -2, -1))
    return 20 * jnp.log10(jnp.float32(max_val)) - 10 * jnp.log10(difference)
