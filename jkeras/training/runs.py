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

from jkeras import lowering
from jkeras.graph import runtime
from jkeras.layers.layer import Layer
from jkeras.training import steps
from jkeras.training.state import Batch, TrainState

Step = Callable[[Any, TrainState, Batch], TrainState]


def rows_independent(definition: Layer, training: bool) -> bool:
    """Whether each row of a batch gives the same result whatever the other rows are.

    Only then may a ragged last batch be filled up with rows that do not count.
    """
    for _, layer in runtime.walk(definition):
        known = layer.couples_samples
        if known is None and type(layer).__module__.startswith("jkeras.") and layer.children():
            known = False  # what is inside of it decides
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


def _train_steps(
    step: Step,
    program: Any,
    state: TrainState,
    data: Batch,
    order: jax.Array,
    rows: Any,
    start: Any,
    stop: Any,
    batch_size: int,
    masked: bool,
) -> TrainState:
    def body(index: Any, state: TrainState) -> TrainState:
        return step(program, state, gather(data, order, index, rows, batch_size, masked))

    return lax.fori_loop(start, stop, body, state)


def _eval_steps(
    step: Step,
    program: Any,
    state: TrainState,
    data: Batch,
    rows: Any,
    start: Any,
    stop: Any,
    batch_size: int,
    masked: bool,
) -> tuple[Any, Any]:
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


def _train_one(step: Step, program: Any, state: TrainState, batch: Batch) -> TrainState:
    return step(program, state, batch)


def _eval_one(step: Step, program: Any, state: TrainState, batch: Batch) -> tuple[Any, Any]:
    new = step(program, state, batch)
    return new.metrics, new.model_state


