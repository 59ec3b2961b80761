"""LSTM, GRU and simple recurrent networks over whole sequences.

The way back is written by hand: the forward loop keeps the values of the gates, so that the reverse loop computes
nothing twice. The loop is never unrolled.

What is done inside the loop depends on the platform. On CPUs a step's inputs are multiplied with the kernel inside
and gradients of weights are added up inside: the arrays of one step stay in the cache, those of a sequence do not, and XLA
vectorises no loop that reads slices of gates. Elsewhere, and for few samples and large weights, few and large products
are better: one of all inputs with the kernel, one for the gradient of each weight. Times in `benchmarks/lowering.py`.
Accelerators take them in the order of samples, in which a layer's inputs lie: in that of time, a TPU's program copies the
inputs once more (LSTM and GRU in `benchmarks/ACCELERATORS.md`).

The hand-written reverse rule serves the activations in `gates.SLOPES`, among them the defaults; any other activation,
and `jkeras.config.lowering = "plain"`, takes the loop as it is. A function with a reverse rule of its own has no
forward-mode derivative: `jax.jvp`, `jax.jacfwd` and `jax.hessian` need "plain".
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.export import is_symbolic_dim

from jkeras import activations
from jkeras.dtypes import at_least_float32
from jkeras.lowering.gates import CELLS, SLOPES, Activation, Arrays, Weights, product, quick, total
from jkeras.lowering.switch import current_mode, on_cpu
from jkeras.types import Array

Result = tuple[jax.Array, jax.Array | None, list[jax.Array]]


# Where the products of single steps are computed: inside the loop, or outside it by time or by sample.
Place = Literal["inside", "by time", "by sample"]


class Form(NamedTuple):
    """The parameters of a loop over time that are not arrays."""

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
        activation: the activation of the candidate and of the carry on its way out.
        recurrent_activation: the activation of the gates.
        mask: `(batch, time)` of booleans; where false, states do not change and the previous output is repeated.
        reverse: whether to start with the last step; outputs are in the order of processing.
        return_sequences: whether to return the outputs of all steps.
        zero_output_for_mask: whether masked steps output zeros instead.

    Returns:
        The last output `(batch, units)`; all outputs `(batch, time, units)` or None; the states `[h, c]`.

    >>> x, h = jnp.ones((2, 5, 3)), jnp.zeros((2, 4))
    >>> last, outputs, states = lstm(x, h, h, jnp.ones((3, 16)), jnp.ones((4, 16)), None)
    >>> outputs.shape
    (2, 5, 4)
    """
    weights: dict[str, Any] = {"kernel": kernel, "bias": bias, "recurrent_kernel": recurrent_kernel}
    form = Form("lstm", activation, recurrent_activation, reverse, return_sequences, zero_output_for_mask)
    return _batch_major(form, x, (h0, c0), weights, mask)


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
    inputs_bias, state_bias = bias if bias is not None and reset_after else (bias, None)
    cell, recurrent = gru_weights(recurrent_kernel, state_bias, reset_after)
    weights: dict[str, Any] = {**recurrent, "kernel": kernel, "bias": inputs_bias}
    form = Form(cell, activation, recurrent_activation, reverse, return_sequences, zero_output_for_mask)
    return _batch_major(form, x, (h0,), weights, mask)


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
    weights: dict[str, Any] = {"kernel": kernel, "bias": bias, "recurrent_kernel": recurrent_kernel}
    form = Form("simple_rnn", activation, activation, reverse, return_sequences, zero_output_for_mask)
    return _batch_major(form, x, (h0,), weights, mask)


def _batch_major(form: Form, x: jax.Array, states: Arrays, weights: Weights, mask: jax.Array | None) -> Result:
    time_mask = None if mask is None else mask.astype(bool).T
    outputs, last, after = run(form, jnp.swapaxes(x, 0, 1), states, weights, time_mask)
    return last, None if outputs is None else jnp.swapaxes(outputs, 0, 1), after


