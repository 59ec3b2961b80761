"""Functions of images: `keras.ops.image`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates as _map_coordinates

from jkeras import arguments, config, random_keys
from jkeras.errors import ArgumentError, DTypeError, InputError
from jkeras.ops.colours import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from jkeras.ops.image_layout import as_batch, checked, image_array, image_axes
from jkeras.ops.sampling import sample
from jkeras.types import Array, ArrayLike, DTypeLike, SeedLike, Sizes, TensorLike

METHODS = arguments.one_of("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")
ORDERS = {"nearest": 0, "bilinear": 1}
FILL_MODES = arguments.one_of("constant", "nearest", "wrap", "mirror", "reflect")


def resize(
    images: TensorLike,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> jax.Array:
    """Images of another size, `(height, width)`; those of integers are rounded to integers of the same type.

    Args:
        images: one image or a batch.
        size: the new height and width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        antialias: whether to smooth when shrinking.
        crop_to_aspect_ratio: whether to cut the largest central part that has the new proportions.
        pad_to_aspect_ratio: whether to add borders that give the new proportions.
        fill_mode: "constant".
        fill_value: the value of the borders.
        data_format: "channels_last" or "channels_first".

    Raises:
        ArgumentError: an argument is not as above, or both aspect arguments are True.
    """
    images = image_array("resize", images)
    method = checked("resize", "interpolation", interpolation, METHODS)
    checked("resize", "fill_mode", fill_mode, arguments.one_of("constant"))
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ArgumentError("ops.image.resize: give one of `pad_to_aspect_ratio` and `crop_to_aspect_ratio`, not both.")
    new_height, new_width = (arguments.positive_int(n) for n in size)
    rows, columns, _ = image_axes(data_format)
    height, width = images.shape[rows], images.shape[columns]
    if crop_to_aspect_ratio:
        inner = (
            max(min(height, int(width * new_height / new_width)), 1),
            max(min(width, int(height * new_width / new_height)), 1),
        )
        for axis, full, part in ((rows, height, inner[0]), (columns, width, inner[1])):
            start = int((full - part) / 2)
            images = jax.lax.slice_in_dim(images, start, start + part, axis=axis % images.ndim)
    elif pad_to_aspect_ratio:
        above = int((max(height, int(width * new_height / new_width)) - height) / 2)
        beside = int((max(width, int(height * new_width / new_height)) - width) / 2)
        padding = [(0, 0)] * images.ndim
        padding[rows if above else columns] = (above,) * 2 if above else (beside,) * 2
        images = jnp.pad(images, padding, constant_values=fill_value)
    shape = list(images.shape)
    shape[rows], shape[columns] = new_height, new_width
    result: jax.Array = jax.image.resize(images, shape, method, antialias=antialias)
    if result.dtype != images.dtype and jnp.issubdtype(images.dtype, jnp.integer):
        limits = jnp.iinfo(images.dtype)
        return jnp.clip(jnp.round(result), limits.min, limits.max).astype(images.dtype)
    return result


def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> jax.Array:
    """Every output pixel `(x, y)` takes the value at `(a0 x + a1 y + a2, b0 x + b1 y + b2)` of the input.

    Args:
        images: one image or a batch.
        transform: `[a0, a1, a2, b0, b1, b2, 0, 0]` for all images or for each.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies outside: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first".
    """
    images, order = image_array("affine_transform", images), _order("affine_transform", interpolation)
    mode = checked("affine_transform", "fill_mode", fill_mode, FILL_MODES)
    batch, back = as_batch(images, data_format)
    transform = jnp.asarray(transform)
    if transform.ndim not in (1, 2) or transform.shape[-1] != 8:
        raise InputError(
            f"ops.image.affine_transform: expected transform of shape (8,) or (batch, 8), got {transform.shape}."
        )
    transform = jnp.broadcast_to(transform, (batch.shape[0], 8))
    kind = jnp.result_type(transform.dtype, float)  # places are fractions of pixels
    rows, columns = jnp.meshgrid(*(jnp.arange(n, dtype=kind) for n in batch.shape[1:3]), indexing="ij")
    t = [number[:, None, None] for number in transform.T]
    places = (t[3] * columns + t[4] * rows + t[5], t[0] * columns + t[1] * rows + t[2])
    return back(sample(batch, *places, order, mode, fill_value))


def _order(function: str, interpolation: str) -> int:
    return ORDERS[checked(function, "interpolation", interpolation, arguments.one_of(*ORDERS))]


def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> jax.Array:
    """Images seen from elsewhere: four points `(x, y)` go to four others. Shapes `(4, 2)` or `(batch, 4, 2)`."""
    images, order = image_array("perspective_transform", images), _order("perspective_transform", interpolation)
    start, end = jnp.asarray(start_points, "float32"), jnp.asarray(end_points, "float32")
    if start.shape != end.shape or start.shape[-2:] != (4, 2) or start.ndim not in (2, 3):
        raise InputError(
            f"ops.image.perspective_transform: expected points of shape (4, 2) or (batch, 4, 2), got {start.shape} and"
            f" {end.shape}."
        )
    batch, back = as_batch(images, data_format)
    start, end = (jnp.broadcast_to(points, (batch.shape[0], 4, 2)) for points in (start, end))
    rows, columns = jnp.meshgrid(*(jnp.arange(n) for n in batch.shape[1:3]), indexing="ij")
    h = [number[:, None, None] for number in homography(start, end).T]
    scale = h[6] * columns + h[7] * rows + 1
    places = ((h[3] * columns + h[4] * rows + h[5]) / scale, (h[0] * columns + h[1] * rows + h[2]) / scale)
    return back(sample(batch, *places, order, "constant", fill_value))


def homography(source: Array, target: Array) -> jax.Array:
    """The eight numbers of the projective maps that take each target point to its source point, for points `(batch, 4, 2)`."""
    (u, v), (x, y) = jnp.moveaxis(source, -1, 0), jnp.moveaxis(target, -1, 0)
    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    upper = jnp.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=-1)
    lower = jnp.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=-1)
    places = jnp.concatenate([u, v], axis=-1)[..., None]
    result: jax.Array = jnp.linalg.solve(jnp.concatenate([upper, lower], axis=-2), places)[..., 0]
    return result


def map_coordinates(
    inputs: TensorLike, coordinates: TensorLike, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> jax.Array:
    """The values of an array at fractional coordinates, one row of `coordinates` for each of its axes.

    Raises:
        InputError: there are not as many rows of coordinates as axes.
        ArgumentError: the order is neither 0 (nearest) nor 1 (linear), or the mode is unknown.
    """
    inputs, coordinates = jnp.asarray(inputs), jnp.asarray(coordinates)
    if coordinates.ndim < 2 or coordinates.shape[0] != inputs.ndim:
        raise InputError(
            f"ops.image.map_coordinates: coordinates of shape {coordinates.shape} do not fit an array of shape"
            f" {inputs.shape}; expected ({inputs.ndim}, ...)."
        )
    checked("map_coordinates", "order", order, arguments.one_of(0, 1))
    mode = checked("map_coordinates", "fill_mode", fill_mode, FILL_MODES)
    result: jax.Array = _map_coordinates(inputs, list(coordinates), order, mode, fill_value)
    return result


def scale_and_translate(
    images: TensorLike,
    output_shape: Sequence[int],
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> jax.Array:
    """Images scaled and shifted along some axes, as `jax.image.scale_and_translate`."""
    result: jax.Array = jax.image.scale_and_translate(
        jnp.asarray(images), output_shape, spatial_dims, jnp.asarray(scale), jnp.asarray(translation), method, antialias
    )
    return result


def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> jax.Array:
    """Images without their borders: two of (top, bottom, target height) and of (left, right, target width) are
    given."""
    images = image_array("crop_images", images)
    rows, columns, _ = image_axes(data_format)
    top, height = _span("crop_images", top_cropping, bottom_cropping, target_height, images.shape[rows], -1)
    left, width = _span("crop_images", left_cropping, right_cropping, target_width, images.shape[columns], -1)
    images = jax.lax.slice_in_dim(images, top, top + height, axis=rows % images.ndim)
    return jax.lax.slice_in_dim(images, left, left + width, axis=columns % images.ndim)


def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> jax.Array:
    """Images with black borders: two of (top, bottom, target height) and of (left, right, target width) are given."""
    images = image_array("pad_images", images)
    rows, columns, _ = image_axes(data_format)
    padding = [(0, 0)] * images.ndim
    top, height = _span("pad_images", top_padding, bottom_padding, target_height, images.shape[rows], 1)
    left, width = _span("pad_images", left_padding, right_padding, target_width, images.shape[columns], 1)
    padding[rows] = (top, height - images.shape[rows] - top)
    padding[columns] = (left, width - images.shape[columns] - left)
    return jnp.pad(images, padding)


def _span(
    function: str, before: int | None, after: int | None, target: int | None, size: int, sign: int
) -> tuple[int, int]:
    """What is added (sign 1) or cut (-1) before, and the size that results, from two of the three."""
    if before is not None and after is not None and target is None:
        target = size + sign * (before + after)
    elif before is None and after is not None and target is not None:
        before = sign * (target - size) - after
    elif before is None or target is None or after is not None:
        raise ArgumentError(f"ops.image.{function}: give two of the margins and the target of each axis.")
    rest = sign * (target - size) - before
    if before < 0 or rest < 0 or target <= 0:
        raise ArgumentError(f"ops.image.{function}: an axis of size {size} cannot become one of size {target}.")
    return before, target


def extract_patches(
    images: TensorLike,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """Windows of images, flattened into the channels: `(batch, rows, columns, height * width * channels)`.

    With a size of three numbers, windows of volumes.

    Raises:
        DTypeError: a TypeError; the size is neither an integer nor a tuple.
        ArgumentError: it has neither two nor three numbers.
    """
    if not isinstance(size, (int, tuple, list)):
        raise DTypeError(
            "ops.image.extract_patches: Invalid `size` argument. Expected an int or a tuple. Received:"
            f" size={size} of type {type(size).__name__}"
        )
    if not isinstance(size, int) and len(size) not in (2, 3):
        raise ArgumentError(
            f"ops.image.extract_patches: Invalid `size` argument. Expected a tuple of length 2 or 3. Received: size={size}"
        )
    if not isinstance(size, int) and len(size) == 3:
        return extract_patches_3d(images, size, strides, dilation_rate, padding, data_format)
    return _patches(image_array("extract_patches", images), size, strides, dilation_rate, padding, data_format, 2)


def extract_patches_3d(
    volumes: TensorLike,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """Windows of volumes, flattened into the channels."""
    return _patches(jnp.asarray(volumes), size, strides, dilation_rate, padding, data_format, 3)


def _patches(
    x: jax.Array,
    size: Sizes,
    strides: Sizes | None,
    dilation: Sizes,
    padding: str,
    data_format: str | None,
    rank: int,
) -> jax.Array:
    size = (size,) * rank if isinstance(size, int) else tuple(size)
    strides = size if strides is None else (strides,) * rank if isinstance(strides, int) else tuple(strides)
    dilation = (dilation,) * rank if isinstance(dilation, int) else tuple(dilation)
    single = x.ndim == rank + 1
    x = x[None] if single else x
    last = config.standardize_data_format(data_format) == "channels_last"
    letters = "DHW"[-rank:]
    layout = f"N{letters}C" if last else f"NC{letters}"
    patches = jax.lax.conv_general_dilated_patches(
        x, size, strides, padding.upper(), rhs_dilation=dilation, dimension_numbers=(layout, f"OI{letters}", layout)
    )
    # The library orders the features (channel, place), Keras (place, channel).
    axis = patches.ndim - 1 if last else 1
    channels = x.shape[-1] if last else x.shape[1]
    shape = patches.shape
    split = patches.reshape(*shape[:axis], channels, -1, *shape[axis + 1 :])
    patches = jnp.swapaxes(split, axis, axis + 1).reshape(shape)
    return patches[0] if single else patches


def _depthwise(batch: jax.Array, kernel: jax.Array, padding: str = "SAME") -> jax.Array:
    """Each channel of `(batch, height, width, channels)` convolved with one kernel."""
    channels = batch.shape[-1]
    kernel = jnp.broadcast_to(kernel[:, :, None, None], (*kernel.shape, 1, channels)).astype(batch.dtype)
    numbers = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        batch, kernel, (1, 1), padding, dimension_numbers=numbers, feature_group_count=channels
    )


def gaussian_blur(
    images: TensorLike,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> jax.Array:
    """Images smoothed by a Gaussian; `kernel_size` and `sigma` are those along x and y."""
    batch, back = as_batch(image_array("gaussian_blur", images), data_format)
    lines = [_bell(size, width, batch.dtype) for size, width in zip(kernel_size, sigma, strict=True)]
    return back(smoothed(smoothed(batch, lines[1], 1), lines[0], 2))


def smoothed(batch: Array, line: Array, axis: int) -> jax.Array:
    """Images convolved along one axis with a short line of weights; zero lies outside."""
    size = line.shape[0]
    padding = [(0, 0)] * batch.ndim
    padding[axis] = ((size - 1) // 2, size // 2)
    padded = jnp.pad(batch, padding)
    parts = [
        jax.lax.slice_in_dim(padded, place, place + batch.shape[axis], axis=axis) * line[place] for place in range(size)
    ]
    return functools.reduce(jnp.add, parts)


def _bell(size: int, width: ArrayLike, dtype: DTypeLike | None) -> jax.Array:
    """A Gaussian of that many points, which add up to 1."""
    x = jnp.arange(size, dtype=dtype) - (size - 1) / 2
    line = jnp.exp(-0.5 * (x / width) ** 2)
    return line / jnp.sum(line)


def sobel_edges(images: TensorLike, data_format: str | None = None) -> jax.Array:
    """The slopes of images along y and x, in a new last axis."""
    batch, back = as_batch(image_array("sobel_edges", images), data_format)
    slope = jnp.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], batch.dtype)
    return jnp.stack([back(_depthwise(batch, kernel)) for kernel in (slope.T, slope)], axis=-1)


def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: SeedLike = None,
    data_format: str | None = None,
) -> jax.Array:
    """Images bent by smooth random displacements (Simard et al., 2003); x and y get independent ones.

    Args:
        images: one image or a batch.
        alpha: how far pixels move.
        sigma: how smooth the displacements are.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies outside.
        fill_value: for "constant".
        seed: an integer or a key.
        data_format: "channels_last" or "channels_first".
    """
    batch, back = as_batch(image_array("elastic_transform", images), data_format)
    order = _order("elastic_transform", interpolation)
    mode = checked("elastic_transform", "fill_mode", fill_mode, FILL_MODES)
    exact = batch.dtype if jnp.issubdtype(batch.dtype, jnp.floating) else jnp.dtype(config.floatx())
    noise = jax.random.normal(random_keys.as_key(seed), (2, *batch.shape[:3]), exact)
    return back(bent(batch, noise, alpha, sigma, order, mode, fill_value))


def bent(
    batch: Array, noise: Array, alpha: ArrayLike, sigma: ArrayLike, order: int, mode: str, fill_value: ArrayLike
) -> jax.Array:
    """Images whose pixels come from places shifted by smoothed noise, `(2, batch, height, width)`: down and across."""
    height, width = batch.shape[1:3]
    down = _banded_bell(height, sigma, noise.dtype)
    across = _banded_bell(width, sigma, noise.dtype)
    shifts = jnp.einsum("rh,nbhw,cw->nbrc", down, noise * sigma, across, precision="highest")
    rows, columns = jnp.meshgrid(*(jnp.arange(n) for n in (height, width)), indexing="ij")
    result = sample(batch, rows + alpha * shifts[0], columns + alpha * shifts[1], order, mode, fill_value)
    return result.astype(batch.dtype)


def _banded_bell(size: int, sigma: ArrayLike, dtype: DTypeLike | None) -> jax.Array:
    """The matrix that smooths a line of that many points by a Gaussian, cut after three standard deviations.

    A matrix, since the number of points within them may be a traced value; in that case it is at most `size`.
    """
    longest = size if isinstance(sigma, jax.core.Tracer) else max(size, int(6 * np.asarray(sigma).item()) // 2)
    sigma = jnp.asarray(sigma, dtype)
    distance = jnp.arange(-longest, longest + 1)
    bell = jnp.where(jnp.abs(distance) <= (6 * sigma).astype("int32") // 2, jnp.exp(-0.5 * (distance / sigma) ** 2), 0)
    place = jnp.arange(size)
    return (bell / jnp.sum(bell)).astype(dtype)[place[None, :] - place[:, None] + longest]


def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> jax.Array:
    """The structural similarity of images (Wang et al., 2004), 1 for equal ones."""
    x, _ = as_batch(image_array("ssim", image1), data_format)
    y, _ = as_batch(image_array("ssim", image2), data_format)
    x, y = (z if jnp.issubdtype(z.dtype, jnp.floating) else z.astype(config.floatx()) for z in (x, y))
    line = _bell(filter_size, filter_sigma, x.dtype)

    def blur(z: jax.Array) -> jax.Array:
        return _depthwise(z, jnp.outer(line, line), "VALID")

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    map_ = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    map_ = map_ / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    result = jnp.mean(map_, axis=(1, 2, 3)).astype(jnp.asarray(image1).dtype)
    return result[0] if jnp.asarray(image1).ndim == 3 else result


TABLE: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(affine_transform, crop_images, elastic_transform, extract_patches, extract_patches_3d, gaussian_blur),
        *(hsv_to_rgb, map_coordinates, pad_images, perspective_transform, resize, rgb_to_grayscale, rgb_to_hsv),
        *(scale_and_translate, sobel_edges, ssim),
    )
}
