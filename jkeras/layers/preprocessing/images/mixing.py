"""Images mixed with others of the batch, or with nothing: MixUp, CutMix, random erasing."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import InputError
from jkeras.layers.preprocessing.images.base import ColourLayer, RandomImageLayer, chosen, per_image, uniform
from jkeras.layers.preprocessing.images.fields import DATA_FORMAT, PART, SEED, VALUE_RANGE, WHOLE, fill
from jkeras.ops.image_layout import image_axes
from jkeras.types import Array, DataFormatField, Key, Num, PyTree
from jkeras.values.fields import field


def _labels(labels: Num[Array, "*shape"], order: Array, weight: Array) -> jax.Array:
    """Mixes labels with those of the other images, in proportion."""
    labels = jnp.asarray(labels)
    weight = jnp.asarray(weight).reshape((-1,) + (1,) * max(labels.ndim - 1, 1))
    return weight * labels + (1 - weight) * jnp.take(labels, jnp.asarray(order), axis=0)


class MixUp(RandomImageLayer):
    """The weighted mean of each image with another one of the batch, and of their labels (Zhang et al., 2017).

    Labels have to be numbers that can be mixed, as one-hot codes are. An image gets the boxes of both.

    Args:
        alpha: weights come from the distribution Beta(alpha, alpha): small ones mix little.
        data_format: "channels_last" or "channels_first".
        seed: an integer.
        bounding_box_format: the format of boxes, if there are any.

    >>> MixUp().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = True
    moves_pixels: ClassVar[bool] = True

    alpha: float = field(default=0.2, convert=arguments.between(0, float("inf"), open_low=True, open_high=True))
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second = jax.random.split(key)
        return {
            "mix_weight": jax.random.beta(first, self.alpha, self.alpha, (shape[0],)),
            "permutation_order": jax.random.permutation(second, shape[0]),
        }

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        weight = per_image(jnp.asarray(values["mix_weight"])).astype(jnp.result_type(images.dtype, float))
        return weight * images + (1 - weight) * jnp.take(images, jnp.asarray(values["permutation_order"]), axis=0)

    def change_labels(self, labels: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return _labels(labels, values["permutation_order"], values["mix_weight"])

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        if not self._has(transformation, training):
            return bounding_boxes
        order = jnp.asarray(transformation["permutation_order"])

        def both(part: Any) -> jax.Array:
            part = jnp.asarray(part)
            return jnp.concatenate([part, jnp.take(part, order, axis=0)], axis=min(1, part.ndim - 1))

        return {**bounding_boxes, **{name: both(bounding_boxes[name]) for name in ("boxes", "labels")}}


def _span(key: Key[Array, ""], length: int, part: Array) -> tuple[jax.Array, jax.Array]:
    """Where a part of a line begins and ends, at random."""
    size = part * length
    start = jax.random.uniform(key, part.shape) * (length - size)
    return start, start + size


class _PatchLayer(RandomImageLayer):
    """Base of the layers that change a rectangle of each image."""

    mixes_samples: ClassVar[bool | None] = False

    def patches(
        self, key: Key[Array, ""], shape: tuple[int, ...], parts: tuple[Array, Array]
    ) -> tuple[jax.Array, jax.Array]:
        """Which pixels are in the rectangles whose parts of height and width are given, and their parts of the area."""
        height, width = self.size_of(shape)
        first, second = jax.random.split(key)
        left, right = (edge[:, None, None] for edge in _span(first, width, parts[1]))
        top, bottom = (edge[:, None, None] for edge in _span(second, height, parts[0]))
        rows, columns = jnp.arange(height)[None, :, None], jnp.arange(width)[None, None, :]
        inside = (columns >= left) & (columns < right) & (rows >= top) & (rows < bottom)
        axis = image_axes(self.data_format)[2] % 4
        area = (right - left) * (bottom - top) / (width * height)
        return jnp.broadcast_to(jnp.expand_dims(inside, axis), shape), area[..., None]


class CutMix(_PatchLayer):
    """A rectangle of each image comes from another one of the batch; labels are mixed by area (Yun et al., 2019).

    Args:
        factor: the bounds of alpha, in [0, 1], where the share of an image itself comes from Beta(alpha, alpha); one number f
            means from 0 to f.
        seed: an integer.
        data_format: "channels_last" or "channels_first".

    >>> CutMix().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = True
    moves_pixels: ClassVar[bool] = True

    factor: Any = WHOLE
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second, third, fourth = jax.random.split(key, 4)
        alpha = uniform(first, (), self.factor) + 1e-6
        side = jnp.sqrt(1 - jax.random.beta(second, alpha, alpha, (shape[0],)))
        masks, area = self.patches(third, shape, (side, side))
        order = jax.random.permutation(fourth, shape[0])
        return {"permutation_order": order, "batch_masks": masks, "mix_weight": 1 - area}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        other = jnp.take(images, jnp.asarray(values["permutation_order"]), axis=0)
        channels = image_axes(self.data_format)[2]
        # Segmentation masks have their own channels.
        inside = jax.lax.slice_in_dim(values["batch_masks"], 0, 1, axis=channels % 4)
        return jnp.where(inside, other, images)

    def change_labels(self, labels: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return _labels(labels, values["permutation_order"], values["mix_weight"])


class RandomErasing(_PatchLayer, ColourLayer):
    """Fills a rectangle of some images (Zhong et al., 2017).

    Args:
        factor: the bounds of the probability that an image is changed, in [0, 1]; one number f means from 0 to f.
        scale: the bounds, in [0, 1], of two numbers whose roots are the parts of width and height.
        fill_value: a number, or one for each of three channels; None is noise.
        value_range: the least and the largest value.
        seed: an integer.
        data_format: "channels_last" or "channels_first".

    >>> RandomErasing().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = WHOLE
    scale: Any = field(default=(0.02, 0.33), convert=PART)
    fill_value: Any = field(default=None, convert=fill)
    value_range: Any = VALUE_RANGE
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    def check_images(self, images: Any) -> None:
        super().check_images(images)
        axis = image_axes(self.data_format)[2]
        if isinstance(self.fill_value, tuple) and images.shape[axis] not in (3, None):
            raise InputError(
                f"{self._place} (RandomErasing): fill_value={self.fill_value} has three numbers; the images have shape"
                f" {tuple(images.shape)}, which is {images.shape[axis]} channels."
            )

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second, third, fourth = jax.random.split(key, 4)
        parts = jnp.sqrt(uniform(first, (2, shape[0]), self.scale))
        masks, _ = self.patches(second, shape, (parts[1], parts[0]))
        return {
            "apply_erasing": chosen(third, shape[0], self.factor),
            "batch_masks": masks,
            "fill_value": jnp.clip(self._filling(fourth, shape), *self.value_range),
        }

    def _filling(self, key: Key[Array, ""], shape: tuple[int, ...]) -> jax.Array:
        if self.fill_value is None:
            greatest: float = self.value_range[1]
            return jax.random.normal(key, shape) * greatest
        axis = image_axes(self.data_format)[2] % 4
        filling = jnp.asarray(self.fill_value, float)
        return filling.reshape([-1 if place == axis and filling.ndim else 1 for place in range(4)])

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        erased = jnp.asarray(values["batch_masks"]) & per_image(jnp.asarray(values["apply_erasing"]))
        return jnp.where(erased, jnp.asarray(values["fill_value"], images.dtype), images)
