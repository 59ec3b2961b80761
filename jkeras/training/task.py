"""What is trained, evaluated or predicted, and on what. `prepare` makes it of a model and data, and raises all errors.

A `Task` has everything that is compiled for, and its data; it has no arrays of its own and is not changed by a run.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Protocol, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import InputError
from jkeras.graph.describe import shape_key, unflatten
from jkeras.graph.layer import Layer
from jkeras.random_keys import as_key
from jkeras.training import steps
from jkeras.training.array_source import ArraySource
from jkeras.training.compiled_loops import CompiledLoops, loops_of
from jkeras.training.layout import Layout
from jkeras.training.own_steps import TEST, TRAIN, evaluate_custom, train_custom, with_own_logs
from jkeras.training.program import Program, build_program, init_optimizer
from jkeras.training.recipe import Recipe, compiled_recipe
from jkeras.training.sources import Source, TrainingData, ValidationData, sources_of
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.step import Step
from jkeras.training.stream_source import StreamSource
from jkeras.types import Array, PyTree
from jkeras.values.frozen import Template


class TaskModel(Protocol):
    """What `prepare` asks of a model; `models/trainable.py` has it."""

    @property
    def definition(self) -> Any: ...
    @property
    def recipe(self) -> Recipe | None: ...
    @property
    def state(self) -> TrainState: ...
    @property
    def steps_taken(self) -> int: ...
    @property
    def has_own_train_step(self) -> bool: ...
    @property
    def has_own_test_step(self) -> bool: ...
    def build_for(self, inputs: Any) -> Self: ...
    def check_task(self, task: Task, class_weight: Any) -> None: ...


@dataclasses.dataclass
class Options:
    """How `fit` runs."""

    epochs: int = 1
    initial_epoch: int = 0
    shuffle: Any = True
    verbose: Any = "auto"
    steps_per_execution: Any = "auto"
    check_finite: bool = False
    validation_freq: Any = 1
    seed: int | None = None
    donate: bool = False
    # Whether the run is a single step that gives no arrays away; see `one_step.py`.
    is_one_step: bool = False
    # Whether an epoch that the interrupt key cuts short ends as others do: with logs, `on_epoch_end` and its line.
    ends_interrupted_epoch: bool = True


@dataclasses.dataclass
class Task:
    """What is trained or evaluated, and on what.

    Attributes:
        train: the training step.
        evaluate: the step of evaluation and validation.
        source: the data to train on, or to evaluate on.
        loops: what runs the steps.
        validation: the data to validate on.
        run_eagerly: whether steps run without being compiled.
        model: the model with weights for this data.
    """

    train: Step
    evaluate: Step
    source: Source
    loops: CompiledLoops = dataclasses.field(default_factory=loops_of)
    validation: Source | None = None
    run_eagerly: bool = False
    model: Any = None

    @property
    def layout(self) -> Layout:
        """Where the arrays live."""
        return self.loops.layout

    @property
    def arrays(self) -> ArraySource:
        """The data of a task that was prepared with `in_memory`."""
        if not isinstance(self.source, ArraySource):
            raise InputError("The data is a stream of batches, not arrays.")
        return self.source

    def logs(self, step: Step, metrics: PyTree[Any]) -> dict[str, Any]:
        """Metric values from the metric states of a step."""
        result: dict[str, Any] = self.loops.logs(step.program, metrics)
        return result

    def empty_metrics(self, step: Step, batch: Batch) -> Any:
        """Metric states of a step before the first batch, on the host."""
        return _empty_metrics(step.program, *shape_key((batch.x, batch.y))).fill()

    def first_state(self, seed: int | None = None, state: TrainState | None = None) -> TrainState:
        """The state that training starts from: the model's, with an optimizer's state, and perhaps another root key.

        Args:
            seed: the seed of the root key; None is the state's own.
            state: in the place of the model's.
        """
        state = self.model.state if state is None else state
        if arrays_of(state).opt_state is None:
            recipe: Recipe = self.model.recipe
            opt_state = init_optimizer(recipe.optimizer, arrays_of(state).params, self.train.program.frozen)
            state = state.replace(opt_state=opt_state)
        return state if seed is None else state.replace(rng=as_key(seed))


@dataclasses.dataclass
class PredictionTask:
    """What is predicted, and for what.

    Attributes:
        definition: the definition of the model, without arrays.
        source: the inputs.
        loops: what runs the forward pass.
        run_eagerly: whether it runs without being compiled.
        chosen_size: whether the user chose the size of batches.
        model: the model with weights for this data.
    """

    definition: Layer
    source: Source
    loops: CompiledLoops
    run_eagerly: bool = False
    chosen_size: bool = False
    model: Any = None


def prepare(
    model: TaskModel,
    data: TrainingData,
    held_out: ValidationData | None = None,
    *,
    method: str = "fit",
    in_memory: bool = False,
) -> Task:
    """A task for a compiled model and data, after all checks of both; nothing is compiled.

    Args:
        model: a compiled model.
        data: what to train or to evaluate on: arrays, an iterable of batches, or shapes (`Batch` of `jax.ShapeDtypeStruct`).
        held_out: what to validate on.
        method: what was called, for messages.
        in_memory: whether the data must be arrays.

    Raises:
        NotCompiledError: the model was not compiled.
        InputError: the data is empty, of a kind that cannot be used, or does not match the model, its losses or its metrics.
        ArgumentError: an argument does not go with this kind of data.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> task = prepare(model, TrainingData(np.ones((8, 2), "float32"), np.ones((8, 1), "float32"), batch_size=4))
    >>> task.source.steps_per_epoch, task.model.built
    (2, True)
    """
    recipe = recipe_of(model, method)
    source, validation = sources_of(data, held_out)
    if isinstance(source, StreamSource):
        source.passes_before = model.steps_taken  # so that no two of its runs see the same orders
    if in_memory and not all(part is None or isinstance(part, ArraySource) for part in (source, validation)):
        raise InputError("Models that train together take arrays, since each sees them in an order of its own.")
    task = _compiled_task(model, recipe, source, validation)
    task.model.check_task(task, data.class_weight)
    return _with_own_steps(task)


def task_for(model: TaskModel, batch: Batch, state: TrainState) -> Task:
    """A task for shapes alone, to look at its programs (`abstract_programs`): there is no data to check.

    Args:
        model: a compiled model.
        batch: shapes and types of a batch.
        state: those of the state that training starts from.
    """
    rows = steps.batch_size(batch)
    task = _compiled_task(model, recipe_of(model, "fit"), ArraySource(batch, rows, rows), None)
    return _with_own_steps(task, state)


def _compiled_task(model: TaskModel, recipe: Recipe, source: Source, validation: Source | None) -> Task:
    example = source.example()
    model = model.build_for(example.x)
    program = build_program(model.definition, recipe, example)
    train, evaluate = Step(steps.train, program), Step(steps.evaluate, program)
    return Task(train, evaluate, source, loops_of(recipe.distribute), validation, recipe.run_eagerly, model)


def _with_own_steps(task: Task, state: TrainState | None = None) -> Task:
    """The task with the steps that its model overrides; they are traced for a state, by default the model's."""
    model: TaskModel = task.model
    if model.has_own_test_step:
        scored = (task.validation or task.source).example()
        own = with_own_logs(task.evaluate.program, TEST, state or model.state, scored)
        task = dataclasses.replace(task, evaluate=Step(evaluate_custom, own))
    if model.has_own_train_step:
        own = with_own_logs(task.train.program, TRAIN, state or model.state, task.source.example())
        task = dataclasses.replace(task, train=Step(train_custom, own))
    return task


