"""Image layers: scaling and cropping, and random changes that training makes more varied data with.

All take images `(height, width, channels)` or batches of them, channels first if `data_format` says so. The random ones
work in training (`fit`), and when called on their own with arrays; in `evaluate` and `predict` they return their input.
Every image of a batch gets its own draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import has_shape, show_tensors
from jkeras.ops import images as functions
from jkeras.ops.image_layout import image_axes
from jkeras.ops.structure import saturate_cast
from jkeras.types import Array, DataFormatField, Key, Num
from jkeras.values.fields import field

_SEED = arguments.optional(arguments.integer)
_INTERPOLATION = arguments.one_of("nearest", "bilinear")
_FILL_MODE = arguments.one_of("reflect", "wrap", "constant", "nearest")


def _factor(low: float, high: float, *, open_low: bool = False) -> Any:
    """A pair of bounds inside `low` and `high`; one number means from its negative to itself."""
    within = arguments.between(low, high, open_low=open_low)
    message = f"expected a number, or two numbers, in {'(' if open_low else '['}{low}, {high}]"

    def convert(value: object) -> tuple[float, float]:
        try:
            if isinstance(value, (tuple, list)) and len(value) == 2:
                first, second = sorted(within(v) for v in value)
                return (first, second)
            size = abs(within(value))
            return (max(-size, low), size)
        except (ArgumentError, TypeError):
            raise ArgumentError(message) from None

    return convert


def _as_given(check: Callable[[Any], Any]) -> Any:
    """Checks a factor and keeps it as it was given, as Keras's configuration does."""

    def convert(value: object) -> Any:
        check(value)
        return tuple(value) if isinstance(value, list) else value

    return convert


_SHIFT = _factor(-1.0, 1.0)
_ZOOM = _factor(-1.0, 1.0, open_low=True)


class _Attributes:
    """What the public classes declare, each in Keras's order (see `jkeras.values.fields`)."""

    data_format: DataFormatField
    seed: int | None
    fill_mode: str
    interpolation: str
    fill_value: float


class ImageLayer(_Attributes, Layer):
    """Base of the layers below: checks the rank, casts to the compute type, knows the axes.

    Shapes: images `(batch, height, width, channels)` or one of them without the batch axis; the same with another
    size where the layer changes it.

    Raises:
        InputError: the input has another rank.
    """

    mixes_samples: ClassVar[bool | None] = False

    def axes(self, images: jax.Array) -> tuple[int, int]:
        """The axes of height and width."""
        return image_axes(self.data_format)[:2]

    def prepare(self, images: Array) -> jax.Array:
        """Images of the compute type.

        Raises:
            InputError: the input is neither an image nor a batch of images.
        """
        if not has_shape(images) or len(images.shape) not in (3, 4):
            raise InputError(
                f"{self._place} ({type(self).__name__}) takes one image, (height, width, channels), or a batch of images;"
                f" got {show_tensors(images)}."
            )
        return images.astype(self.compute_dtype)


class Rescaling(Layer):
    """`inputs * scale + offset`, for example `Rescaling(1 / 255)`.

    Shapes: any, unchanged.

    Args:
        scale: a number, or one for each channel.
        offset: likewise.

    >>> import jax.numpy as jnp
    >>> Rescaling(0.5, offset=-1.0)(jnp.array([0, 4])).tolist()
    [-1.0, 1.0]
    """

    mixes_samples: ClassVar[bool | None] = False
    supports_masking: ClassVar[bool] = True

    scale: Any = field(convert=arguments.numeric)
    offset: Any = field(default=0.0, convert=arguments.numeric)

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        dtype = self.compute_dtype
        scale = jnp.asarray(self.scale, dtype)
        if scale.ndim and config.image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        return inputs.astype(dtype) * scale + jnp.asarray(self.offset, dtype)


