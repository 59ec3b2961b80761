"""Activation functions that have arguments or weights, as layers."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import activations, arguments, constraints, initializers, lowering, regularizers
from jkeras.errors import ArgumentError
from jkeras.graph.layer import Layer
from jkeras.graph.layer_call import one_class
from jkeras.graph.shapes import keeps_shape
from jkeras.types import Array, Bool, ConstraintField, InitializerField, Num, RegularizerField
from jkeras.values.fields import field


class _Elementwise(Layer):
    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False


class ReLU(_Elementwise):
    """`max(x, threshold)` with a slope below and a ceiling.

    Shapes: any, unchanged.

    Args:
        max_value: the ceiling; None for none.
        negative_slope: the slope below the threshold.
        threshold: below it values are cut off.

    >>> import jax.numpy as jnp
    >>> ReLU()(jnp.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    max_value: float | None = field(default=None, convert=arguments.optional(arguments.non_negative))
    negative_slope: float = field(default=0.0, convert=arguments.non_negative)
    threshold: float = field(default=0.0, convert=arguments.non_negative)

    known_output = keeps_shape

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )


class LeakyReLU(_Elementwise):
    """`x` above 0 and `negative_slope * x` below.

    Shapes: any, unchanged.

    Args:
        negative_slope: the slope below 0.

    >>> import jax.numpy as jnp
    >>> LeakyReLU()(jnp.array([-1.0, 2.0])).round(2).tolist()
    [-0.3, 2.0]
    """

    negative_slope: float = field(default=0.3, convert=arguments.number)

    @classmethod
    def _bind(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if "alpha" in kwargs:  # the argument's name in Keras 2
            kwargs["negative_slope"] = kwargs.pop("alpha")
        return super()._bind(args, kwargs)

    known_output = keeps_shape

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


class ELU(_Elementwise):
    """`x` above 0 and `alpha * (exp(x) - 1)` below.

    Shapes: any, unchanged.

    Args:
        alpha: the scale of the negative part.

    Source: D.-A. Clevert et al., https://arxiv.org/abs/1511.07289.

    >>> import jax.numpy as jnp
    >>> ELU()(jnp.array([-1.0, 2.0])).round(2).tolist()
    [-0.63, 2.0]
    """

    alpha: float = field(default=1.0, convert=arguments.number)

    known_output = keeps_shape

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        return activations.elu(inputs, alpha=self.alpha)


class PReLU(_Elementwise):
    """`x` above 0 and `alpha * x` below, with a learned alpha per value.

    Shapes: any, unchanged; `alpha` has the shape of a sample, with 1 on `shared_axes`.

    Args:
        alpha_initializer: the initializer of alpha.
        alpha_regularizer: a penalty on alpha.
        alpha_constraint: a projection of alpha.
        shared_axes: axes along which alpha is shared, numbered from 1.

    Source: K. He et al., https://arxiv.org/abs/1502.01852.

    >>> PReLU(shared_axes=[1, 2]).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    alpha_initializer: InitializerField = field(default="Zeros", convert=initializers.get)
    alpha_regularizer: RegularizerField = field(default=None, convert=regularizers.get)
    alpha_constraint: ConstraintField = field(default=None, convert=constraints.get)
    shared_axes: Any = field(
        default=None,
        convert=arguments.optional(lambda v: arguments.integers(v if isinstance(v, (list, tuple)) else (v,))),
    )

    def __post_init__(self) -> None:
        if self.shared_axes is not None and min(self.shared_axes, default=1) < 1:
            raise ArgumentError(f"PReLU(shared_axes={self.shared_axes}): expected axes from 1; the batch cannot share.")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = [1 if axis in (self.shared_axes or ()) else size for axis, size in enumerate(input_shape)][1:]
        self.alpha: Array = self.add_weight(
            tuple(shape),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )

    known_output = keeps_shape

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        return jnp.maximum(inputs, 0) - self.alpha * jnp.maximum(-inputs, 0)


class Softmax(_Elementwise):
    """Exponentials scaled to sum to 1; masked positions get 0.

    Shapes: any, unchanged; a mask has the shape of the input.

    Args:
        axis: the axis, or axes, that sum to 1.

    >>> import jax.numpy as jnp
    >>> Softmax()(jnp.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    axis: Any = field(default=-1, convert=arguments.integers)

    def call(self, inputs: Num[Array, "*shape"], mask: Bool[Array, "..."] | None = None) -> Num[Array, "*shape"]:
        axes = (self.axis,) if isinstance(self.axis, int) else self.axis
        if all(inputs.shape[axis] == 1 for axis in axes):
            warnings.warn(one_class(f"{self._place} (Softmax)", inputs.shape), stacklevel=2)
        if mask is None:
            return lowering.softmax(inputs, self.axis)
        # Keras's stand-in for minus infinity, which float16 can hold too.
        lowest = -3e4 if inputs.dtype == jnp.float16 else -1e9
        valid = mask if mask.dtype == bool else mask > 0.5
        return jnp.where(valid, jax.nn.softmax(jnp.where(valid, inputs, lowest), axis=self.axis), 0)


__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]
