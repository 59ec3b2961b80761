"""What a model does with data: `compile`, `fit`, `evaluate`, `predict` and their forms for one batch.

These functions check what they are given, choose the compiled step, and leave the work to `training/`. `Model` has a
method for each of them, where their arguments are explained.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

import jax
import numpy as np

from jkeras.buffers import owned_copy
from jkeras.callbacks.callback import CallbackList
from jkeras.console.progress import resolve_verbosity
from jkeras.errors import ArgumentError, InputError, NotCompiledError
from jkeras.models.consumed import consume
from jkeras.models.data_checks import check_classes, check_counts, check_data, check_embedded_ids, check_frequency
from jkeras.models.discarded import check_used
from jkeras.models.handle import Handle
from jkeras.models.history import History
from jkeras.models.interruption import interrupted
from jkeras.models.step_methods import ModelWithSteps
from jkeras.paths import merge
from jkeras.random_keys import as_key
from jkeras.training import batches, evaluation, loop, prediction, steps
from jkeras.training.array_source import ArraySource
from jkeras.training.compiled_loops import CompiledLoops, loops_of
from jkeras.training.own_steps import TEST, TRAIN, evaluate_custom, train_custom, with_own_logs
from jkeras.training.program import Program, build_program, init_optimizer, trainable
from jkeras.training.recipe import Recipe
from jkeras.training.sources import as_source, split, weighted
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.step import Step
from jkeras.training.stream_source import StreamSource
from jkeras.training.task import Options, Task, to_floats
from jkeras.types import CallbacksLike, Data, Verbose

Model = TypeVar("Model", bound=ModelWithSteps)

# What evaluation gives: one number, the loss and each metric, or all of them by name.
Scores: TypeAlias = float | list[float] | dict[str, float]


def compiled(model: Model, recipe: Recipe) -> Model:
    """The model with a recipe; a policy of `mixed_float16` scales the loss."""
    if model.dtype_policy.name == "mixed_float16":
        recipe = recipe.with_scaled_loss()
    state = model._spec_contents.state
    return model._evolve(recipe=recipe, state=None if state is None else state.replace(opt_state=None))


def fit(
    model: Model,
    x: Data | None,
    y: Data | None,
    batch_size: int | None,
    epochs: int,
    verbose: Verbose,
    callbacks: CallbacksLike,
    validation_split: float,
    validation_data: Data | None,
    shuffle: bool | Literal["batch"],
    class_weight: Mapping[Any, float] | None,
    sample_weight: Data | None,
    initial_epoch: int,
    steps_per_epoch: int | None,
    validation_steps: int | None,
    validation_batch_size: int | None,
    validation_freq: int | Iterable[int],
    seed: int | None,
    donate: bool,
) -> Model:
    """See `Model.fit`."""
    recipe = compiled_recipe(model, "fit")
    check_counts("fit", 0, epochs=epochs, initial_epoch=initial_epoch)
    check_counts(
        "fit",
        1,
        batch_size=batch_size,
        steps_per_epoch=steps_per_epoch,
        validation_steps=validation_steps,
        validation_batch_size=validation_batch_size,
    )
    check_frequency(validation_freq)
    shuffle = _shuffle(shuffle)
    source = as_source(x, y, sample_weight, batch_size, steps_per_epoch)
    if isinstance(source, StreamSource) and model._spec_contents.state is not None:
        source.passes_before = int(np.max(model.state.step))  # so that no two runs see the same orders
    validation = None
    if validation_data is not None:
        validation = _validation_source(validation_data, validation_batch_size or batch_size, validation_steps)
    elif validation_split:
        if not isinstance(source, ArraySource):
            raise ArgumentError("validation_split needs arrays; for an iterable of batches pass validation_data.")
        source, validation = split(source, validation_split)
        if validation_batch_size:
            validation = dataclasses.replace(validation, batch_size=min(validation_batch_size, validation.rows))
    # Class weights are for training alone, so they come after the split.
    source = weighted(source, class_weight)
    example = source.example()
    model = ready_for(model, example.x)
    program = build_program(model.definition, recipe, example)
    if class_weight is not None:
        check_classes(class_weight, jax.tree.map(lambda spec: spec.shape, model.description.outputs))
    for part, name in ((source, "y"), (validation, "y in validation_data")):
        check_data(model, part, program, recipe, name)
    check_used("fit", 3)
    state = training_state(model, recipe, program, seed)
    task = training_task(model, program, state, example, None if validation is None else validation.example())
    running = model._evolve(state=state)
    directions = program.objective.directions
    outer = model._spec_contents.handle
    handle = Handle(running, directions) if outer is None else outer.join(running, directions)
    callback_list = CallbackList(
        callbacks, handle, epochs=epochs, steps=source.steps_per_epoch, verbose=resolve_verbosity(verbose)
    )
    options = Options(
        epochs,
        initial_epoch,
        shuffle,
        verbose,
        task.layout.steps_per_dispatch(recipe.steps_per_execution),
        recipe.run_eagerly,
        recipe.check_finite,
        validation_freq,
    )
    with task.layout.guard():
        owned = consume(state, "fit") if donate else _owned(model, state)
        fit_run = loop.fit(task, owned, source, validation, options, callback_list, handle)
    final = task.layout.release(fit_run.state)
    arrays = arrays_of(final)
    params = recipe.optimizer.finalize(trainable(program, arrays.params), arrays.opt_state)
    final = final.replace(params=merge(arrays.params, params))
    history = History(fit_run.history, fit_run.epochs, callback_list.params)
    trained = model._evolve(state=final, history=history)
    if outer is None:
        handle.value = trained  # a callback that is asked afterwards knows the trained model
    return interrupted(trained, int(np.max(final.step))) if fit_run.interrupted.is_set() else trained


def evaluate(
    model: ModelWithSteps,
    x: Data | None,
    y: Data | None,
    batch_size: int | None,
    verbose: Verbose,
    sample_weight: Data | None,
    steps_: int | None,
    callbacks: CallbacksLike,
    return_dict: bool,
) -> Scores:
    """See `Model.evaluate`."""
    recipe = compiled_recipe(model, "evaluate")
    check_counts("evaluate", 1, batch_size=batch_size, steps=steps_)
    source = as_source(x, y, sample_weight, batch_size, steps_)
    example = source.example()
    model = ready_for(model, example.x)
    program = build_program(model.definition, recipe, example)
    check_data(model, source, program, recipe)
    handle = model._spec_contents.handle or Handle(model)
    callback_list = CallbackList(callbacks, handle, steps=source.steps_per_epoch, verbose=resolve_verbosity(verbose))
    task = evaluation_task(model, program, model.state, example)
    with task.layout.guard():
        logs = evaluation.evaluate(
            task,
            model.state,
            source,
            callback_list,
            callback_list.call,
            verbose=verbose,
            run_eagerly=recipe.run_eagerly,
            current=lambda: handle.value.state,
        )
    return _as_result(logs, program, return_dict)


def predict(
    model: ModelWithSteps,
    x: Data | None,
    batch_size: int | None,
    verbose: Verbose,
    steps_: int | None,
    callbacks: CallbacksLike,
) -> Any:
    """See `Model.predict`."""
    check_counts("predict", 1, batch_size=batch_size, steps=steps_)
    source = as_source(x, None, None, batch_size, steps_)
    model = ready_for(model, source.example().x)
    check_embedded_ids(model, source)
    handle = model._spec_contents.handle or Handle(model)
    callback_list = CallbackList(callbacks, handle, steps=source.steps_per_epoch, verbose=resolve_verbosity(verbose))
    loops = _loops(model.recipe)
    with loops.layout.guard():
        return prediction.predict(
            model.definition,
            model.state,
            source,
            callback_list,
            verbose=verbose,
            chosen_size=batch_size is not None,
            run_eagerly=model.recipe is not None and model.recipe.run_eagerly,
            current=lambda: handle.value.state,
            loops=loops,
        )


# -- one batch -----------------------------------------------------------------------------------------------------


def train_on_batch(
    model: Model,
    x: Data | None,
    y: Data | None,
    sample_weight: Data | None,
    class_weight: Mapping[Any, float] | None,
    return_dict: bool,
    donate: bool,
) -> tuple[Model, Scores]:
    """See `Model.train_on_batch`."""
    recipe = compiled_recipe(model, "train_on_batch")
    check_used("train_on_batch", 3)
    source = _one_batch(x, y, sample_weight, class_weight)
    model = ready_for(model, source.data.x)
    program = build_program(model.definition, recipe, source.data)
    check_data(model, source, program, recipe)
    state = training_state(model, recipe, program, None)
    task = training_task(model, program, state, source.data)
    state = state.replace(metrics=task.empty_metrics(task.train, source.data))
    if recipe.run_eagerly:
        with jax.disable_jit():
            values = jax.tree.map(jax.numpy.asarray, (state, source.data))
            state = task.train(*values)
            values = steps.compute_logs(task.train.program, arrays_of(state).metrics)
    elif recipe.distribute is None and not donate:
        state, values = task.loops.step_with_logs(task.train, state, source.data)
    else:
        state = consume(state, "train_on_batch") if donate else owned_copy(state)
        state = task.layout.release(task.loops.train_one(task.train, state, source.data)[0])
        values = task.logs(task.train, arrays_of(state).metrics)
    logs = to_floats(values)
    return model._evolve(state=state.replace(metrics=None)), _as_result(logs, program, return_dict)


def test_on_batch(
    model: ModelWithSteps, x: Data | None, y: Data | None, sample_weight: Data | None, return_dict: bool
) -> Scores:
    """See `Model.test_on_batch`."""
    recipe = compiled_recipe(model, "test_on_batch")
    source = _one_batch(x, y, sample_weight, None)
    if recipe.distribute is not None or recipe.run_eagerly or model._spec_contents.handle is not None:
        return evaluate(model, x, y, source.rows, 0, sample_weight, None, None, return_dict)
    model = ready_for(model, source.data.x)
    program = build_program(model.definition, recipe, source.data)
    check_data(model, source, program, recipe)
    task = evaluation_task(model, program, model.state, source.data)
    state = model.state.forward.replace(metrics=task.empty_metrics(task.evaluate, source.data))
    logs = to_floats(task.loops.logs_of_step(task.evaluate, state, source.data))
    return _as_result(logs, program, return_dict)


def predict_on_batch(model: ModelWithSteps, x: Data | None) -> Any:
    """See `Model.predict_on_batch`."""
    x = batches.to_arrays(x, "x")
    model = ready_for(model, x)
    return jax.device_get(loops_of().predict(model.definition, model.state, x))


# -- what these stand on -------------------------------------------------------------------------------------------


def ready_for(model: Model, x: Data | None) -> Model:
    """The model with weights for inputs like these."""
    handle = model._spec_contents.handle
    model = model.build_for(x)
    return model if handle is None else handle.adopt(model)


def compiled_recipe(model: ModelWithSteps, method: str) -> Recipe:
    """The recipe that the model was compiled with.

    Raises:
        NotCompiledError: it was not.
    """
    if model.recipe is None:
        raise NotCompiledError(
            f"`{method}` needs a compiled model. Write"
            f" `model = model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])` first."
        )
    return model.recipe


def training_task(
    model: ModelWithSteps, program: Program, state: TrainState, example: Batch, scored: Batch | None = None
) -> Task:
    """What a run needs, for batches like `example` in training and `scored` in evaluation."""
    evaluation = evaluation_task(model, program, state, example if scored is None else scored)
    if not model.has_own_train_step:
        return evaluation
    own = with_own_logs(program, TRAIN, state, example)
    return dataclasses.replace(evaluation, train=Step(train_custom, own))


def evaluation_task(model: ModelWithSteps, program: Program, state: TrainState, example: Batch) -> Task:
    """What an evaluation needs, for batches like `example`."""
    train = Step(steps.train, program)
    if not model.has_own_test_step:
        return Task(train, Step(steps.evaluate, program), _loops(model.recipe))
    own = with_own_logs(program, TEST, state, example)
    return Task(train, Step(evaluate_custom, own), _loops(model.recipe))


def training_state(model: ModelWithSteps, recipe: Recipe, program: Program, seed: int | None) -> TrainState:
    """The state that training starts from, with an optimizer's state."""
    state = model.state
    if arrays_of(state).opt_state is None:
        opt_state = init_optimizer(recipe.optimizer, arrays_of(state).params, program.frozen)
        state = state.replace(opt_state=opt_state)
    return state if seed is None else state.replace(rng=as_key(seed))


