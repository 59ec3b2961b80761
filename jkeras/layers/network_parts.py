"""Layers that belong to networks of `jkeras.applications`, and have no public name, as in Keras."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, initializers
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import keeps_shape
from jkeras.types import Array, Num
from jkeras.values.fields import field


class CustomScaleLayer(Layer):
    """The first of two tensors and `scale` times the second.

    Args:
        scale: the factor.

    >>> import jax.numpy as jnp
    >>> CustomScaleLayer(0.5)([jnp.ones(2), jnp.ones(2)]).tolist()
    [1.5, 1.5]
    """

    keras_module = "keras.src.applications.inception_resnet_v2"
    mixes_samples: ClassVar[bool | None] = False

    scale: float = field(convert=arguments.number)

    def call(self, inputs: Any) -> jax.Array:
        first, second = inputs
        result: jax.Array = first + second * self.scale
        return result


class LayerScale(Layer):
    """Multiplies each feature by a trained factor.

    Args:
        init_values: the initial value of the factors.
        projection_dim: the number of features.
    """

    keras_module = "keras.src.applications.convnext"
    mixes_samples: ClassVar[bool | None] = False
    known_output = keeps_shape

    init_values: float = field(convert=arguments.number)
    projection_dim: int = field(convert=arguments.at_least(1))

    def build(self, input_shape: Any) -> None:
        self.gamma = self.add_weight(
            (self.projection_dim,), initializer=initializers.Constant(self.init_values), name="gamma"
        )

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        return inputs * self.gamma


class StochasticDepth(Layer):
    """Drops whole samples at random in training and scales up the others.

    Args:
        drop_path_rate: the rate.
    """

    keras_module = "keras.src.applications.convnext"
    mixes_samples: ClassVar[bool | None] = False
    known_output = keeps_shape

    drop_path_rate: float = field(convert=arguments.probability)

    def call(self, inputs: Num[Array, "*shape"], training: bool = False) -> Num[Array, "*shape"]:
        if not training:
            return inputs
        keep = 1 - self.drop_path_rate
        shape = (inputs.shape[0], *(1 for _ in inputs.shape[1:]))
        mask = jnp.floor(keep + jax.random.uniform(self.make_rng(), shape)).astype(inputs.dtype)
        return inputs / keep * mask


# By how files name them: a user's class of the same name is another one.
CLASSES: dict[tuple[str, str], type[Layer]] = {
    (cls.keras_module, cls.__name__): cls for cls in (CustomScaleLayer, LayerScale, StochasticDepth)
}
