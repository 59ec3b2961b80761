"""Convolutions of each channel by itself; kernels are `(*window, in, multiplier)`."""

from __future__ import annotations

from typing import ClassVar

from jkeras import arguments, lowering
from jkeras.layers.convolution_base import (
    ACTIVATION,
    CONSTRAINT,
    DATA_FORMAT,
    INITIALIZER,
    REGULARIZER,
    SAME_OR_VALID,
    USE_BIAS,
    ZEROS,
    Convolution,
    per_axis,
)
from jkeras.types import (
    ActivationField,
    Array,
    ConstraintField,
    DataFormatField,
    InitializerField,
    Num,
    RegularizerField,
    SizesField,
)
from jkeras.values.fields import field


class _Depthwise(Convolution):
    """Convolution of each channel on its own, `depth_multiplier` times.

    Args:
        depth_multiplier: how many outputs each channel gets.
    """

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
    """Depthwise convolution over time.

    Shapes: `(batch, time, channels)` to `(batch, new_time, channels * depth_multiplier)`; kernel `(window,
    channels, depth_multiplier)`.

    >>> DepthwiseConv1D(3, padding="same", depth_multiplier=2).compute_output_shape((None, 10, 4))
    (None, 10, 8)
    """

    rank: ClassVar[int] = 1

    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = per_axis(1, 1)
    padding: str = SAME_OR_VALID
    depth_multiplier: int = field(default=1, convert=arguments.positive_int)
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = per_axis(1, 1)
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
    """Depthwise convolution over images.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, channels * depth_multiplier)`;
    kernel `(*window, channels, depth_multiplier)`.

    >>> DepthwiseConv2D(3, padding="same").compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    rank: ClassVar[int] = 2

    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = per_axis(2, (1, 1))
    dilation_rate: SizesField = per_axis(2, (1, 1))


class _Separable(Convolution):
    """A depthwise convolution followed by a mixing of the channels.

    Args:
        depth_multiplier: how many outputs each channel gets.
    """

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
    """Separable convolution over time: depthwise, then pointwise, one bias.

    Shapes: `(batch, time, channels)` to `(batch, new_time, filters)`.

    >>> SeparableConv1D(8, 3, padding="same").compute_output_shape((None, 10, 4))
    (None, 10, 8)
    """

    rank: ClassVar[int] = 1

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = per_axis(1, 1)
    padding: str = SAME_OR_VALID
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = per_axis(1, 1)
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
    """Separable convolution over images: depthwise, then pointwise, one bias.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`.

    Source: F. Chollet, https://arxiv.org/abs/1610.02357.

    >>> SeparableConv2D(8, 3, padding="same").compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 8)
    """

    rank: ClassVar[int] = 2

    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = per_axis(2, (1, 1))
    dilation_rate: SizesField = per_axis(2, (1, 1))


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
