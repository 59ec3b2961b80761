"""Layers that bring values to a common scale."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, constraints, initializers, lowering, regularizers
from jkeras.dtypes import at_least_float32
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import keeps_shape, show_shape
from jkeras.lowering import plain
from jkeras.types import (
    Array,
    ConstraintField,
    InitializerField,
    Num,
    RegularizerField,
)
from jkeras.values.fields import field

if TYPE_CHECKING:
    from jkeras.layers.batch_normalization import BatchNormalization

ZEROS: Any = field(default="zeros", convert=initializers.get)
ONES: Any = field(default="ones", convert=initializers.get)
REGULARIZER: Any = field(default=None, convert=regularizers.get)
CONSTRAINT: Any = field(default=None, convert=constraints.get)


def along(values: jax.Array, axes: tuple[int, ...], rank: int) -> jax.Array:
    """Values of the given axes, with size 1 on the others, ready to broadcast."""
    shape = [1] * rank
    for size, axis in zip(values.shape, axes, strict=True):
        shape[axis] = size
    return values.reshape(shape)


def in_float32(x: jax.Array) -> jax.Array:
    """At least float32, which statistics need."""
    return x.astype(at_least_float32(x.dtype))


def size_of(place: str, shape: tuple[int | None, ...], axis: int) -> int:
    """The size of an axis.

    Raises:
        InputError: there is no such axis, or its size is not known.
    """
    if not -len(shape) <= axis < len(shape):
        raise InputError(f"{place} has axis={axis}, but its input has shape {show_shape(shape)}.")
    size = shape[axis]
    if size is None:
        raise InputError(f"{place}: the size of axis {axis} must be known, input {show_shape(shape)}.")
    return size


def add_gamma(layer: LayerNormalization | GroupNormalization | BatchNormalization, shape: tuple[int, ...]) -> Array:
    """The weight by which a layer multiplies what it brought to a common scale."""
    return layer.add_weight(
        shape,
        layer.gamma_initializer,
        regularizer=layer.gamma_regularizer,
        constraint=layer.gamma_constraint,
        autocast=False,
        name="gamma",
    )


def add_beta(layer: LayerNormalization | GroupNormalization | BatchNormalization, shape: tuple[int, ...]) -> Array:
    """The weight that a layer adds then."""
    return layer.add_weight(
        shape,
        layer.beta_initializer,
        regularizer=layer.beta_regularizer,
        constraint=layer.beta_constraint,
        autocast=False,
        name="beta",
    )


def axes_of(value: object) -> tuple[int, ...]:
    try:
        return tuple(arguments.integer(axis) for axis in (value if isinstance(value, (list, tuple)) else (value,)))
    except ArgumentError:
        raise ArgumentError("expected an axis, or several") from None


# An integer stays an integer, because configurations contain it as one.
AXES: Any = field(
    default=-1, convert=lambda value: axes_of(value) if isinstance(value, (list, tuple)) else axes_of(value)[0]
)


class LayerNormalization(Layer):
    """Centres and scales each sample over the given axes.

    Shapes: any, unchanged.

    Args:
        axis: the axis, or axes, to normalise over.
        epsilon: added to the variance.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: the initializer of beta.
        gamma_initializer: the initializer of gamma.
        beta_regularizer: a penalty on beta.
        gamma_regularizer: a penalty on gamma.
        beta_constraint: a projection of beta.
        gamma_constraint: a projection of gamma.
        rms_scaling: whether to scale by the standard deviation without centring; Keras's old form of `RMSNormalization`.

    Source: J. L. Ba et al., https://arxiv.org/abs/1607.06450.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((2,)), LayerNormalization()])
    >>> model(jnp.array([[1.0, 3.0]])).round(2).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    axis: Any = AXES
    epsilon: float = field(default=1e-3, convert=arguments.non_negative)
    center: bool = field(default=True, convert=arguments.boolean)
    scale: bool = field(default=True, convert=arguments.boolean)
    beta_initializer: InitializerField = ZEROS
    gamma_initializer: InitializerField = ONES
    beta_regularizer: RegularizerField = REGULARIZER
    gamma_regularizer: RegularizerField = REGULARIZER
    beta_constraint: ConstraintField = CONSTRAINT
    gamma_constraint: ConstraintField = CONSTRAINT
    rms_scaling: bool = field(default=False, convert=arguments.boolean, kw_only=True)

    def _axes(self, rank: int) -> tuple[int, ...]:
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        if not all(-rank <= axis < rank for axis in axes):
            raise InputError(
                f"{self._place} ({type(self).__name__}) has axis={self.axis}, but its input has {rank} axes."
                f" Write one that it has."
            )
        return tuple(sorted(axis % rank for axis in axes))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = tuple(
            size_of(f"{self._place} ({type(self).__name__})", input_shape, axis)
            for axis in self._axes(len(input_shape))
        )
        if self.scale or self.rms_scaling:
            self.gamma: Array = add_gamma(self, shape)
        if self.center and not self.rms_scaling:
            self.beta: Array = add_beta(self, shape)

    known_output = keeps_shape

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        x = in_float32(inputs)
        axes = self._axes(x.ndim)
        if self.rms_scaling:
            outputs = x * plain.mean_and_scale(x, axes, self.epsilon)[1]
        else:
            outputs = lowering.standardized(x, axes, self.epsilon)
        if self.scale or self.rms_scaling:
            outputs = outputs * along(self.gamma, axes, x.ndim)
        if self.center and not self.rms_scaling:
            outputs = outputs + along(self.beta, axes, x.ndim)
        return outputs.astype(self.compute_dtype)


