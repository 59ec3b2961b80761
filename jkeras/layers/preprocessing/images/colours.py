"""Random changes of colours: brightness, contrast, hue, saturation and the like; pixels stay where they are."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.layers.preprocessing.images.base import ColourLayer, chosen, per_image, rescaled, uniform
from jkeras.layers.preprocessing.images.fields import (
    BITS,
    DATA_FORMAT,
    PART,
    SEED,
    SHIFT,
    VALUE_RANGE,
    WHOLE,
    as_given,
)
from jkeras.ops import colours
from jkeras.ops.image_layout import image_axes, planes
from jkeras.types import Array, DataFormatField, Key, Num, PyTree
from jkeras.values.fields import field

RGB = (3,)
BYTE = (0.0, 255.0)


class RandomContrast(ColourLayer):
    """`(x - mean) * factor + mean` with the mean of each image and channel, cut to the range of values.

    Args:
        factor: the bounds `(low, high)` in [0, 1] of a factor between `1 - low` and `1 + high`; one number f means that low
            is 0 and high is f.
        value_range: the least and the largest value.
        seed: an integer.

    >>> RandomContrast(0.2).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = field(convert=PART)
    value_range: Any = VALUE_RANGE
    seed: int | None = SEED
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format, kw_only=True)

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        low, high = self.factor
        return {"contrast_factor": uniform(key, (shape[0], 1, 1, 1), (1 - low, 1 + high))}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        # Down, then across, as in Keras: the first goes along whole rows, where both at once take channels one by one.
        mean = functools.reduce(lambda part, axis: jnp.mean(part, axis, keepdims=True), self.axes(), images)
        factor = values["contrast_factor"].astype(images.dtype)
        return jnp.clip((images - mean) * factor + mean, *self.value_range)


class RandomBrightness(ColourLayer):
    """Adds a random number to each image, cut to the range of values.

    Args:
        factor: the bounds of the number as parts of the range, from -1 to 1; one number f means from -f to f.
        value_range: the least and the largest value.
        seed: an integer.

    >>> RandomBrightness(0.2).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = field(convert=SHIFT)
    value_range: Any = VALUE_RANGE
    seed: int | None = SEED
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format, kw_only=True)

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        low, high = self.value_range
        return {"rgb_delta": uniform(key, (shape[0], 1, 1, 1), self.factor) * (high - low)}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return jnp.clip(images + values["rgb_delta"].astype(images.dtype), *self.value_range)


class RandomHue(ColourLayer):
    """Turns the hue of each image by a random angle, to either side.

    Args:
        factor: the bounds of the angle in half turns, in [0, 1]; one number f means from 0 to f.
        value_range: the least and the largest value.
        data_format: "channels_last" or "channels_first".
        seed: an integer.

    >>> RandomHue(0.5).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _channels: ClassVar[tuple[int, ...]] = RGB

    factor: Any = field(convert=PART)
    value_range: Any = VALUE_RANGE
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second = jax.random.split(key)
        sign = jax.random.rademacher(first, (shape[0],), float)
        return {"factor": sign * uniform(second, (shape[0],), self.factor) * 0.5}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        axis = image_axes(self.data_format)[2]
        shares = rescaled(images, self.value_range, (0, 1))
        hue, saturation, value = planes(colours.rgb_to_hsv(shares, self.data_format), axis)
        turned = hue + values["factor"].astype(images.dtype)[:, None, None]
        turned = jnp.where(turned > 1, turned - 1, turned)
        turned = jnp.where(turned < 0, turned + 1, turned)
        changed = colours.hsv_to_rgb(jnp.stack([turned, saturation, value], axis), self.data_format)
        return rescaled(jnp.clip(changed, 0, 1), (0, 1), self.value_range)


class RandomSaturation(ColourLayer):
    """Makes the colours of each image weaker or stronger.

    Args:
        factor: the bounds of a number f in [-1, 1], by which saturation is multiplied as `f / (1 - f)`: 0 or less is grey, 0.5
            changes nothing, 1 is as strong as can be. As in Keras one number f means from -f to f; write `(0, f)` for less grey.
        value_range: the least and the largest value.
        data_format: "channels_last" or "channels_first".
        seed: an integer.

    >>> RandomSaturation(0.5).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _channels: ClassVar[tuple[int, ...]] = RGB

    factor: Any = field(convert=SHIFT)
    value_range: Any = VALUE_RANGE
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        factor = uniform(key, (shape[0],), self.factor)
        return {"factor": factor / (1 - factor + config.epsilon())}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        axis = image_axes(self.data_format)[2]
        hue, saturation, value = planes(colours.rgb_to_hsv(images, self.data_format), axis)
        factor = values["factor"].astype(images.dtype)[:, None, None]
        stronger = jnp.clip(saturation * factor, *self.value_range)
        return colours.hsv_to_rgb(jnp.stack([hue, stronger, value], axis), self.data_format)


class RandomColorDegeneration(ColourLayer):
    """Mixes each image with its grey form.

    Args:
        factor: the bounds of the share of grey, in [-1, 1], where less than 0 makes colours stronger; one number f means from -f
            to f.
        value_range: the least and the largest value.
        data_format: "channels_last" or "channels_first".
        seed: an integer.

    >>> RandomColorDegeneration(0.5).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _channels: ClassVar[tuple[int, ...]] = RGB

    factor: Any = field(convert=SHIFT)
    value_range: Any = VALUE_RANGE
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        return {"factor": uniform(key, (shape[0], 1, 1, 1), self.factor)}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        grey = colours.rgb_to_grayscale(images, self.data_format)
        return jnp.clip(images + values["factor"].astype(images.dtype) * (grey - images), *self.value_range)


