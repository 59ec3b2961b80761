"""Image layers as objects: their own seed generators, transformations that users override, programs that equal layers share."""

from __future__ import annotations

from typing import Any

import jax

from jkeras import layers
from jkeras.keras.adaptable import ANY_VALUES, on_values
from jkeras.keras.facades import on_view
from jkeras.keras.scopes import is_traced
from jkeras.keras.variables import as_array
from jkeras.layers.preprocessing.pipeline import takes_training


def _value(self: Any) -> Any:
    """The description of an object whose class is built in; the code of a user's class is run as it is."""
    if not type(self).is_facade():
        return None
    return self.description(**{**self._arguments(), "name": None, "dtype": self.compute_dtype})


def _image_layer(description: Any) -> dict[str, Any]:
    run = on_view(description.call)

    def call(self: Any, data: Any, training: bool = True) -> Any:
        return run(self, jax.tree.map(as_given_array, data, is_leaf=is_list), training=training)

    extras = {**ANY_VALUES, "call": call, "compiled_as": _value}
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
    """A leaf of the data as an array; traced ones and strings as they are."""
    return leaf if is_traced(leaf) or isinstance(leaf, str) else as_array(leaf)


def is_list(value: Any) -> bool:
    """Whether an argument is a list of numbers, or of lists of them."""
    return isinstance(value, (list, tuple))


def _run_all(self: Any, inputs: Any, training: bool = True, mask: Any = None) -> Any:
    """The layers of a pipeline, one after the other."""
    for layer in self.layers:
        inputs = layer(inputs, training=training) if takes_training(layer) else layer(inputs)
    return inputs


_NAMES = """AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization MaxNumBoundingBoxes
    MixUp RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
    RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
    RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation
    RandomZoom Resizing Solarization""".split()

IMAGES: dict[str, dict[str, Any]] = {
    **{name: _image_layer(getattr(layers, name)) for name in _NAMES},
    "Pipeline": {**ANY_VALUES, "call": _run_all},
    "MelSpectrogram": {**ANY_VALUES, "call": on_values(layers.MelSpectrogram)},
}