class RMSNormalization(Layer):
    """Scales each sample by the root mean square over the given axes.

    Shapes: any, unchanged.

    Args:
        axis: the axis, or axes.
        epsilon: added to the mean square.

    Source: B. Zhang and R. Sennrich, https://arxiv.org/abs/1910.07467.

    >>> RMSNormalization().compute_output_shape((None, 8))
    (None, 8)
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    axis: Any = AXES
    epsilon: float = field(default=1e-6, convert=arguments.non_negative)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        shape = tuple(size_of(f"{self._place} ({type(self).__name__})", input_shape, axis) for axis in axes)
        self.scale: Array = self.add_weight(shape, "ones", autocast=False, name="scale")

    known_output = keeps_shape

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        x = in_float32(inputs)
        axes = tuple(axis % x.ndim for axis in (self.axis if isinstance(self.axis, tuple) else (self.axis,)))
        result: jax.Array = _of_length_one(x, self.scale, axes, self.epsilon).astype(self.compute_dtype)
        return result


@functools.partial(jax.jit, static_argnames=("axes", "epsilon"), inline=True)
def _of_length_one(x: jax.Array, scale: jax.Array, axes: tuple[int, ...], epsilon: float) -> jax.Array:
    mean_square = jnp.mean(jnp.square(x), axis=axes, keepdims=True)
    return x * jax.lax.rsqrt(mean_square + epsilon) * along(scale, axes, x.ndim)


class UnitNormalization(Layer):
    """Scales each sample to length 1 over the given axes; where the length is 0 it stays 0.

    Shapes: any, unchanged.

    Args:
        axis: the axis or axes over which the length is taken.

    >>> UnitNormalization()(jnp.array([[3.0, 4.0]])).round(2).tolist()
    [[0.6, 0.8]]
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    axis: Any = AXES

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        squares = jnp.sum(jnp.square(inputs), axis=axes, keepdims=True)
        return inputs * jax.lax.rsqrt(jnp.maximum(squares, 1e-12))


class GroupNormalization(Layer):
    """Centres and scales each sample over groups of channels and all other axes.

    Shapes: any, unchanged; the size of `axis` is a multiple of `groups`.

    Args:
        groups: the number of groups; -1 makes each channel a separate group.
        axis: the channel axis.
        epsilon: added to the variance.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: the initializer of beta.
        gamma_initializer: the initializer of gamma.
        beta_regularizer: a penalty on beta.
        gamma_regularizer: a penalty on gamma.
        beta_constraint: a projection of beta.
        gamma_constraint: a projection of gamma.

    Source: Y. Wu and K. He, https://arxiv.org/abs/1803.08494.

    >>> GroupNormalization(groups=2).compute_output_shape((None, 8, 8, 4))
    (None, 8, 8, 4)
    """

    supports_masking: ClassVar[bool] = True
    mixes_samples: ClassVar[bool | None] = False

    groups: int = field(default=32, convert=arguments.at_least(-1))
    axis: int = field(default=-1, convert=arguments.integer)
    epsilon: float = field(default=1e-3, convert=arguments.non_negative)
    center: bool = field(default=True, convert=arguments.boolean)
    scale: bool = field(default=True, convert=arguments.boolean)
    beta_initializer: InitializerField = ZEROS
    gamma_initializer: InitializerField = ONES
    beta_regularizer: RegularizerField = REGULARIZER
    gamma_regularizer: RegularizerField = REGULARIZER
    beta_constraint: ConstraintField = CONSTRAINT
    gamma_constraint: ConstraintField = CONSTRAINT

    def __post_init__(self) -> None:
        if self.groups == 0:
            raise ArgumentError(
                "GroupNormalization(groups=0): expected a positive integer, or -1 for a group of each channel."
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        size = size_of(f"{self._place} ({type(self).__name__})", input_shape, self.axis)
        groups = size if self.groups == -1 else self.groups
        if groups < 1 or size < groups or size % groups:
            raise InputError(
                f"{self._place} (GroupNormalization) has groups={groups}, but its input has {size} channels, which is no"
                f" multiple of it. Write a divisor of {size}."
            )
        if self.scale:
            self.gamma: Array = add_gamma(self, (size,))
        if self.center:
            self.beta: Array = add_beta(self, (size,))

    def call(self, inputs: Num[Array, "*shape"]) -> Num[Array, "*shape"]:
        axis = self.axis % inputs.ndim
        x = jnp.moveaxis(in_float32(inputs), axis, -1)
        groups = x.shape[-1] if self.groups == -1 else self.groups
        grouped = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
        axes = (*range(1, grouped.ndim - 2), grouped.ndim - 1)
        mean = jnp.mean(grouped, axis=axes, keepdims=True)
        variance = jnp.mean(jnp.square(grouped - mean), axis=axes, keepdims=True)
        outputs = ((grouped - mean) * jax.lax.rsqrt(variance + self.epsilon)).reshape(x.shape)
        if self.scale:
            outputs = outputs * self.gamma
        if self.center:
            outputs = outputs + self.beta
        return jnp.moveaxis(outputs, -1, axis).astype(self.compute_dtype)


__all__ = [
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]
