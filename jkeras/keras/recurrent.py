"""Recurrent layers and their wrappers as mutable objects: persistent states, built sublayers, dropout masks."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jkeras import config
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.shapes import Shape
from jkeras.keras import random, saving
from jkeras.keras.builtin import BuiltinLayer
from jkeras.keras.facades import on_view
from jkeras.keras.inner_steps import overridden
from jkeras.keras.layer import Layer
from jkeras.keras.scopes import is_traced
from jkeras.keras.time_loop import scan
from jkeras.keras.tracking import DotNotTrackScope
from jkeras.keras.variables import (
    AutocastScope,
    StatelessScope,
    Variable,
    get_autocast_scope,
    in_stateless_scope,
    name_scope,
)
from jkeras.layers import recurrent
from jkeras.layers.recurrent.bidirectional import NEEDED
from jkeras.layers.recurrent.stacked import call_cell


def build_inside(layer: Any, shape: Any) -> None:
    """Builds a sublayer if it is not built yet."""
    if isinstance(layer, Layer) and not layer.built:
        layer.build(shape)
        layer.built = True


# -- RNN --------------------------------------------------------------------------------------------------------------


def build_rnn(self: Any, sequences_shape: Any, initial_state_shape: Any = None) -> None:
    """Builds the cell, and creates the states of a stateful layer."""
    build_inside(self.cell, (sequences_shape[0], *sequences_shape[2:]))
    if not self.stateful:
        return
    if self.states is not None:
        self.reset_state()
        return
    if sequences_shape[0] is None:
        raise InputError(
            "When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch size:"
            f" sequence.shape={sequences_shape}. Write `Input(shape, batch_size=...)`."
        )
    fresh, structure = jax.tree.flatten(self._fresh_states(sequences_shape))
    with DotNotTrackScope(), name_scope(self.name, caller=self):
        for place, state in enumerate(fresh):
            variable = Variable(state, trainable=False, dtype=self.variable_dtype, name="rnn_state")
            setattr(self, f"kept_{place}", variable)
    self._states_structure = structure


def _states(self: Any) -> Any:
    """The variables with the states of a stateful layer, or None."""
    if "_states_structure" not in vars(self):
        return None
    return jax.tree.unflatten(self._states_structure, self._state_variables())


def _state_variables(self: Any) -> list[Variable]:
    candidates = (vars(self).get(f"kept_{place}") for place in range(len(vars(self))))
    return [variable for variable in candidates if isinstance(variable, Variable)]


def reset_state(self: Any) -> None:
    """Sets the states to zero."""
    for variable in self._state_variables():
        variable.assign(jnp.zeros(variable.shape))


def _check_batch(self: Any, sequences: Any, initial_state: Any) -> Any:
    variables = self._state_variables() if self.stateful and initial_state is None else []
    for variable in variables:
        if variable.shape[0] != sequences.shape[0]:
            raise InputError(
                "If an RNN is stateful, the batch size of the input sequences must be the same as the batch size of the"
                f" initial state. Expected batch size: {variable.shape[0]}. Received batch size: {sequences.shape[0]}"
            )
    return recurrent.RNN.states_before(self, sequences, initial_state)


_on_view = on_view(recurrent.RNN.call)


def _run_rnn(self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return _on_view(self, *args, **kwargs)
    finally:
        _forget_masks(self.cell)  # masks belong to one call only


def _forget_masks(cell: Any) -> None:
    if hasattr(cell, "forget_masks"):
        cell.forget_masks()
    for one in cell.cells if isinstance(cell, recurrent.StackedRNNCells) else ():
        _forget_masks(one)


@functools.wraps(recurrent.RNN.call)
def _call_rnn(self: Any, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False) -> Any:
    arrays = (sequences, initial_state, mask)
    concrete = not any(map(is_traced, jax.tree.leaves(arrays))) and not in_stateless_scope()
    if concrete and getattr(self.cell, "can_run", False):
        return _run_compiled(self, arrays, bool(training))
    return _run_rnn(self, *arrays, training=training)


_call_rnn.runs_on_view = True  # type: ignore[attr-defined]


def _run_compiled(self: Any, arrays: Any, training: bool) -> Any:
    """A call on concrete data: the compiled loop is cached until an attribute changes."""
    variables, casting = self.variables, get_autocast_scope()
    key = (self._attribute_version, training, None if casting is None else casting.dtype, config.lowering)
    known, program = vars(self).get("_compiled_call", (None, None))
    if known != key:

        def compute(values: Any, arrays: Any) -> Any:
            with StatelessScope(zip(variables, values, strict=True), collect_losses=True) as scope:
                outputs = _run_rnn(self, *arrays, training=training)
            changed = {
                place: scope.get_current_value(v) for place, v in enumerate(variables) if id(v) in scope.variables
            }
            return outputs, changed, scope.losses

        program = jax.jit(compute)
        vars(self)["_compiled_call"] = (key, program)
    with AutocastScope(None):
        values = [variable.value for variable in variables]
    outputs, changed, losses = program(values, arrays)
    for place, value in changed.items():
        variables[place].assign(value)
    if losses:
        self.add_loss(losses)
    return outputs


@on_view
def _inner_loop(
    self: Any, sequences: Any, initial_state: Any, mask: Any = None, training: Any = False
) -> tuple[Any, Any, Any]:
    """The last output, the outputs `(batch, time, ...)` of all steps, or of the last if no others are needed, and the states."""
    outputs, last, states = recurrent.RNN.loop(self, sequences, initial_state, mask, training)
    return last, last[:, None] if outputs is None else jnp.swapaxes(outputs, 0, 1), states


def _loop(self: Any, sequences: Any, states: Any, mask: Any, training: Any) -> tuple[Any, Any, Any]:
    if not overridden(type(self), "inner_loop"):
        return recurrent.RNN.loop(self, sequences, states, mask, training)
    mask = next(iter(jax.tree.leaves(mask)), None)
    last, outputs, states = self.inner_loop(sequences=sequences, initial_state=states, mask=mask, training=training)
    return jnp.swapaxes(outputs, 0, 1) if self.return_sequences else None, last, states


def _known_output(self: Any, inputs: Shape) -> Shape | None:
    """The output of built-in cells, if it is returned without states."""
    cell = self.cell
    built_in_cells = (recurrent.SimpleRNNCell, recurrent.LSTMCell, recurrent.GRUCell)
    if not isinstance(cell, built_in_cells) or not cell.is_facade() or cell.compute_dtype != self.compute_dtype:
        return None
    if self.return_state or len(inputs.shape) != 3:
        return None
    steps = inputs.shape[1:2] if self.return_sequences else ()
    return Shape((inputs.shape[0], *steps, cell.units), inputs.dtype)


RNN = {
    "known_output": _known_output,
    "_old_arguments": ("implementation",),
    "call": _call_rnn,
    "_inner_attributes": ("cell",),
    "build": build_rnn,
    "states": property(_states),
    "_state_variables": _state_variables,
    "reset_state": reset_state,
    "reset_states": reset_state,
    "_scan": staticmethod(scan),
    "loop": _loop,
    "inner_loop": _inner_loop,
}


# -- cells ------------------------------------------------------------------------------------------------------------


def can_run(self: Any) -> bool:
    """Whether `run` is equivalent to `call` step by step; False if a subclass overrides `call`."""
    return self._runs_on_view


def get_dropout_mask(self: Any, step_input: Any) -> Any:
    """The mask of the inputs that all steps share, or a list with one per gate; None without `dropout`."""
    return _mask(self, "_dropout_mask", step_input, self.dropout)


def get_recurrent_dropout_mask(self: Any, step_input: Any) -> Any:
    """The same for the first state and `recurrent_dropout`."""
    return _mask(self, "_recurrent_dropout_mask", step_input, self.recurrent_dropout)


def _mask(cell: Any, name: str, like: Any, rate: float) -> Any:
    """A mask that is stored on the cell, not on its views, until it is reset."""
    cell_attributes = vars(vars(cell).get("_original", cell))
    if cell_attributes.get(name) is None and rate > 0:
        draws = [random.dropout(jnp.ones_like(like), rate, seed=cell.seed_generator) for _ in range(_mask_count(cell))]
        cell_attributes[name] = draws if cell.masks_per_gate else draws[0]
    return cell_attributes.get(name)


def _mask_count(cell: Any) -> int:
    return cell.gates if cell.masks_per_gate else 1


def draw_masks(self: Any, inputs: Any, states: Any, training: Any) -> None:
    """Draws both masks, as Keras does even in inference."""
    state = states[0] if isinstance(states, (list, tuple)) else states
    masks = self.get_dropout_mask(inputs), self.get_recurrent_dropout_mask(state)
    vars(self)["_masks"] = masks if training else None


def reset_dropout_mask(self: Any) -> None:
    """Makes the next step draw a new mask of the inputs."""
    vars(vars(self).get("_original", self))["_dropout_mask"] = None


def reset_recurrent_dropout_mask(self: Any) -> None:
    """Makes the next step draw a new mask of the state."""
    vars(vars(self).get("_original", self))["_recurrent_dropout_mask"] = None


def forget_masks(self: Any) -> None:
    """Declares that the next step begins a new sequence."""
    self.reset_dropout_mask()
    self.reset_recurrent_dropout_mask()


_LSTM_STEPS = ("_compute_carry_and_output_fused", "_compute_carry_and_output")


def _carry_and_output_fused(self: Any, z: Any, c_tm1: Any) -> tuple[Any, Any]:
    """The carry and the output gate, from the sums of all four gates."""
    i, f, c, o = z
    carry = self.recurrent_activation(f) * c_tm1 + self.recurrent_activation(i) * self.activation(c)
    return carry, self.recurrent_activation(o)


def _carry_and_output(self: Any, x: Any, h_tm1: Any, c_tm1: Any) -> tuple[Any, Any]:
    """The same from the inputs' share of each gate, and the state for each gate."""
    kernels = jnp.split(jnp.asarray(self.recurrent_kernel), 4, axis=1)
    sums = [own + jnp.matmul(state, kernel) for own, state, kernel in zip(x, h_tm1, kernels, strict=True)]
    return _carry_and_output_fused(self, sums, c_tm1)


