"""The plain recurrent network: the cell and the layer."""

from __future__ import annotations

from typing import ClassVar

import jax

from jkeras import arguments
from jkeras.layers.recurrent import fields
from jkeras.layers.recurrent.cells import RecurrentCell, States
from jkeras.layers.recurrent.rnn import ReadyRNN
from jkeras.types import ActivationField, ConstraintField, InitializerField, RegularizerField
from jkeras.values.fields import field


class SimpleRNNCell(RecurrentCell):
    """One step of a plain recurrent network: `h' = activation(x @ W + h @ R + b)`.

    Shapes: inputs `(batch, features)`, state `(batch, units)`; kernel `(features, units)`, recurrent kernel
    `(units, units)`, bias `(units,)`. The arguments are those of `SimpleRNN`.

    Source: Elman 1990, "Finding Structure in Time". The results are Keras's.

    >>> SimpleRNNCell(3).state_size
    3
    """

    units: int = field(convert=arguments.positive_int)
    activation: ActivationField = fields.TANH
    use_bias: bool = fields.YES
    kernel_initializer: InitializerField = fields.GLOROT_UNIFORM
    recurrent_initializer: InitializerField = fields.ORTHOGONAL
    bias_initializer: InitializerField = fields.ZEROS
    kernel_regularizer: RegularizerField = fields.REGULARIZER
    recurrent_regularizer: RegularizerField = fields.REGULARIZER
    bias_regularizer: RegularizerField = fields.REGULARIZER
    kernel_constraint: ConstraintField = fields.CONSTRAINT
    recurrent_constraint: ConstraintField = fields.CONSTRAINT
    bias_constraint: ConstraintField = fields.CONSTRAINT
    dropout: float = fields.RATE
    recurrent_dropout: float = fields.RATE
    seed: int | None = fields.SEED

    def advance(self, projected: jax.Array, states: States) -> States:
        return [self.activation(projected + self.recur(states[0]))]

    def recurrent_form(self) -> tuple[str, dict[str, jax.Array]] | None:
        return "simple_rnn", {"recurrent_kernel": self.recurrent_kernel}


class SimpleRNN(ReadyRNN):
    """A plain recurrent network (Elman 1990): `h' = activation(x @ W + h @ R + b)`.

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)` with `return_sequences`. The
    weights are `cell/kernel` `(features, units)`, `cell/recurrent_kernel` `(units, units)` and `cell/bias`
    `(units,)`. Call arguments: `initial_state=[h]`, `mask` `(batch, time)` of booleans, `training`.

    Args:
        units: the size of the output.
        activation: the activation of the output.
        use_bias: whether to add a bias.
        kernel_initializer: the initializer of the kernel.
        recurrent_initializer: the initializer of the recurrent kernel.
        bias_initializer: the initializer of the bias.
        kernel_regularizer: a penalty on the kernel.
        recurrent_regularizer: a penalty on the recurrent kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the output, divided by the batch size.
        kernel_constraint: a projection of the kernel after each update.
        recurrent_constraint: a projection of the recurrent kernel after each update.
        bias_constraint: a projection of the bias after each update.
        dropout: the share of the inputs that training drops, the same at every step of a sequence.
        recurrent_dropout: the share of the state that training drops.
        return_sequences: whether to return the output of every step.
        return_state: whether to return `output, h`.
        go_backwards: whether to start with the last step; sequences come out in the order of processing.
        stateful: whether a batch starts with the final state of the previous one; needs a fixed batch size.
        unroll: accepted for compatibility with Keras; the loop is never unrolled.
        seed: distinguishes the masks from those of other layers with the same name. Keras's configuration omits it.
        zero_output_for_mask: whether masked steps output zeros instead of the previous output.

    Raises:
        InputError: an initial state of another shape, or a stateful layer whose batch size is unknown or changes.

    >>> SimpleRNN(3).compute_output_shape((None, 7, 2))
    (None, 3)
    """

    cell_class: ClassVar[type[RecurrentCell]] = SimpleRNNCell

    units: int = field(convert=arguments.positive_int)
    activation: ActivationField = fields.TANH
    use_bias: bool = fields.YES
    kernel_initializer: InitializerField = fields.GLOROT_UNIFORM
    recurrent_initializer: InitializerField = fields.ORTHOGONAL
    bias_initializer: InitializerField = fields.ZEROS
    kernel_regularizer: RegularizerField = fields.REGULARIZER
    recurrent_regularizer: RegularizerField = fields.REGULARIZER
    bias_regularizer: RegularizerField = fields.REGULARIZER
    activity_regularizer: RegularizerField = fields.REGULARIZER
    kernel_constraint: ConstraintField = fields.CONSTRAINT
    recurrent_constraint: ConstraintField = fields.CONSTRAINT
    bias_constraint: ConstraintField = fields.CONSTRAINT
    dropout: float = fields.RATE
    recurrent_dropout: float = fields.RATE
    return_sequences: bool = fields.NO
    return_state: bool = fields.NO
    go_backwards: bool = fields.NO
    stateful: bool = fields.NO
    unroll: bool = fields.NO
    seed: int | None = field(default=None, convert=fields.SEED.convert, in_config=False)
    zero_output_for_mask: bool = field(default=False, convert=arguments.boolean, kw_only=True)


__all__ = ["SimpleRNN", "SimpleRNNCell"]
