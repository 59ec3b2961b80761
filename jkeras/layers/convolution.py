"""Convolutions over one, two and three axes; kernels are `(*window, in / groups, out)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import jax

from jkeras import activations, arguments, lowering
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.in_files import InFiles
from jkeras.graph.shapes import Shape
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
from jkeras.layers.low_rank import LowRankLayer, from_file, to_file
from jkeras.types import (
    ActivationField,
    Array,
    ConstraintField,
    DataFormatField,
    InitializerField,
    Num,
    RegularizerField,
    RegularizerLike,
    SizesField,
)
from jkeras.values.fields import field


class _Conv(LowRankLayer, Convolution):
    """Convolution, dense over channels or in groups."""

    adapted_method: ClassVar[str] = "known_output"
    _in_files: ClassVar[InFiles] = InFiles(
        left_out=("lora_kernel_a", "lora_kernel_b"), to_file=to_file, from_file=from_file
    )

    lora_rank: int | None = field(
        default=None, convert=arguments.optional(arguments.positive_int), kw_only=True, in_config=False
    )
    lora_alpha: float | None = field(
        default=None, convert=arguments.optional(arguments.number), kw_only=True, in_config=False
    )

    if TYPE_CHECKING:
        _activity_regularizer: RegularizerLike = field(init=False)

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
                f"{self._place} ({type(self).__name__}) has groups={self.groups}, but its input has {channels} channels,"
                f" which is not a multiple of it."
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self._add_adapted(shape, self.kernel_initializer)
        self._add_bias(self.filters)
        self._add_adapters(shape)

    def known_output(self, inputs: Shape) -> Shape | None:
        standard = type(self).convolution_op is _Conv.convolution_op and self.activation in activations.KEEP_SHAPE
        if not standard or len(inputs.shape) != self.rank + 2:
            return None
        first = 2 if self.channels_first else 1
        sizes = tuple(
            None if size is None else -(-(size - (reach if self.padding == "valid" else 0)) // stride)
            for size, stride, reach in zip(
                inputs.shape[first : first + self.rank], self.strides, self._reach, strict=True
            )
        )
        if any(size is not None and size < 1 for size in sizes):
            return None  # `call` says why
        batch = inputs.shape[0]
        shape = (batch, self.filters, *sizes) if self.channels_first else (batch, *sizes, self.filters)
        return Shape(shape, inputs.dtype)

    @property
    def _reach(self) -> tuple[int, ...]:
        """How far the window sees from its first position."""
        return tuple((size - 1) * rate for size, rate in zip(self.kernel_size, self.dilation_rate, strict=True))

    def call(self, inputs: Num[Array, "batch *sizes channels"]) -> Num[Array, "batch *new_sizes new_channels"]:
        return self._finish(self.convolution_op(inputs, self._with_adapters(self.kernel)))

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
    """Convolution over time.

    Shapes: `(batch, time, channels)` to `(batch, new_time, filters)`; kernel `(window, channels / groups,
    filters)`.

    Args:
        filters: the number of output channels.
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

    Raises:
        InputError: the input has the wrong rank, or its number of channels is not a multiple of `groups`.

    >>> Conv1D(8, 3).compute_output_shape((None, 10, 4))
    (None, 8, 8)
    """

    rank: ClassVar[int] = 1

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(1))
    strides: SizesField = per_axis(1, 1)
    padding: str = field(default="valid", convert=arguments.one_of("valid", "same", "causal"))
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = per_axis(1, 1)
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
    """Convolution over images.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`; kernel `(*window,
    channels / groups, filters)`.

    >>> Conv2D(8, 3, padding="same", strides=2).compute_output_shape((None, 28, 28, 1))
    (None, 14, 14, 8)
    """

    rank: ClassVar[int] = 2

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField = field(convert=arguments.ints(2))
    strides: SizesField = per_axis(2, (1, 1))
    padding: str = SAME_OR_VALID
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = per_axis(2, (1, 1))
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
    """Convolution over volumes.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, new_depth, new_height, new_width, filters)`.

    >>> Conv3D(8, 3, padding="same").compute_output_shape((None, 8, 8, 8, 1))
    (None, 8, 8, 8, 8)
    """

    rank: ClassVar[int] = 3

    kernel_size: SizesField = field(convert=arguments.ints(3))
    strides: SizesField = per_axis(3, (1, 1, 1))
    dilation_rate: SizesField = per_axis(3, (1, 1, 1))


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D

__all__ = [
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
]
