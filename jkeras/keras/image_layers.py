"""Image layers as mutable objects: seed generators, overridable transformations, and programs shared by equal layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax

from jkeras import layers, tree
from jkeras.errors import ArgumentError
from jkeras.graph.layer_call import method_signature
from jkeras.keras.adaptable import ANY_VALUES, on_values
from jkeras.keras.builtin import BuiltinLayer
from jkeras.keras.facades import on_view
from jkeras.keras.inner_steps import overridden
from jkeras.keras.masks import mask_of
from jkeras.keras.scopes import is_traced
from jkeras.keras.variables import as_array


def _value(self: Any) -> Any:
    """The description of an object of a built-in class; code of users' classes runs unchanged."""
    if not type(self).is_facade():
        return None
    return self.description(**{**self._arguments(), "name": None, "dtype": self.compute_dtype})


# The methods that transform a part of what belongs to one image, by the part.
_OF_ONE = {
    "images": "transform_single_image",
    "labels": "transform_single_label",
    "bounding_boxes": "transform_single_bounding_box",
    "segmentation_masks": "transform_single_segmentation_mask",
}


def _single(part: str) -> Any:
    def transform_single(self: Any, data: Any, transformation: Any, training: bool = True) -> Any:
        """The same for one image."""
        batch = jax.tree.map(lambda leaf: as_array(leaf)[None], data)
        changed = getattr(self, f"transform_{part}")(batch, transformation=transformation, training=training)
        return jax.tree.map(lambda leaf: leaf[0], changed)

    return transform_single


_SINGLE = {name: _single(part) for part, name in _OF_ONE.items()}


def _image_layer(description: Any) -> dict[str, Any]:
    run = on_view(description.call)

    def call(self: Any, data: Any, training: bool = True) -> Any:
        return run(self, jax.tree.map(as_given_array, data, is_leaf=is_list), training=training)

    def transform(self: Any, parts: Mapping[str, Any], training: bool | None, seed: Any = None) -> dict[str, Any]:
        if len(parts["images"].shape) != 3 or not overridden(type(self), *_OF_ONE.values()):
            return description.transform(self, parts, training, seed)
        values = self.get_random_transformation(parts, training=training, seed=seed)
        return {
            name: getattr(self, _OF_ONE[name])(part, transformation=values, training=training)
            for name, part in parts.items()
        }

    extras = {**ANY_VALUES, **_SINGLE, "call": call, "transform": transform, "compiled_as": _value}
    if "factor" in description._fields:
        extras["_set_factor"] = _set_factor
    if "seed" in description._fields:
        extras |= {
            "_seeded": staticmethod(lambda layer: True),
            "generator": property(lambda self: self.seed_generator),
        }
    return extras


def _set_factor(self: Any, factor: Any) -> None:
    self.factor = type(self)._convert("factor", type(self)._fields["factor"], factor)


def as_given_array(leaf: Any) -> Any:
    """Converts a leaf of the data to an array; traced arrays and strings are unchanged."""
    return leaf if is_traced(leaf) or isinstance(leaf, str) else as_array(leaf)


def is_list(value: Any) -> bool:
    """Whether an argument is a list of numbers, or of lists of them."""
    return isinstance(value, (list, tuple))


def _run_all(self: Any, inputs: Any, training: bool = True, mask: Any = None) -> Any:
    """Applies the layers of a pipeline in order, each with the mask of its input."""
    for layer in self.layers:
        offered = {"training": training, "mask": mask}
        inputs = layer(
            inputs, **{key: value for key, value in offered.items() if method_signature(layer.call).takes(key)}
        )
        mask = tree.map_structure(mask_of, inputs)
    return inputs


def _pipeline(cls: Any, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
    """Restores a pipeline from `get_config()`.

    Raises:
        ValueError: it has no list of layers.
    """
    if not isinstance(config.get("layers"), (list, tuple)):
        raise ArgumentError(f"Pipeline.from_config: expected a list of `layers`. Received: {config.get('layers')!r}.")
    return BuiltinLayer.from_config.__func__(cls, config, custom_objects)  # type: ignore[attr-defined]


_NAMES = """AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization MaxNumBoundingBoxes
    MixUp RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
    RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
    RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation
    RandomZoom Resizing Solarization""".split()

IMAGES: dict[str, dict[str, Any]] = {
    **{name: _image_layer(getattr(layers, name)) for name in _NAMES},
    "Pipeline": {**ANY_VALUES, "call": _run_all, "from_config": classmethod(_pipeline)},
    "MelSpectrogram": {**ANY_VALUES, "call": on_values(layers.MelSpectrogram)},
}
