"""The base of the built-in cells: weights, dropout masks, the split into a projection and a step.

A cell's step is split in two, because most of its work does not depend on earlier steps: `project` multiplies the
inputs of all steps at once, and `advance` does the rest step by step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.graph.layer import Layer
from jkeras.initializers import Initializer
from jkeras.lowering import recurrence
from jkeras.types import (
    ActivationField,
    Array,
    ConstraintField,
    DTypeLike,
    InitializerField,
    Num,
    PyTree,
    RegularizerField,
)

States = list[jax.Array]

# The methods that define a cell's step; a subclass that overrides any of them has a different step.
STEP = ("advance", "project", "recur", "input_product", "state_product")


class ForgetGateBias(Initializer):
    """Ones for the second of four gates, the forget gate, and another initializer for the others.

    Jozefowicz et al. 2015, "An Empirical Exploration of Recurrent Network Architectures".
    """

    others: Any

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None, key: jax.Array | None = None) -> jax.Array:
        units = shape[-1] // 4
        first, rest = (None, None) if key is None else jax.random.split(key)
        parts = [
            self.others((units,), dtype=dtype, key=first),
            jnp.ones((units,), dtype),
            self.others((2 * units,), dtype=dtype, key=rest),
        ]
        return jnp.concatenate(parts)


class CellAttributes:
    """The arguments that every cell declares, in Keras's order (see `jkeras.values.fields`)."""

    units: int
    activation: ActivationField
    use_bias: bool
    kernel_initializer: InitializerField
    recurrent_initializer: InitializerField
    bias_initializer: InitializerField
    kernel_regularizer: RegularizerField
    recurrent_regularizer: RegularizerField
    bias_regularizer: RegularizerField
    kernel_constraint: ConstraintField
    recurrent_constraint: ConstraintField
    bias_constraint: ConstraintField
    dropout: float
    recurrent_dropout: float
    seed: int | None
    # For classes without these arguments; the activation of the gates is then that of the state.
    unit_forget_bias: bool = False
    recurrent_activation: Any = None