class Resizing(ImageLayer):
    """Images of another size, in the type they have; see `jkeras.ops.image.resize` for the arguments.

    Args:
        height: of the result.
        width: of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: whether to cut the largest central part that has the new proportions.
        pad_to_aspect_ratio: whether to add borders that give the new proportions.
        fill_mode: "constant".
        fill_value: of the borders.
        antialias: whether to smooth when shrinking.
        data_format: "channels_last" or "channels_first".

    >>> Resizing(2, 3).compute_output_shape((None, 8, 8, 1))
    (None, 2, 3, 1)
    """

    mixes_samples: ClassVar[bool | None] = False

    height: int = field(convert=arguments.positive_int)
    width: int = field(convert=arguments.positive_int)
    interpolation: str = field(default="bilinear", convert=functions.METHODS)
    crop_to_aspect_ratio: bool = field(default=False, convert=arguments.boolean)
    pad_to_aspect_ratio: bool = field(default=False, convert=arguments.boolean)
    fill_mode: str = field(default="constant", convert=arguments.one_of("constant"))
    fill_value: float = field(default=0.0, convert=arguments.number)
    antialias: bool = field(default=False, convert=arguments.boolean)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)

    def __post_init__(self) -> None:
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ArgumentError("Resizing: give one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`, not both.")

    def call(
        self, inputs: Num[Array, "*batch height width channels"]
    ) -> Num[Array, "*batch new_height new_width new_channels"]:
        resized = functions.resize(
            inputs,
            (self.height, self.width),
            self.interpolation,
            self.antialias,
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
            self.data_format,
        )
        if jnp.issubdtype(inputs.dtype, jnp.integer):
            resized = jnp.round(resized)
        return saturate_cast(resized, inputs.dtype)


