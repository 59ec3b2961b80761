"""One step at a time, as pure functions of values: `jk.train_step`, `jk.eval_step` and `jk.predict_step`."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import numpy as np

from jkeras import lowering
from jkeras.arguments import shown
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.layer import Layer
from jkeras.tracebacks import caller
from jkeras.tracing import is_traced
from jkeras.training.batches import row_count
from jkeras.training.compiled_loops import compile_step, logs_of_step, loops_of, step_and_logs
from jkeras.training.consumed import called, note_consumed
from jkeras.training.layout import CompiledProgram, Layout, Loop
from jkeras.training.own_steps import TEST, TRAIN, evaluate_custom, train_custom, with_own_logs
from jkeras.training.program import Program, build_program
from jkeras.training.recipe import Recipe, compiled_recipe
from jkeras.training.state import Batch, Packed, TrainState, arrays_of, from_packed, packed_of
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
        ArgumentError: `definition` or `state` is something else.
        NotCompiledError: `recipe` is None, as that of a model that was not compiled.
        InputError: the data does not match the model or the losses.
        ConsumedError: the arrays of `state` were given away; the error names the line.

    >>> import jkeras as jk, numpy as np
    >>> model = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    >>> state, logs = jk.train_step(model.definition, model.recipe, model.state, (x, 3 * x))
    >>> int(state.step), sorted(logs)
    (1, ['loss'])
    """
    _check("train_step", definition, state)
    recipe = compiled_recipe(recipe, "train_step")
    packed, rng = packed_of(state)
    if not packed.form.trains:
        packed, rng = packed_of(_begun(definition, recipe, state, as_batch(batch)))
    nested = is_traced()
    program = _train_program(definition, recipe, donate, nested, lowering.cache_token())
    try:
        packed, key, logs = called(program, state, packed, rng, batch)
    except TypeError:
        _check_arrays("train_step(batch=...)", as_batch(batch))
        raise
    if donate and not nested:
        note_consumed(state, "jk.train_step", caller(1))
    return from_packed(packed, rng if key is None else key), logs


def eval_step(definition: Layer, recipe: Recipe, state: TrainState, batch: Any) -> Logs:
    """The loss and metrics of one batch in inference mode, as a pure function.

    Args:
        definition: a model's definition (`model.definition`).
        recipe: what it was compiled with (`model.recipe`).
        state: the arrays (`model.state`).
        batch: a `Batch`, or `(x, y)` or `(x, y, sample_weight)`.

    Returns:
        The loss and metrics, by name.

    Raises:
        ArgumentError: `definition` or `state` is something else.
        NotCompiledError: `recipe` is None, because the model is not compiled.
        InputError: the data does not match the model or the losses.
        ConsumedError: the arrays of `state` were given away; the error names the line.

    >>> import jkeras as jk, numpy as np
    >>> model = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1, kernel_initializer="ones")]).compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    >>> float(jk.eval_step(model.definition, model.recipe, model.state, (x, x))["loss"])
    0.0
    """
    _check("eval_step", definition, state)
    recipe = compiled_recipe(recipe, "eval_step")
    batch = as_batch(batch)
    # A step of the user's own may look at all of a state.
    packed, rng = packed_of(state if tests_itself(definition) else state.forward)
    compiled = _eval_program(definition, recipe, is_traced(), lowering.cache_token())
    try:
        logs: Logs = called(compiled, state, packed, rng, batch)
    except TypeError:
        _check_arrays("eval_step(batch=...)", as_batch(batch))
        raise
    return logs


def predict_step(definition: Layer, state: TrainState, inputs: PyTree[Any]) -> Any:
    """The outputs for one batch of inputs in inference mode, as a pure function.

    Args:
        definition: a model's definition (`model.definition`).
        state: the arrays (`model.state`).
        inputs: an array, or a list, tuple or dict of arrays.

    Returns:
        The outputs, in the structure that the model returns.

    Raises:
        ArgumentError: `definition` or `state` is something else.
        InputError: the inputs do not match the model.
        ConsumedError: the arrays of `state` were given away; the error names the line.

    >>> import jkeras as jk, numpy as np
    >>> model = jk.Sequential([jk.Input((1,)), jk.layers.Dense(3)]).compile("sgd", "mse")
    >>> jk.predict_step(model.definition, model.state, np.zeros((8, 1), "float32")).shape
    (8, 3)
    """
    _check("predict_step", definition, state)
    try:
        return called(loops_of(nested=is_traced()).predict, state, definition, state, inputs)
    except TypeError:
        _check_arrays("predict_step(inputs=...)", inputs)
        raise


