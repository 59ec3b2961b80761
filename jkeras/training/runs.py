"""Compiled loops over batches: many steps in one dispatch.

The number of steps is an argument of the compiled program, not part of it, so one compilation serves chunks of any length.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.graph import runtime
from jkeras.layers.layer import Layer
from jkeras.training.state import Batch, TrainState

Step = Callable[[Any, TrainState, Batch], TrainState]


def rows_independent(definition: Layer, training: bool) -> bool:
    """Whether each row of a batch gives the same result whatever the other rows are.

    Only then may a ragged last batch be filled up with rows that do not count.
    """
    for _, layer in runtime.walk(definition):
        known = layer.couples_samples
        if known is None and type(layer).__module__.startswith("jkeras."):
            known = False
        if known is None or (known and training) or layer.activity_regularizer is not None:
            return False
    return True


def gather(data: Batch, order: jax.Array, index: Any, rows: Any, batch_size: int, masked: bool) -> Batch:
    """The batch of that number: rows `order[index * batch_size : (index + 1) * batch_size]`."""
    picked = lax.dynamic_slice_in_dim(order, index * batch_size, batch_size)
    batch = jax.tree.map(lambda a: a.at[picked].get(mode="promise_in_bounds"), data)
    if masked:
        valid = index * batch_size + jnp.arange(batch_size, dtype=jnp.int32) < rows
        batch = dataclasses.replace(batch, valid=valid)
    return batch


@functools.partial(jax.jit, static_argnames=("step", "program", "batch_size", "masked"), donate_argnames="state")
def train_steps(
    step: Step,
    program: Any,
    state: TrainState,
    data: Batch,
    order: jax.Array,
    rows: Any,
    start: Any,
    stop: Any,
    *,
    batch_size: int,
    masked: bool,
) -> tuple[TrainState, jax.Array]:
    """Steps number `start` to `stop` of an epoch. Donates `state`.

    Returns:
        The new state, and its step counter in a buffer of its own, to wait for.
    """

    def body(index: Any, state: TrainState) -> TrainState:
        return step(program, state, gather(data, order, index, rows, batch_size, masked))

    state = lax.fori_loop(start, stop, body, state)
    return state, state.step + 0


@functools.partial(jax.jit, static_argnames=("step", "program", "batch_size", "masked"))
def eval_steps(
    step: Step,
    program: Any,
    state: TrainState,
    data: Batch,
    rows: Any,
    start: Any,
    stop: Any,
    *,
    batch_size: int,
    masked: bool,
) -> tuple[Any, Any]:
    """Metric states and model state after evaluating batches `start` to `stop`, in order."""
    size = jax.tree.leaves(data)[0].shape[0]

    def body(index: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        metrics, model_state = carry
        first = jnp.minimum(index * batch_size, size - batch_size)
        batch = jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, first, batch_size), data)
        if masked:
            # The last slice starts early so as to stay inside the data; rows seen before do not count again.
            position = first + jnp.arange(batch_size, dtype=jnp.int32)
            batch = dataclasses.replace(batch, valid=(position >= index * batch_size) & (position < rows))
        new = step(program, state.replace(metrics=metrics, model_state=model_state), batch)
        return new.metrics, new.model_state

    return lax.fori_loop(start, stop, body, (state.metrics, state.model_state))


@functools.partial(jax.jit, static_argnames=("step", "program"), donate_argnames="state")
def train_one(step: Step, program: Any, state: TrainState, batch: Batch) -> tuple[TrainState, jax.Array]:
    """One step on a batch that came from the host. Donates `state`."""
    state = step(program, state, batch)
    return state, state.step + 0


@functools.partial(jax.jit, static_argnames=("step", "program"))
def eval_one(step: Step, program: Any, state: TrainState, batch: Batch) -> tuple[Any, Any]:
    """Metric states and model state after evaluating a batch that came from the host."""
    new = step(program, state, batch)
    return new.metrics, new.model_state


@functools.partial(jax.jit, static_argnames=("rows", "length", "shuffle"))
def epoch_order(key: jax.Array, *, rows: int, length: int, shuffle: bool) -> jax.Array:
    """The rows of an epoch in order, filled up with row 0 to `length`."""
    order = jax.random.permutation(key, rows) if shuffle else jnp.arange(rows)
    order = order.astype(jnp.int32)
    return jnp.concatenate([order, jnp.zeros(max(0, length - rows), jnp.int32)])[:length]