class CenterCrop(ImageLayer):
    """The middle of images; smaller images are cut to the proportions and resized.

    Args:
        height: of the result.
        width: of the result.
        data_format: "channels_last" or "channels_first".

    >>> CenterCrop(4, 6).compute_output_shape((None, 8, 8, 3))
    (None, 4, 6, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    height: int = field(convert=arguments.positive_int)
    width: int = field(convert=arguments.positive_int)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)

    def call(
        self, inputs: Num[Array, "*batch height width channels"]
    ) -> Num[Array, "*batch new_height new_width new_channels"]:
        images = self.prepare(inputs)
        for axis, size in zip(self.axes(images), (self.height, self.width), strict=True):
            spare = images.shape[axis] - size
            if spare < 0:
                full = self.prepare(inputs)
                size2 = (self.height, self.width)
                return functions.resize(full, size2, crop_to_aspect_ratio=True, data_format=self.data_format)
            images = jax.lax.slice_in_dim(images, spare // 2, spare // 2 + size, axis=axis % images.ndim)
        return images


class RandomImageLayer(ImageLayer):
    """Base of the random layers: they change images in training only."""

    mixes_samples: ClassVar[bool | None] = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        alone = not self.is_bound
        if alone and not any(map(is_symbolic, jax.tree.leaves((args, kwargs)))):
            kwargs.setdefault("training", True)
        return super().__call__(*args, **kwargs)

    def call(
        self, inputs: Num[Array, "*batch height width channels"], training: bool | None = None
    ) -> Num[Array, "..."]:
        images = self.prepare(inputs)
        if not training:
            return images
        single = images.ndim == 3
        batch = images[None] if single else images
        changed = self.change(batch, self.make_rng(self.seed)).astype(batch.dtype)
        return changed[0] if single else changed

    def change(self, images: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        """Changes a batch of images at random."""
        raise NotImplementedError


class RandomFlip(RandomImageLayer):
    """Mirrors each image with probability one half, in each direction on its own.

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical".
        seed: an integer.
        data_format: "channels_last" or "channels_first".

    >>> RandomFlip("horizontal").compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    mode: str = field(
        default="horizontal_and_vertical",
        convert=arguments.one_of("horizontal", "vertical", "horizontal_and_vertical"),
    )
    seed: int | None = field(default=None, convert=_SEED)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)

    def change(self, images: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        rows, columns = self.axes(images)
        chances = jax.random.bernoulli(key, 0.5, (2, images.shape[0], 1, 1, 1))
        for name, axis, flipped in (("horizontal", columns, chances[0]), ("vertical", rows, chances[1])):
            if name in self.mode:
                images = jnp.where(flipped, jnp.flip(images, axis), images)
        return images


class _Affine(RandomImageLayer):
    """Base of the layers that move every pixel."""

    mixes_samples: ClassVar[bool | None] = False

    def change(self, images: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        rows, columns = self.axes(images)
        moves = self.moves(key, images.shape[0], images.shape[rows], images.shape[columns])
        zeros = jnp.zeros((images.shape[0],))
        matrix = jnp.stack([jnp.broadcast_to(move, zeros.shape) for move in (*moves, 0.0, 0.0)], axis=1)
        return functions.affine_transform(
            images, matrix, self.interpolation, self.fill_mode, self.fill_value, self.data_format
        )

    def moves(self, key: Key[Array, ""], count: int, height: int, width: int) -> tuple[Any, ...]:
        """The six numbers `a0, a1, a2, b0, b1, b2` of `ops.image.affine_transform`, one each or `count` of each."""
        raise NotImplementedError


class RandomRotation(_Affine):
    """Turns each image by a random angle around its middle.

    Args:
        factor: the bounds of the angle as parts of a full turn; one number f means from -f to f. Positive turns to the
            left.
        fill_mode: what lies outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: an integer.
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first".

    >>> RandomRotation(0.1).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = field(convert=_SHIFT)
    fill_mode: str = field(default="reflect", convert=_FILL_MODE)
    interpolation: str = field(default="bilinear", convert=_INTERPOLATION)
    seed: int | None = field(default=None, convert=_SEED)
    fill_value: float = field(default=0.0, convert=arguments.number)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)

    def moves(self, key: Key[Array, ""], count: int, height: int, width: int) -> tuple[Any, ...]:
        low, high = (2 * math.pi * bound for bound in self.factor)
        angle = jax.random.uniform(key, (count,), minval=low, maxval=high)
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        return cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos


class RandomZoom(_Affine):
    """Enlarges or shrinks each image around its middle.

    Args:
        height_factor: the bounds of the change, from -1 (excluded) to 1; positive shrinks, and one number f means
        from -f
            to f.
        width_factor: likewise; None keeps the proportions.
        fill_mode: what lies outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: an integer.
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first".

    >>> RandomZoom(0.2).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    height_factor: Any = field(convert=_as_given(_ZOOM))
    width_factor: Any = field(default=None, convert=arguments.optional(_as_given(_ZOOM)))
    fill_mode: str = field(default="reflect", convert=_FILL_MODE)
    interpolation: str = field(default="bilinear", convert=_INTERPOLATION)
    seed: int | None = field(default=None, convert=_SEED)
    fill_value: float = field(default=0.0, convert=arguments.number)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)

    def moves(self, key: Key[Array, ""], count: int, height: int, width: int) -> tuple[Any, ...]:
        first, second = jax.random.split(key)
        tall = 1 + _uniform(first, count, _ZOOM(self.height_factor))
        wide = tall if self.width_factor is None else 1 + _uniform(second, count, _ZOOM(self.width_factor))
        return wide, 0.0, (width - 1) / 2 * (1 - wide), 0.0, tall, (height - 1) / 2 * (1 - tall)


class RandomTranslation(_Affine):
    """Shifts each image.

    Args:
        height_factor: the bounds of the shift down as parts of the height, from -1 to 1; one number f means from
            -f
        to f. width_factor: likewise to the right, of the width.
        fill_mode: what lies outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "nearest" or "bilinear".
        seed: an integer.
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first".
        width_factor: the largest shift to the sides, as a share of the width, or a pair of bounds.

    >>> RandomTranslation(0.1, 0.1).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    height_factor: Any = field(convert=_as_given(_SHIFT))
    width_factor: Any = field(convert=_as_given(_SHIFT))
    fill_mode: str = field(default="reflect", convert=_FILL_MODE)
    interpolation: str = field(default="bilinear", convert=_INTERPOLATION)
    seed: int | None = field(default=None, convert=_SEED)
    fill_value: float = field(default=0.0, convert=arguments.number)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)

    def moves(self, key: Key[Array, ""], count: int, height: int, width: int) -> tuple[Any, ...]:
        first, second = jax.random.split(key)
        down = height * _uniform(first, count, _SHIFT(self.height_factor))
        right = width * _uniform(second, count, _SHIFT(self.width_factor))
        return 1.0, 0.0, -right, 0.0, 1.0, -down


def _uniform(key: Key[Array, ""], count: int, bounds: tuple[float, float]) -> jax.Array:
    return jax.random.uniform(key, (count,), minval=bounds[0], maxval=bounds[1])


class RandomCrop(RandomImageLayer):
    """A random part of images in training, the same part of every image of a batch; otherwise the image resized.

    Args:
        height: of the result.
        width: of the result.
        seed: an integer.
        data_format: "channels_last" or "channels_first".
        name: the layer's name.

    >>> RandomCrop(4, 4).compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    if TYPE_CHECKING:
        _name: str | None = field(init=False)

    height: int = field(convert=arguments.positive_int)
    width: int = field(convert=arguments.positive_int)
    seed: int | None = field(default=None, convert=_SEED)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format)
    name: str | None = None

    def call(
        self, inputs: Num[Array, "*batch height width channels"], training: bool | None = None
    ) -> Num[Array, "*batch new_height new_width new_channels"]:
        images = self.prepare(inputs)
        rows, columns = (axis % images.ndim for axis in self.axes(images))
        spare = images.shape[rows] - self.height, images.shape[columns] - self.width
        sizes = (self.height, self.width)
        if training and min(spare) > 0:
            keys = jax.random.split(self.make_rng(self.seed))
            for axis, key, rest, size in zip((rows, columns), keys, spare, sizes, strict=True):
                images = jax.lax.dynamic_slice_in_dim(images, jax.random.randint(key, (), 0, rest + 1), size, axis)
            return images
        return functions.resize(images, sizes, crop_to_aspect_ratio=True, data_format=self.data_format)