def _advance_lstm(self: Any, projected: Any, states: Any) -> list[Any]:
    step = _LSTM_STEPS[self.implementation == 1]
    if not overridden(type(self), step):
        return recurrent.LSTMCell.advance(self, projected, states)
    output, carry = states
    if self.implementation == 1:
        parts = self.by_gate(output, 1)
        carry, gate = getattr(self, step)(jnp.split(projected, 4, -1), parts if len(parts) > 1 else parts * 4, carry)
    else:
        carry, gate = getattr(self, step)(jnp.split(projected + self.recur(output), 4, -1), carry)
    return [gate * self.activation(carry), carry]


def _form_of_lstm(self: Any) -> Any:
    return None if overridden(type(self), *_LSTM_STEPS) else recurrent.LSTMCell.recurrent_form(self)


CELL = {
    "_old_arguments": ("implementation",),
    "_kept_arguments": ("implementation",),
    "implementation": 2,
    "can_run": property(can_run),
    "draw_masks": draw_masks,
    "forget_masks": forget_masks,
    "get_dropout_mask": get_dropout_mask,
    "get_recurrent_dropout_mask": get_recurrent_dropout_mask,
    "reset_dropout_mask": reset_dropout_mask,
    "reset_recurrent_dropout_mask": reset_recurrent_dropout_mask,
    "_seeded": staticmethod(lambda cell: True),
}