class RandomGrayscale(ColourLayer):
    """Makes some images grey; they keep their channels.

    Args:
        factor: the probability, from 0 to 1.
        data_format: "channels_last" or "channels_first".
        seed: an integer.

    >>> RandomGrayscale().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _channels: ClassVar[tuple[int, ...]] = (1, 3)
    _only_if_other: ClassVar[tuple[str, ...]] = ("bounding_box_format", "seed")

    factor: float = field(default=0.5, convert=arguments.probability)
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        # As in Keras, the bare answers.
        return jax.random.uniform(key, (shape[0], 1, 1, 1)) < self.factor

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return jnp.where(per_image(values), colours.rgb_to_grayscale(images, self.data_format), images)


class RandomInvert(ColourLayer):
    """Replaces the colours of some images by `value_range[1] - x`.

    Args:
        factor: the bounds of the probability, in [0, 1]; one number f means from 0 to f.
        value_range: the least and the largest value.
        seed: an integer.
        data_format: "channels_last" or "channels_first".

    >>> RandomInvert().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = WHOLE
    value_range: Any = VALUE_RANGE
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        return {"apply_inversion": chosen(key, shape[0], self.factor)}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return jnp.where(per_image(values["apply_inversion"]), self.value_range[1] - images, images)


class RandomPosterization(ColourLayer):
    """Keeps only the first bits of each value.

    Args:
        factor: the bounds of the number of bits, from 1 to 8, the second one excluded unless they are equal; one number f
            means from 1 to f.
        value_range: the least and the largest value.
        data_format: "channels_last" or "channels_first".
        seed: an integer.

    >>> RandomPosterization(4).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    factor: Any = field(convert=BITS)
    value_range: Any = VALUE_RANGE
    data_format: DataFormatField = DATA_FORMAT
    seed: int | None = SEED

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        low, high = (int(bits) for bits in self.factor)
        bits = jax.random.randint(key, (shape[0],), low, high) if low < high else jnp.full((shape[0],), low)
        return {"shift_factor": (8 - bits).astype("uint8")}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        shift = per_image(values["shift_factor"]).astype("uint8")
        bytes_ = rescaled(images, self.value_range, BYTE).astype("uint8")
        return rescaled(((bytes_ >> shift) << shift).astype(images.dtype), BYTE, self.value_range)


class Solarization(ColourLayer):
    """Adds a random number to each image, then inverts values above a random threshold: `x` becomes `255 - x`.

    Args:
        addition_factor: the bounds of the number as parts of the range, in [0, 1]; one number f means from 0 to f.
        threshold_factor: likewise of the threshold.
        value_range: the least and the largest value.
        seed: an integer.

    >>> Solarization().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    addition_factor: Any = field(default=0.0, convert=PART)
    threshold_factor: Any = field(default=0.0, convert=PART)
    value_range: Any = VALUE_RANGE
    seed: int | None = SEED
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format, kw_only=True)

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        names = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        keys = jax.random.split(key)
        # Keras does not change the lower bound.
        return {
            name: uniform(one, (shape[0], 1, 1, 1), (low, high * 255))
            for one, (name, (low, high)) in zip(keys, names.items(), strict=True)
        }

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        additions, thresholds = (values[name].astype(images.dtype) for name in ("additions", "thresholds"))
        moved = jnp.clip(rescaled(images, self.value_range, BYTE) + additions, 0, 255)
        return rescaled(jnp.where(moved < thresholds, moved, 255 - moved), BYTE, self.value_range)


class RandomColorJitter(ColourLayer):
    """Changes brightness, contrast, saturation and hue, one after the other; None leaves one out.

    Args:
        value_range: the least and the largest value.
        brightness_factor: see `RandomBrightness`.
        contrast_factor: see `RandomContrast`.
        saturation_factor: see `RandomSaturation`.
        hue_factor: see `RandomHue`.
        seed: an integer.
        data_format: "channels_last" or "channels_first".

    >>> RandomColorJitter().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    value_range: Any = VALUE_RANGE
    brightness_factor: Any = field(default=None, convert=arguments.optional(as_given(SHIFT)))
    contrast_factor: Any = field(default=None, convert=arguments.optional(as_given(PART)))
    saturation_factor: Any = field(default=None, convert=arguments.optional(as_given(SHIFT)))
    hue_factor: Any = field(default=None, convert=arguments.optional(as_given(PART)))
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    @property
    def _steps(self) -> dict[str, ColourLayer]:
        factors = (self.brightness_factor, self.contrast_factor, self.saturation_factor, self.hue_factor)
        return _jitters(factors, self.value_range, self.data_format, self.compute_dtype)

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        # The first layer draws the same numbers as on its own.
        keys = [key, *jax.random.split(key, 3)]
        return {name: layer.draw(one, shape) for one, (name, layer) in zip(keys, self._steps.items(), strict=False)}

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        for name, layer in self._steps.items():
            images = layer.change_images(images, values[name])
        return images


@functools.lru_cache(maxsize=128)
def _jitters(factors: Any, values: PyTree[Array], data_format: str, dtype: str) -> dict[str, ColourLayer]:
    """The layers of a jitter whose factors are given, by Keras's names for them."""
    kinds: dict[str, Any] = {
        "random_brightness": RandomBrightness,
        "random_contrast": RandomContrast,
        "random_saturation": RandomSaturation,
        "random_hue": RandomHue,
    }
    shared = {"value_range": values, "data_format": data_format, "dtype": dtype}
    return {
        name: kind(factor=factor, **shared)
        for (name, kind), factor in zip(kinds.items(), factors, strict=True)
        if factor is not None
    }
