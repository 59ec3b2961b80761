"""Convolutional LSTM: images over time (Shi et al. 2015), in one, two and three dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config, lowering
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.shapes import show_shape
from jkeras.layers.recurrent import fields
from jkeras.layers.recurrent.cells import RecurrentCell, States
from jkeras.layers.recurrent.lstm import LSTMEquations
from jkeras.layers.recurrent.rnn import ReadyRNN
from jkeras.types import (
    ActivationField,
    ConstraintField,
    DataFormatField,
    InitializerField,
    RegularizerField,
    SizesField,
)
from jkeras.values.fields import field

ONES: Any = field(default=1)
PADDING: Any = field(default="valid", convert=arguments.one_of("valid", "same"))
DATA_FORMAT: Any = field(default=None, convert=config.standardize_data_format)


class ConvLSTMCell(LSTMEquations):
    """One step of a convolutional LSTM: an LSTM with convolutions instead of matrix products.

    The inputs are convolved with `kernel`, the previous output with `recurrent_kernel`, which has the same sizes,
    always with stride 1 and padding "same". The arguments are those of `ConvLSTM2D`, with the number of spatial axes
    first.

    Shapes with the channels last: inputs `(batch, *sizes, channels)`, states of `(batch, *new_sizes, filters)`; kernel
    `(*kernel_size, channels, 4 * filters)`, recurrent kernel `(*kernel_size, filters, 4 * filters)`.
    """

    rank: int = field(convert=arguments.one_of(1, 2, 3), in_config=False)
    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField
    strides: SizesField = ONES
    padding: str = PADDING
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = ONES
    activation: ActivationField = fields.TANH
    recurrent_activation: ActivationField = fields.SIGMOID
    use_bias: bool = fields.YES
    kernel_initializer: InitializerField = fields.GLOROT_UNIFORM
    recurrent_initializer: InitializerField = fields.ORTHOGONAL
    bias_initializer: InitializerField = fields.ZEROS
    unit_forget_bias: bool = fields.YES
    kernel_regularizer: RegularizerField = fields.REGULARIZER
    recurrent_regularizer: RegularizerField = fields.REGULARIZER
    bias_regularizer: RegularizerField = fields.REGULARIZER
    kernel_constraint: ConstraintField = fields.CONSTRAINT
    recurrent_constraint: ConstraintField = fields.CONSTRAINT
    bias_constraint: ConstraintField = fields.CONSTRAINT
    dropout: float = fields.RATE
    recurrent_dropout: float = fields.RATE
    seed: int | None = fields.SEED

    def __post_init__(self) -> None:
        standardize_sizes(self, self.rank)

    @property
    def channels_first(self) -> bool:
        """Whether the channels axis precedes the spatial axes."""
        return self.data_format == "channels_first"

    @property
    def gate_axis(self) -> int:
        return -(self.rank + 1) if self.channels_first else -1

    @property
    def masks_per_gate(self) -> bool:
        return True

    @property
    def state_size(self) -> Any:
        """The number of channels of each state; its spatial sizes depend on the inputs."""
        return [self.filters, self.filters]

    @property
    def output_size(self) -> int:
        return self.filters

    def kernel_shapes(self, input_shape: tuple[Any, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        channels, width = input_shape[self.gate_axis], 4 * self.filters
        return (*self.kernel_size, channels, width), (*self.kernel_size, self.filters, width)

    def bias_shape(self) -> tuple[int, ...]:
        return (4 * self.filters,)

    @property
    def input_bias(self) -> jax.Array | None:
        if self.bias is None or not self.channels_first:
            return self.bias
        return self.bias.reshape(-1, *(1,) * self.rank)

    def recurrent_form(self) -> tuple[str, dict[str, jax.Array]] | None:
        return None

    def initial_states(self, input_shape: tuple[Any, ...]) -> States:
        """Zeros with the shape of the convolution of inputs of the given shape, `(batch, ...)`."""
        sizes = list(input_shape[2:] if self.channels_first else input_shape[1:-1])
        for axis in range(self.rank):
            reach = (self.kernel_size[axis] - 1) * self.dilation_rate[axis]
            fitting = sizes[axis] if self.padding == "same" else sizes[axis] - reach
            if fitting < 1:
                raise InputError(
                    f"{self._place} got images of shape {show_shape(input_shape[1:])}, smaller than its kernel"
                    f" {show_shape(self.kernel_size)}. Use padding='same', a smaller kernel, or larger images."
                )
            sizes[axis] = -(-fitting // self.strides[axis])
        shape = (self.filters, *sizes) if self.channels_first else (*sizes, self.filters)
        return [jnp.zeros((input_shape[0], *shape), self.compute_dtype) for _ in range(2)]

    def input_product(self, inputs: jax.Array, kernel: jax.Array) -> jax.Array:
        lead = inputs.shape[: -(self.rank + 1)]
        images = inputs.reshape(-1, *inputs.shape[len(lead) :])
        result = lowering.conv(
            images,
            kernel,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            channels_first=self.channels_first,
        )
        return result.reshape(*lead, *result.shape[1:])

    def state_product(self, state: jax.Array, kernel: jax.Array) -> jax.Array:
        ones = (1,) * self.rank
        return lowering.conv(
            state, kernel, strides=ones, padding="same", dilation=ones, channels_first=self.channels_first
        )


def standardize_sizes(layer: ConvLSTMCell | ConvLSTM, rank: int) -> None:
    """Checks the sizes of a convolution and converts them to tuples."""
    owner, sizes = type(layer).__name__, arguments.ints(rank)
    layer.kernel_size = arguments.checked(owner, "kernel_size", layer.kernel_size, sizes)
    layer.strides = arguments.checked(owner, "strides", layer.strides, sizes)
    layer.dilation_rate = arguments.checked(owner, "dilation_rate", layer.dilation_rate, sizes)
    if max(layer.strides) > 1 and max(layer.dilation_rate) > 1:
        raise ArgumentError(
            f"{type(layer).__name__}(strides={layer.strides}, dilation_rate={layer.dilation_rate}): expected one"
            f" of them to be 1."
        )


class ConvLSTM(ReadyRNN):
    """Base of `ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`."""

    cell_class: ClassVar[type[RecurrentCell]] = ConvLSTMCell
    rank: ClassVar[int]

    filters: int = field(convert=arguments.positive_int)
    kernel_size: SizesField
    strides: SizesField = ONES
    padding: str = PADDING
    data_format: DataFormatField = DATA_FORMAT
    dilation_rate: SizesField = ONES
    activation: ActivationField = fields.TANH
    recurrent_activation: ActivationField = fields.SIGMOID
    use_bias: bool = fields.YES
    kernel_initializer: InitializerField = fields.GLOROT_UNIFORM
    recurrent_initializer: InitializerField = fields.ORTHOGONAL
    bias_initializer: InitializerField = fields.ZEROS
    unit_forget_bias: bool = fields.YES
    kernel_regularizer: RegularizerField = fields.REGULARIZER
    recurrent_regularizer: RegularizerField = fields.REGULARIZER
    bias_regularizer: RegularizerField = fields.REGULARIZER
    activity_regularizer: RegularizerField = fields.REGULARIZER
    kernel_constraint: ConstraintField = fields.CONSTRAINT
    recurrent_constraint: ConstraintField = fields.CONSTRAINT
    bias_constraint: ConstraintField = fields.CONSTRAINT
    dropout: float = fields.RATE
    recurrent_dropout: float = fields.RATE
    seed: int | None = fields.SEED
    return_sequences: bool = fields.NO
    return_state: bool = fields.NO
    go_backwards: bool = fields.NO
    stateful: bool = fields.NO
    unroll: bool = field(default=False, convert=arguments.boolean, kw_only=True)
    zero_output_for_mask: bool = field(default=False, convert=arguments.boolean, kw_only=True)

    def __post_init__(self) -> None:
        standardize_sizes(self, self.rank)
        super().__post_init__()

    def cell_arguments(self) -> dict[str, Any]:
        return {**super().cell_arguments(), "rank": self.rank}

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=self.rank + 3)

    def _fresh_states(self, input_shape: tuple[Any, ...]) -> list[Any]:
        result: list[Any] = self.cell.initial_states((input_shape[0], *input_shape[2:]))
        return result


class ConvLSTM1D(ConvLSTM):
    """Convolutional LSTM over sequences of signals: `(batch, time, steps, channels)`. See `ConvLSTM2D`.

    >>> ConvLSTM1D(4, 3).compute_output_shape((None, 5, 8, 2))
    (None, 6, 4)
    """

    rank: ClassVar[int] = 1


class ConvLSTM2D(ConvLSTM):
    """Convolutional LSTM over sequences of images (Shi et al. 2015, "Convolutional LSTM Network").

    Shapes with the channels last: `(batch, time, rows, columns, channels)` to `(batch, new_rows, new_columns,
    filters)`, or also with the time axis if `return_sequences`. The weights are `cell/kernel` `(*kernel_size,
    channels, 4 * filters)`, `cell/recurrent_kernel` `(*kernel_size, filters, 4 * filters)` and `cell/bias` `(4 *
    filters,)`, gates in the order i, f, c, o. Call arguments: `initial_state=[h, c]`, `mask` `(batch, time)`,
    `training`.

    Args:
        filters: the number of output channels.
        kernel_size: the sizes of the kernel.
        strides: the strides of the input's convolution.
        padding: the padding of the input's convolution, "valid" or "same"; that of the state is always "same".
        data_format: "channels_last" or "channels_first"; None is the default layout.
        dilation_rate: the dilation of the input's kernel.
        activation: the activation of the candidate and of the carry before the output gate.
        recurrent_activation: the activation of the gates.
        use_bias: whether to add a bias.
        kernel_initializer: the initializer of the kernel.
        recurrent_initializer: the initializer of the recurrent kernel.
        bias_initializer: the initializer of the bias.
        unit_forget_bias: whether the forget gate's bias starts at one.
        kernel_regularizer: a penalty on the kernel.
        recurrent_regularizer: a penalty on the recurrent kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the output, divided by the batch size.
        kernel_constraint: a projection of the kernel after each update.
        recurrent_constraint: a projection of the recurrent kernel after each update.
        bias_constraint: a projection of the bias after each update.
        dropout: the share of the inputs that training drops, the same at every step of a sequence, gate by gate.
        recurrent_dropout: the share of the state that training drops.
        seed: distinguishes the masks from those of other layers with the same name.
        return_sequences: whether to return the output of every step.
        return_state: whether to return `output, h, c`.
        go_backwards: whether to start with the last step; sequences come out in the order of processing.
        stateful: whether a batch starts with the final states of the previous one; needs a fixed batch size.
        unroll: accepted for compatibility with Keras; the loop is never unrolled.
        zero_output_for_mask: whether masked steps output zeros instead of the previous output.

    Raises:
        InputError: the images are smaller than the kernel, or initial states have the wrong shapes.

    >>> ConvLSTM2D(4, 3).compute_output_shape((None, 5, 8, 8, 2))
    (None, 6, 6, 4)
    """

    rank: ClassVar[int] = 2


class ConvLSTM3D(ConvLSTM):
    """Convolutional LSTM over sequences of volumes: `(batch, time, depth, rows, columns, channels)`. See `ConvLSTM2D`.

    >>> ConvLSTM3D(4, 2, padding="same").compute_output_shape((None, 5, 3, 3, 3, 2))
    (None, 3, 3, 3, 4)
    """

    rank: ClassVar[int] = 3


__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]