LSTM_CELL = {
    **CELL,
    "advance": _advance_lstm,
    "recurrent_form": _form_of_lstm,
    **dict(zip(_LSTM_STEPS, (_carry_and_output_fused, _carry_and_output), strict=True)),
}


def build_stacked(self: Any, input_shape: Any) -> None:
    """Builds the cells, each for the output of the previous one."""
    for cell in self.cells:
        build_inside(cell, input_shape)
        size = getattr(cell, "output_size", None)
        if size is None:
            size = cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
        input_shape = (input_shape[0], size)


def _finish_stacked(self: Any) -> None:
    self.cells = list(self.cells)
    BuiltinLayer._finish_construction(self)


def _stacked_initial_state(self: Any, batch_size: int | None = None) -> list[Any]:
    """The initial states of every cell: the cell's own, else zeros; a single array for a single size."""
    return [_initial_state(cell, batch_size or 1, self.compute_dtype) for cell in self.cells]


def _initial_state(cell: Any, batch_size: int, dtype: str) -> Any:
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=batch_size)
    if isinstance(cell.state_size, int):
        return jnp.zeros((batch_size, cell.state_size), dtype)
    return [jnp.zeros((batch_size, size), dtype) for size in cell.state_size]


def _call_stacked(self: Any, inputs: Any, states: Any, training: bool | None = False) -> tuple[Any, list[Any]]:
    """One step of all cells, in order."""
    after = []
    for cell, own in zip(self.cells, states, strict=True):
        nested = isinstance(own, (list, tuple))
        inputs, new = call_cell(cell, inputs, list(own) if nested else [own])
        after.append(new[0] if isinstance(new, (list, tuple)) and len(new) == 1 and not nested else new)
    return inputs, after


STACKED = {
    "_inner_attributes": ("cells",),
    "_finish_construction": _finish_stacked,
    "build": build_stacked,
    "get_initial_state": _stacked_initial_state,
    "call": on_view(_call_stacked),
}


