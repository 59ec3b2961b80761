"""One step at a time, as pure functions of values: `jk.train_step`, `jk.eval_step` and `jk.predict_step`."""

from __future__ import annotations

from typing import Any

from jkeras.graph.layer import Layer
from jkeras.tracing import is_traced
from jkeras.training.compiled_loops import CompiledLoops, loops_of
from jkeras.training.own_steps import TEST, TRAIN, evaluate_custom, train_custom, with_own_logs
from jkeras.training.program import build_program
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState, arrays_of
from jkeras.training.step import Step
from jkeras.training.step_methods import tests_itself, trains_itself
from jkeras.training.steps import Logs, as_batch, empty_metrics, evaluate, ready, train
from jkeras.types import PyTree


def train_step(
    definition: Layer, recipe: Recipe, state: TrainState, batch: Any, *, donate: bool = False
) -> tuple[TrainState, Logs]:
    """One training step as a pure function, compiled once per (definition, recipe, batch shape).

    Args:
        definition: a model's definition (`model.definition`).
        recipe: what it was compiled with (`model.recipe`).
        state: the arrays (`model.state`).
        batch: a `Batch`, or `(x, y)` or `(x, y, sample_weight)`.
        donate: whether `state`'s buffers may be reused for the result; afterwards `state`, and every model that holds it,
            is gone. Only for a state that nobody else holds.

    Returns:
        The new state, and the logs: loss and metrics so far, running until `state.metrics` is set to None.
    """
    batch = as_batch(batch)
    program = build_program(definition, recipe, batch)
    state = ready(program, recipe.optimizer, state, batch)
    step = train
    if trains_itself(definition):
        step = train_custom
        program = with_own_logs(program, TRAIN, state, batch)
        missing = {k: v for k, v in empty_metrics(program, batch).items() if k not in state.metrics}
        state = state.replace(metrics={**arrays_of(state).metrics, **missing})
    return _loops().step_with_logs(Step(step, program), state, batch, donate)


def eval_step(definition: Layer, recipe: Recipe, state: TrainState, batch: Any) -> Logs:
    """Loss and metrics of one batch in inference mode; arguments as in `train_step`."""
    batch = as_batch(batch)
    program = build_program(definition, recipe, batch)
    step = evaluate
    if tests_itself(definition):
        step = evaluate_custom
        program = with_own_logs(program, TEST, state, batch)
    state = state.replace(metrics=empty_metrics(program, batch))
    return _loops().logs_of_step(Step(step, program), state, batch)


def predict_step(definition: Layer, state: TrainState, inputs: PyTree[Any]) -> Any:
    """The outputs for one batch of inputs in inference mode."""
    return _loops().predict(definition, state, inputs)


def _loops() -> CompiledLoops:
    return loops_of(nested=is_traced())
