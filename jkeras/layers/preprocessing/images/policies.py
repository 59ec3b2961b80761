"""Policies: layers that apply others, chosen at random for each image."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.layers.preprocessing.images import colours, geometry, histograms, sharpness
from jkeras.layers.preprocessing.images.base import ImageLayer, RandomImageLayer
from jkeras.layers.preprocessing.images.fields import (
    BILINEAR,
    DATA_FORMAT,
    PART,
    SEED,
    VALUE_RANGE,
)
from jkeras.types import Array, DataFormatField, Key, Num, PyTree
from jkeras.values.fields import field

# The parts of the layers, by Keras's names for them; "factor" means the strength of the policy.
_PLACES = ("interpolation",)
_COLOURS = ("value_range",)
_KINDS: dict[str, tuple[Any, tuple[str, ...], tuple[str, ...]]] = {
    "random_shear": (geometry.RandomShear, ("x_factor", "y_factor"), _PLACES),
    "random_translation": (geometry.RandomTranslation, ("height_factor", "width_factor"), _PLACES),
    "random_rotation": (geometry.RandomRotation, ("factor",), _PLACES),
    "random_brightness": (colours.RandomBrightness, ("factor",), _COLOURS),
    "random_color_degeneration": (colours.RandomColorDegeneration, ("factor",), _COLOURS),
    "random_contrast": (colours.RandomContrast, ("factor",), _COLOURS),
    "random_sharpness": (sharpness.RandomSharpness, ("factor",), _COLOURS),
    "random_posterization": (colours.RandomPosterization, (), _COLOURS),
    "solarization": (colours.Solarization, ("addition_factor", "threshold_factor"), _COLOURS),
    "auto_contrast": (histograms.AutoContrast, (), _COLOURS),
    "equalization": (histograms.Equalization, (), _COLOURS),
}


@functools.lru_cache(maxsize=128)
def _layers(
    names: tuple[str, ...],
    factor: Any,
    interpolation: str,
    values: PyTree[Array],
    data_format: str,
    boxes: str | None,
    dtype: str,
) -> dict[str, ImageLayer]:
    """The layers of some names, for policies of one strength."""
    steps = {}
    common = {"interpolation": interpolation, "value_range": values}
    for name in names:
        kind, factors, others = _KINDS[name]
        own = {**dict.fromkeys(factors, factor), **{other: common[other] for other in others}}
        if name == "random_posterization":
            own["factor"] = max(1, int(8 * factor[1]))
        steps[name] = kind(**own, data_format=data_format, bounding_box_format=boxes, dtype=dtype)
    return steps


class _Policy(RandomImageLayer):
    """Base: the layers, and how one of them is applied to each image."""

    mixes_samples: ClassVar[bool | None] = False
    moves_pixels: ClassVar[bool] = True
    _channels: ClassVar[tuple[int, ...]] = (3,)

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(_KINDS)

    @property
    def _steps(self) -> dict[str, ImageLayer]:
        """The layers by name, in the order in which they are numbered."""
        shared = (self.data_format, self.bounding_box_format, self.compute_dtype)
        return _layers(self._names, self.factor, self.interpolation, self.value_range, *shared)

    def draws(self, key: Key[Array, ""], shape: tuple[int, ...]) -> dict[str, Any]:
        """The numbers of a transformation by each of the layers."""
        keys = jax.random.split(key, len(self._steps))
        return {name: layer.draw(one, shape) for one, (name, layer) in zip(keys, self._steps.items(), strict=True)}

    def applied(self, what: str, data: Any, index: Array, values: Mapping[str, Any], *more: Any) -> Any:
        """Data after the layer of a number; the number behind the last layer's changes nothing.

        Args:
            what: the name of a method, as "change_images".
            data: the data of a batch.
            index: one number for the batch, or one for each image.
            values: the numbers of the transformations by the layers' names.
            more: further arguments of the method.
        """
        numbers = {name: _numbers(values.get(name)) for name in self._steps}

        def one(index: Array, data: Any, numbers: Any) -> Any:
            branches = [
                functools.partial(_change, getattr(layer, what), layer, name, more, follows=what == "change_images")
                for name, layer in self._steps.items()
            ]
            return jax.lax.switch(index, [*branches, lambda data, numbers: data], data, numbers)

        if index.ndim == 0:
            return one(index, data, numbers)

        def of_one(arguments: Any) -> Any:
            index, data, numbers = arguments
            changed = one(index, data[None], jax.tree.map(lambda leaf: leaf[None], numbers))
            return changed[0]

        return jax.lax.map(of_one, (index, data, numbers))


def _change(change: Any, layer: ImageLayer, name: str, more: Any, data: Any, numbers: Any, *, follows: bool) -> Any:
    """The data after one layer; masks and boxes are unchanged if the layer does not move pixels."""
    return change(data, numbers[name], *more).astype(data.dtype) if follows or layer.moves_pixels else data


def _numbers(values: PyTree[Array]) -> Any:
    """The random numbers, without the shape that Keras adds."""
    return {name: jnp.asarray(one) for name, one in (values or {}).items() if name != "input_shape"}


class RandAugment(_Policy):
    """A few operations, chosen at random for each image out of eleven (Cubuk et al., 2019).

    Shear, translation, rotation, brightness, colour degeneration, contrast, sharpness, posterization, solarization, automatic
    contrast, equalization. In Keras all images of a batch get the same operations.

    Args:
        value_range: the least and the largest value.
        num_ops: how many operations, one after the other.
        factor: the bounds of their strength, in [0, 1]; one number f means from 0 to f.
        interpolation: "nearest" or "bilinear".
        seed: an integer.
        data_format: "channels_last" or "channels_first".
        bounding_box_format: the format of boxes, if there are any.

    >>> RandAugment().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    value_range: Any = VALUE_RANGE
    num_ops: int = field(default=2, convert=arguments.at_least(0))
    factor: Any = field(default=0.5, convert=PART)
    interpolation: str = BILINEAR
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second = jax.random.split(key)
        return {
            "transforms": self.draws(second, shape),
            "layer_idxes": jax.random.randint(first, (self.num_ops, shape[0]), 0, len(self._steps)),
        }

    def _after_all(self, what: str, data: Any, values: PyTree[Array], *more: Any) -> jax.Array:
        def step(data: Any, index: Array) -> tuple[Any, None]:
            return self.applied(what, data, index, values["transforms"], *more), None

        after: jax.Array = jax.lax.scan(step, data, jnp.asarray(values["layer_idxes"]))[0]
        return after

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return self._after_all("change_images", images, values)

    def change_masks(self, masks: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return self._after_all("change_masks", masks, values)

    def change_boxes(self, boxes: Num[Array, "batch boxes 4"], values: PyTree[Array], size: tuple[int, int]) -> Any:
        return self._after_all("change_boxes", boxes, values, size)


class AugMix(_Policy):
    """The weighted mean of each image with several changed forms of it (Hendrycks et al., 2019).

    Each form comes from a chain of operations, chosen at random for each image: those of `RandAugment`, or none. Boxes stay
    as they are.

    Args:
        value_range: the least and the largest value.
        num_chains: how many forms.
        chain_depth: how many operations in a chain at most.
        factor: the bounds of their strength, in [0, 1]; one number f means from 0 to f.
        alpha: weights come from the distributions Beta and Dirichlet of it.
        all_ops: whether brightness, colour degeneration, contrast and sharpness are among the operations.
        interpolation: "nearest" or "bilinear".
        seed: an integer.
        data_format: "channels_last" or "channels_first".

    >>> AugMix().compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    value_range: Any = VALUE_RANGE
    num_chains: int = field(default=3, convert=arguments.positive_int)
    chain_depth: int = field(default=3, convert=arguments.positive_int)
    factor: Any = field(default=0.3, convert=PART)
    alpha: float = field(default=1.0, convert=arguments.between(0, float("inf"), open_low=True, open_high=True))
    all_ops: bool = field(default=True, convert=arguments.boolean)
    interpolation: str = BILINEAR
    seed: int | None = SEED
    data_format: DataFormatField = DATA_FORMAT

    @property
    def _names(self) -> tuple[str, ...]:
        optional = "random_brightness random_color_degeneration random_contrast random_sharpness".split()
        rest = tuple(name for name in _KINDS if name not in optional)
        return (*rest, *optional) if self.all_ops else rest

    def draw(self, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
        first, second, third, fourth = jax.random.split(key, 4)
        steps = (self.num_chains, self.chain_depth)
        keys = jax.random.split(fourth, steps)
        return {
            "chain_mixing_weights": jax.random.dirichlet(first, jnp.full(self.num_chains, float(self.alpha))),
            "weight_sample": jax.random.beta(second, self.alpha, self.alpha),
            "layer_idxes": jax.random.randint(third, (*steps, shape[0]), 0, len(self._steps) + 1),
            "transforms": jax.vmap(jax.vmap(lambda one: self.draws(one, shape)))(keys),
        }

    def _mixed(self, what: str, data: Num[Array, "*shape"], values: PyTree[Array]) -> jax.Array:
        def step(data: Any, arguments: Any) -> tuple[Any, None]:
            index, transforms = arguments
            return self.applied(what, data, index, transforms), None

        def chain(total: Array, arguments: Any) -> tuple[Array, None]:
            weight, *steps = arguments
            return total + weight.astype(total.dtype) * jax.lax.scan(step, data, tuple(steps))[0], None

        chains = (values["chain_mixing_weights"], values["layer_idxes"], values["transforms"])
        mixed = jax.lax.scan(chain, jnp.zeros(data.shape, jnp.result_type(data.dtype, float)), chains)[0]
        own: jax.Array = values["weight_sample"].astype(mixed.dtype)
        return own * data + (1 - own) * mixed

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return jnp.clip(self._mixed("change_images", images, values), *self.value_range)

    def change_masks(self, masks: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return self._mixed("change_masks", masks, values)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        return bounding_boxes