# -- wrappers ---------------------------------------------------------------------------------------------------------


def build_wrapper(self: Any, input_shape: Any = None) -> None:
    """Builds the wrapped layer."""
    build_inside(self.layer, input_shape)


def build_time_distributed(self: Any, input_shape: Any) -> None:
    """Builds the wrapped layer for one time step."""
    if not isinstance(input_shape, (tuple, list)) or len(input_shape) < 3:
        raise InputError(
            "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received:"
            f" {input_shape}"
        )
    build_inside(self.layer, (input_shape[0], *input_shape[2:]))


def _apply_time_distributed(self: Any, inputs: Any, mask: Any) -> Any:
    takes_mask = mask is not None and self.layer._call_has_mask_arg
    return self.layer(inputs, mask=mask) if takes_mask else self.layer(inputs)


WRAPPER = {"build": build_wrapper}
TIME_DISTRIBUTED = {
    "build": build_time_distributed,
    "_apply": _apply_time_distributed,
    "_scan": staticmethod(scan),
}


def _post_init_bidirectional(self: Any) -> None:
    own = vars(self)
    layer, backward, weights = (own.pop(name) for name in ("layer", "backward_layer", "weights"))
    for untracked in (layer, backward):
        self._tracker.untrack(untracked)
    missing = [name for direction in (layer, backward or layer) for name in NEEDED if not hasattr(direction, name)]
    if missing:
        raise ArgumentError(f"Bidirectional(layer={layer!r}): expected a recurrent layer; it has no `{missing[0]}`.")
    forward_name = f"forward_{layer.name.removeprefix('forward_')}"
    self.forward_layer = _fresh(layer, name=forward_name)
    if backward is None:
        backward_name = f"backward_{layer.name.removeprefix('backward_')}"
        backward = _fresh(layer, name=backward_name, go_backwards=True)
    self.backward_layer = backward
    _check_directions(self.forward_layer, self.backward_layer)
    for one in (self.forward_layer, self.backward_layer):
        if getattr(one, "zero_output_for_mask", None) is not None:
            one.zero_output_for_mask = one.return_sequences
    if hasattr(layer, "use_cudnn"):  # configurations omit it
        self.forward_layer.use_cudnn = self.backward_layer.use_cudnn = layer.use_cudnn
    own.update(_initial_weights=weights)


def _check_directions(forward: Any, backward: Any) -> None:
    if forward.go_backwards == backward.go_backwards:
        raise ArgumentError(
            "Forward layer and backward layer should have different `go_backwards` value. Received:"
            f" forward_layer.go_backwards {forward.go_backwards}, backward_layer.go_backwards={backward.go_backwards}"
        )
    for name in NEEDED[1:]:
        values = getattr(forward, name), getattr(backward, name)
        if values[0] != values[1]:
            raise ArgumentError(
                f'Forward layer and backward layer are expected to have the same value for attribute "{name}", got'
                f' "{values[0]}" for forward layer and "{values[1]}" for backward layer'
            )


def _fresh(layer: Any, **changes: Any) -> Any:
    """A layer with the same configuration, without state."""
    config = saving.serialize_keras_object(layer)
    config["config"].update(changes)
    return saving.deserialize_keras_object(config)


def build_bidirectional(self: Any, sequences_shape: Any, initial_state_shape: Any = None) -> None:
    """Builds both layers."""
    for layer in (self.forward_layer, self.backward_layer):
        build_inside(layer, sequences_shape)
    if self._initial_weights:
        half = len(self._initial_weights) // 2
        self.forward_layer.set_weights(self._initial_weights[:half])
        self.backward_layer.set_weights(self._initial_weights[half:])


def reset_bidirectional(self: Any) -> None:
    """Sets the states of both layers to zero."""
    if self.stateful:
        for layer in (self.forward_layer, self.backward_layer):
            layer.reset_state()


def _bidirectional_arguments(self: Any) -> dict[str, Any]:
    arguments = {
        "layer": _fresh(self.forward_layer, name=self.forward_layer.name.removeprefix("forward_")),
        "merge_mode": self.merge_mode,
        "weights": None,
        "backward_layer": self.backward_layer,
    }
    return {**arguments, **{name: getattr(self, name) for name in type(self)._fields if name not in arguments}}


BIDIRECTIONAL = {
    "__post_init__": _post_init_bidirectional,
    "_arguments": _bidirectional_arguments,
    "build": build_bidirectional,
    "reset_state": reset_bidirectional,
    "reset_states": reset_bidirectional,
}
