"""LSTM, GRU and simple recurrent networks over whole sequences.

The inputs of all steps are multiplied with the kernel at once; what is left for the loop is one small product a step.
The way back is written by hand: the forward loop keeps the values of the gates, the reverse loop yields their
gradients, and the gradients of the weights are one matrix product over all steps, where differentiating the loop would
add up one product a step. The loop is never unrolled. Times in `benchmarks/lowering.py`.

The hand-written reverse rule serves the activations in `gates.SLOPES`, among them the defaults; any other activation,
and `jkeras.config.lowering = "plain"`, takes the loop as it is. A function with a reverse rule of its own has no
forward-mode derivative: `jax.jvp`, `jax.jacfwd` and `jax.hessian` need "plain".
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jkeras import activations
from jkeras.lowering.gates import CELLS, SLOPES, Activation, Arrays, Weights, quick
from jkeras.lowering.switch import mode

Result = tuple[jax.Array, jax.Array | None, list[jax.Array]]


class Form(NamedTuple):
    """What a loop over time depends on besides arrays."""

    cell: str
    activation: Activation
    recurrent_activation: Activation
    reverse: bool
    keep_all: bool
    zero_masked: bool

    @property
    def functions(self) -> tuple[Activation, Activation]:
        """The activations of candidate and gates."""
        return self.activation, self.recurrent_activation


def lstm(
    x: jax.Array,
    h0: jax.Array,
    c0: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    *,
    activation: Activation = activations.tanh,
    recurrent_activation: Activation = activations.sigmoid,
    mask: jax.Array | None = None,
    reverse: bool = False,
    return_sequences: bool = True,
    zero_output_for_mask: bool = False,
) -> Result:
    """An LSTM over a sequence; gates i, f, c, o.

    Args:
        x: `(batch, time, features)`.
        h0: the output before the first step, `(batch, units)`.
        c0: the carry before the first step, `(batch, units)`.
        kernel: `(features, 4 * units)`.
        recurrent_kernel: `(units, 4 * units)`.
        bias: `(4 * units,)` or None.
        activation: of the candidate and of the carry on its way out.
        recurrent_activation: of the gates.
        mask: `(batch, time)` of booleans; where false, states stay as they are and the last output is put out again.
        reverse: whether to start with the last step; outputs are in the order of processing.
        return_sequences: whether the outputs of all steps are wanted.
        zero_output_for_mask: whether masked steps put out zeros instead.

    Returns:
        The last output `(batch, units)`; all outputs `(batch, time, units)` or None; the states `[h, c]`.

    >>> x, h = jnp.ones((2, 5, 3)), jnp.zeros((2, 4))
    >>> last, outputs, states = lstm(x, h, h, jnp.ones((3, 16)), jnp.ones((4, 16)), None)
    >>> outputs.shape
    (2, 5, 4)
    """
    form = Form("lstm", activation, recurrent_activation, reverse, return_sequences, zero_output_for_mask)
    return _batch_major(form, x, kernel, bias, (h0, c0), {"recurrent_kernel": recurrent_kernel}, mask)


def gru(
    x: jax.Array,
    h0: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    *,
    activation: Activation = activations.tanh,
    recurrent_activation: Activation = activations.sigmoid,
    reset_after: bool = True,
    mask: jax.Array | None = None,
    reverse: bool = False,
    return_sequences: bool = True,
    zero_output_for_mask: bool = False,
) -> Result:
    """A GRU over a sequence; gates z, r, h. Arguments as in `lstm`, except for these.

    Args:
        x: `(batch, time, features)`.
        h0: `(batch, units)`.
        kernel: `(features, 3 * units)`.
        recurrent_kernel: `(units, 3 * units)`.
        bias: `(2, 3 * units)`, of inputs and state, with `reset_after`; else `(3 * units,)`; or None.
        reset_after: whether the reset gate acts after the product with the recurrent kernel.

    Returns:
        The last output, all outputs or None, the states `[h]`.
    """
    input_bias, recurrent_bias = (None, None) if bias is None else (bias, None) if not reset_after else tuple(bias)
    cell, weights = gru_weights(recurrent_kernel, recurrent_bias, reset_after)
    form = Form(cell, activation, recurrent_activation, reverse, return_sequences, zero_output_for_mask)
    return _batch_major(form, x, kernel, input_bias, (h0,), weights, mask)


def gru_weights(kernel: jax.Array, bias: jax.Array | None, reset_after: bool) -> tuple[str, Weights]:
    """The form of a GRU and its recurrent weights, as `run` takes them."""
    if not reset_after:
        return "gru_reset_before", {"recurrent_kernel": kernel}
    bias = jnp.zeros(kernel.shape[-1:], kernel.dtype) if bias is None else bias
    return "gru", {"recurrent_kernel": kernel, "recurrent_bias": bias}


def simple_rnn(
    x: jax.Array,
    h0: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    *,
    activation: Activation = activations.tanh,
    mask: jax.Array | None = None,
    reverse: bool = False,
    return_sequences: bool = True,
    zero_output_for_mask: bool = False,
) -> Result:
    """`h' = activation(x @ kernel + h @ recurrent_kernel + bias)` over a sequence. Arguments as in `lstm`.

    Args:
        x: `(batch, time, features)`.
        h0: `(batch, units)`.
        kernel: `(features, units)`.
        recurrent_kernel: `(units, units)`.
        bias: `(units,)` or None.

    Returns:
        The last output, all outputs or None, the states `[h]`.
    """
    form = Form("simple_rnn", activation, activation, reverse, return_sequences, zero_output_for_mask)
    return _batch_major(form, x, kernel, bias, (h0,), {"recurrent_kernel": recurrent_kernel}, mask)


def _batch_major(
    form: Form,
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None,
    states: Arrays,
    weights: Weights,
    mask: jax.Array | None,
) -> Result:
    projected = jnp.swapaxes(x, 0, 1) @ kernel
    projected = projected if bias is None else projected + bias
    outputs, last, after = run(form, projected, states, weights, None if mask is None else mask.astype(bool).T)
    return last, None if outputs is None else jnp.swapaxes(outputs, 0, 1), after


def run(
    form: Form, projected: jax.Array, states: Any, weights: Weights, seen: jax.Array | None = None
) -> tuple[jax.Array | None, jax.Array, list[jax.Array]]:
    """All steps, from inputs that are projected already. Time is the first axis.

    Args:
        form: which recurrence, its activations, direction, and what to put out.
        projected: what the inputs add to the gates, biases included, `(time, batch, gates * units)`.
        states: before the first step.
        weights: "recurrent_kernel", and "recurrent_bias" for the form "gru".
        seen: `(time, batch)`, false where a step is masked; or None.

    Returns:
        The outputs in the order of processing (or None), the last output, the states after the last step.
    """
    states = tuple(states)
    kinds = {array.dtype for array in jax.tree.leaves((projected, states, weights))}
    known = all(function in SLOPES for function in form.functions)
    floating = len(kinds) == 1 and jnp.issubdtype(projected.dtype, jnp.floating)
    if mode() == "plain" or not known or not floating:
        outputs, after, _ = _forward_loop(form, form.functions, False, projected, states, weights, seen)
    else:
        outputs, after = _fast(form, projected, states, weights, seen)
    last = after[0]
    if seen is not None and form.zero_masked and seen.shape[0]:
        last = jnp.where(seen[0 if form.reverse else -1][:, None], last, jnp.zeros_like(last))
    if outputs is not None and form.reverse:
        outputs = jnp.flip(outputs, 0)
    return outputs, last, list(after)


def _forward_loop(
    form: Form, functions: Any, save: bool, projected: jax.Array, states: Arrays, weights: Weights, seen: Any
) -> tuple[jax.Array | None, Arrays, Any]:
    """The outputs in the order of time, the states after the last step, what each step keeps for the way back."""

    def step(before: Arrays, item: Any) -> tuple[Arrays, Any]:
        gates, here = item
        after, saved = CELLS[form.cell].step(gates, before, weights, *functions)
        after = tuple(new.astype(old.dtype) for new, old in zip(after, before, strict=True))
        output = after[0]
        if here is not None:
            here = here[:, None]
            after = tuple(jnp.where(here, new, old) for new, old in zip(after, before, strict=True))
            output = jnp.where(here, output, jnp.zeros_like(output)) if form.zero_masked else after[0]
        return after, (output if form.keep_all else None, saved if save else None)

    after, (outputs, saved) = lax.scan(step, states, (projected, seen), reverse=form.reverse)
    return outputs, after, saved


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _fast(form: Form, projected: jax.Array, states: Arrays, weights: Weights, seen: Any) -> Any:
    functions = tuple(map(quick, form.functions))
    return _forward_loop(form, functions, False, projected, states, weights, seen)[:2]


def _fast_forward(form: Form, projected: jax.Array, states: Arrays, weights: Weights, seen: Any) -> Any:
    functions = tuple(map(quick, form.functions))
    outputs, after, saved = _forward_loop(form, functions, True, projected, states, weights, seen)
    return (outputs, after), (saved, weights, seen)


def _fast_backward(form: Form, kept: Any, gradients: Any) -> Any:
    (saved, weights, seen), (d_outputs, d_states) = kept, gradients
    cell, slopes = CELLS[form.cell], [SLOPES[function] for function in form.functions]

    def step(later: Arrays, item: Any) -> tuple[Arrays, Arrays]:
        here_saved, d_output, here = item
        if here is not None:
            here = here[:, None]
            if form.zero_masked and d_output is not None:
                d_output = jnp.where(here, d_output, jnp.zeros_like(d_output))
        after = later if d_output is None else (later[0] + d_output, *later[1:])
        gates, before = cell.back(after, here_saved, weights, *slopes)
        if here is not None:
            # A masked step hands its states on, and with them their gradient.
            gates = tuple(jnp.where(here, gate, jnp.zeros_like(gate)) for gate in gates)
            before = tuple(jnp.where(here, new, old) for new, old in zip(before, after, strict=True))
        return before, gates

    d_before, gates = lax.scan(step, d_states, (saved, d_outputs, seen), reverse=not form.reverse)
    return gates[0], d_before, cell.gather(saved, gates), None


_fast.defvjp(_fast_forward, _fast_backward)