# -- arguments -----------------------------------------------------------------------------------------------------


def _check(function: str, definition: Layer, state: TrainState) -> None:
    if not isinstance(definition, Layer):
        raise ArgumentError(f"{function}(definition={shown(definition)}): expected `model.definition`.")
    if not isinstance(state, TrainState):
        hint = "`model.state`" if isinstance(state, Layer) else "a `TrainState`, such as `model.state`"
        raise ArgumentError(f"{function}(state={shown(state)}): expected {hint}.")


def _check_arrays(place: str, data: PyTree[Any]) -> None:
    """Names what in data is no array of numbers; only looked for once something has failed, or before compilation."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(data):
        if not isinstance(leaf, (jax.Array, np.ndarray, jax.ShapeDtypeStruct)) or leaf.dtype.kind in "OSUMm":
            raise InputError(
                f"{place}: {jax.tree_util.keystr(path).lstrip('.')} is {shown(leaf)}; expected arrays of numbers, batch"
                " axis first. `np.asarray(data)` makes them of lists of numbers."
            )


def _build(definition: Layer, recipe: Recipe, batch: Batch) -> Program:
    """The program for a batch, whose arrays must have the same number of rows unless the step is the user's own."""
    if not jax.tree.leaves(batch):
        raise InputError("There is no data in the batch of the step: pass `(x, y)` or `(x, y, sample_weight)`.")
    if not trains_itself(definition):
        row_count(batch)
    return build_program(definition, recipe, batch)


# -- programs ------------------------------------------------------------------------------------------------------
# They are made while JAX traces, so calls compare no shapes but those that JAX compares anyway. They take a batch as the user
# has it, since JAX passes a tuple on sooner than a `Batch`.


class _Compiled(NamedTuple):
    """What the program of a step is made of."""

    definition: Layer
    recipe: Recipe


def _train(
    layout: Layout, of: _Compiled, packed: Packed, rng: jax.Array, data: Any
) -> tuple[Packed, jax.Array | None, Logs]:
    batch = as_batch(data)
    program = _build(of.definition, of.recipe, batch)
    if not trains_itself(of.definition):
        return step_and_logs(layout, Step(train, program), packed, rng, batch)
    state = from_packed(packed, rng)
    program = with_own_logs(program, TRAIN, state, batch)
    metrics = {**empty_metrics(program, batch), **arrays_of(state).metrics}
    packed, _ = packed_of(state.replace(metrics=metrics))
    return step_and_logs(layout, Step(train_custom, program), packed, rng, batch)


def _eval(layout: Layout, of: _Compiled, packed: Packed, rng: jax.Array, data: Any) -> Logs:
    batch = as_batch(data)
    program, step, state = _build(of.definition, of.recipe, batch), evaluate, from_packed(packed, rng)
    if tests_itself(of.definition):
        program, step = with_own_logs(program, TEST, state, batch), evaluate_custom
    state = state.replace(metrics=empty_metrics(program, batch))
    return logs_of_step(layout, Step(step, program), state, batch)


TRAIN_STEP = Loop("step", _train, ("state", "rng", "batch"), results=3)
EVAL_STEP = Loop("eval_step", _eval, ("state", "rng", "batch"))


@functools.lru_cache(maxsize=1024)
def _train_program(definition: Layer, recipe: Recipe, donate: bool, nested: bool, token: str) -> CompiledProgram:
    return _program(TRAIN_STEP._replace(donates=donate), definition, _shared(recipe), nested, token)


@functools.lru_cache(maxsize=1024)
def _eval_program(definition: Layer, recipe: Recipe, nested: bool, token: str) -> CompiledProgram:
    return _program(EVAL_STEP, definition, _shared(recipe), nested, token)


def _shared(recipe: Recipe) -> Recipe:
    """A recipe that is the same for all that differ in the learning rate."""
    return recipe.replace(optimizer=recipe.optimizer.compile_key())


@functools.lru_cache(maxsize=1024)
def _program(loop: Loop, definition: Layer, recipe: Recipe, nested: bool, _token: str) -> CompiledProgram:
    return compile_step(loops_of(nested=nested).layout, loop, _Compiled(definition, recipe))


def _begun(definition: Layer, recipe: Recipe, state: TrainState, batch: Batch) -> TrainState:
    """A state with what training needs: an optimizer's state and metrics."""
    if not trains_itself(definition):
        _check_arrays("train_step(batch=...)", batch)
    program = _build(definition, recipe, batch)
    if trains_itself(definition):
        program = with_own_logs(program, TRAIN, state, batch)
    return ready(program, recipe.optimizer, state, batch)