def _epoch_order(key: jax.Array, epoch: Any, step: Any, rows: int, length: int, shuffle: Any) -> jax.Array:
    # The step counts too: training that is taken up again sees an order of its own, even in an epoch of the same number.
    drawn = jax.random.fold_in(steps.stream(key, "shuffle", epoch), step)
    if shuffle == "bootstrap":
        # One resample with replacement for all epochs, in an order of its own for each.
        sample = jax.random.randint(steps.stream(key, "bootstrap", 0), (rows,), 0, rows)
        order = jax.random.permutation(drawn, sample)
    elif isinstance(shuffle, int) and not isinstance(shuffle, bool):
        # Rows stay in their batch of this size.
        order = jnp.lexsort((jax.random.bits(drawn, (rows,)), jnp.arange(rows) // shuffle))
    elif shuffle:
        order = jax.random.permutation(drawn, rows)
    else:
        order = jnp.arange(rows)
    order = order.astype(jnp.int32)
    return jnp.concatenate([order, jnp.zeros(max(0, length - rows), jnp.int32)])[:length]


class Runner:
    """The compiled loops, for one model or for many at once.

    With `many`, states, orders and keys have a leading axis of models, and everything is vmapped over it; data has none.

    Each program is compiled once per static argument and shape, for all users of the same runner.
    """

    def __init__(self, many: bool):
        def over(function: Any, *in_axes: Any) -> Any:
            return jax.vmap(function, in_axes=in_axes) if many else function

        self.many = many
        compiled = functools.partial(jax.jit, compiler_options=lowering.compiler_options())

        @functools.partial(compiled, static_argnames=("step", "program", "batch_size", "masked"), donate_argnames="state")
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
            """Steps number `start` to `stop` of an epoch; donates `state`. Also gives a counter to wait for."""

            def run(state: TrainState, order: jax.Array) -> TrainState:
                return _train_steps(step, program, state, data, order, rows, start, stop, batch_size, masked)

            state = over(run, 0, 0)(state, order)
            return state, state.step + 0

        @functools.partial(compiled, static_argnames=("step", "program", "batch_size", "masked"))
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

            def run(state: TrainState) -> tuple[Any, Any]:
                return _eval_steps(step, program, state, data, rows, start, stop, batch_size, masked)

            return over(run, 0)(state)

        @functools.partial(compiled, static_argnames=("step", "program"), donate_argnames="state")
        def train_one(step: Step, program: Any, state: TrainState, batch: Batch) -> tuple[TrainState, jax.Array]:
            """One step on a batch that came from the host; donates `state`."""
            state = over(functools.partial(_train_one, step, program), 0, None)(state, batch)
            return state, state.step + 0

        @functools.partial(compiled, static_argnames=("step", "program"), donate_argnames="state")
        def train_rows(
            step: Step, program: Any, state: TrainState, data: Batch, rows: jax.Array
        ) -> tuple[TrainState, jax.Array]:
            """One step on the given rows of data that is on the device; donates `state`."""

            def run(state: TrainState, rows: jax.Array) -> TrainState:
                return step(program, state, jax.tree.map(lambda a: a[rows], data))

            state = over(run, 0, 0)(state, rows)
            return state, state.step + 0

        @functools.partial(compiled, static_argnames=("step", "program"))
        def eval_one(step: Step, program: Any, state: TrainState, batch: Batch) -> tuple[Any, Any]:
            """Metric states and model state after evaluating a batch that came from the host."""
            return over(functools.partial(_eval_one, step, program), 0, None)(state, batch)

        @functools.partial(compiled, static_argnames=("rows", "length", "shuffle"))
        def epoch_order(key: jax.Array, epoch: Any, step: Any, *, rows: int, length: int, shuffle: Any) -> jax.Array:
            """The rows of an epoch that begins at a step, in order, filled up with row 0 to `length`.

            `shuffle` is True, False, "bootstrap" (drawn with replacement) or the size of batches that rows stay in.
            """

            def run(key: jax.Array, step: Any) -> jax.Array:
                return _epoch_order(key, epoch, step, rows, length, shuffle)

            return over(run, 0, 0)(key, step)

        @functools.partial(compiled, static_argnames="program")
        def logs(program: Any, metrics: Any) -> dict[str, jax.Array]:
            """The values of running metrics."""
            return over(functools.partial(steps.compute_logs, program), 0)(metrics)
    # -- where things live: on one device, which strategies change ------------------------------------------------------

    # How many copies of data in memory a device's memory has to hold.
    copies: float = 1

    def check(self, program: Any, source: Any) -> None:
        """Compares what is to be trained with the devices, before anything is compiled."""

    def place_data(self, data: Batch) -> Batch:
        """Data in memory, on the device."""
        return jax.device_put(data)

    def place_batch(self, batch: Batch) -> Batch:
        """A batch from the host, on the device."""
        return jax.device_put(batch)

    def release(self, state: TrainState) -> TrainState:
        """A state that other programs can use, of one that these steps gave."""
        return state

    def predict(self, definition: Layer, state: TrainState, inputs: Any) -> Any:
        """The outputs for one batch; rows may have been added at the end."""
        return steps.predict_step(definition, state, inputs)


        self.train_steps = train_steps
        self.eval_steps = eval_steps
        self.train_one = train_one
        self.train_rows = train_rows
        self.eval_one = eval_one
        self.epoch_order = epoch_order
        self.logs = logs

    def last_rows(self, order: jax.Array, start: int, stop: int) -> jax.Array:
        """Positions `start` to `stop` of each order."""
        return order[..., start:stop]

    def spread(self, tree: Any, state: TrainState) -> Any:
        """A tree of arrays, repeated for each model."""
        if not self.many:
            return tree
        count = state.step.shape[0]
        return jax.tree.map(lambda a: jnp.broadcast_to(a, (count, *a.shape)), tree)


def runner(many: bool = False) -> Runner:
    """The compiled loops for the forms of operations that are in force."""
    return _runner(many, lowering.cache_token())


@functools.lru_cache(maxsize=8)
def _runner(many: bool, token: str) -> Runner:
    return Runner(many)
