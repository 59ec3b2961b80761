"""Values on another scale."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.graph.layer import Layer
from jkeras.types import Array, Num
from jkeras.values.fields import field


class Rescaling(Layer):
    """`inputs * scale + offset`, for example `Rescaling(1 / 255)`.

    Shapes: any, unchanged.

    Args:
        scale: a number, or one for each channel.
        offset: likewise.

    >>> import jax.numpy as jnp
    >>> Rescaling(0.5, offset=-1.0)(jnp.array([0, 4])).tolist()
    [-1.0, 1.0]
    """

    mixes_samples: ClassVar[bool | None] = False
    supports_masking: ClassVar[bool] = True

    scale: Any = field(convert=arguments.numeric)
    offset: Any = field(default=0.0, convert=arguments.numeric)

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        dtype = self.compute_dtype
        scale = jnp.asarray(self.scale, dtype)
        if scale.ndim and config.image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        return inputs.astype(dtype) * scale + jnp.asarray(self.offset, dtype)