def prepare_prediction(model: TaskModel, source: Source, chosen_size: bool = False) -> PredictionTask:
    """A task for a model and inputs; see `prepare`."""
    model = model.build_for(source.example().x)
    recipe = model.recipe
    loops = loops_of(None if recipe is None else recipe.distribute)
    return PredictionTask(
        model.definition, source, loops, recipe is not None and recipe.run_eagerly, chosen_size, model
    )


def recipe_of(model: TaskModel, method: str) -> Recipe:
    """The recipe that a model was compiled with.

    Raises:
        NotCompiledError: it was not.
    """
    return compiled_recipe(model.recipe, method)


@functools.lru_cache(maxsize=256)
def _empty_metrics(program: Program, leaves: tuple[Any, ...], structure: PyTree[Any]) -> Template:
    x, y = unflatten(structure, leaves, jax.ShapeDtypeStruct)
    return Template.of(jax.tree.map(_on_host, steps.empty_metrics(program, Batch(x, y))))


def _on_host(array: Array) -> Any:
    return array if jnp.issubdtype(array.dtype, jax.dtypes.prng_key) else np.asarray(array)


def to_floats(values: Any) -> dict[str, Any]:
    """Metric values on the host, sorted by name as Keras has them; those that are vectors stay arrays."""
    if jax.default_backend() != "cpu":
        for value in values.values():
            if isinstance(value, jax.Array):
                value.copy_to_host_async()  # all of them at once; `jax.device_get` takes as long again for the tree
    fetched = {name: np.asarray(values[name]) for name in sorted(values)}
    return {name: float(value) if value.ndim == 0 else value for name, value in fetched.items()}
