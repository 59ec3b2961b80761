"""Convolutions over one, two and three axes.

One class does the work; the public classes set the rank and Keras's defaults. Kernels are `(*window, in / groups, out)`,
for transposed convolutions `(*window, out, in)`, for depthwise ones `(*window, in, multiplier)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import jax

from jkeras import activations, arguments, config, constraints, initializers, lowering, regularizers
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
    Num,
    OptionalSizesField,
    RegularizerField,
    RegularizerLike,
    SizesField,
)
from jkeras.values.fields import field


def _per_axis(rank: int, default: Any) -> Any:
    return field(default=default, convert=arguments.ints(rank))


DATA_FORMAT: Any = field(default=None, convert=config.standardize_data_format)
ACTIVATION: Any = field(default=None, convert=activations.get)
INITIALIZER: Any = field(default="glorot_uniform", convert=initializers.get)
ZEROS: Any = field(default="zeros", convert=initializers.get)
REGULARIZER: Any = field(default=None, convert=regularizers.get)
CONSTRAINT: Any = field(default=None, convert=constraints.get)
USE_BIAS: Any = field(default=True, convert=arguments.boolean)
SAME_OR_VALID: Any = field(default="valid", convert=arguments.one_of("valid", "same"))


class _Attributes:
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


class _Convolution(_Attributes, Layer):
    """What all convolutions share: checks, the layout of the data, bias and activation."""

    couples_samples: ClassVar[bool | None] = False
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
            raise InputError(f"{self.path}: the number of channels must be known, input {show_shape(input_shape)}.")
        return channels

    def _add_bias(self, size: int) -> None:
        if self.use_bias:
            self.bias: Array = self.add_weight(
                (size,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def _finish(self, outputs: jax.Array) -> jax.Array:
        if min(outputs.shape[1:], default=1) < 1:
            raise InputError(
                f"{self.path} ({type(self).__name__}) would give each sample an output of shape"
                f" {show_shape(outputs.shape[1:])}: the window does not fit into the input. Use padding='same', or a smaller"
                f" kernel_size or strides."
            )
        if self.use_bias:
            shape = (-1, *(1,) * self.rank) if self.channels_first else (-1,)
            outputs = outputs + self.bias.reshape(shape)
        return self.activation(outputs)


class _Conv(_Convolution):
    """Convolution, dense over channels or in groups."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % self.groups:
            raise ArgumentError(
                f"{type(self).__name__}(filters={self.filters}, groups={self.groups}): filters must be a multiple of groups."
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise InputError(
                f"{self.path} ({type(self).__name__}) has groups={self.groups}, but its input has {channels} channels,"
                f" which is no multiple of it."
            )
        self.kernel: Array = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._add_bias(self.filters)

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes new_channels"]:
        return self._finish(self.convolution_op(inputs, self.kernel))

    def convolution_op(self, inputs: jax.Array, kernel: jax.Array) -> jax.Array:
        """The convolution alone, without bias and activation; a subclass may change the kernel before it is used."""
        return lowering.conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            groups=self.groups,
            channels_first=self.channels_first,
        )


class Conv1D(_Conv):
    """Convolution over time: `(batch, time, channels)` to `(batch, new_time, filters)`.

    Args:
        filters: the number of outputs channels.
        kernel_size: the length of the window.
        strides: the step of the window.
        padding: "valid", "same", or "causal" (nothing sees the future).
        data_format: "channels_last" or "channels_first".
        dilation_rate: the distance between the taps of the window.
        groups: groups of channels that are convolved separately.
        activation: name or function; None is linear.
        use_bias: whether to add a bias.
        kernel_initializer: name, instance or function.
        bias_initializer: likewise.
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the output.
        kernel_constraint: a projection of the kernel after each update.
        bias_constraint: likewise for the bias.

    >>> Conv1D(8, 3).compute_output_shape((None, 10, 4))
    (None, 8, 8)
    """

    rank: ClassVar[int] = 1

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = _per_axis(1, 1)
    padding: str = field(default="valid", convert=arguments.one_of("valid", "same", "causal"))
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = _per_axis(1, 1)
    groups: int = field(default=1, convert=arguments.positive_int)
    activation: ActivationField = ACTIVATION
    use_bias: bool = USE_BIAS
    kernel_initializer: InitializerField = INITIALIZER
    bias_initializer: InitializerField = ZEROS
    kernel_regularizer: RegularizerField = REGULARIZER
    bias_regularizer: RegularizerField = REGULARIZER
    activity_regularizer: RegularizerField = REGULARIZER
    kernel_constraint: ConstraintField = CONSTRAINT
    bias_constraint: ConstraintField = CONSTRAINT


