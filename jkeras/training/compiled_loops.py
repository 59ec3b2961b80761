"""Loops over batches, compiled once for each step and shape: many steps in one dispatch.

The loops are pure functions that know neither devices nor compilers: what differs between one device, many models, a mesh
and replicas is in their layout (`training/layout.py`).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax
from jax import lax

from jkeras import lowering
from jkeras.graph.layer import Layer
from jkeras.training import steps
from jkeras.training.layout import CompiledProgram, Layout, Loop, ManyModels, Span
from jkeras.training.memory_errors import GuardedProgram
from jkeras.training.state import Batch, Packed, TrainState, arrays_of, from_packed, packed_of, with_arrays
from jkeras.training.step import Step
from jkeras.types import Array, PyTree

if TYPE_CHECKING:
    from jkeras.training.strategy import Strategy

# -- pure functions ----------------------------------------------------------------------------------------------------

# A state after training, what to wait for, and the values of the metrics, which a program of their own would compute as
# slowly as a step; sums of metrics after evaluation, with the states of layers.
Trained = tuple[TrainState, Any, dict[str, jax.Array]]
Evaluated = tuple[Any, Any]


def _train_steps(layout: Layout, step: Step, state: TrainState, data: Batch, order: jax.Array, span: Span) -> Trained:
    run = layout.around(step, True)

    def body(index: Array, state: TrainState) -> TrainState:
        return run(state, layout.picked(data, order, index, span))

    return _trained(step, lax.fori_loop(span.start, span.stop, body, state))


def _trained(step: Step, state: TrainState) -> Trained:
    return state, state.step + 0, step.program.compute_logs(arrays_of(state).metrics)


def _train_one(layout: Layout, step: Step, state: TrainState, batch: Batch) -> Trained:
    return _trained(step, layout.around(step, True)(state, batch))


def step_and_logs(
    layout: Layout, step: Step, packed: Packed, rng: jax.Array, batch: Batch
) -> tuple[Packed, jax.Array | None, dict[str, jax.Array]]:
    """A step on a state and its key, and the values of its metrics; the key is None in the result where it stays the same."""
    # JAX checks keys that a program returns one by one.
    new = layout.around(step, True)(from_packed(packed, rng), batch)
    logs = step.program.compute_logs(arrays_of(new).metrics)
    packed, key = packed_of(new)
    return packed, None if key is rng else key, logs


def _train_rows(layout: Layout, step: Step, state: TrainState, data: Batch, rows: jax.Array) -> Trained:
    return _train_one(layout, step, state, layout.taken(data, rows))


def _eval_steps(layout: Layout, step: Step, state: TrainState, data: Batch, span: Span) -> Evaluated:
    run = layout.around(step, False)

    def body(index: Array, carry: Evaluated) -> Evaluated:
        metrics, model_state = carry
        new = run(with_arrays(state, metrics=metrics, model_state=model_state), layout.cut(data, index, span))
        return arrays_of(new).metrics, arrays_of(new).model_state

    arrays = arrays_of(state)
    result: Evaluated = lax.fori_loop(span.start, span.stop, body, (arrays.metrics, arrays.model_state))
    return result


def _eval_one(layout: Layout, step: Step, state: TrainState, batch: Batch) -> Evaluated:
    new = arrays_of(layout.around(step, False)(state, batch))
    return new.metrics, new.model_state


def _predict(layout: Layout, step: Step, state: TrainState, inputs: PyTree[Any]) -> Any:
    return layout.around_prediction(step)(state, inputs)


def _logs(layout: Layout, program: Any, metrics: PyTree[Any]) -> dict[str, jax.Array]:
    result: dict[str, jax.Array] = program.compute_logs(metrics)
    return result


def logs_of_step(layout: Layout, step: Step, state: TrainState, batch: Batch) -> dict[str, jax.Array]:
    """The values of the metrics after a step."""
    result: dict[str, jax.Array] = step.program.compute_logs(arrays_of(step(state, batch)).metrics)
    return result


TRAIN_STEPS = Loop(
    "train_steps", _train_steps, ("state", "data", "order", "span"), donates=True, results=3, trains=True
)
TRAIN_ONE = Loop("train_one", _train_one, ("state", "batch"), donates=True, results=3)
TRAIN_ROWS = Loop("train_rows", _train_rows, ("state", "data", "rows"), donates=True, results=3)
EVAL_STEPS = Loop("eval_steps", _eval_steps, ("state", "data", "span"), results=2)
EVAL_ONE = Loop("eval_one", _eval_one, ("state", "batch"), results=2)
PREDICT = Loop("predict", _predict, ("state", "batch"))
LOGS = Loop("logs", _logs, ("metrics",))
STEP = Loop("step", step_and_logs, ("state", "rng", "batch"), results=3)
STEP_IN_PLACE = Loop("step_in_place", step_and_logs, ("state", "rng", "batch"), donates=True, results=3)
LOGS_OF_STEP = Loop("logs_of_step", logs_of_step, ("state", "batch"))


# -- compiled ----------------------------------------------------------------------------------------------------------


class CompiledLoops:
    """The loops over batches in a layout. Each is compiled once per step and shapes, for all users of the same object.

    Args:
        layout: where arrays live, and how steps over them are compiled.
    """

    def __init__(self, layout: Layout):
        self.layout = layout
        self._programs: dict[tuple[Layout, str], CompiledProgram] = {}

    def program(self, loop: Loop, layout: Layout | None = None) -> CompiledProgram:
        """The program of a loop, in this layout or another one."""
        layout = layout or self.layout
        program = self._programs.get((layout, loop.name))
        if program is None:
            program = self._programs[layout, loop.name] = GuardedProgram(loop, layout.compile(loop))
        return program

    def train_steps(self, step: Step, state: TrainState, data: Batch, order: jax.Array, span: Span) -> Trained:
        """The steps of a span of an epoch, on rows in an order; donates `state`."""
        layout = self.layout
        result: Trained = self.program(TRAIN_STEPS)(step, layout.place(state), data, layout.place_order(order), span)
        return result

    def train_one(self, step: Step, state: TrainState, batch: Any) -> Trained:
        """One step on a batch that came from the host; donates `state`."""
        layout, batch = self.layout.accept(batch, step.program, True)
        result: Trained = self.program(TRAIN_ONE, layout)(step, layout.place(state), batch)
        return result

    def train_rows(self, step: Step, state: TrainState, data: Batch, rows: jax.Array) -> Trained:
        """One step on the given rows of data that is on the device; donates `state`."""
        layout = self.layout.whole
        result: Trained = self.program(TRAIN_ROWS, layout)(step, layout.place(state), data, layout.place_order(rows))
        return result

    def eval_steps(self, step: Step, state: TrainState, data: Batch, span: Span) -> Evaluated:
        """Metric states and model state after evaluating the batches of a span, in order."""
        layout = self.layout.for_rows(step.program, span.batch_size, False)
        result: Evaluated = self.program(EVAL_STEPS, layout)(step, layout.place(state), data, span)
        return result

    def eval_one(self, step: Step, state: TrainState, batch: Any) -> Evaluated:
        """Metric states and model state after evaluating a batch that came from the host."""
        layout, batch = self.layout.accept(batch, step.program, False)
        result: Evaluated = self.program(EVAL_ONE, layout)(step, layout.place(state), batch)
        return result

    def predict(self, definition: Layer, state: TrainState, inputs: PyTree[Any]) -> Any:
        """The outputs for one batch; rows may have been added at the end."""
        layout = self.layout.whole
        inputs = layout.place_inputs(inputs, definition)
        return self.program(PREDICT, layout)(steps.prediction(definition), layout.place(state.forward), inputs)

    def logs(self, program: Any, metrics: PyTree[Any]) -> dict[str, jax.Array]:
        """The values of running metrics."""
        result: dict[str, jax.Array] = self.program(LOGS, self.layout.whole)(program, metrics)
        return result

    # -- one batch alone, on one device -------------------------------------------------------------------------------

    def step_with_logs(
        self, step: Step, state: TrainState, batch: Batch, donate: bool = False
    ) -> tuple[TrainState, dict[str, jax.Array]]:
        """The state after a step, and the values of its metrics; `donate` gives all of `state` away but its key."""
        packed, rng = packed_of(state)
        packed, key, logs = _program_of_step(self.layout, step, donate)(packed, rng, batch)
        return from_packed(packed, rng if key is None else key), logs

    def logs_of_step(self, step: Step, state: TrainState, batch: Batch) -> dict[str, jax.Array]:
        """The values of the metrics after a step."""
        result: dict[str, jax.Array] = self.program(LOGS_OF_STEP)(step, state, batch)
        return result


class OneDevice(CompiledLoops):
    """The loops of one model on one device, whose programs for single batches take the arrays of a state in one list."""

    def train_one(self, step: Step, state: TrainState, batch: Any) -> Trained:
        """One step on a batch that came from the host; donates all of `state` but its key."""
        state, logs = self.step_with_logs(step, state, batch, donate=True)
        return state, logs, logs


def compile_step(layout: Layout, loop: Loop, step: Any) -> CompiledProgram:
    """The program of a loop for one step, or what one is made of."""
    return GuardedProgram(loop, layout.compile_step(loop, step))


@functools.lru_cache(maxsize=1024)
def _program_of_step(layout: Layout, step: Step, donate: bool) -> CompiledProgram:
    return compile_step(layout, STEP_IN_PLACE if donate else STEP, step)


def loops_of(strategy: Strategy | None = None, *, many: bool = False, nested: bool = False) -> CompiledLoops:
    """The compiled loops for the forms of operations that are in force; equal strategies share them.

    Args:
        strategy: how steps are spread over devices; None for one device.
        many: whether many models train together.
        nested: whether a program that is being traced calls them, which has the compiler's options itself.
    """
    return _loops(strategy, many, nested, lowering.cache_token())


@functools.lru_cache(maxsize=32)
def _loops(strategy: Strategy | None, many: bool, nested: bool, _token: str) -> CompiledLoops:
    if strategy is not None:
        return CompiledLoops(strategy.layout())
    options: dict[str, str] | None = {} if nested else None
    return CompiledLoops(ManyModels(options)) if many else OneDevice(Layout(options))