def run(
    form: Form, inputs: jax.Array, states: Any, weights: Weights, seen: jax.Array | None = None
) -> tuple[jax.Array | None, jax.Array, list[jax.Array]]:
    """All steps; time is the first axis.

    Args:
        form: the recurrence, its activations, direction and outputs.
        inputs: `(time, batch, features)`; without a kernel, what they add to the gates, `(time, batch, gates * units)`.
        states: before the first step, each `(batch, units)`.
        weights: "recurrent_kernel", for the form "gru" also "recurrent_bias"; for inputs that are not yet projected
            "kernel" and, unless there is none, "bias".
        seen: `(time, batch)`, false where a step is masked; or None.

    Returns:
        The outputs in the order of processing (or None), the last output, the states after the last step.
    """
    states = tuple(states)
    kinds = {array.dtype for array in jax.tree.leaves((inputs, states, weights))}
    known = all(function in SLOPES for function in form.functions)
    floating = len(kinds) == 1 and jnp.issubdtype(inputs.dtype, jnp.floating)
    if current_mode() == "auto" and known and floating:
        outputs, after = _fast(form, inputs, states, weights, seen)
    else:
        forwards = functools.partial(_forward_loop, form, form.functions, False)
        outputs, after, _ = _placed(forwards, weights, inputs, states, seen)
    last = after[0]
    if seen is not None and form.zero_masked and seen.shape[0]:
        last = jnp.where(seen[0 if form.reverse else -1][:, None], last, jnp.zeros_like(last))
    if outputs is not None and form.reverse:
        outputs = jnp.flip(outputs, 0)
    return outputs, last, list(after)


# Inside the loop, products pay while the weights have at most this many rows for each sample. Measured, not sharp.
ROWS_PER_SAMPLE = 6


def _placed(function: Callable[..., Any], weights: Weights, inputs: jax.Array, *rest: Any) -> Any:
    """`function(place, weights, inputs, ...)`, with the place that the platform and the sizes ask for."""
    if current_mode() == "plain":
        return function("by time", weights, inputs, *rest)
    rows = sum(weight.shape[0] for name, weight in weights.items() if name.endswith("kernel"))
    batch = inputs.shape[1]
    few = not is_symbolic_dim(batch) and rows > ROWS_PER_SAMPLE * batch
    on_cpus: Place = "by time" if few else "inside"
    forms = functools.partial(function, on_cpus), functools.partial(function, "by sample")
    return on_cpu(*forms, weights, inputs, *rest)


def _project(inputs: jax.Array, weights: Weights) -> jax.Array:
    gates = inputs @ weights["kernel"] if "kernel" in weights else inputs
    return gates if weights.get("bias") is None else gates + weights["bias"]


def _turned(place: Place, sequence: jax.Array) -> jax.Array:
    """A sequence in the order in which products over all steps are done, and back: the compiler drops both turns."""
    return jnp.swapaxes(sequence, 0, 1) if place == "by sample" else sequence


def _forward_loop(
    form: Form,
    functions: Any,
    save: bool,
    place: Place,
    weights: Weights,
    inputs: jax.Array,
    states: Arrays,
    seen: jax.Array | None,
) -> tuple[jax.Array | None, Arrays, Any]:
    """The outputs in the order of time, the states after the last step, what each step keeps for the way back."""

    def step(before: Arrays, item: Any) -> tuple[Arrays, Any]:
        value, here = item
        gates = _project(value, weights) if place == "inside" else value
        after, saved = CELLS[form.cell].step(gates, before, weights, *functions)
        after = tuple(new.astype(old.dtype) for new, old in zip(after, before, strict=True))
        output = after[0]
        if here is not None:
            here = here[:, None]
            after = tuple(jnp.where(here, new, old) for new, old in zip(after, before, strict=True))
            output = jnp.where(here, output, jnp.zeros_like(output)) if form.zero_masked else after[0]
        return after, (output if form.keep_all else None, saved if save else None)

    items = inputs if place == "inside" else _turned(place, _project(_turned(place, inputs), weights))
    after, (outputs, saved) = lax.scan(step, states, (items, seen), reverse=form.reverse)
    return outputs, after, saved


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _fast(form: Form, inputs: jax.Array, states: Arrays, weights: Weights, seen: tuple[Array, ...]) -> Any:
    forwards = functools.partial(_forward_loop, form, tuple(map(quick, form.functions)), False)
    return _placed(forwards, weights, inputs, states, seen)[:2]