class Conv2D(_Conv):
    """Convolution over images: `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`.

    Arguments as in `Conv1D`, without causal padding.

    >>> Conv2D(8, 3, padding="same", strides=2).compute_output_shape((None, 28, 28, 1))
    (None, 14, 14, 8)
    """

    rank: ClassVar[int] = 2

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = _per_axis(2, (1, 1))
    padding: str = SAME_OR_VALID
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = _per_axis(2, (1, 1))
    groups: int = field(default=1, convert=arguments.positive_int)
    activation: ActivationField = ACTIVATION
    use_bias: bool = USE_BIAS
    kernel_initializer: InitializerField = INITIALIZER
    bias_initializer: InitializerField = ZEROS
    kernel_regularizer: RegularizerField = REGULARIZER
    bias_regularizer: RegularizerField = REGULARIZER
    activity_regularizer: RegularizerField = REGULARIZER
    kernel_constraint: ConstraintField = CONSTRAINT
    bias_constraint: ConstraintField = CONSTRAINT


class Conv3D(Conv2D):
    """Convolution over volumes: `(batch, depth, height, width, channels)`; arguments as in `Conv1D`."""

    rank: ClassVar[int] = 3

    kernel_size: SizesField = field(convert=arguments.ints(3))
    strides: SizesField = _per_axis(3, (1, 1, 1))
    dilation_rate: SizesField = _per_axis(3, (1, 1, 1))


class _ConvTranspose(_Convolution):
    """The transpose of a convolution: from its output's shape back to its input's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(extra >= step for extra, step in zip(self.output_padding or (), self.strides, strict=False)):
            raise ArgumentError(
                f"{type(self).__name__}(output_padding={self.output_padding}, strides={self.strides}): `output_padding` must be"
                f" strictly less than `strides`."
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel: Array = self.add_weight(
            (*self.kernel_size, self.filters, self._channels(input_shape)),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._add_bias(self.filters)

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes new_channels"]:
        return self._finish(
            lowering.conv_transpose(
                inputs,
                self.kernel,
                strides=self.strides,
                padding=self.padding,
                output_padding=self.output_padding,
                dilation=self.dilation_rate,
                channels_first=self.channels_first,
            )
        )


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over time: `(batch, time, channels)`; kernel `(window, filters, channels)`.

    >>> Conv1DTranspose(8, 3, strides=2, padding="same").compute_output_shape((None, 10, 4))
    (None, 20, 8)
    """

    rank: ClassVar[int] = 1

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = _per_axis(1, 1)
    padding: str = SAME_OR_VALID
    output_padding: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(1, 0)))
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = _per_axis(1, 1)
    activation: ActivationField = ACTIVATION
    use_bias: bool = USE_BIAS
    kernel_initializer: InitializerField = INITIALIZER
    bias_initializer: InitializerField = ZEROS
    kernel_regularizer: RegularizerField = REGULARIZER
    bias_regularizer: RegularizerField = REGULARIZER
    activity_regularizer: RegularizerField = REGULARIZER
    kernel_constraint: ConstraintField = CONSTRAINT
    bias_constraint: ConstraintField = CONSTRAINT


