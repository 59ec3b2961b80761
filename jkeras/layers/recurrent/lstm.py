"""Long short-term memory: the cell and the layer."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.layers.recurrent import fields
from jkeras.layers.recurrent.cells import RecurrentCell, States
from jkeras.layers.recurrent.rnn import ReadyRNN
from jkeras.types import ActivationField, ConstraintField, InitializerField, RegularizerField
from jkeras.values.fields import field


class LSTMAttributes:
    """What the cells below declare in addition to `CellAttributes`."""

    recurrent_activation: ActivationField
    unit_forget_bias: bool


class LSTMEquations(LSTMAttributes, RecurrentCell):
    """The step of `LSTMCell` and of the convolutional cell."""

    gates: ClassVar[int] = 4
    state_count: ClassVar[int] = 2

    def advance(self, projected: jax.Array, states: States) -> States:
        output, carry = states
        i, f, c, o = jnp.split(projected + self.recur(output), 4, axis=self.gate_axis)
        carry = self.recurrent_activation(f) * carry + self.recurrent_activation(i) * self.activation(c)
        return [self.recurrent_activation(o) * self.activation(carry), carry]

    def recurrent_form(self) -> tuple[str, dict[str, jax.Array]] | None:
        return "lstm", {"recurrent_kernel": self.recurrent_kernel}


class LSTMCell(LSTMEquations):
    """One step of an LSTM.

    The order of the gates along the last axis of the kernels is i, f, c, o. With the output `h` and the carry `c`::

        i, f, o = recurrent_activation(x @ W + h @ R + b)
        c' = f * c + i * activation(x @ W_c + h @ R_c + b_c)
        h' = o * activation(c')

    Shapes: inputs `(batch, features)`, states `[h, c]` of `(batch, units)` each; kernel `(features, 4 * units)`,
    recurrent kernel `(units, 4 * units)`, bias `(4 * units,)`. The arguments are those of `LSTM`.

    Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000. The results are Keras's.

    >>> LSTMCell(3).state_size
    [3, 3]
    """

    units: int = field(convert=arguments.positive_int)
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


class LSTM(ReadyRNN):
    """Long short-term memory (Hochreiter and Schmidhuber 1997).

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)` with `return_sequences`. The
    weights are `cell/kernel` `(features, 4 * units)`, `cell/recurrent_kernel` `(units, 4 * units)` and `cell/bias`
    `(4 * units,)`, gates in the order i, f, c, o. Call arguments: `initial_state=[h, c]`, `mask` `(batch, time)` of
    booleans, `training`.

    Args:
        units: the size of the output.
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
        dropout: the share of the inputs that training drops, the same at every step of a sequence.
        recurrent_dropout: the share of the state that training drops; each gate then has its own masks.
        seed: distinguishes the masks from those of other layers with the same name.
        return_sequences: whether to return the output of every step.
        return_state: whether to return `output, h, c`.
        go_backwards: whether to start with the last step; sequences come out in the order of processing.
        stateful: whether a batch starts with the final states of the previous one; needs a fixed batch size.
        unroll: accepted for compatibility with Keras; the loop is never unrolled.
        use_cudnn: accepted for compatibility with Keras.
        zero_output_for_mask: whether masked steps output zeros instead of the previous output.

    Raises:
        InputError: initial states have the wrong shapes, or the layer is stateful and the batch size is unknown or changes.

    >>> LSTM(3, return_sequences=True).compute_output_shape((None, 7, 2))
    (None, 7, 3)
    """

    cell_class: ClassVar[type[RecurrentCell]] = LSTMCell

    units: int = field(convert=arguments.positive_int)
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
    unroll: bool = fields.NO
    use_cudnn: Any = fields.USE_CUDNN
    zero_output_for_mask: bool = field(default=False, convert=arguments.boolean, kw_only=True)


__all__ = ["LSTM", "LSTMCell"]
