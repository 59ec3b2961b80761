"""One step of an LSTM, a GRU and a simple recurrent network, forwards and backwards.

A step takes what the inputs add to the gates (`projected`), the states and the recurrent weights. It returns the new
states and what the way back needs. The way back takes the gradient of the states and returns the gradient of the
gates and of the states before. The gradients of the weights follow from both, for one step or for all at once.

Gates follow Keras: i, f, c, o in an LSTM; z, r, h in a GRU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jkeras import activations
from jkeras.dtypes import at_least_float32
from jkeras.types import Array

Arrays = tuple[jax.Array, ...]
Activation = Callable[[jax.Array], jax.Array]
Weights = dict[str, jax.Array]


def _tanh_slope(y: jax.Array) -> jax.Array:
    return 1 - y * y


def _sigmoid_slope(y: jax.Array) -> jax.Array:
    return y * (1 - y)


def _relu_slope(y: jax.Array) -> jax.Array:
    return (y > 0).astype(y.dtype)


# Activations whose slope follows from their value, so that the value is all that a step must keep.
SLOPES: dict[Any, Callable[[jax.Array], jax.Array]] = {
    activations.tanh: _tanh_slope,
    jnp.tanh: _tanh_slope,
    lax.tanh: _tanh_slope,
    activations.sigmoid: _sigmoid_slope,
    jax.nn.sigmoid: _sigmoid_slope,
    lax.logistic: _sigmoid_slope,
    activations.relu: _relu_slope,
    jax.nn.relu: _relu_slope,
    activations.linear: jnp.ones_like,
}


def quick(activation: Activation) -> Activation:
    """The same function in the form that is fastest inside a loop on CPUs."""
    return _sigmoid if SLOPES.get(activation) is _sigmoid_slope else activation


def _sigmoid(x: jax.Array) -> jax.Array:
    # XLA vectorises tanh better. In 16 bits the sum would lose the small values.
    return 0.5 * jnp.tanh(0.5 * x) + 0.5 if jnp.finfo(x.dtype).bits >= 32 else lax.logistic(x)


class Cell(NamedTuple):
    """The functions that make up one kind of recurrence.

    Attributes:
        step: `(projected, states, weights, activation, recurrent_activation)` to `(states, saved)`.
        back: `(gradient of the states, saved, transposed weights, slope, recurrent slope)` to `(gradient of the gates,
            gradient of the states before)`. The gradient of the gates is a tuple, what `projected` gets first.
        gather: `(saved, gradients of the gates)`, of one step or of all, to the gradients of the recurrent weights.
    """

    step: Callable[..., tuple[Arrays, Arrays]]
    back: Callable[..., tuple[Arrays, Arrays]]
    gather: Callable[[Arrays, Arrays], Weights]


def product(a: jax.Array, b: jax.Array) -> jax.Array:
    """`a^T b` summed over all axes but the last, in at least 32 bits: `(..., n)`, `(..., m)` to `(n, m)`."""
    flat = a.reshape(-1, a.shape[-1]).T, b.reshape(-1, b.shape[-1])
    return jnp.matmul(*flat, preferred_element_type=at_least_float32(a.dtype))


def total(a: jax.Array) -> jax.Array:
    """The sum over all axes but the last, in at least 32 bits."""
    return jnp.sum(a, axis=tuple(range(a.ndim - 1)), dtype=at_least_float32(a.dtype))


# -- LSTM -------------------------------------------------------------------------------------------------------------


def _lstm_step(projected: Array, states: tuple[Array, ...], weights: Weights, act: Activation, gate: Activation) -> Any:
    h, c = states
    i, f, g, o = jnp.split(projected + h @ weights["recurrent_kernel"], 4, axis=-1)
    i, f, g, o = gate(i), gate(f), act(g), gate(o)
    after = f * c + i * g
    shown = act(after)
    return (o * shown, after), (i, f, g, o, c, shown, h)


def _lstm_back(
    gradients: tuple[Array, ...], saved: tuple[Array, ...], turned: Weights, act: Activation, gate: Activation
) -> Any:
    dh, dc = gradients
    i, f, g, o, c, shown, _ = saved
    dc = dc + dh * o * act(shown)
    gates = jnp.concatenate([dc * g * gate(i), dc * c * gate(f), dc * i * act(g), dh * shown * gate(o)], axis=-1)
    return (gates,), (gates @ turned["recurrent_kernel"], dc * f)


def _lstm_gather(saved: Arrays, gates: Arrays) -> Weights:
    return {"recurrent_kernel": product(saved[-1], gates[0])}


# -- GRU --------------------------------------------------------------------------------------------------------------


def _gru_step(projected: Array, states: tuple[Array, ...], weights: Weights, act: Activation, gate: Activation) -> Any:
    (h,) = states
    inner = h @ weights["recurrent_kernel"] + weights["recurrent_bias"]
    x_z, x_r, x_h = jnp.split(projected, 3, axis=-1)
    h_z, h_r, h_h = jnp.split(inner, 3, axis=-1)
    z, r = gate(x_z + h_z), gate(x_r + h_r)
    candidate = act(x_h + r * h_h)
    return (z * h + (1 - z) * candidate,), (z, r, candidate, h_h, h)


def _gru_back(
    gradients: tuple[Array, ...], saved: tuple[Array, ...], turned: Weights, act: Activation, gate: Activation
) -> Any:
    (dh,) = gradients
    z, r, candidate, h_h, h = saved
    d_candidate = dh * (1 - z) * act(candidate)
    d_z = dh * (h - candidate) * gate(z)
    d_r = d_candidate * h_h * gate(r)
    inner = jnp.concatenate([d_z, d_r, d_candidate * r], axis=-1)
    outer = jnp.concatenate([d_z, d_r, d_candidate], axis=-1)
    return (outer, inner), (dh * z + inner @ turned["recurrent_kernel"],)


def _gru_gather(saved: Arrays, gates: Arrays) -> Weights:
    inner = gates[1]
    return {"recurrent_kernel": product(saved[-1], inner), "recurrent_bias": total(inner)}


def _gru_before_step(
    projected: Array, states: tuple[Array, ...], weights: Weights, act: Activation, gate: Activation
) -> Any:
    (h,) = states
    units = h.shape[-1]
    kernel = weights["recurrent_kernel"]
    z, r = jnp.split(gate(projected[..., : 2 * units] + h @ kernel[:, : 2 * units]), 2, axis=-1)
    candidate = act(projected[..., 2 * units :] + (r * h) @ kernel[:, 2 * units :])
    return (z * h + (1 - z) * candidate,), (z, r, candidate, h)


def _gru_before_back(
    gradients: tuple[Array, ...], saved: tuple[Array, ...], turned: Weights, act: Activation, gate: Activation
) -> Any:
    (dh,) = gradients
    z, r, candidate, h = saved
    units = h.shape[-1]
    kernel = turned["recurrent_kernel"]
    d_candidate = dh * (1 - z) * act(candidate)
    d_reset = d_candidate @ kernel[2 * units :]
    d_zr = jnp.concatenate([dh * (h - candidate) * gate(z), d_reset * h * gate(r)], axis=-1)
    before = dh * z + d_reset * r + d_zr @ kernel[: 2 * units]
    return (jnp.concatenate([d_zr, d_candidate], axis=-1),), (before,)


def _gru_before_gather(saved: Arrays, gates: Arrays) -> Weights:
    _, r, _, h = saved
    units = h.shape[-1]
    parts = product(h, gates[0][..., : 2 * units]), product(r * h, gates[0][..., 2 * units :])
    return {"recurrent_kernel": jnp.concatenate(parts, axis=-1)}


# -- simple -----------------------------------------------------------------------------------------------------------


def _simple_step(
    projected: Array, states: tuple[Array, ...], weights: Weights, act: Activation, gate: Activation
) -> Any:
    (h,) = states
    after = act(projected + h @ weights["recurrent_kernel"])
    return (after,), (after, h)


def _simple_back(
    gradients: tuple[Array, ...], saved: tuple[Array, ...], turned: Weights, act: Activation, gate: Activation
) -> Any:
    gates = gradients[0] * act(saved[0])
    return (gates,), (gates @ turned["recurrent_kernel"],)


CELLS = {
    "lstm": Cell(_lstm_step, _lstm_back, _lstm_gather),
    "gru": Cell(_gru_step, _gru_back, _gru_gather),
    "gru_reset_before": Cell(_gru_before_step, _gru_before_back, _gru_before_gather),
    "simple_rnn": Cell(_simple_step, _simple_back, _lstm_gather),
}