class Conv2DTranspose(Conv1DTranspose):
    """Transposed convolution over images; kernel `(*window, filters, channels)`."""

    rank: ClassVar[int] = 2

    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = _per_axis(2, (1, 1))
    output_padding: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(2, 0)))
    dilation_rate: SizesField = _per_axis(2, (1, 1))


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over volumes; kernel `(*window, filters, channels)`."""

    rank: ClassVar[int] = 3

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(3))
    strides: SizesField = _per_axis(3, (1, 1, 1))
    padding: str = SAME_OR_VALID
    # In Keras these two come in this order here, and in the other one for fewer axes.
    data_format: DataFormatField = DATA_FORMAT
    output_padding: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(3, 0)))
    dilation_rate: SizesField = _per_axis(3, (1, 1, 1))
    activation: ActivationField = ACTIVATION
    use_bias: bool = USE_BIAS
    kernel_initializer: InitializerField = INITIALIZER
    bias_initializer: InitializerField = ZEROS
    kernel_regularizer: RegularizerField = REGULARIZER
    bias_regularizer: RegularizerField = REGULARIZER
    activity_regularizer: RegularizerField = REGULARIZER
    kernel_constraint: ConstraintField = CONSTRAINT
    bias_constraint: ConstraintField = CONSTRAINT


class _Depthwise(_Convolution):
    """Convolution of each channel on its own, `depth_multiplier` times."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = self._channels(input_shape)
        self.kernel: Array = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="kernel",
        )
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes new_channels"]:
        return self._finish(
            lowering.depthwise_conv(
                inputs,
                self.kernel,
                strides=self.strides,
                padding=self.padding,
                dilation=self.dilation_rate,
                channels_first=self.channels_first,
            )
        )


class DepthwiseConv1D(_Depthwise):
    """Depthwise convolution over time; kernel `(window, channels, multiplier)`."""

    rank: ClassVar[int] = 1

    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = _per_axis(1, 1)
    padding: str = SAME_OR_VALID
    depth_multiplier: int = field(default=1, convert=arguments.positive_int)
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = _per_axis(1, 1)
    activation: ActivationField = ACTIVATION
    use_bias: bool = USE_BIAS
    depthwise_initializer: InitializerField = INITIALIZER
    bias_initializer: InitializerField = ZEROS
    depthwise_regularizer: RegularizerField = REGULARIZER
    bias_regularizer: RegularizerField = REGULARIZER
    activity_regularizer: RegularizerField = REGULARIZER
    depthwise_constraint: ConstraintField = CONSTRAINT
    bias_constraint: ConstraintField = CONSTRAINT


class DepthwiseConv2D(DepthwiseConv1D):
    """Depthwise convolution over images; kernel `(*window, channels, multiplier)`."""

    rank: ClassVar[int] = 2

    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = _per_axis(2, (1, 1))
    dilation_rate: SizesField = _per_axis(2, (1, 1))


class _Separable(_Convolution):
    """A depthwise convolution followed by a mixing of the channels."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = self._channels(input_shape)
        self.depthwise_kernel: Array = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="depthwise_kernel",
        )
        self.pointwise_kernel: Array = self.add_weight(
            (*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
            name="pointwise_kernel",
        )
        self._add_bias(self.filters)

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes new_channels"]:
        ones = (1,) * self.rank
        spread = lowering.depthwise_conv(
            inputs,
            self.depthwise_kernel,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            channels_first=self.channels_first,
        )
        mixed = lowering.conv(
            spread,
            self.pointwise_kernel,
            strides=ones,
            padding="valid",
            dilation=ones,
            channels_first=self.channels_first,
        )
        return self._finish(mixed)


class SeparableConv1D(_Separable):
    """Separable convolution over time: depthwise, then pointwise, one bias."""

    rank: ClassVar[int] = 1

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = _per_axis(1, 1)
    padding: str = SAME_OR_VALID
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = _per_axis(1, 1)
    depth_multiplier: int = field(default=1, convert=arguments.positive_int)
    activation: ActivationField = ACTIVATION
    use_bias: bool = USE_BIAS
    depthwise_initializer: InitializerField = INITIALIZER
    pointwise_initializer: InitializerField = INITIALIZER
    bias_initializer: InitializerField = ZEROS
    depthwise_regularizer: RegularizerField = REGULARIZER
    pointwise_regularizer: RegularizerField = REGULARIZER
    bias_regularizer: RegularizerField = REGULARIZER
    activity_regularizer: RegularizerField = REGULARIZER
    depthwise_constraint: ConstraintField = CONSTRAINT
    pointwise_constraint: ConstraintField = CONSTRAINT
    bias_constraint: ConstraintField = CONSTRAINT


class SeparableConv2D(SeparableConv1D):
    """Separable convolution over images: depthwise, then pointwise, one bias."""

    rank: ClassVar[int] = 2

    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = _per_axis(2, (1, 1))
    dilation_rate: SizesField = _per_axis(2, (1, 1))


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
]