def _fast_forward(form: Form, inputs: jax.Array, states: Arrays, weights: Weights, seen: tuple[Array, ...]) -> Any:
    forwards = functools.partial(_forward_loop, form, tuple(map(quick, form.functions)), True)
    outputs, after, saved = _placed(forwards, weights, inputs, states, seen)
    return (outputs, after), (inputs, saved, weights, seen)


def _fast_backward(form: Form, residuals: tuple[Any, ...], gradients: Any) -> Any:
    inputs, saved, weights, seen = residuals
    backwards = functools.partial(_backward_loop, form)
    return *_placed(backwards, weights, inputs, saved, seen, *gradients), None


_fast.defvjp(_fast_forward, _fast_backward)


def _backward_loop(
    form: Form,
    place: Place,
    weights: Weights,
    inputs: jax.Array,
    saved: Arrays,
    seen: jax.Array | None,
    d_outputs: jax.Array | None,
    d_states: Arrays,
) -> tuple[jax.Array, Arrays, Weights]:
    """The gradients of the inputs, of the states before the first step, and of the weights."""
    inside = place == "inside"
    cell, slopes = CELLS[form.cell], [SLOPES[function] for function in form.functions]
    # Once, not in each step.
    turned = {name: weight.T for name, weight in weights.items() if name.endswith("kernel")}

    def of_inputs(gates: jax.Array) -> jax.Array:
        return gates @ turned["kernel"] if "kernel" in weights else gates

    def of_weights(inputs: jax.Array, saved: Arrays, gates: Arrays) -> Weights:
        sums = cell.gather(saved, gates)
        if "kernel" in weights:
            sums["kernel"] = product(_turned(place, inputs), _turned(place, gates[0]))
        if "bias" in weights:
            sums["bias"] = None if weights["bias"] is None else total(gates[0])
        return sums

    def step(carry: Any, item: Any) -> tuple[Any, Any]:
        later, sums = carry
        (value, here_saved, here), d_output = item
        if here is not None:
            here = here[:, None]
            if form.zero_masked and d_output is not None:
                d_output = jnp.where(here, d_output, jnp.zeros_like(d_output))
        after = later if d_output is None else (later[0] + d_output, *later[1:])
        gates, before = cell.back(after, here_saved, turned, *slopes)
        if here is not None:
            # A masked step hands its states on, and with them their gradient.
            gates = tuple(jnp.where(here, gate, jnp.zeros_like(gate)) for gate in gates)
            before = tuple(jnp.where(here, new, old) for new, old in zip(before, after, strict=True))
        if not inside:
            return (before, None), gates
        return (before, jax.tree.map(jnp.add, sums, of_weights(value, here_saved, gates))), of_inputs(gates[0])

    items = (inputs, saved, seen)
    sums = None
    if inside:
        zero = functools.partial(jnp.zeros_like, dtype=at_least_float32(inputs.dtype))
        sums = jax.tree.map(zero, weights)
    (d_before, sums), gradients = lax.scan(step, (d_states, sums), (items, d_outputs), reverse=not form.reverse)
    d_inputs = gradients if inside else _turned(place, of_inputs(_turned(place, gradients[0])))
    sums = sums if inside else of_weights(inputs, saved, gradients)
    return d_inputs, d_before, jax.tree.map(lambda sum, weight: sum.astype(weight.dtype), sums, weights)
