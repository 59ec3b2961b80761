"""Picture files, Pillow images and arrays, and resizing without compiling a program per picture size.

Pillow is only needed to read and write files; it is imported on first use.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import numpy as np

from jkeras import arguments, config
from jkeras.dtypes import array_dtype
from jkeras.errors import ArgumentError, InputError
from jkeras.lazy import needed
from jkeras.types import DTypeLike, NestedNumbers
from jkeras.writing import creating

if TYPE_CHECKING:
    from PIL.Image import Image

Choice = TypeVar("Choice")

# Pillow's modes that each colour mode leaves as they are, and the one that it converts the others to.
COLOR_MODES: dict[str, tuple[tuple[str, ...], str]] = {
    "grayscale": (("L", "I;16", "I"), "L"),
    "rgb": (("RGB",), "RGB"),
    "rgba": (("RGBA",), "RGBA"),
}
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


def _pillow() -> Any:  # the module, whose functions have types that differ between versions
    return needed("PIL.Image", "Reading and writing pictures", "pillow")


def load_img(
    path: str | bytes | os.PathLike[str] | io.BytesIO,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image:
    """A picture file as a Pillow image.

    Args:
        path: the file, or its contents as `io.BytesIO`.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: the `(height, width)` to resize to; None keeps the size.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming".
        keep_aspect_ratio: whether to crop the picture to the target's shape, around its centre, instead of distorting it.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ArgumentError: the path, `color_mode`, `interpolation` or size is not valid.
        ImportError: Pillow is not installed.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "picture.png"
    >>> save_img(path, np.ones((8, 6, 3)))
    >>> load_img(path, target_size=(4, 4)).size
    (4, 4)
    """
    arguments.flags("load_img", keep_aspect_ratio=keep_aspect_ratio)
    image_module = _pillow()
    accepted, converted = _choice("load_img", "color_mode", color_mode, COLOR_MODES)
    name = os.fsdecode(path) if isinstance(path, bytes) else path
    if isinstance(name, io.BytesIO):
        source = name
    else:
        source = io.BytesIO(arguments.checked("load_img", "path", name, arguments.path).read_bytes())
    image: Image = image_module.open(source)
    if image.mode not in accepted:
        image = image.convert(converted)
    methods = {name.lower(): method for name, method in image_module.Resampling.__members__.items()}
    method = _choice("load_img", "interpolation", interpolation, methods)
    if target_size is None:
        return image
    target_size = _size("load_img", "target_size", target_size)
    if image.size == (target_size[1], target_size[0]):
        return image
    box = None
    if keep_aspect_ratio:
        (width, height), (target_height, target_width) = image.size, target_size
        crop_height = min(height, width * target_height // target_width)
        crop_width = min(width, height * target_width // target_height)
        top, left = (height - crop_height) // 2, (width - crop_width) // 2
        box = (left, top, left + crop_width, top + crop_height)
    return image.resize((target_size[1], target_size[0]), method, box=box)


def _choice(function: str, name: str, value: str, table: Mapping[str, Choice]) -> Choice:
    if not isinstance(value, str) or value not in table:
        raise ArgumentError(f"{function}({name}={value!r}): expected one of {', '.join(map(repr, table))}.")
    return table[value]


def _size(function: str, name: str, value: tuple[int, int]) -> tuple[int, int]:
    height, width = arguments.checked(function, name, value, arguments.ints(2))
    return height, width


def _dtype(function: str, dtype: DTypeLike | None) -> np.dtype[Any]:
    return arguments.checked(function, "dtype", config.floatx() if dtype is None else dtype, array_dtype)


def _layout(function: str, data_format: str | None) -> str:
    return arguments.checked(function, "data_format", data_format, config.standardize_data_format)


def img_to_array(
    img: Image | NestedNumbers, data_format: str | None = None, dtype: DTypeLike | None = None
) -> np.ndarray:
    """A Pillow image as an array.

    Args:
        img: a Pillow image, or an array `(height, width)` or `(height, width, channels)`.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.
        dtype: the type of the result; None means `jkeras.config.floatx()`.

    Returns:
        An array `(height, width, channels)`, or `(channels, height, width)` with channels first.

    Raises:
        InputError: the image has neither two nor three axes.
        ArgumentError: it is not an image, or `dtype` or `data_format` is unknown.

    >>> img_to_array([[0, 255], [255, 0]]).shape
    (2, 2, 1)
    """
    kind = _dtype("img_to_array", dtype)
    array = arguments.checked("img_to_array", "img", img, arguments.array).astype(kind, copy=False)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise InputError(f"img_to_array() needs an image, got an array of shape {array.shape}.")
    return array.transpose(2, 0, 1) if _layout("img_to_array", data_format) == "channels_first" else array


def array_to_img(
    x: NestedNumbers, data_format: str | None = None, scale: bool = True, dtype: DTypeLike | None = None
) -> Image:
    """An array with 1, 3 or 4 channels as a Pillow image.

    Args:
        x: `(height, width, channels)`, or `(channels, height, width)` with channels first.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.
        scale: whether to stretch the values so that the smallest becomes 0 and the largest 255.
        dtype: the type in which the values are stretched; None means `jkeras.config.floatx()`.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        InputError: `x` has another shape.
        ImportError: Pillow is not installed.

    >>> image = array_to_img(np.ones((4, 6, 3)))
    >>> image.size, image.mode
    ((6, 4), 'RGB')
    """
    arguments.flags("array_to_img", scale=scale)
    kind = _dtype("array_to_img", dtype)
    values = arguments.checked("array_to_img", "x", x, arguments.array).astype(kind, copy=False)
    shape = values.shape
    if values.ndim == 3 and _layout("array_to_img", data_format) == "channels_first":
        values = values.transpose(1, 2, 0)
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        raise InputError(f"array_to_img() needs one image of 1, 3 or 4 channels, got the shape {shape}.")
    if scale:
        values = values - values.min()
        largest = values.max()
        values = values * (255 / largest) if largest else values
    if values.shape[2] == 1:
        values = values[:, :, 0]
        pixels = values.astype("int32" if values.max() > 255 else "uint8")
    else:
        pixels = values.astype("uint8")
    image: Image = _pillow().fromarray(pixels)
    return image


def save_img(
    path: str | os.PathLike[str] | IO[bytes],
    x: NestedNumbers,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: object,
) -> None:
    """Writes an array as a picture file.

    Args:
        path: the file to write.
        x: `(height, width, channels)`, or `(channels, height, width)` with channels first.
        data_format: "channels_last", "channels_first", or None for the default of `jkeras.config`.
        file_format: the format, such as "png"; None derives it from the suffix of the path.
        scale: whether to stretch the values so that the smallest becomes 0 and the largest 255.
        kwargs: arguments of the `save` method of Pillow's images.

    Raises:
        ArgumentError: the path is not valid, or the format is unknown.
        InputError: `x` is not an image with 1, 3 or 4 channels.
        SaveError: the file cannot be written.
        ImportError: Pillow is not installed.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "picture.png"
    >>> save_img(path, np.ones((4, 6, 3)))
    >>> path.exists()
    True
    """
    if not isinstance(path, (str, os.PathLike, io.IOBase)):
        raise ArgumentError(f"save_img(path={arguments.shown(path)}): expected a path or a file.")
    if not isinstance(path, io.IOBase):
        path = arguments.checked("save_img", "path", path, arguments.path)
    arguments.checked("save_img", "file_format", file_format, arguments.optional(arguments.text))
    if file_format is None and isinstance(path, Path):
        file_format = path.suffix[1:]
    file_format = "jpeg" if (file_format or "").lower() == "jpg" else file_format or None
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and (file_format or "").lower() == "jpeg":
        warnings.warn("JPEG files have no transparency; the picture is saved without it.", stacklevel=2)
        image = image.convert("RGB")
    save: Callable[..., None] = image.save
    in_place = creating(path) if isinstance(path, Path) else contextlib.nullcontext()
    try:
        with in_place:
            save(path, format=file_format, **kwargs)
    except (ValueError, KeyError) as error:
        raise ArgumentError(
            f"save_img(path={path!r}, file_format={file_format!r}): no known format of files."
        ) from error


def smart_resize(
    x: NestedNumbers, size: tuple[int, int], interpolation: str = "bilinear", data_format: str = "channels_last"
) -> np.ndarray:
    """Crops images `(..., height, width, channels)` around their centre to the shape of `size`, then resizes them."""
    return resize(x, size, interpolation, data_format, crop_to_aspect_ratio=True)


def resize(
    x: NestedNumbers,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str | None = None,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
) -> np.ndarray:
    """Images `(..., height, width, channels)` in another size, as Keras resizes them on JAX, without smoothing.

    Args:
        x: one image or a batch of them; the result is float32.
        size: `(height, width)`.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first".
        crop_to_aspect_ratio: whether to crop images to the shape of `size` first.
        pad_to_aspect_ratio: whether to add black borders instead.

    Raises:
        ArgumentError: the interpolation is unknown, or both ways of keeping the aspect ratio are requested.
        InputError: `x` has fewer than three axes.
    """
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True.")
    if interpolation != "nearest":
        _choice("resize", "interpolation", interpolation, {"nearest": None, **KERNELS})
    size = _size("resize", "size", size)
    images = arguments.checked("resize", "x", x, arguments.array).astype(np.float32, copy=False)
    if images.ndim < 3:
        raise InputError(f"Images need the axes (height, width, channels), got the shape {images.shape}.")
    first = _layout("resize", data_format) == "channels_first"
    images = np.moveaxis(images, -3, -1) if first else images
    height, width = images.shape[-3:-1]
    if crop_to_aspect_ratio:
        new_height = max(1, min(height, int(width * size[0] / size[1])))
        new_width = max(1, min(width, int(height * size[1] / size[0])))
        top, left = (height - new_height) // 2, (width - new_width) // 2
        images = images[..., top : top + new_height, left : left + new_width, :]
    elif pad_to_aspect_ratio:
        above = (max(height, int(width * size[0] / size[1])) - height) // 2
        beside = (max(width, int(height * size[1] / size[0])) - width) // 2
        images = np.pad(images, [(0, 0)] * (images.ndim - 3) + [(above, above), (beside, beside), (0, 0)])
    images = _resize_axis(_resize_axis(images, -3, size[0], interpolation), -2, size[1], interpolation)
    result: np.ndarray = np.moveaxis(images, -1, -3) if first else images
    return result


def _resize_axis(images: np.ndarray, axis: int, size: int, interpolation: str) -> np.ndarray:
    length = images.shape[axis]
    if length == size:
        return images
    centres = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(length) / np.float32(size)
    if interpolation == "nearest":
        nearest: np.ndarray = np.take(images, np.floor(centres).astype(int), axis=axis)
        return nearest
    weights = KERNELS[interpolation](np.abs(centres[:, None] - 0.5 - np.arange(length)))
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    resized: np.ndarray = np.moveaxis(np.tensordot(weights, images, (1, axis)), 0, axis)
    return resized


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(0, 1 - x))


def _cubic(x: np.ndarray) -> np.ndarray:
    # R. Keys (1981), https://doi.org/10.1109/TASSP.1981.1163711, with a = -0.5.
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, inner, np.where(x < 2, outer, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}
