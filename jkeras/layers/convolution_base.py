"""What all convolutions share: one class does the work, the public classes set the rank and Keras's defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import jax

from jkeras import activations, arguments, config, constraints, initializers, regularizers
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import show_shape
from jkeras.types import (
    ActivationField,
    Array,
    ConstraintField,
    DataFormatField,
    InitializerField,
    OptionalSizesField,
    RegularizerField,
    RegularizerLike,
    SizesField,
)
from jkeras.values.fields import field


def per_axis(rank: int, default: Any) -> Any:
    """A field with a size for each spatial axis."""
    return field(default=default, convert=arguments.ints(rank))


DATA_FORMAT: Any = field(default=None, convert=config.standardize_data_format)
ACTIVATION: Any = field(default=None, convert=activations.get)
INITIALIZER: Any = field(default="glorot_uniform", convert=initializers.get)
ZEROS: Any = field(default="zeros", convert=initializers.get)
REGULARIZER: Any = field(default=None, convert=regularizers.get)
CONSTRAINT: Any = field(default=None, convert=constraints.get)
USE_BIAS: Any = field(default=True, convert=arguments.boolean)
SAME_OR_VALID: Any = field(default="valid", convert=arguments.one_of("valid", "same"))


class Attributes:
    """What the public classes declare, each in Keras's order (see `jkeras.values.fields`)."""

    filters: int
    kernel_size: SizesField
    strides: SizesField
    padding: str
    output_padding: OptionalSizesField
    data_format: DataFormatField
    dilation_rate: SizesField
    groups: int
    depth_multiplier: int
    activation: ActivationField
    use_bias: bool
    kernel_initializer: InitializerField
    depthwise_initializer: InitializerField
    pointwise_initializer: InitializerField
    bias_initializer: InitializerField
    kernel_regularizer: RegularizerField
    depthwise_regularizer: RegularizerField
    pointwise_regularizer: RegularizerField
    bias_regularizer: RegularizerField
    kernel_constraint: ConstraintField
    depthwise_constraint: ConstraintField
    pointwise_constraint: ConstraintField
    bias_constraint: ConstraintField


class Convolution(Attributes, Layer):
    """What all convolutions share: checks, the layout of the data, bias and activation."""

    mixes_samples: ClassVar[bool | None] = False
    rank: ClassVar[int]

    if TYPE_CHECKING:
        _activity_regularizer: RegularizerLike = field(init=False)

    def __post_init__(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{type(self).__name__}(strides={self.strides}, dilation_rate={self.dilation_rate}): only one of them may"
                f" be larger than 1."
            )

    @property
    def channels_first(self) -> bool:
        """Whether channels come before the spatial axes."""
        return self.data_format == "channels_first"

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=self.rank + 2)

    def _channels(self, input_shape: tuple[int | None, ...]) -> int:
        channels = input_shape[1 if self.channels_first else -1]
        if channels is None:
            raise InputError(f"{self._place}: the number of channels must be known, input {show_shape(input_shape)}.")
        return channels

    def _add_bias(self, *shape: int) -> None:
        if self.use_bias:
            self.bias: Array = self.add_weight(
                shape,
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def _finish(self, outputs: jax.Array) -> jax.Array:
        if min(outputs.shape[1:], default=1) < 1:
            raise InputError(
                f"{self._place} ({type(self).__name__}) would give each sample an output of shape"
                f" {show_shape(outputs.shape[1:])}: the window does not fit into the input. Use padding='same', or a smaller"
                f" kernel_size or strides."
            )
        if self.use_bias:
            shape = (-1, *(1,) * self.rank) if self.channels_first else (-1,)
            outputs = outputs + self.bias.reshape(shape)
        return self.activation(outputs)
