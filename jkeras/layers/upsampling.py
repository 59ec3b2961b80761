"""Layers that make lines, images and volumes larger by whole factors."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.types import Array, DataFormatField, Num, SizesField
from jkeras.values.fields import field

DATA_FORMAT: Any = field(default=None, convert=config.standardize_data_format)
METHODS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling1D(Layer):
    """Repeats each time step.

    Shapes: `(batch, time, features)` to `(batch, time * size, features)`.

    Args:
        size: the number of repetitions.

    >>> UpSampling1D(3).compute_output_shape((None, 4, 2))
    (None, 12, 2)
    """

    mixes_samples: ClassVar[bool | None] = False

    size: int = field(default=2, convert=arguments.positive_int)

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=3)

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes channels"]:
        return jnp.repeat(inputs, self.size, axis=1)


class _UpSampling(Layer):
    """Repeats along several spatial axes."""

    mixes_samples: ClassVar[bool | None] = False
    rank: ClassVar[int]

    size: SizesField = field(default=2, convert=arguments.ints(2))
    data_format: DataFormatField = DATA_FORMAT

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    @property
    def _first_axis(self) -> int:
        return 2 if self.data_format == "channels_first" else 1

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes channels"]:
        for axis, factor in enumerate(self.size, self._first_axis):
            inputs = jnp.repeat(inputs, factor, axis=axis)
        return inputs


class UpSampling2D(_UpSampling):
    """Makes images larger: `(batch, height, width, channels)`.

    Shapes: `(batch, height, width, channels)` to `(batch, size[0] * height, size[1] * width, channels)`.

    Args:
        size: the factors of height and width.
        data_format: "channels_last" or "channels_first".
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    >>> UpSampling2D((2, 3)).compute_output_shape((None, 4, 4, 1))
    (None, 8, 12, 1)
    """

    rank: ClassVar[int] = 2

    size: SizesField = field(default=(2, 2), convert=arguments.ints(2))
    interpolation: str = field(default="nearest", convert=arguments.one_of(*METHODS))

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes channels"]:
        if self.interpolation == "nearest":
            return super().call(inputs)
        shape = list(inputs.shape)
        for axis, factor in enumerate(self.size, self._first_axis):
            shape[axis] *= factor
        result: Num[Array, "batch *new_sizes channels"] = jax.image.resize(
            inputs, shape, self.interpolation, antialias=False
        )
        return result


class UpSampling3D(_UpSampling):
    """Repeats the voxels of volumes.

    Shapes: `(batch, depth, height, width, channels)`, each size multiplied.

    Args:
        size: the number of repetitions: one number, or one per axis.

    >>> UpSampling3D(2).compute_output_shape((None, 4, 4, 4, 1))
    (None, 8, 8, 8, 1)
    """

    rank: ClassVar[int] = 3

    size: SizesField = field(default=(2, 2, 2), convert=arguments.ints(3))


__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]
