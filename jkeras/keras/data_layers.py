"""Base classes of users' preprocessing layers, as in Keras: `DataLayer` and `BaseImagePreprocessingLayer`."""

from __future__ import annotations

from typing import Any

import jax

from jkeras.config import standardize_data_format
from jkeras.errors import ArgumentError
from jkeras.keras import ops, random
from jkeras.keras.image_layers import as_given_array, is_list
from jkeras.keras.layer import Layer
from jkeras.layers.preprocessing.images.base import PARTS
from jkeras.layers.preprocessing.images.fields import BOX_FORMAT
from jkeras.layers.preprocessing.images.fields import factor as factor_within


class DataLayer(Layer):
    """Base class of users' preprocessing layers: as in Keras, `self.backend` has the functions of `keras`."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.backend = Backend()
        self._allow_non_tensor_positional_args = True

    def _get_seed_generator(self, backend: Any = None) -> Any:
        """The generator that the constructor created, `self.generator`."""
        if not hasattr(self, "seed") or not hasattr(self, "generator"):
            raise ArgumentError(
                "The `seed` and `generator` variable must be set in the `__init__` method before calling"
                " `_get_seed_generator()`."
            )
        return self.generator

    def convert_weight(self, weight: Any) -> Any:
        """The weight itself, because there is only one backend."""
        return weight


class Backend:
    """What Keras's layers use as `self.backend`: `backend.numpy.stack`, `backend.image.resize`, `backend.cast`."""

    name = _backend = "jax"

    def __getattr__(self, name: str) -> Any:
        if name in ("numpy", "nn", "math", "linalg", "core"):
            return ops
        if name in ("image", "random"):
            return ops.image if name == "image" else random
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(ops, name)

    def set_backend(self, name: str) -> None:
        """Does nothing, because there is only one backend."""

    def reset(self) -> None:
        """Does nothing, because there is only one backend."""


class BaseImagePreprocessingLayer(DataLayer):
    """Base of users' image layers: overrides draw a transformation and apply it to images, masks, boxes and labels.

    Args:
        factor: a number, or a pair of bounds, within `_FACTOR_BOUNDS`.
        bounding_box_format: the format of bounding boxes, if there are any.
        data_format: "channels_last" or "channels_first".
        kwargs: arguments of `Layer`.

    Raises:
        ValueError: the factor is out of bounds.
    """

    _USE_BASE_FACTOR = True
    _FACTOR_BOUNDS = (-1, 1)

    def __init__(
        self, factor: Any = None, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.bounding_box_format = BOX_FORMAT(bounding_box_format)
        self.data_format = standardize_data_format(data_format)
        if self._USE_BASE_FACTOR:
            self._set_factor(factor or 0.0)
        elif factor is not None:
            raise ArgumentError(
                f"Layer {type(self).__name__} does not take a `factor` argument. Received: factor={factor}"
            )

    def _set_factor(self, factor: Any) -> None:
        try:
            self.factor = factor_within(*self._FACTOR_BOUNDS)(factor)
        except ArgumentError:
            low, high = self._FACTOR_BOUNDS
            raise ArgumentError(
                "The `factor` argument should be a number (or a list of two numbers) in the range"
                f" [{low}, {high}]. Received: factor={factor}"
            ) from None

    # -- for users to override -------------------------------------------------------------------------------------

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draws a transformation for some data."""
        return None

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Applies a transformation to a batch of images."""
        raise NotImplementedError

    transform_labels = transform_bounding_boxes = transform_segmentation_masks = transform_images

    # -- the protocol of layers ------------------------------------------------------------------------------------

    def call(self, data: Any, training: bool = True) -> Any:
        """Draws a transformation and applies it to the data."""
        parts = {name: data[name] for name in PARTS if name in data} if isinstance(data, dict) else {"images": data}
        values = self.get_random_transformation(data, training=training)
        single = len(parts["images"].shape) == 3
        batch = jax.tree.map(
            lambda leaf: as_given_array(leaf)[None] if single else as_given_array(leaf), parts, is_leaf=is_list
        )
        changed = {
            name: getattr(self, f"transform_{name}")(part, transformation=values, training=training)
            for name, part in batch.items()
        }
        changed = jax.tree.map(lambda leaf: leaf[0], changed) if single else changed
        return {**data, **changed} if isinstance(data, dict) else changed["images"]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"data_format": self.data_format}
        if self.bounding_box_format is not None:
            own["bounding_box_format"] = self.bounding_box_format
        return {**super().get_config(), **own}
