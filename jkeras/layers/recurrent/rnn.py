"""`RNN`: runs any cell over the time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras.dispatch import is_symbolic
from jkeras.errors import InputError
from jkeras.graph.input_spec import InputSpec
from jkeras.graph.layer import Layer
from jkeras.graph.scope import walk
from jkeras.graph.shapes import show_shape
from jkeras.layers.recurrent import fields
from jkeras.layers.recurrent.cells import RecurrentCell, select
from jkeras.layers.recurrent.scan import scan_layer
from jkeras.layers.recurrent.stacked import StackedRNNCells, call_cell, initial_states
from jkeras.registry import snake_case
from jkeras.types import Array, Bool, Num, PyTree, RegularizerLike
from jkeras.values.fields import field


def _cell(value: object) -> Any:
    return StackedRNNCells(value) if isinstance(value, (list, tuple)) else fields.cell(value)


class RNNAttributes:
    """The arguments of recurrent layers; classes such as `LSTM` set their order (see `jkeras.values.fields`)."""

    cell: Any
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool
    zero_output_for_mask: bool


class RNN(RNNAttributes, Layer):
    """Runs a cell over the time axis, in one compiled loop for any length.

    A cell is a layer (or any object) with `state_size`, an integer or a list of them, and `call(inputs, states)` that
    returns an output and the list of new states; it may have `output_size`, `get_initial_state(batch_size)`, sublayers,
    dropout, state. Weights must be created in `build`, and sublayers must be used in every step. A masked step does not
    change the states and repeats the previous output.

    Call arguments: `initial_state`, one array or a list of them; `mask` `(batch, time)` of booleans; `training`.

    Example::

        class MinimalCell(jk.Layer):
            def __init__(self, units):
                self.units = self.state_size = units
                self.mix = layers.Dense(units, activation="tanh")

            def call(self, inputs, states):
                output = self.mix(jnp.concatenate([inputs, states[0]], axis=-1))
                return output, [output]

        layers.RNN(MinimalCell(32), return_sequences=True)

    Shapes: `(batch, time, ...)` to `(batch, ...)`, or `(batch, time, ...)` with `return_sequences`.

    Args:
        cell: a cell, or a list of cells to stack.
        return_sequences: whether to return the output of every step.
        return_state: whether to return `output, *states`.
        go_backwards: whether to start with the last step; sequences come out in the order of processing.
        stateful: whether a batch starts with the final states of the previous one; needs a fixed batch size.
        unroll: accepted for compatibility with Keras; the loop is never unrolled.
        zero_output_for_mask: whether masked steps output zeros instead of the previous output.

    Raises:
        InputError: states do not have the cell's sizes, or the layer is stateful and the batch size is unknown or
            changes.

    >>> from jkeras.layers import LSTMCell
    >>> RNN(LSTMCell(3)).compute_output_shape((None, 7, 2))
    (None, 3)
    """

    supports_masking: ClassVar[bool] = True
    # How to loop over the steps; `jkeras.keras`, where layers hold variables, overrides it.
    _scan: ClassVar[Any] = staticmethod(scan_layer)

    if TYPE_CHECKING:
        _cell: Any = field(alias="cell")
        _return_sequences: bool = field(default=False, alias="return_sequences")
        _return_state: bool = field(default=False, alias="return_state")
        _go_backwards: bool = field(default=False, alias="go_backwards")
        _stateful: bool = field(default=False, alias="stateful")
        _unroll: bool = field(default=False, alias="unroll")
        _zero_output_for_mask: bool = field(default=False, alias="zero_output_for_mask")
    else:
        cell: Any = field(convert=_cell)
        return_sequences: bool = fields.NO
        return_state: bool = fields.NO
        go_backwards: bool = fields.NO
        stateful: bool = fields.NO
        unroll: bool = fields.NO
        zero_output_for_mask: bool = fields.NO

    @classmethod
    def _bind(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        kwargs.pop("implementation", None)
        return super()._bind(args, kwargs)

    @property
    def mixes_samples(self) -> bool | None:  # type: ignore[override]
        """Whether rows depend on each other; those of a stateful layer do, because its state is per row."""
        return self.stateful or not isinstance(self.cell, Layer)

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(min_ndim=3)

    def more_axes(self) -> str:
        if self.return_sequences:
            return ""
        name = type(self).__name__
        return f"The {name} below returns only its last step; write `{name}(..., return_sequences=True)` there."

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the cell's states."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        sequences: Any = args[0] if args else kwargs.get("sequences")
        if self.stateful and is_symbolic(sequences) and sequences.shape[0] is None:
            raise InputError(
                f"{self._place}: a stateful layer has one state for each sample of a batch, so the batch size"
                f" must be known; the input has the shape {show_shape(sequences.shape)}. Write `Input(shape,"
                f" batch_size=...)`."
            )
        return super().__call__(*args, **kwargs)

    # -- states ---------------------------------------------------------------------------------------------------

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states before the first step: the cell's own, else zeros."""
        return initial_states(self.cell, batch_size, self.compute_dtype)

    def _fresh_states(self, input_shape: tuple[Any, ...]) -> list[Any]:
        return self.get_initial_state(input_shape[0])

    def build(self, sequences_shape: tuple[Any, ...]) -> None:
        if self.stateful:
            for number, state in enumerate(jax.tree.leaves(self._fresh_states(sequences_shape))):
                name = f"rnn_state_{number}" if number else "rnn_state"
                try:
                    weight = self.add_weight(state.shape, "zeros", trainable=False, name=name)
                except InputError as error:
                    raise InputError(f"{error} A stateful layer needs batches of constant size.") from None
                setattr(self, f"kept_{number}", weight)

    def states_before(self, sequences: jax.Array, initial_state: PyTree[Array]) -> list[Any]:
        fresh = self._fresh_states(sequences.shape)
        expected, structure = jax.tree.flatten(fresh)
        if initial_state is not None:
            states = jax.tree.leaves(initial_state)
        elif self.stateful:
            states = [getattr(self, f"kept_{number}") for number in range(len(expected))]
        else:
            return fresh
        shapes = [tuple(jnp.shape(state)) for state in states]
        if shapes != [state.shape for state in expected]:
            raise InputError(
                f"{self._place} ({type(self).__name__}) got states of the shapes"
                f" {', '.join(map(show_shape, shapes))} for an input of shape {show_shape(sequences.shape)}; it needs"
                f" {', '.join(show_shape(state.shape) for state in expected)}."
            )
        cast = [jnp.asarray(state, like.dtype) for state, like in zip(states, expected, strict=True)]
        result: list[Any] = jax.tree.unflatten(structure, cast)
        return result

    def reset_state(self) -> None:
        """Raises an error: a layer is a description; the states belong to the model.

        Raises:
            InputError: always.
        """
        raise InputError(
            f"{self._place}: the states of a stateful layer are non-trainable weights of its model, named"
            f" `rnn_state`, and a model is immutable. Zero them with `model.set_weights(...)`, or keep the"
            f" earlier model with fresh states."
        )

    reset_states = reset_state

    # -- the loop -------------------------------------------------------------------------------------------------

    def call(
        self,
        sequences: Num[Array, "batch time *features"],
        initial_state: PyTree[Array] = None,
        mask: Bool[Array, "batch time"] | None = None,
        training: bool | None = False,
    ) -> Any:
        states = self.states_before(sequences, initial_state)
        outputs, last, states = self.loop(sequences, states, mask, training)
        if self.stateful:
            for number, state in enumerate(jax.tree.leaves(states)):
                setattr(self, f"kept_{number}", state)
        output = last if outputs is None else jnp.swapaxes(outputs, 0, 1)
        output, states = jax.tree.map(lambda value: value.astype(self.compute_dtype), (output, states))
        return (output, *states) if self.return_state else output

    def loop(
        self, sequences: jax.Array, states: PyTree[Array], mask: PyTree[Array | None], training: bool | None
    ) -> tuple[Any, Any, Any]:
        """All steps: the outputs `(time, batch, ...)` or None, the last output, the states after the last step."""
        inputs, seen = jnp.swapaxes(sequences, 0, 1), self._seen(sequences, mask)
        if isinstance(self.cell, Layer):
            for _, layer in walk(self.cell):
                if isinstance(layer, RecurrentCell):
                    layer.forget_masks()
        if isinstance(self.cell, (RecurrentCell, StackedRNNCells)) and self.cell.can_run:
            # This step creates weights and dropout masks. Its result is unused, so it is never computed.
            self.cell(inputs[0], states, training=training)
            result: tuple[Any, Any, Any] = self.cell.run(
                inputs,
                states,
                seen,
                backwards=self.go_backwards,
                keep_all=self.return_sequences,
                zero_masked=self.zero_output_for_mask,
            )
            return result
        return self._run(inputs, states, seen)

    def _seen(self, sequences: jax.Array, mask: Bool[Array, "batch time"] | None) -> jax.Array | None:
        """The mask as `(time, batch)`; a step counts if any of its features does."""
        masks = jax.tree.leaves(mask)
        if not masks:
            return None
        unmasked = jnp.asarray(masks[0], bool)
        if unmasked.shape[:2] != sequences.shape[:2]:
            raise InputError(
                f"{self._place} ({type(self).__name__}) got a mask of shape {show_shape(unmasked.shape)} for an input"
                f" of shape {show_shape(sequences.shape)}; it needs {show_shape(sequences.shape[:2])}."
            )
        return jnp.any(unmasked, axis=tuple(range(2, unmasked.ndim))).T

    def _run(self, inputs: jax.Array, states: PyTree[Array], seen: jax.Array | None) -> tuple[Any, Any, Any]:
        """All steps of a cell that has only `call`: the first one here, where it creates weights, the others in a loop."""

        def step(carry: PyTree[Array], item: PyTree[Array]) -> tuple[Any, Any]:
            (before, last), (value, here) = carry, item
            output, after = call_cell(self.cell, value, before)
            after = self._like(after, before)
            if here is not None:
                output = select(here, output, self._masked_output(output, before, last))
                after = jax.tree.map(lambda new, old: select(here, new, old), after, before)
            return (after, output), output if self.return_sequences else None

        items = (inputs, seen)
        first, rest = (-1, slice(None, -1)) if self.go_backwards else (0, slice(1, None))
        carry, output = step((states, None), jax.tree.map(lambda x: x[first], items))
        rest_items = jax.tree.map(lambda x: x[rest], items)
        if isinstance(self.cell, Layer):
            carry, outputs = self._scan(self.cell, step, carry, rest_items, reverse=self.go_backwards)
        else:
            carry, outputs = jax.lax.scan(step, carry, rest_items, reverse=self.go_backwards)
        if outputs is not None:
            outputs = jnp.concatenate([output[None], jnp.flip(outputs, 0) if self.go_backwards else outputs])
        return outputs, carry[1], carry[0]

    def _masked_output(self, output: jax.Array, states: PyTree[Array], last: PyTree[Array]) -> jax.Array:
        """The output of a masked step."""
        if self.zero_output_for_mask:
            return jnp.zeros_like(output)
        state = states[-1][0] if isinstance(states[0], (list, tuple)) else states[0]
        if state.shape == output.shape:
            result: jax.Array = state.astype(output.dtype)
            return result
        return jnp.zeros_like(output) if last is None else last

    def _like(self, states: PyTree[Array], before: PyTree[Array]) -> Any:
        """New states with the structure and dtypes of the previous ones."""
        new = jax.tree.leaves(states)
        old, structure = jax.tree.flatten(before)
        if [state.shape for state in new] != [state.shape for state in old]:
            raise InputError(
                f"{self._place}: the cell {type(self.cell).__name__} returned states of the shapes"
                f" {', '.join(show_shape(state.shape) for state in new)} after states of the shapes"
                f" {', '.join(show_shape(state.shape) for state in old)}. `call` returns the output and the list"
                f" of new states."
            )
        return jax.tree.unflatten(structure, [a.astype(b.dtype) for a, b in zip(new, old, strict=True)])

    def compute_mask(self, inputs: PyTree[Array], previous_mask: PyTree[Array]) -> Any:
        masks = jax.tree.leaves(previous_mask)
        mask = masks[0] if masks and self.return_sequences else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask


class ReadyRNN(RNN, own_arguments=True):
    """Base of the layers that create their cell from their own arguments."""

    cell_class: ClassVar[type[RecurrentCell]]

    if TYPE_CHECKING:
        _activity_regularizer: RegularizerLike = field(init=False)
        _cell: Any = field(init=False)
        _return_sequences: bool = field(init=False)
        _return_state: bool = field(init=False)
        _go_backwards: bool = field(init=False)
        _stateful: bool = field(init=False)
        _unroll: bool = field(init=False)
        _zero_output_for_mask: bool = field(init=False)

    def __post_init__(self) -> None:
        self.cell: Any = self.cell_class(**self.cell_arguments(), name=snake_case(self.cell_class.__name__))

    def cell_arguments(self) -> dict[str, Any]:
        """The arguments of the cell, a subset of those of the layer."""
        names = [name for name in self.cell_class._fields if name in type(self)._fields and name not in Layer._fields]
        return {name: vars(self)[name] for name in names}

    @property
    def input_spec(self) -> InputSpec:
        return InputSpec(ndim=3)


__all__ = ["RNN"]