def _owned(model: ModelWithSteps, state: TrainState) -> TrainState:
    """The state for a run to train in: copies of what the model has, and the optimizer's state if it was just made."""
    if arrays_of(model.state).opt_state is None:
        copied: TrainState = owned_copy(state.replace(opt_state=None))
        return copied.replace(opt_state=arrays_of(state).opt_state)
    result: TrainState = owned_copy(state)
    return result


def _loops(recipe: Recipe | None) -> CompiledLoops:
    """What runs steps: the loops for one device, or those of a strategy."""
    return loops_of(None if recipe is None else recipe.distribute)


def _shuffle(value: object) -> bool | Literal["batch"]:
    if value == "batch":
        return "batch"
    if isinstance(value, (bool, np.bool_, int)):
        return bool(value)
    raise ArgumentError(f"fit(shuffle={value!r}): expected True, False or 'batch'.")


def _validation_source(data: Data, batch_size: int | None, steps_: int | None) -> ArraySource | StreamSource:
    if isinstance(data, tuple) and len(data) == 1 and batches.is_array_data(data[0]):
        data = data[0]
    if isinstance(data, tuple) and len(data) > 3 and batches.is_array_data(data[0]):
        raise ArgumentError(f"validation_data: expected (x, y) or (x, y, sample_weight), got a tuple of {len(data)}.")
    if isinstance(data, (tuple, list)) and 2 <= len(data) <= 3 and batches.is_array_data(data[0]):
        return as_source(data[0], data[1], data[2] if len(data) == 3 else None, batch_size, steps_)
    return as_source(data, None, None, batch_size, steps_)


def _one_batch(
    x: Data | None, y: Data | None, sample_weight: Data | None, class_weight: Mapping[Any, float] | None
) -> ArraySource:
    rows = batches.row_count(Batch(batches.to_arrays(x, "x")))
    source = weighted(as_source(x, y, sample_weight, rows), class_weight)
    if not isinstance(source, ArraySource):
        raise InputError("A batch must be arrays.")
    return source


def _as_result(logs: dict[str, float], program: Program, return_dict: bool) -> Scores:
    if return_dict:
        return logs
    known = [name for name in program.objective.log_names if name in logs]
    values = [logs[name] for name in (*known, *sorted(set(logs) - set(known)))]
    return values[0] if len(values) == 1 else values