class RandomContrast(RandomImageLayer):
    """`(x - mean) * factor + mean` with the mean of each image and channel, cut to the range of values.

    Args:
        factor: the bounds `(low, high)` in [0, 1] of a factor between `1 - low` and `1 + high`; one number means both.
        value_range: the least and the largest value.
        seed: an integer.

    >>> RandomContrast(0.2).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = field(convert=_factor(0.0, 1.0))
    value_range: Any = field(default=(0, 255), convert=arguments.pair)
    seed: int | None = field(default=None, convert=_SEED)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format, kw_only=True)

    def change(self, images: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        low, high = self.factor
        factor = jax.random.uniform(key, (images.shape[0], 1, 1, 1), images.dtype, 1 - low, 1 + high)
        mean = jnp.mean(images, self.axes(images), keepdims=True)
        return jnp.clip((images - mean) * factor + mean, *self.value_range)


class RandomBrightness(RandomImageLayer):
    """Adds a random number to each image, cut to the range of values.

    Args:
        factor: the bounds of the number as parts of the range, from -1 to 1; one number f means from -f to f.
        value_range: the least and the largest value.
        seed: an integer.

    >>> RandomBrightness(0.2).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = field(convert=_SHIFT)
    value_range: Any = field(default=(0, 255), convert=lambda v: tuple(sorted(arguments.pair(v))))
    seed: int | None = field(default=None, convert=_SEED)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format, kw_only=True)

    def change(self, images: Num[Array, "*shape"], key: Key[Array, ""]) -> Num[Array, "*shape"]:
        shift = jax.random.uniform(key, (images.shape[0], 1, 1, 1), minval=self.factor[0], maxval=self.factor[1])
        low, high = self.value_range
        return jnp.clip(images + (shift * (high - low)).astype(images.dtype), low, high)


__all__ = [
    "CenterCrop",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "Rescaling",
    "Resizing",
]
