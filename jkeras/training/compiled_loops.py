"""Compiled loops over batches: many steps in one dispatch.

The number of steps is an argument of the compiled program, not part of it, so one compilation serves chunks of any length.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jkeras import lowering
from jkeras.graph.layer import Layer
from jkeras.graph.scope import walk
from jkeras.training import borrowed_arrays, steps
from jkeras.training import order as orders
from jkeras.training.state import Batch, TrainState, arrays_of, with_arrays
from jkeras.types import Array, ArrayLike, PyTree

if TYPE_CHECKING:
    from jkeras.training.program import Program

Step = Callable[[Any, TrainState, Batch], TrainState]


@functools.lru_cache(maxsize=256)
def mixes_samples(definition: Layer, training: bool) -> bool:
    """Whether what a row of a batch gives may depend on the other rows.

    Only where it does not may a ragged last batch be filled up with rows that do not count.
    """
    for _, layer in walk(definition):
        known = layer.mixes_samples
        if known is None and type(layer).__module__.startswith("jkeras.") and layer.children():
            known = False  # what is inside of it decides
        if known is None or (known and training) or layer.activity_regularizer is not None:
            return True
    return False


@jax.named_scope("batch")
def gather(data: Batch, order: jax.Array, index: Array, rows: Array, batch_size: int, masked: bool) -> Batch:
    """The batch of that number: rows `order[index * batch_size : (index + 1) * batch_size]`."""
    picked = lax.dynamic_slice_in_dim(order, index * batch_size, batch_size)
    batch = borrowed_arrays.take(data, picked)
    if masked:
        valid = index * batch_size + jnp.arange(batch_size, dtype=jnp.int32) < rows
        batch = dataclasses.replace(batch, valid=valid)
    result: Batch = batch
    return result


def _train_steps(
    step: Step,
    program: Program,
    state: TrainState,
    data: Batch,
    order: jax.Array,
    rows: Array,
    start: Array,
    stop: Array,
    batch_size: int,
    masked: bool,
) -> TrainState:
    def body(index: Array, state: TrainState) -> TrainState:
        return step(program, state, gather(data, order, index, rows, batch_size, masked))

    result: TrainState = lax.fori_loop(start, stop, body, state)
    return result


def _eval_steps(
    step: Step,
    program: Program,
    state: TrainState,
    data: Batch,
    rows: Array,
    start: Array,
    stop: Array,
    batch_size: int,
    masked: bool,
) -> tuple[Any, Any]:
    size = borrowed_arrays.row_count(data)

    def body(index: Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        metrics, model_state = carry
        first = jnp.minimum(index * batch_size, size - batch_size)
        batch = borrowed_arrays.cut(data, first, batch_size)
        if masked:
            # The last slice starts early so as to stay inside the data; rows seen before do not count again.
            position = first + jnp.arange(batch_size, dtype=jnp.int32)
            batch = dataclasses.replace(batch, valid=(position >= index * batch_size) & (position < rows))
        new = arrays_of(step(program, with_arrays(state, metrics=metrics, model_state=model_state), batch))
        return new.metrics, new.model_state

    arrays = arrays_of(state)
    result: tuple[Any, Any] = lax.fori_loop(start, stop, body, (arrays.metrics, arrays.model_state))
    return result


def _train_one(step: Step, program: Program, state: TrainState, batch: Batch) -> TrainState:
    return step(program, state, batch)


def _eval_one(step: Step, program: Program, state: TrainState, batch: Batch) -> tuple[Any, Any]:
    new = arrays_of(step(program, state, batch))
    return new.metrics, new.model_state


class CompiledLoops:
    """The compiled loops, for one model or for many at once.

    With `many`, states, orders and keys have a leading axis of models, and everything is vmapped over it; data has none.

    Each program is compiled once per static argument and shape, for all users of the same loops.

    Args:
        many: see above.
        around: makes, of a step and whether it trains, the step that is compiled.
        compiler_options: instead of those for one device.
    """

    def __init__(
        self,
        many: bool,
        around: Callable[[Step, bool], Step] = lambda step, training: step,
        compiler_options: dict[str, str] | None = None,
    ):
        def over(function: Any, *in_axes: Any) -> Any:
            return jax.vmap(function, in_axes=in_axes) if many else function

        self.many = many
        options = lowering.compiler_options() if compiler_options is None else compiler_options
        compiled = functools.partial(jax.jit, compiler_options=options)

        @functools.partial(
            compiled, static_argnames=("step", "program", "batch_size", "masked"), donate_argnames="state"
        )
        def train_steps(
            step: Step,
            program: Program,
            state: TrainState,
            data: Batch,
            order: jax.Array,
            rows: Array,
            start: Array,
            stop: Array,
            *,
            batch_size: int,
            masked: bool,
        ) -> tuple[TrainState, jax.Array]:
            """Steps number `start` to `stop` of an epoch; donates `state`. Also gives a counter to wait for."""

            step = around(step, True)

            def run(state: TrainState, order: jax.Array) -> TrainState:
                return _train_steps(step, program, state, data, order, rows, start, stop, batch_size, masked)

            state = over(run, 0, 0)(state, order)
            return state, state.step + 0

        @functools.partial(compiled, static_argnames=("step", "program", "batch_size", "masked"))
        def eval_steps(
            step: Step,
            program: Program,
            state: TrainState,
            data: Batch,
            rows: Array,
            start: Array,
            stop: Array,
            *,
            batch_size: int,
            masked: bool,
        ) -> tuple[Any, Any]:
            """Metric states and model state after evaluating batches `start` to `stop`, in order."""

            step = around(step, False)

            def run(state: TrainState) -> tuple[Any, Any]:
                return _eval_steps(step, program, state, data, rows, start, stop, batch_size, masked)

            result: tuple[Any, Any] = over(run, 0)(state)
            return result

        @functools.partial(jax.jit, static_argnums=(0, 1), compiler_options=options)
        def predict_one(definition: Layer, token: str, state: TrainState, inputs: PyTree[Any]) -> Any:
            """The outputs for one batch."""
            return steps.predict(definition, state, inputs)

        @functools.partial(compiled, static_argnames=("step", "program"), donate_argnames="state")
        def train_one(step: Step, program: Program, state: TrainState, batch: Batch) -> tuple[TrainState, jax.Array]:
            """One step on a batch that came from the host; donates `state`."""
            state = over(functools.partial(_train_one, around(step, True), program), 0, None)(state, batch)
            return state, state.step + 0

        @functools.partial(compiled, static_argnames=("step", "program"), donate_argnames="state")
        def train_rows(
            step: Step, program: Program, state: TrainState, data: Batch, rows: jax.Array
        ) -> tuple[TrainState, jax.Array]:
            """One step on the given rows of data that is on the device; donates `state`."""

            step = around(step, True)

            def run(state: TrainState, rows: jax.Array) -> TrainState:
                return step(program, state, borrowed_arrays.take(data, rows))

            state = over(run, 0, 0)(state, rows)
            return state, state.step + 0

        @functools.partial(compiled, static_argnames=("step", "program"))
        def eval_one(step: Step, program: Program, state: TrainState, batch: Batch) -> tuple[Any, Any]:
            """Metric states and model state after evaluating a batch that came from the host."""
            result: tuple[Any, Any] = over(functools.partial(_eval_one, around(step, False), program), 0, None)(
                state, batch
            )
            return result

        def epoch_order(
            key: jax.Array, epoch: ArrayLike, step: ArrayLike, *, rows: int, length: int, shuffle: Any
        ) -> Any:
            """The rows of an epoch that begins at a step, in order; with `many`, for each key; see `orders.draw`."""
            words, first = np.asarray(jax.random.key_data(key)), np.asarray(step)
            draw = functools.partial(
                orders.draw, epoch=int(np.asarray(epoch)), rows=rows, length=length, shuffle=shuffle
            )
            if many:
                order = np.stack([draw(*each) for each in zip(words, first, strict=True)])
            else:
                order = draw(words, first)
            # For a mesh the host's array stands for a copy on each device.
            return jnp.asarray(order) if len(key.sharding.device_set) == 1 else order

        @functools.partial(compiled, static_argnames="program")
        def logs(program: Program, metrics: PyTree[Any]) -> dict[str, jax.Array]:
            """The values of running metrics."""
            result: dict[str, jax.Array] = over(functools.partial(steps.compute_logs, program), 0)(metrics)
            return result

        self.train_steps = train_steps
        self.eval_steps = eval_steps
        self.predict_one = predict_one
        self.train_one = train_one
        self.train_rows = train_rows
        self.eval_one = eval_one
        self.epoch_order = epoch_order
        self.logs = logs

    # -- where things live: on one device, which strategies change ------------------------------------------------------

    # How many copies of data in memory a device's memory has to hold.
    copies: float = 1

    def guard(self) -> contextlib.AbstractContextManager[None]:
        """What a run happens in."""
        return contextlib.nullcontext()

    def steps_per_dispatch(self, wanted: Any) -> Any:
        """How many steps one dispatch has, where `wanted` (a number or "auto") is asked for."""
        return wanted

    # Whether signals have to be agreed on by several processes.
    votes: bool = False

    def anywhere(self, flags: list[bool]) -> list[bool]:
        """Which flags are set in at least one process."""
        return flags

    def agreed(self, decision: Any) -> Any:
        """A decision (a number or a bool) that all processes take alike."""
        return decision

    def check(self, program: Program, source: Any) -> None:
        """Compares what is to be trained with the devices, before anything is compiled."""

    def place_data(self, data: Batch) -> Batch:
        """Data in memory, on the device."""
        result: Batch = borrowed_arrays.place(data)
        return result

    def place_batch(self, batch: Batch, program: Program, training: bool) -> Any:
        """A batch from the host, on the device."""
        return jax.device_put(batch)

    def release(self, state: TrainState) -> TrainState:
        """A state that other programs can use, of one that these steps gave."""
        return state

    def predict(self, definition: Layer, state: TrainState, inputs: PyTree[Any]) -> Any:
        """The outputs for one batch; rows may have been added at the end."""
        outputs: PyTree[Any] = self.predict_one(definition, lowering.cache_token(), state.forward, inputs)
        return outputs

    def last_rows(self, order: jax.Array, start: int, stop: int) -> jax.Array:
        """Positions `start` to `stop` of each order."""
        return order[..., start:stop]

    def spread(self, tree: PyTree[Any], state: TrainState) -> Any:
        """A tree of arrays, repeated for each model."""
        if not self.many:
            return tree
        count = state.step.shape[0]
        return jax.tree.map(lambda a: jnp.broadcast_to(a, (count, *a.shape)), tree)


def loops_of(many: bool = False) -> CompiledLoops:
    """The compiled loops for the forms of operations that are in force."""
    return _loops(many, lowering.cache_token())


@functools.lru_cache(maxsize=8)
def _loops(many: bool, token: str) -> CompiledLoops:
    return CompiledLoops(many)
