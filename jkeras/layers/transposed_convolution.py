"""Transposed convolutions; kernels are `(*window, out, in)`."""

from __future__ import annotations

from typing import ClassVar

from jkeras import arguments, lowering
from jkeras.errors import ArgumentError
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
    OptionalSizesField,
    RegularizerField,
    SizesField,
)
from jkeras.values.fields import field


class _ConvTranspose(Convolution):
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
    """Transposed convolution over time.

    Shapes: `(batch, time, channels)` to `(batch, new_time, filters)`; kernel `(window, filters, channels)`.

    Args:
        output_padding: values added to the smallest possible output size; None infers it from `padding`.

    >>> Conv1DTranspose(8, 3, strides=2, padding="same").compute_output_shape((None, 10, 4))
    (None, 20, 8)
    """

    rank: ClassVar[int] = 1

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = per_axis(1, 1)
    padding: str = SAME_OR_VALID
    output_padding: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(1, 0)))
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = per_axis(1, 1)
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
    """Transposed convolution over images.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`; kernel `(*window,
    filters, channels)`.

    Args:
        output_padding: values added to the smallest possible output size; None infers it from `padding`.

    >>> Conv2DTranspose(8, 3, strides=2, padding="same").compute_output_shape((None, 14, 14, 1))
    (None, 28, 28, 8)
    """

    rank: ClassVar[int] = 2

    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = per_axis(2, (1, 1))
    output_padding: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(2, 0)))
    dilation_rate: SizesField = per_axis(2, (1, 1))


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over volumes.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, new_depth, new_height, new_width, filters)`;
    kernel `(*window, filters, channels)`.

    Args:
        output_padding: values added to the smallest possible output size; None infers it from `padding`.

    >>> Conv3DTranspose(2, 2, strides=2).compute_output_shape((None, 4, 4, 4, 1))
    (None, 8, 8, 8, 2)
    """

    rank: ClassVar[int] = 3

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(3))
    strides: SizesField = per_axis(3, (1, 1, 1))
    padding: str = SAME_OR_VALID
    # In Keras these two come in this order here, and in the other one for fewer axes.
    data_format: DataFormatField = DATA_FORMAT
    output_padding: OptionalSizesField = field(default=None, convert=arguments.optional(arguments.ints(3, 0)))
    dilation_rate: SizesField = per_axis(3, (1, 1, 1))
    activation: ActivationField = ACTIVATION
    use_bias: bool = USE_BIAS
    kernel_initializer: InitializerField = INITIALIZER
    bias_initializer: InitializerField = ZEROS
    kernel_regularizer: RegularizerField = REGULARIZER
    bias_regularizer: RegularizerField = REGULARIZER
    activity_regularizer: RegularizerField = REGULARIZER
    kernel_constraint: ConstraintField = CONSTRAINT
    bias_constraint: ConstraintField = CONSTRAINT


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
