"""`K.rnn`, the loop over time for users' own layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.keras.variables import unwrap
from jkeras.scripts.notes import NOTES
from jkeras.types import Array, PyTree

States = Sequence[Any]


def rnn(
    step_function: Callable[[Any, States], tuple[Any, States]],
    inputs: PyTree[Any],
    initial_states: States,
    go_backwards: bool = False,
    mask: Any = None,
    constants: States | None = None,
    unroll: bool = False,
    input_length: int | None = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, list[Any]]:
    """Processes sequences step by step.

    Args:
        step_function: takes the inputs `(batch, ...)` of one step and the states; returns an output and the new states.
        inputs: `(batch, time, ...)`, or several such arrays.
        initial_states: the states before the first step.
        go_backwards: whether to begin with the last step; the outputs are in the order of the steps.
        mask: `(batch, time)`; where it is false, states and output stay what they were; the output begins as zero.
        constants: what the step function gets behind the states.
        unroll: whether the compiled program has every step written out.
        input_length: accepted for the old signature.
        time_major: whether time is the first axis and the batch the second, of inputs, mask and outputs.
        zero_output_for_mask: whether the output of a masked step is zero.
        return_all_outputs: whether to keep the outputs of all steps, or of the last alone, `(batch, 1, ...)`.

    Returns:
        The last output, the outputs `(batch, time, ...)`, and the last states.
    """
    NOTES.old("K.rnn(step_function, ...)", "keras.layers.RNN(cell)(...)")

    def turned(tree: PyTree[Any]) -> Any:
        return tree if time_major else jax.tree.map(lambda array: jnp.swapaxes(array, 0, 1), tree)

    steps = turned(jax.tree.map(lambda array: jnp.asarray(unwrap(array)), inputs))
    mask_steps = None if mask is None else turned(jnp.asarray(unwrap(mask), bool))
    if go_backwards:
        steps, mask_steps = jax.tree.map(lambda array: jnp.flip(array, 0), (steps, mask_steps))
    states = [jnp.asarray(unwrap(state)) for state in initial_states]
    fixed = [unwrap(constant) for constant in constants or ()]

    def step(carry: Any, item: Any) -> Any:
        states, previous = carry
        inputs, keep = item
        output, new = step_function(inputs, [*states, *fixed])
        new = [jnp.asarray(unwrap(state), old.dtype) for state, old in zip(new, states, strict=True)]
        output = jax.tree.map(unwrap, output)
        if keep is not None:
            masked = jax.tree.map(jnp.zeros_like, output) if zero_output_for_mask else previous
            new, output = _chosen(keep, new, states), _chosen(keep, output, masked)
        return (new, output), (output if return_all_outputs else None)

    first = jax.tree.map(lambda array: array[0], (steps, mask_steps))
    shapes = jax.eval_shape(lambda item, states: step_function(item[0], [*states, *fixed])[0], first, states)
    nothing = jax.tree.map(lambda spec: jnp.zeros(spec.shape, spec.dtype), shapes)
    (states, last), outputs = jax.lax.scan(step, (states, nothing), (steps, mask_steps), unroll=unroll)
    if not return_all_outputs:
        outputs = jax.tree.map(lambda output: output[None], last)
    return last, turned(outputs), states


def _chosen(keep: Array, new: Any, old: Any) -> Any:
    """`new` for rows that are not masked, otherwise `old`."""

    def choose(a: Array, b: Array) -> Array:
        return jnp.where(jnp.reshape(keep, (keep.shape[0],) + (1,) * (a.ndim - 1)), a, b)

    return jax.tree.map(choose, new, old)
