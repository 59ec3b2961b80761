"""One step at a time, as pure functions of values: `jk.train_step`, `jk.eval_step` and `jk.predict_step`."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax

from jkeras import lowering
from jkeras.graph.layer import Layer
from jkeras.tracing import is_traced
from jkeras.training.compiled_loops import CompiledLoops, compile_step, loops_of, step_and_logs
from jkeras.training.layout import CompiledProgram, Layout, Loop
from jkeras.training.own_steps import TEST, TRAIN, evaluate_custom, train_custom, with_own_logs
from jkeras.training.program import build_program
from jkeras.training.recipe import Recipe, compiled_recipe
from jkeras.training.state import Arrays, Batch, TrainState, arrays_of, with_key, without_key
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
            is gone, all but its key. Only for a state that nobody else holds.

    Returns:
        The new state, and the logs: loss and metrics so far, running until `state.metrics` is set to None. The new state has
        the key of the old one, the same array.

    Raises:
        NotCompiledError: `recipe` is None, as that of a model that was not compiled.
        InputError: the data does not match the model or the losses.
    """
    recipe = compiled_recipe(recipe, "train_step")
    batch = as_batch(batch)
    arrays = arrays_of(state)
    if trains_itself(definition) or arrays.opt_state is None or arrays.metrics is None:
        program = build_program(definition, recipe, batch)
        state = ready(program, recipe.optimizer, state, batch)
    if trains_itself(definition):
        program = with_own_logs(program, TRAIN, state, batch)
        missing = {k: v for k, v in empty_metrics(program, batch).items() if k not in state.metrics}
        state = state.replace(metrics={**arrays_of(state).metrics, **missing})
        return _loops().step_with_logs(Step(train_custom, program), state, batch, donate)
    rng = state.rng
    compiled = _compiled_step(definition, recipe, donate, is_traced(), lowering.cache_token())
    arrays, logs = compiled(without_key(state), rng, batch)
    return with_key(arrays, rng), logs


def eval_step(definition: Layer, recipe: Recipe, state: TrainState, batch: Any) -> Logs:
    """Loss and metrics of one batch in inference mode; arguments and errors as in `train_step`."""
    recipe = compiled_recipe(recipe, "eval_step")
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


class _Compiled(NamedTuple):
    """What the program of a step is made of."""

    definition: Layer
    recipe: Recipe


def _step(layout: Layout, of: _Compiled, arrays: Arrays, rng: jax.Array, batch: Batch) -> tuple[Arrays, Logs]:
    # The program is made while JAX traces, so calls compare no shapes but those that JAX compares anyway.
    return step_and_logs(layout, Step(train, build_program(of.definition, of.recipe, batch)), arrays, rng, batch)


@functools.lru_cache(maxsize=1024)
def _compiled_step(definition: Layer, recipe: Recipe, donate: bool, nested: bool, token: str) -> CompiledProgram:
    return _shared_step(definition, recipe.replace(optimizer=recipe.optimizer.compile_key()), donate, nested, token)


@functools.lru_cache(maxsize=1024)
def _shared_step(definition: Layer, recipe: Recipe, donate: bool, nested: bool, _token: str) -> CompiledProgram:
    """The program that recipes share which differ in the learning rate."""
    loop = Loop("step", _step, ("state", "rng", "batch"), donates=donate, results=2)
    return compile_step(loops_of(nested=nested).layout, loop, _Compiled(definition, recipe))


def _loops() -> CompiledLoops:
    return loops_of(nested=is_traced())
