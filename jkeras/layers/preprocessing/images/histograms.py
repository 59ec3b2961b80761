"""Layers that spread the values of images over the whole range; they draw nothing at random."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.layers.preprocessing.images.base import ImageLayer, RandomImageLayer, rescaled
from jkeras.layers.preprocessing.images.fields import DATA_FORMAT, VALUE_RANGE
from jkeras.ops.image_layout import as_batch, image_axes
from jkeras.types import Array, DataFormatField, Num, PyTree
from jkeras.values.fields import field

BYTE = (0.0, 255.0)


class AutoContrast(ImageLayer):
    """Stretches every channel of every image so that it reaches both ends of the range, in training and in inference.

    Args:
        value_range: the least and the largest value that there may be.

    >>> AutoContrast().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _in_inference: ClassVar[bool] = True
    _is_random: ClassVar[bool] = False

    value_range: Any = VALUE_RANGE
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format, kw_only=True)

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        bytes_ = rescaled(images, self.value_range, BYTE)
        low, high = (reduce(bytes_, self.axes(), keepdims=True) for reduce in (jnp.min, jnp.max))
        share = (bytes_ - low) / jnp.where(high > low, high - low, 1)
        stretched = rescaled(jnp.clip(share * 255, 0, 255), BYTE, self.value_range)
        return jnp.where(high > low, stretched, images)


class Equalization(RandomImageLayer):
    """Makes all values of a channel about equally frequent, in training.

    The frequencies are counted over the batch, as in Keras.

    Args:
        value_range: the least and the largest value.
        bins: how many classes of values are counted.
        data_format: "channels_last" or "channels_first".

    >>> Equalization().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = True
    _is_random: ClassVar[bool] = False

    value_range: Any = VALUE_RANGE
    bins: int = field(default=256, convert=arguments.at_least(2))
    data_format: DataFormatField = DATA_FORMAT

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        axis = image_axes(self.data_format)[2]
        # Scale and offset, in the order in which Keras rounds.
        low, high = self.value_range
        scale = 255 / (high - low)
        bytes_ = images if (low, high) == BYTE else images * scale - low * scale
        planes = jnp.moveaxis(bytes_, axis, 0)
        equalized = jnp.moveaxis(jax.vmap(self._equalized)(planes), 0, axis)
        return equalized if (low, high) == BYTE else equalized * ((high - low) / 255) + low

    def _equalized(self, plane: Array) -> jax.Array:
        counts = histogram(jnp.clip((plane * (self.bins - 1) / 255).astype("int32"), 0, self.bins - 1), self.bins)
        cumulative = jnp.cumsum(counts)
        first = cumulative[jnp.argmax(cumulative > 0)]
        rest = cumulative[-1] - first
        table = jnp.clip(jnp.round((cumulative - first) * 255 / jnp.where(rest == 0, 1, rest)), 0, 255)
        place = jnp.clip((plane / 255) * (self.bins - 1), 0, self.bins - 1).astype("int32")
        return jnp.where(jnp.count_nonzero(counts) <= 1, plane, table[place].astype(plane.dtype))


def histogram(classes: Array, count: int) -> jax.Array:
    """How often each class occurs."""
    return jnp.zeros((count,), "int32").at[classes.ravel()].add(1)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalizes the values of each part of an image, with a limit to how much contrast may grow (CLAHE, Zuiderveld 1994).

    It works in training and in inference, and images keep their type.

    Args:
        value_range: the least and the largest value.
        clip_limit: how many times the mean a frequency may be; 0 is no limit.
        tile_grid_size: into how many parts images are divided, down and across.
        data_format: "channels_last" or "channels_first".

    >>> ContrastLimitedAdaptiveHistogramEqualization().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _keeps_integers: ClassVar[bool] = True
    _in_inference: ClassVar[bool] = True
    _is_random: ClassVar[bool] = False

    value_range: Any = VALUE_RANGE
    clip_limit: float = field(default=4.0, convert=arguments.non_negative)
    tile_grid_size: Any = field(default=(8, 8), convert=arguments.ints(2))
    data_format: DataFormatField = DATA_FORMAT

    def known_output(self, inputs: Any) -> Any:
        """Images keep their type and size."""
        return inputs if len(inputs.shape) in (3, 4) else None

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        batch, back = as_batch(images, self.data_format)
        height, width = batch.shape[1:3]
        bytes_ = jnp.clip(rescaled(batch.astype("float32"), self.value_range, BYTE), 0, 255).astype("int32")
        rows, columns = self.tile_grid_size
        tall, wide = -(-height // rows), -(-width // columns)
        padded = jnp.pad(bytes_, [(0, 0), (0, tall * rows - height), (0, wide * columns - width), (0, 0)], "symmetric")
        tables = self._tables(padded, tall, wide)
        result = self._interpolated(padded, tables, tall, wide)[:, :height, :width]
        return back(rescaled(result, BYTE, self.value_range).astype(images.dtype))

    def _tables(self, padded: Array, tall: int, wide: int) -> jax.Array:
        """What becomes of each value in each part, `(batch, rows, columns, channels, 256)`."""
        count, _, _, channels = padded.shape
        rows, columns = self.tile_grid_size
        tiles = padded.reshape(count, rows, tall, columns, wide, channels).transpose(0, 1, 3, 5, 2, 4)
        tiles = tiles.reshape(-1, tall * wide)
        place = jnp.arange(tiles.shape[0])[:, None] * 256 + tiles
        counts = histogram(place, tiles.shape[0] * 256).reshape(count, rows, columns, channels, 256).astype("float32")
        if self.clip_limit > 0:
            clipped = jnp.minimum(counts, self.clip_limit * (tall * wide) / 256)
            counts = clipped + jnp.sum(counts - clipped, axis=-1, keepdims=True) / 256
        reached = jnp.cumsum(counts, axis=-1)
        first = jnp.min(reached, axis=-1, keepdims=True)
        rest = tall * wide - first
        return jnp.clip((reached - first) * 255 / jnp.where(rest == 0, 1, rest), 0, 255)

    def _interpolated(self, padded: Array, tables: Array, tall: int, wide: int) -> jax.Array:
        """Every pixel by the tables of the four parts around it."""
        tables = jnp.pad(tables, [(0, 0), (1, 1), (1, 1), (0, 0), (0, 0)], "edge")
        count, rows, columns, channels, _ = tables.shape
        below, down = _between(tall, rows - 2)
        left, across = _between(wide, columns - 2)
        image = jnp.arange(count)[:, None, None, None]
        base = padded + 256 * jnp.arange(channels)

        def by(row: Array, column: Array) -> jax.Array:
            part = (image * rows + row[None, :, None, None]) * columns + column[None, None, :, None]
            return jnp.take(tables.ravel(), base + part * (256 * channels), mode="clip")

        down, across = down[None, :, None, None], across[None, None, :, None]
        above = by(below, left) * (1 - across) + by(below, left + 1) * across
        under = by(below + 1, left) * (1 - across) + by(below + 1, left + 1) * across
        return above * (1 - down) + under * down


def _between(length: int, count: int) -> tuple[jax.Array, jax.Array]:
    """For each pixel the part, counted from an additional one, whose middle is before it, and how far it is away from that."""
    place = (jnp.arange(length * count, dtype="float32") - length / 2) / length + 1
    part = jnp.floor(place)
    return part.astype("int32"), place - part