class RecurrentCell(CellAttributes, Layer):
    """Base of `SimpleRNNCell`, `LSTMCell`, `GRUCell` and the convolutional cell.

    A subclass declares the number of its gates and states, and defines `advance`.
    """

    mixes_samples: ClassVar[bool | None] = False
    gates: ClassVar[int] = 1
    state_count: ClassVar[int] = 1

    # The dropout masks of the current sequence, stored on the bound copy: (of the inputs, of the first state), or None.
    _masks: ClassVar[Any] = None

    @classmethod
    def _bind(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        kwargs.pop("implementation", None)
        return super()._bind(args, kwargs)

    @property
    def gate_axis(self) -> int:
        """The axis of the gates in the results of `project` and `recur`."""
        return -1

    # -- sizes ----------------------------------------------------------------------------------------------------

    @property
    def state_size(self) -> Any:
        """The size of the state, or a list of sizes."""
        return self.units if self.state_count == 1 else [self.units] * self.state_count

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    def get_initial_state(self, batch_size: int | None = None) -> States:
        """Zeros, one array for each state."""
        return [jnp.zeros((batch_size or 1, self.units), self.compute_dtype) for _ in range(self.state_count)]

    # -- weights --------------------------------------------------------------------------------------------------

    def kernel_shapes(self, input_shape: tuple[Any, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shapes of the kernel and of the recurrent kernel."""
        width = self.gates * self.units
        return (input_shape[-1], width), (self.units, width)

    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the bias."""
        return (self.gates * self.units,)

    def build(self, inputs_shape: tuple[Any, ...]) -> None:
        kernel, recurrent_kernel = self.kernel_shapes(inputs_shape)
        self.kernel: Array = self.add_weight(
            kernel,
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.recurrent_kernel: Array = self.add_weight(
            recurrent_kernel,
            self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )
        self.bias: jax.Array | None = None
        if self.use_bias:
            initializer = self.bias_initializer
            if self.unit_forget_bias:
                initializer = ForgetGateBias(initializer)
            self.bias = self.add_weight(
                self.bias_shape(),
                initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    # -- dropout --------------------------------------------------------------------------------------------------

    @property
    def masks_per_gate(self) -> bool:
        """Whether every gate has its own dropout masks; as in Keras, if there is recurrent dropout."""
        return self.gates > 1 and self.recurrent_dropout > 0

    def draw_masks(self, inputs: jax.Array, states: PyTree[Array], training: bool | None) -> None:
        """Draws the masks that all steps of a sequence share, for the shapes of one step's inputs and states."""
        if training and self._masks is None:
            state = states[0] if isinstance(states, (list, tuple)) else states
            masks = self._mask(inputs, self.dropout), self._mask(state, self.recurrent_dropout)
            vars(self).update(_masks=masks)

    def forget_masks(self) -> None:
        """Declares that the next step begins a new sequence."""
        vars(self).update(_masks=None)

    def _mask(self, like: jax.Array, rate: float) -> Any:
        """One mask, or one for each gate along a new first axis; values that are not dropped are scaled up."""
        if rate == 0:
            return None
        shape = (self.gates, *like.shape) if self.masks_per_gate else like.shape
        if rate == 1:
            return jnp.zeros(shape, like.dtype)
        keep = jax.random.bernoulli(self.make_rng(self.seed), 1 - rate, shape)
        return keep.astype(like.dtype) / jnp.asarray(1 - rate, like.dtype)

    def by_gate(self, values: jax.Array, which: int) -> list[jax.Array]:
        """The inputs (0) or the first state (1) after dropout, for each gate; a single array if all are the same."""
        mask = self._masks[which] if self._masks is not None else None
        if mask is None:
            return [values]
        return [values * one for one in mask] if self.masks_per_gate else [values * mask]

    # -- one step -------------------------------------------------------------------------------------------------

    def call(
        self, inputs: Num[Array, "batch *features"], states: PyTree[Array], training: bool | None = False
    ) -> tuple[jax.Array, Any]:
        """One step.

        Args:
            inputs: `(batch, features)`.
            states: one array or a list of them, each `(batch, units)`.
            training: whether to apply dropout.

        Returns:
            The output `(batch, units)` and the states after the step.
        """
        self.draw_masks(inputs, states, training)
        nested = isinstance(states, (list, tuple))
        after = self.advance(self.project(inputs), list(states) if nested else [states])
        return after[0], after if nested else after[0]

    def project(self, inputs: jax.Array) -> jax.Array:
        """The part of the gates that depends only on the inputs, for one step or for many, `(time, ...)`."""
        gates = self._weigh(self.by_gate(inputs, 0), self.kernel, self.input_product)
        return gates if self.input_bias is None else gates + self.input_bias

    @property
    def input_bias(self) -> jax.Array | None:
        """The bias that is added to the projected inputs."""
        return self.bias

    def recur(self, state: jax.Array) -> jax.Array:
        """The part of the gates that depends on the previous state."""
        return self._weigh(self.by_gate(state, 1), self.recurrent_kernel, self.state_product)

    def input_product(self, inputs: jax.Array, kernel: jax.Array) -> jax.Array:
        """Inputs times kernel."""
        return jnp.matmul(inputs, kernel)

    def state_product(self, state: jax.Array, kernel: jax.Array) -> jax.Array:
        """The product of the state and the recurrent kernel."""
        return jnp.matmul(state, kernel)

    def _weigh(self, parts: list[jax.Array], kernel: jax.Array, product: Callable[..., jax.Array]) -> jax.Array:
        if len(parts) == 1:
            return product(parts[0], kernel)
        kernels = jnp.split(kernel, self.gates, axis=-1)
        return jnp.concatenate([product(x, w) for x, w in zip(parts, kernels, strict=True)], axis=self.gate_axis)

    def advance(self, projected: jax.Array, states: States) -> States:
        """The states after a step; the first of them is the step's output."""
        raise NotImplementedError(f"{type(self).__name__} must define `advance(self, projected, states)`.")

    def recurrent_form(self) -> tuple[str, dict[str, jax.Array]] | None:
        """The name of this cell's form in `lowering.recurrence`, and its weights; None if it has none."""
        return None

    def _lowered(self) -> tuple[str, dict[str, jax.Array]] | None:
        """`recurrent_form()`, unless a user's subclass or recurrent dropout changes the steps."""
        from_elsewhere = itertools.takewhile(lambda cls: not cls.__module__.startswith("jkeras."), type(self).__mro__)
        same = not any(name in vars(cls) for cls in from_elsewhere for name in STEP)
        return self.recurrent_form() if same and (self._masks is None or self._masks[1] is None) else None

    @property
    def can_run(self) -> bool:
        """Whether `run` is equivalent to `call` step by step; False if a subclass overrides `call`."""
        return type(self).call is RecurrentCell.call

    # -- all steps ------------------------------------------------------------------------------------------------

    def run(
        self,
        inputs: jax.Array,
        states: States,
        seen: jax.Array | None,
        *,
        backwards: bool = False,
        keep_all: bool = True,
        zero_masked: bool = False,
    ) -> tuple[jax.Array | None, jax.Array, States]:
        """All steps of a sequence in one loop.

        Args:
            inputs: `(time, batch, ...)`.
            states: the states before the first step.
            seen: `(time, batch)`, false where a step is masked: masked steps do not change the states.
            backwards: whether to start with the last step.
            keep_all: whether to return the output of every step.
            zero_masked: whether masked steps output zeros instead of the previous output.

        Returns:
            The outputs in the order of processing (or None), the last output, the states after the last step.
        """
        lowered = self._lowered()
        if lowered is not None:
            name, weights = lowered
            gate_activation = self.recurrent_activation or self.activation
            form = recurrence.Form(name, self.activation, gate_activation, backwards, keep_all, zero_masked)
            parts = self.by_gate(inputs, 0)
            if len(parts) == 1:
                inputs_weights: Any = {"kernel": self.kernel, "bias": self.input_bias}
                return recurrence.run(form, parts[0], states, {**inputs_weights, **weights}, seen)
            return recurrence.run(form, self.project(inputs), states, weights, seen)
        projected = self.project(inputs)

        def step(before: States, item: PyTree[Array]) -> tuple[States, jax.Array | None]:
            gates, here = item
            after = [new.astype(old.dtype) for new, old in zip(self.advance(gates, before), before, strict=True)]
            output = after[0]
            if here is not None:
                after = [select(here, new, old) for new, old in zip(after, before, strict=True)]
                output = select(here, output, jnp.zeros_like(output)) if zero_masked else after[0]
            return after, output if keep_all else None

        states, outputs = lax.scan(step, states, (projected, seen), reverse=backwards)
        if outputs is not None:
            outputs = jnp.flip(outputs, 0) if backwards else outputs
            return outputs, outputs[-1], states
        last = states[0]
        if zero_masked and seen is not None:
            last = select(seen[0 if backwards else -1], last, jnp.zeros_like(last))
        return None, last, states


def select(here: jax.Array, yes: jax.Array, no: jax.Array) -> jax.Array:
    """`yes` for the samples in which `here` `(batch,)` is true, `no` for the others."""
    return jnp.where(here.reshape(here.shape + (1,) * (yes.ndim - here.ndim)), yes, no)
