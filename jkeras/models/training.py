"""`fit`, `evaluate`, `predict` and their single-batch forms.

These functions check arguments, prepare the task, and leave the work to `training/`. `Model` has a method for each of
them, which documents the arguments.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, TypeAlias, TypeVar

import jax
import numpy as np

from jkeras import arguments
from jkeras.buffers import owned_copy
from jkeras.callbacks.callback import CallbackList
from jkeras.console.progress import resolve_verbosity
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError
from jkeras.models.data_checks import check_counts, check_embedded_ids, check_frequency, check_held_out
from jkeras.models.handle import Handle
from jkeras.models.history import History
from jkeras.models.interruption import interrupted
from jkeras.models.step_methods import ModelWithSteps
from jkeras.paths import merge
from jkeras.training import batches, loop, prediction
from jkeras.training.compiled_loops import loops_of
from jkeras.training.consumed import consume, in_place
from jkeras.training.evaluation import Evaluation, Pass
from jkeras.training.one_step import is_one_step
from jkeras.training.program import Program, trainable
from jkeras.training.sources import Source, TrainingData, ValidationData, as_source
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.task import Options, Task, prepare, prepare_prediction, recipe_of, to_floats
from jkeras.types import CallbacksLike, Data, Verbose

Model = TypeVar("Model", bound=ModelWithSteps)

# The result of an evaluation: one number, the loss and each metric, or all of them by name.
Scores: TypeAlias = float | list[float] | dict[str, float]


def fit(
    model: Model, data: TrainingData, held_out: ValidationData, options: Options, callbacks: CallbacksLike
) -> Model:
    """See `Model.fit`."""
    recipe = recipe_of(model, "fit")
    check_counts("fit", 0, epochs=options.epochs, initial_epoch=options.initial_epoch)
    check_counts(
        "fit",
        1,
        batch_size=data.batch_size,
        steps_per_epoch=data.steps,
        validation_steps=held_out.steps,
        validation_batch_size=held_out.batch_size,
    )
    check_frequency(options.validation_freq)
    check_held_out(held_out, options.validation_freq)
    arguments.flags("fit", donate=options.donate)
    shuffle = _shuffle(options.shuffle)
    task = prepare(model, data, held_out)
    check_used("fit", 3)
    # Callbacks may keep a reference to the model that they see first.
    undrawn = None if callbacks or options.donate else task.model.undrawn_state()
    state = task.first_state(options.seed, undrawn)
    running: Model = task.model if undrawn is None and state is task.model.state else task.model.with_state(state)
    handle = Handle(running, task.train.program.objective.directions)
    callback_list = CallbackList(
        callbacks,
        handle,
        epochs=options.epochs,
        steps=task.source.steps_per_epoch,
        verbose=resolve_verbosity(options.verbose),
    )
    options = dataclasses.replace(
        options,
        shuffle=shuffle,
        steps_per_execution=task.layout.steps_per_dispatch(recipe.steps_per_execution),
        check_finite=recipe.check_finite,
    )
    options.is_one_step = is_one_step(task, state, options, callback_list)
    with task.layout.guard():
        drawn = undrawn is not None
        run = loop.fit(
            task,
            consume(state, "fit") if options.donate else _owned(task, state, options, drawn),
            options,
            callback_list,
            handle,
        )
    final = task.layout.release(run.state)
    if recipe.optimizer.finalizes:
        arrays = arrays_of(final)
        params = recipe.optimizer.finalize(trainable(task.train.program, arrays.params), arrays.opt_state)
        final = final.replace(params=merge(arrays.params, params))
    trained = running.with_state(final, History(run.history, run.epochs, callback_list.params))
    handle.value = trained  # a callback that is asked afterwards knows the trained model
    return interrupted(trained, int(np.max(final.step))) if run.signals.interrupted.is_set() else trained


def evaluate(
    model: ModelWithSteps, data: TrainingData, verbose: Verbose, callbacks: CallbacksLike, return_dict: bool
) -> Scores:
    """See `Model.evaluate`."""
    recipe_of(model, "evaluate")
    arguments.flags("evaluate", return_dict=return_dict)
    check_counts("evaluate", 1, batch_size=data.batch_size, steps=data.steps)
    task = prepare(model, data, method="evaluate")
    run = _pass(task.model, task.source, verbose, callbacks)
    with task.layout.guard():
        logs = Evaluation(task, task.source).scores(run, verbose)
    return _as_result(logs, task.evaluate.program, return_dict)


def predict(model: ModelWithSteps, data: TrainingData, verbose: Verbose, callbacks: CallbacksLike) -> Any:
    """See `Model.predict`."""
    check_counts("predict", 1, batch_size=data.batch_size, steps=data.steps)
    source = as_source(data.x, None, None, data.batch_size, data.steps)
    task = prepare_prediction(model, source, chosen_size=data.batch_size is not None)
    check_embedded_ids(task.model, source)
    run = _pass(task.model, source, verbose, callbacks)
    with task.loops.layout.guard():
        return prediction.predict(task, run, verbose)


def _pass(model: ModelWithSteps, source: Source, verbose: Verbose, callbacks: CallbacksLike) -> Pass:
    """An evaluation or prediction of a model, with its callbacks."""
    handle = Handle(model)
    callback_list = CallbackList(callbacks, handle, steps=source.steps_per_epoch, verbose=resolve_verbosity(verbose))
    return Pass(callback_list, lambda: handle.value.state)


# -- one batch -----------------------------------------------------------------------------------------------------


def train_on_batch(model: Model, data: TrainingData, return_dict: bool, donate: bool) -> tuple[Model, Scores]:
    """See `Model.train_on_batch`."""
    arguments.flags("train_on_batch", return_dict=return_dict, donate=donate)
    recipe = recipe_of(model, "train_on_batch")
    check_used("train_on_batch", 3)
    task = prepare(model, _one_batch(data), method="train_on_batch", in_memory=True)
    batch, step = task.arrays.data, task.train
    state = task.first_state()
    state = state.replace(metrics=task.empty_metrics(step, batch))
    if recipe.run_eagerly:
        with jax.disable_jit():
            state = step(*jax.tree.map(jax.numpy.asarray, (state, batch)))
            values = step.program.compute_logs(arrays_of(state).metrics)
    elif recipe.distribute is None and not donate:
        state, values = task.loops.step_with_logs(step, state, batch)
    else:
        state = consume(state, "train_on_batch") if donate else owned_copy(state)
        state, _, values = task.loops.train_one(step, state, batch)
        state = task.layout.release(state)
    logs = to_floats(values)
    trained: Model = task.model.with_state(state.replace(metrics=None))
    return trained, _as_result(logs, step.program, return_dict)


def test_on_batch(model: ModelWithSteps, data: TrainingData, return_dict: bool) -> Scores:
    """See `Model.test_on_batch`."""
    arguments.flags("test_on_batch", return_dict=return_dict)
    recipe = recipe_of(model, "test_on_batch")
    data = _one_batch(data)
    if recipe.distribute is not None or recipe.run_eagerly:
        return evaluate(model, data, 0, None, return_dict)
    task = prepare(model, data, method="test_on_batch", in_memory=True)
    batch, step = task.arrays.data, task.evaluate
    state = task.model.state.forward.replace(metrics=task.empty_metrics(step, batch))
    return _as_result(to_floats(task.loops.logs_of_step(step, state, batch)), step.program, return_dict)


def predict_on_batch(model: ModelWithSteps, x: Data | None) -> Any:
    """See `Model.predict_on_batch`."""
    x = batches.to_arrays(x, "x")
    model = model.build_for(x)
    outputs, structure = jax.tree.flatten(loops_of().predict(model.definition, model.state, x))
    return jax.tree.unflatten(structure, map(np.asarray, outputs))


# -- what these stand on -------------------------------------------------------------------------------------------


def _one_batch(data: TrainingData) -> TrainingData:
    """Data of one batch."""
    return dataclasses.replace(data, batch_size=batches.row_count(Batch(batches.to_arrays(data.x, "x"))))


def _owned(task: Task, state: TrainState, options: Options, drawn: bool) -> TrainState:
    """The state for a run to train in: copies of what others may have, unless it takes no array over.

    Args:
        task: what is trained.
        state: of its model, with an optimizer's state.
        options: how the run goes.
        drawn: whether the weights were drawn for the run.
    """
    if options.is_one_step:
        return state
    if drawn:
        return in_place(state)
    program = task.train.program
    if arrays_of(task.model.state).opt_state is None:
        copied: TrainState = owned_copy(state.replace(opt_state=None), program)
        return copied.replace(opt_state=arrays_of(state).opt_state)
    result: TrainState = owned_copy(state, program)
    return result


def _shuffle(value: object) -> bool | Literal["batch"]:
    if value == "batch":
        return "batch"
    if isinstance(value, (bool, np.bool_, int)):
        return bool(value)
    raise ArgumentError(f"fit(shuffle={value!r}): expected True, False or 'batch'.")


def _as_result(logs: dict[str, float], program: Program, return_dict: bool) -> Scores:
    if return_dict:
        return logs
    known = [name for name in program.objective.log_names if name in logs]
    values = [logs[name] for name in (*known, *sorted(set(logs) - set(known)))]
    return values[0] if len(values) == 1 else values
