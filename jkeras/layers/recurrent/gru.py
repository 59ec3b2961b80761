"""Gated recurrent unit: the cell and the layer."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.layers.recurrent import fields
from jkeras.layers.recurrent.cells import RecurrentCell, States
from jkeras.layers.recurrent.rnn import ReadyRNN
from jkeras.lowering import recurrence
from jkeras.types import ActivationField, ConstraintField, InitializerField, RegularizerField
from jkeras.values.fields import field


class GRUCell(RecurrentCell):
    """One step of a GRU.

    The order of the gates along the last axis of the kernels is z, r, h::

        z, r = recurrent_activation(x @ W + h @ R + b)
        candidate = activation(x @ W_h + b_h + r * (h @ R_h + b'_h))      with reset_after
        candidate = activation(x @ W_h + b_h + (r * h) @ R_h)             without
        h' = z * h + (1 - z) * candidate

    Shapes: inputs `(batch, features)`, state `(batch, units)`; kernel `(features, 3 * units)`, recurrent kernel
    `(units, 3 * units)`, bias `(2, 3 * units)` with `reset_after`, else `(3 * units,)`. The arguments are those of
    `GRU`.

    Source: Cho et al. 2014; `reset_after` is cuDNN's variant. The results are Keras's.

    >>> GRUCell(3).state_size
    3
    """

    gates: ClassVar[int] = 3

    units: int = field(convert=arguments.positive_int)
    activation: ActivationField = fields.TANH
    recurrent_activation: ActivationField = fields.SIGMOID
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
    reset_after: bool = fields.YES
    seed: int | None = fields.SEED

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    @property
    def input_bias(self) -> jax.Array | None:
        return self.bias[0] if self.bias is not None and self.reset_after else self.bias

    def advance(self, projected: jax.Array, states: States) -> States:
        state = states[0]
        x_z, x_r, x_h = jnp.split(projected, 3, axis=-1)
        if self.reset_after:
            recurrent = self.recur(state) if self.bias is None else self.recur(state) + self.bias[1]
            h_z, h_r, h_h = jnp.split(recurrent, 3, axis=-1)
            z, r = self.recurrent_activation(x_z + h_z), self.recurrent_activation(x_r + h_r)
            candidate = self.activation(x_h + r * h_h)
        else:
            copies = self.by_gate(state, 1)
            kernel_z, kernel_r, kernel_h = jnp.split(self.recurrent_kernel, 3, axis=-1)
            z = self.recurrent_activation(x_z + jnp.matmul(copies[0], kernel_z))
            r = self.recurrent_activation(x_r + jnp.matmul(copies[1 % len(copies)], kernel_r))
            candidate = self.activation(x_h + jnp.matmul(r * copies[-1], kernel_h))
        return [z * state + (1 - z) * candidate]

    def recurrent_form(self) -> tuple[str, dict[str, jax.Array]] | None:
        bias = self.bias[1] if self.bias is not None and self.reset_after else None
        return recurrence.gru_weights(self.recurrent_kernel, bias, self.reset_after)


class GRU(ReadyRNN):
    """Gated recurrent unit (Cho et al. 2014).

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)` with `return_sequences`. The
    weights are `cell/kernel` `(features, 3 * units)`, `cell/recurrent_kernel` `(units, 3 * units)` and `cell/bias`,
    which is `(2, 3 * units)` with `reset_after`, else `(3 * units,)`; gates in the order z, r, h. Call arguments:
    `initial_state=[h]`, `mask` `(batch, time)` of booleans, `training`.

    Args:
        units: the size of the output.
        activation: the activation of the candidate.
        recurrent_activation: the activation of the gates.
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
        recurrent_dropout: the share of the state that training drops; each gate then has its own masks.
        seed: distinguishes the masks from those of other layers with the same name.
        return_sequences: whether to return the output of every step.
        return_state: whether to return `output, h`.
        go_backwards: whether to start with the last step; sequences come out in the order of processing.
        stateful: whether a batch starts with the final state of the previous one; needs a fixed batch size.
        unroll: accepted for compatibility with Keras; the loop is never unrolled.
        reset_after: whether to apply the reset gate after the product with the recurrent kernel.
        use_cudnn: accepted for compatibility with Keras.
        zero_output_for_mask: whether masked steps output zeros instead of the previous output.

    Raises:
        InputError: the initial state has the wrong shape, or the layer is stateful and the batch size is unknown or changes.

    >>> GRU(3).compute_output_shape((None, 7, 2))
    (None, 3)
    """

    cell_class: ClassVar[type[RecurrentCell]] = GRUCell

    units: int = field(convert=arguments.positive_int)
    activation: ActivationField = fields.TANH
    recurrent_activation: ActivationField = fields.SIGMOID
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
    seed: int | None = fields.SEED
    return_sequences: bool = fields.NO
    return_state: bool = fields.NO
    go_backwards: bool = fields.NO
    stateful: bool = fields.NO
    unroll: bool = fields.NO
    reset_after: bool = fields.YES
    use_cudnn: Any = fields.USE_CUDNN
    zero_output_for_mask: bool = field(default=False, convert=arguments.boolean, kw_only=True)


__all__ = ["GRU", "GRUCell"]
