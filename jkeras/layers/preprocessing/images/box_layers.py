"""Layers for bounding boxes only."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.graph.shapes import Shape
from jkeras.layers.preprocessing.images.base import ImageLayer
from jkeras.types import Array, DataFormatField, Num, PyTree
from jkeras.values.fields import field


class MaxNumBoundingBoxes(ImageLayer):
    """The same number of boxes for every image: later ones are left out, missing ones filled in.

    Args:
        max_number: how many.
        fill_value: the value of the boxes and labels that are filled in, an integer.

    >>> MaxNumBoundingBoxes(3).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _keeps_integers: ClassVar[bool] = True
    _in_inference: ClassVar[bool] = True
    _is_random: ClassVar[bool] = False

    _only_if_other: ClassVar[tuple[str, ...]] = ("bounding_box_format", "fill_value")

    max_number: int = field(convert=arguments.positive_int)
    fill_value: int = field(default=-1, convert=arguments.integer)
    data_format: DataFormatField = field(default=None, convert=config.standardize_data_format, kw_only=True)

    def known_output(self, inputs: Shape) -> Shape | None:
        """The images."""
        return inputs

    def change_images(self, images: Num[Array, "*shape"], values: PyTree[Array]) -> Num[Array, "*shape"]:
        return images

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool | None = True
    ) -> Any:
        def filled(part: Any) -> jax.Array:
            part = jnp.asarray(part)[:, : self.max_number]
            padding = [(0, 0), (0, self.max_number - part.shape[1]), *[(0, 0)] * (part.ndim - 2)]
            return jnp.pad(part, padding, constant_values=self.fill_value)

        return {**bounding_boxes, **{name: filled(bounding_boxes[name]) for name in ("boxes", "labels")}}
