"""Sharper and softer images."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras.layers.preprocessing.images.base import ColourLayer, chosen, per_image, uniform
from jkeras.layers.preprocessing.images.fields import (
    DATA_FORMAT,
    PART,
    SEED,
    VALUE_RANGE,
    WHOLE,
    odd_sizes,
)
from jkeras.ops import images as functions
from jkeras.types import Array, DataFormatField, Key, Num, PyTree
from jkeras.values.fields import field


class RandomSharpness(ColourLayer):
    """Mixes each image with a softer form of it, or moves it away from that.

    Args:
        factor: the bounds of a number in [0, 1]: 0 is soft, 0.5 changes nothing, 1 is sharp; one number f means from 0 to f.
        value_range: the least and the largest value.
        data_format: "channels_last" or "channels_first".
        seed: an integer.

    >>> RandomSharpness(0.5).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = field(convert=PART)
    value_range: Any = VALUE_RANGE
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        return {"factor": uniform(key, (shape[0],), self.factor)}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        line = jnp.ones((3,), images.dtype)
        around = images
        for axis in self.axes():
            around = functions.smoothed(around, line, axis % images.ndim)
        soft = (around + 4 * images) / 13  # the middle weighs five times as much as the eight around it
        softness = 1 - 2 * per_image(values["factor"]).astype(images.dtype)
        return jnp.clip(images + softness * (soft - images), *self.value_range)


class RandomGaussianBlur(ColourLayer):
    """Smooths some images by a Gaussian.

    Args:
        factor: the bounds of the probability that an image is changed, in [0, 1]; one number f means from 0 to f.
        kernel_size: height and width of the kernel, odd.
        sigma: the bounds of the standard deviations in pixels, in [0, 1]; one number f means from 0 to f. They are drawn once
            for a batch.
        value_range: the least and the largest value.
        data_format: "channels_last" or "channels_first".
        seed: an integer.

    >>> RandomGaussianBlur().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = WHOLE
    kernel_size: Any = field(default=3, convert=odd_sizes)
    sigma: Any = WHOLE
    value_range: Any = VALUE_RANGE
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second = jax.random.split(key)
        return {
            "should_apply_blur": chosen(first, shape[0], self.factor),
            "blur_factor": uniform(second, (2,), self.sigma) + 1e-6,
        }

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        blurred = functions.gaussian_blur(
            images, self.kernel_size, values["blur_factor"].astype(images.dtype), self.data_format
        )
        changed = jnp.where(per_image(values["should_apply_blur"]), blurred, images)
        return jnp.clip(changed, *self.value_range)
