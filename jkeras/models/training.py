"""What a model does with data: `compile`, `fit`, `evaluate`, `predict` and their forms for one batch.

These methods check what they are given, choose the compiled step, and leave the work to `training/`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import jax
import numpy as np

from jkeras import losses, optimizers
from jkeras.callbacks.callback import CallbackList
from jkeras.errors import ArgumentError, InputError, NonFiniteError, NotCompiledError
from jkeras.graph.describe import describe
from jkeras.graph.network import is_ref
from jkeras.graph.shapes import show_shape
from jkeras.layers.core import Embedding, check_ids
from jkeras.models.discarded import check_used
from jkeras.models.handle import Handle
from jkeras.models.history import History
from jkeras.random_keys import as_key
from jkeras.tracebacks import filtered_methods
from jkeras.training import batches, loop, runs, steps, strategy
from jkeras.training import predict as prediction
from jkeras.training.batches import ArraySource, StreamSource, as_source
from jkeras.training.recipe import Recipe
from jkeras.training.state import Batch, TrainState, owned_copy


@filtered_methods("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
class Trainable:
    """The training methods of `Model`."""

    if TYPE_CHECKING:  # what `Model` has
        path: Any
        recipe: Any
        network: Any
        state: Any
        params: Any
        description: Any
        output_shape: Any
        input_specs: Any
        build_for: Any
        dtype_policy: Any
        _with: Any

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None, metrics: Any = None,
                weighted_metrics: Any = None, run_eagerly: bool = False, steps_per_execution: Any = "auto",
                jit_compile: Any = "auto", auto_scale_loss: bool = True, check_finite: bool = False,
                distribute: Any = None) -> Self:
        """A model that knows how to train. Nothing is compiled yet; arguments as in `Recipe`.

        Without `distribute` the strategy counts whose `scope()` the call is in, if there is one. In a model whose policy is
        `mixed_float16` the optimizer is wrapped in a `LossScaleOptimizer`, unless `auto_scale_loss=False`.

        The optimizer's state starts anew; weights stay.

        Raises:
            ArgumentError: a name is unknown (the nearest is given), or an argument has a value that is not allowed.
        """
        recipe = Recipe(
            optimizer, loss, loss_weights, metrics, weighted_metrics, run_eagerly, steps_per_execution, jit_compile,
            auto_scale_loss, check_finite, strategy.current() if distribute is None else distribute,
        )
        if self.dtype_policy.name == "mixed_float16":
            recipe = recipe.with_scaled_loss()
        check_used("compile")
        state = self.__dict__.get("_spec_state")
        return self._with(_spec_recipe=recipe, _spec_state=None if state is None else state.replace(opt_state=None))

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1, verbose: Any = "auto",
            callbacks: Any = None, validation_split: float = 0.0, validation_data: Any = None, shuffle: Any = True,
            class_weight: Any = None, sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
            validation_steps: int | None = None, validation_batch_size: int | None = None, validation_freq: Any = 1,
            *, seed: int | None = None) -> Self:
        """A trained model, with `.history`. The model it is called on stays as it was.

        Args:
            x: inputs: an array, a list or dict of arrays for several inputs, a pandas frame, or an iterable of batches.
            y: targets, likewise; None when `x` yields `(x, y)`.
            batch_size: rows in a batch, 32 if None.
            epochs: the number of the last epoch.
            verbose: 0 prints nothing, 1 a bar, 2 a line per epoch; "auto" is 1 on a terminal and 2 elsewhere.
            callbacks: `jkeras.callbacks`, or one's own.
            validation_split: the share of the data, taken from its end before shuffling, to validate on.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or an iterable of batches to validate on.
            shuffle: whether each pass through the data has an order of its own, drawn from the run's seed; "batch" leaves
                rows in their batch.
            class_weight: a weight per class.
            sample_weight: a weight per sample (or per time step).
            initial_epoch: the number of the first epoch, from 0.
            steps_per_epoch: batches in an epoch, for endless data; with arrays, the next epoch goes on where this one ends.
            validation_steps: batches in a validation.
            validation_batch_size: rows in a validation batch.
            validation_freq: validates every so many epochs, or after the epochs listed (counted from 1).
            seed: the seed of shuffling and dropout; None goes on from the model's state.

        Raises:
            NotCompiledError: the model was not compiled.
            InputError: the data does not fit the model or the loss; found before anything is compiled.
            NonFiniteError: with `compile(check_finite=True)`, a NaN or infinite value, and where it arose.

        A keyboard interrupt ends training and returns the model as trained so far.
        """
        recipe = self._compiled_recipe("fit")
        _check_counts("fit", 0, epochs=epochs, initial_epoch=initial_epoch)
        _check_counts("fit", 1, batch_size=batch_size, steps_per_epoch=steps_per_epoch, validation_steps=validation_steps,
                      validation_batch_size=validation_batch_size)
        _check_frequency(validation_freq)
        shuffle = _shuffle(shuffle)
        source = as_source(x, y, sample_weight, batch_size, steps_per_epoch)
        if isinstance(source, StreamSource) and self.__dict__.get("_spec_state") is not None:
            source.passes_before = int(np.max(self.state.step))  # so that no two runs see the same orders
        validation = None
        if validation_data is not None:
            validation = _validation_source(validation_data, validation_batch_size or batch_size, validation_steps)
        elif validation_split:
            if not isinstance(source, ArraySource):
                raise ArgumentError("validation_split needs arrays; for an iterable of batches pass validation_data.")
            source, validation = batches.split(source, validation_split)
            if validation_batch_size:
                validation = dataclasses.replace(validation, batch_size=min(validation_batch_size, validation.rows))
        # Class weights are for training alone, so they come after the split.
        source = batches.weighted(source, class_weight)
        example = source.example()
        model = self._ready_for(example.x)
        program = model._program(recipe, example)
        if class_weight is not None:
            _check_classes(class_weight, model.output_shape)
        for part, name in ((source, "y"), (validation, "y in validation_data")):
            model._check_data(part, program, recipe, name)
        check_used("fit")
        state = model._training_state(recipe, program, seed)
        job = model._job(program, state, example, None if validation is None else validation.example())
        running = model._with(_spec_state=state)
        directions = program.objective.directions
        handle = Handle(running, directions) if self._live is None else self._live.join(running, directions)
        callback_list = CallbackList(
            callbacks, handle, epochs=epochs, steps=source.steps_per_epoch, verbose=loop.shown(verbose)
        )
        options = loop.Options(
            epochs, initial_epoch, shuffle, verbose, job.runner.steps_per_dispatch(recipe.steps_per_execution),
            recipe.run_eagerly, recipe.check_finite, validation_freq,
        )
        with job.runner.guard():
            session = loop.fit(job, state, source, validation, options, callback_list, handle)
        final = job.runner.release(session.state)
        params = recipe.optimizer.finalize(steps.trainable(program, final.params), final.opt_state)
        final = final.replace(params=steps.merge(final.params, params))
        history = History(session.history, session.epochs, callback_list.params)
        if session.interrupted.is_set():
            print(f"\nInterrupted: returning the model as trained so far ({int(final.step)} steps).")
        trained = model._with(_spec_state=final, _spec_history=history)
        if self._live is None:
            handle.value = trained  # a callback that is asked afterwards knows the trained model
        return trained

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto",
                 sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
                 return_dict: bool = False) -> Any:
        """Loss and metrics in inference mode: a number, or `[loss, metric, ...]`, or a dict.

        Arguments as in `fit`. Raises what `fit` raises.
        """
        recipe = self._compiled_recipe("evaluate")
        _check_counts("evaluate", 1, batch_size=batch_size, steps=steps)
        source = as_source(x, y, sample_weight, batch_size, steps)
        example = source.example()
        model = self._ready_for(example.x)
        program = model._program(recipe, example)
        model._check_data(source, program, recipe)
        handle = self._live or Handle(model)
        callback_list = CallbackList(callbacks, handle, steps=source.steps_per_epoch, verbose=loop.shown(verbose))
        job = model._evaluation_job(program, model.state, example)
        with job.runner.guard():
            logs = loop.evaluate(
                job, model.state, source, callback_list, callback_list.call, verbose=verbose,
                run_eagerly=recipe.run_eagerly, current=lambda: handle.value.state,
            )
        return _as_result(logs, program, return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = "auto", steps: int | None = None,
                callbacks: Any = None) -> Any:
        """The outputs for all of `x` as NumPy arrays, in the structure of the model's outputs.

        Arguments as in `fit`; without `batch_size` the size of batches is chosen for speed.
        """
        _check_counts("predict", 1, batch_size=batch_size, steps=steps)
        source = as_source(x, None, None, batch_size, steps)
        model = self._ready_for(source.example().x)
        model._check_ids(source)
        handle = self._live or Handle(model)
        callback_list = CallbackList(callbacks, handle, steps=source.steps_per_epoch, verbose=loop.shown(verbose))
        runner = _runner(self.recipe)
        with runner.guard():
            return prediction.predict(
                model.definition, model.state, source, callback_list, verbose=verbose, chosen_size=batch_size is not None,
                run_eagerly=self.recipe is not None and self.recipe.run_eagerly, current=lambda: handle.value.state,
                runner=runner,
            )

    # -- one batch ------------------------------------------------------------------------------------------------

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
                       return_dict: bool = False) -> tuple[Self, Any]:
        """One optimizer step: the new model, and the loss and metrics of the batch."""
        recipe = self._compiled_recipe("train_on_batch")
        check_used("train_on_batch")
        source = _one_batch(x, y, sample_weight, class_weight)
        model = self._ready_for(source.data.x)
        program = model._program(recipe, source.data)
        model._check_data(source, program, recipe)
        state = model._training_state(recipe, program, None)
        job = model._job(program, state, source.data)
        program = job.program
        if recipe.distribute is None or recipe.run_eagerly:
            state = steps.train_and_keep(job.train, program, state, source.data, recipe.run_eagerly)
        else:
            owned = owned_copy(state.replace(metrics=steps.empty_metrics(program, source.data)))
            state = job.runner.release(job.runner.train_one(job.train, program, owned, source.data)[0])
        logs = loop.to_floats(steps.logs(program, state.metrics))
        return model._with(_spec_state=state.replace(metrics=None)), _as_result(logs, program, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch in inference mode."""
        size = batches.row_count(Batch(batches.to_arrays(x, "x")))
        return self.evaluate(x, y, size, 0, sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch as NumPy arrays."""
        x = batches.to_arrays(x, "x")
        model = self._ready_for(x)
        return jax.device_get(steps.predict_step(model.definition, model.state, x))

    # -- what fit stands on ---------------------------------------------------------------------------------------

    @property
    def history(self) -> History:
        """The logs of the last `fit`; empty before."""
        return self.__dict__.get("_spec_history") or History()

    @property
    def epoch(self) -> list[int]:
        """The epochs of the last `fit`, numbered from 0."""
        return self.history.epoch

    @property
    def optimizer(self) -> Any:
        """The optimizer that `compile` was given."""
        return None if self.recipe is None else self.recipe.optimizer

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update."""
        recipe = self._compiled_recipe("learning_rate")
        if self.state.opt_state is None:
            return float(self.with_optimizer_state().learning_rate)
        return float(optimizers.get_learning_rate(recipe.optimizer, self.state.opt_state))

    def with_learning_rate(self, value: float) -> Self:
        """The model with another learning rate; nothing is compiled again."""
        model = self.with_optimizer_state()
        opt_state = optimizers.set_learning_rate(model.recipe.optimizer, model.state.opt_state, value)
        return model._with(_spec_state=model.state.replace(opt_state=opt_state))

    def with_optimizer_state(self) -> Self:
        """The model with an optimizer state, made now if there is none yet."""
        recipe = self._compiled_recipe("with_optimizer_state")
        if self.state.opt_state is not None:
            return self
        frozen, _ = steps.trainable_parts(self.description)
        opt_state = steps.init_optimizer(recipe.optimizer, self.params, frozen)
        return self._with(_spec_state=self.state.replace(opt_state=opt_state))

    @property
    def metrics_names(self) -> list[str]:
        """The names in the order of `evaluate`'s list, for a model whose outputs' targets look like its outputs."""
        recipe = self._compiled_recipe("metrics_names")
        outputs = self.description.outputs
        program = steps.build_program(self.definition, recipe, Batch(self.input_specs, outputs))
        return program.objective.log_names

    @property
    def _live(self) -> Any:
        """The handle that this model was taken from in order to run it, which callbacks are to see; None without one."""
        return self.__dict__.get("_spec_live")

    def _ready_for(self, x: Any) -> Self:
        """The model with weights for inputs like these."""
        model = self.build_for(x)
        return model if self._live is None else self._live.adopt(model)

    def _compiled_recipe(self, method: str) -> Recipe:
        if self.recipe is None:
            raise NotCompiledError(
                f"`{method}` needs a compiled model. Write"
                f" `model = model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])` first."
            )
        return self.recipe

    def _program(self, recipe: Recipe, example: Batch) -> steps.Program:
        return steps.build_program(self.definition, recipe, example)

    # -- the step, for subclasses to override ---------------------------------------------------------------------

    def train_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Any]]:
        """One training step as a pure function: override it to train in another way.

        It is traced and compiled; the parts below are there to be called. The scalars in the logs are averaged over the
        epoch. The default::

            def train_step(self, state, batch):
                grads, scored = self.compute_gradients(state, batch)
                state = self.update_metrics(state, batch, scored)
                return self.apply_gradients(state, grads, scored), {}

        Args:
            state: params, model state, optimizer state, step and key.
            batch: `x`, `y`, `sample_weight` and `valid`.
        """
        grads, scored = self.compute_gradients(state, batch)
        state = self.update_metrics(state, batch, scored)
        return self.apply_gradients(state, grads, scored), {}

    def test_step(self, state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Any]]:
        """Scores one batch as a pure function: override it to evaluate and validate in another way.

        The scalars in the logs are averaged over the data set. The default::

            def test_step(self, state, batch):
                scored = self.compute_loss(state, batch, training=False)
                return self.update_metrics(state, batch, scored), {}
        """
        scored = self.compute_loss(state, batch, training=False)
        return self.update_metrics(state, batch, scored), {}

    def forward(self, state: TrainState, batch: Batch, training: bool = True) -> Any:
        """Inside a step: runs the model; `.outputs`, `.state`."""
        return steps.forward(self._step_program, state, batch, training)

    def compute_loss(self, state: TrainState, batch: Batch, training: bool = True) -> Any:
        """Inside a step: the scored batch, with `.loss` and `.outputs`."""
        return steps.score(self._step_program, self.forward(state, batch, training), batch)

    def compute_gradients(self, state: TrainState, batch: Batch) -> tuple[dict[str, Any], Any]:
        """Inside a step: gradients by path, and the scored batch."""
        return steps.compute_gradients(self._step_program, state, batch)

    def gradients_of(self, loss: Callable[[Any], Any], state: TrainState, only: str = "*") -> tuple[dict[str, Any], Any]:
        """Inside a step: gradients by path of `loss(params)`, and what it returned.

        Args:
            loss: a function of params, nested as in `state.params`, that returns a scalar, or a tuple of one and more.
            state: whose params are differentiated by.
            only: a pattern for the paths of weights, such as `"generator/*"`; no gradients for the others.
        """
        return steps.gradients_of(self._step_program, state, loss, only)

    def random_key(self, state: TrainState, name: str) -> jax.Array:
        """Inside a step: a random key of that name for this step, the same in every run with the same seed."""
        return steps.stream(state.rng, name, state.step)

    def apply_gradients(self, state: TrainState, grads: Mapping[str, Any], scored: Any = None) -> TrainState:
        """Inside a step: the state after one optimizer update."""
        return steps.apply_gradients(self._step_program, state, grads, scored)

    def update_metrics(self, state: TrainState, batch: Batch, scored: Any) -> TrainState:
        """Inside a step: the state with running metrics that include the batch."""
        return steps.update_metrics(self._step_program, state, batch, scored)

    @property
    def _step_program(self) -> steps.Program:
        program = self.__dict__.get("_spec_program")
        if program is None:
            raise NotCompiledError("This helper works inside `train_step` while the model trains.")
        return program

    def in_step(self, program: steps.Program) -> Self:
        """The model as `train_step` sees it."""
        return self._with(_spec_program=program)

    @property
    def has_own_train_step(self) -> bool:
        """Whether a subclass overrides `train_step`."""
        return type(self).train_step is not Trainable.train_step

    @property
    def has_own_test_step(self) -> bool:
        """Whether a subclass overrides `test_step`."""
        return type(self).test_step is not Trainable.test_step

    @property
    def own_metrics(self) -> tuple[tuple[str, Any], ...]:
        """Name and metric of each metric that an overridden step keeps in `state.metrics` beside the compiled ones."""
        return ()

    def _job(
        self, program: steps.Program, state: TrainState, example: Batch, scored: Batch | None = None
    ) -> loop.Job:
        """What a run needs, for batches like `example` in training and `scored` in evaluation."""
        evaluation = self._evaluation_job(program, state, example if scored is None else scored)
        if not self.has_own_train_step:
            return dataclasses.replace(evaluation, program=program, scoring=evaluation.program)
        own = steps.with_own_logs(program, "train_step", state, example)
        return dataclasses.replace(evaluation, program=own, train=steps.train_custom, scoring=evaluation.program)

    def _evaluation_job(self, program: steps.Program, state: TrainState, example: Batch) -> loop.Job:
        if not self.has_own_test_step:
            return loop.Job(program, steps.train, steps.evaluate, _runner(self.recipe))
        own = steps.with_own_logs(program, "test_step", state, example)
        return loop.Job(own, steps.train, steps.evaluate_custom, _runner(self.recipe))

    def _training_state(self, recipe: Recipe, program: steps.Program, seed: int | None) -> TrainState:
        state = self.state
        if state.opt_state is None:
            opt_state = steps.init_optimizer(recipe.optimizer, state.params, program.frozen)
            state = state.replace(opt_state=opt_state)
        return state if seed is None else state.replace(rng=as_key(seed))

    def _check_data(
        self, source: ArraySource | StreamSource | None, program: steps.Program, recipe: Recipe, name: str = "y"
    ) -> None:
        """Compares labels with losses, ids with embeddings, and looks for NaN when asked to."""
        if source is None:
            return
        data = source.data if isinstance(source, ArraySource) else source.example()
        names = program.objective.names
        # Described for one batch: a model may have a fixed batch size.
        described = describe(program.definition, *steps.call_arguments(source.example().x))
        outputs = jax.tree.leaves(described.outputs)
        targets = steps.match(data.y, names, len(outputs), "y")
        for term in program.objective.losses:
            target = targets[term.output]
            where = f"{self.path}/{names[term.output]}" if len(names) > 1 else self.path
            if target is None:
                raise InputError(f"{where} has a loss, but there is no {name} for it.")
            shape = (len(target), *outputs[term.output].shape[1:])
            losses.check_targets(term.loss, np.asarray(target), shape, where)
        if isinstance(source, ArraySource):
            self._check_ids(source)
        if recipe.check_finite:
            _check_finite(data)

    def _check_ids(self, source: ArraySource | StreamSource) -> None:
        """Compares integer inputs with their type and the tables of the embeddings that they go straight into."""
        if not isinstance(source, ArraySource):
            return
        network = getattr(self, "_network", None)
        for position, info in enumerate(network.input_infos if network is not None else ()):
            value = _pick(source.data.x, (position, info.name))
            if value is not None and info.dtype.startswith(("int", "uint")):
                _check_whole(f"{self.path}/{info.name}", np.asarray(value), info.dtype)
        for tensor_path, layer in embeddings_on_inputs(self):
            value = _pick(source.data.x, tensor_path)
            if value is not None:
                check_ids(layer.name or "embedding", np.asarray(value), layer.input_dim)


def _runner(recipe: Recipe | None) -> Any:
    """What runs steps: the loops for one device, or those of a strategy."""
    return runs.runner() if recipe is None or recipe.distribute is None else recipe.distribute.runner()


def embeddings_on_inputs(model: Any) -> list[tuple[Any, Embedding]]:
    """Embeddings applied directly to an input, with the input's position and name."""
    network = getattr(model, "_network", None)
    if network is None:
        first = next(iter(model.children().values()), None)
        return [((0, None), first)] if isinstance(first, Embedding) and hasattr(model, "add") else []
    found = []
    for op in network.ops:
        layer = network.layers[op.layer]
        if isinstance(layer, Embedding) and op.args.leaves:
            first = op.args.leaves[0]
            for position, info in enumerate(network.input_infos):
                if is_ref(first) and first.index == info.ref:
                    found.append(((position, info.name), layer))
    return found


def _pick(x: Any, where: tuple[int, str | None]) -> Any:
    position, name = where
    if isinstance(x, Mapping):
        return x.get(name)
    leaves = jax.tree.leaves(x)
    return leaves[position] if position < len(leaves) else None


def _check_counts(method: str, minimum: int, **counts: Any) -> None:
    for name, value in counts.items():
        if value is None and minimum:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
            raise ArgumentError(f"{method}({name}={value!r}): expected an integer of at least {minimum}.")


def _check_frequency(value: Any) -> None:
    epochs = value if isinstance(value, (list, tuple, set, range)) else [value]
    if not all(isinstance(e, (int, np.integer)) and not isinstance(e, bool) and e >= 1 for e in epochs):
        raise ArgumentError(f"fit(validation_freq={value!r}): expected an integer of at least 1, or a list of epochs.")


def _check_classes(class_weight: Mapping[int, float], output_shape: Any) -> None:
    """Raises for classes that a model with one output cannot tell apart."""
    if isinstance(output_shape, tuple) and output_shape and isinstance(output_shape[-1], int):
        count = max(output_shape[-1], 2)  # one unit tells two classes apart
        wrong = [c for c in class_weight if not 0 <= c < count]
        if wrong:
            raise ArgumentError(
                f"class_weight has a weight for the class {wrong[0]!r}; a model with the output {show_shape(output_shape)}"
                f" has the classes 0 to {count - 1}."
            )


def _shuffle(value: Any) -> bool | str:
    if value == "batch" or isinstance(value, (bool, np.bool_, int)):
        return value if value == "batch" else bool(value)
    raise ArgumentError(f"fit(shuffle={value!r}): expected True, False or 'batch'.")


def _validation_source(data: Any, batch_size: int | None, steps_: int | None) -> ArraySource | StreamSource:
    if isinstance(data, tuple) and len(data) == 1 and batches.is_array_data(data[0]):
        data = data[0]
    if isinstance(data, tuple) and len(data) > 3 and batches.is_array_data(data[0]):
        raise ArgumentError(f"validation_data: expected (x, y) or (x, y, sample_weight), got a tuple of {len(data)}.")
    if isinstance(data, (tuple, list)) and 2 <= len(data) <= 3 and batches.is_array_data(data[0]):
        return as_source(data[0], data[1], data[2] if len(data) == 3 else None, batch_size, steps_)
    return as_source(data, None, None, batch_size, steps_)


def _one_batch(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> ArraySource:
    rows = batches.row_count(Batch(batches.to_arrays(x, "x")))
    source = batches.weighted(as_source(x, y, sample_weight, rows), class_weight)
    if not isinstance(source, ArraySource):
        raise InputError("A batch must be arrays.")
    return source


def _as_result(logs: dict[str, float], program: steps.Program, return_dict: bool) -> Any:
    if return_dict:
        return logs
    known = [name for name in program.objective.log_names if name in logs]
    values = [logs[name] for name in (*known, *sorted(set(logs) - set(known)))]
    return values[0] if len(values) == 1 else values


def _check_whole(where: str, values: np.ndarray, dtype: str) -> None:
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        wrong = values[values != np.floor(values)].flat[0]
        raise InputError(
            f"{where} got data of type {values.dtype}, with {wrong:g} in it; the model's input is {dtype} and would cut it"
            f" off. Pass integers, or give the model a float `Input`."
        )


def _check_finite(data: Batch) -> None:
    for name in ("x", "y", "sample_weight"):
        for path, leaf in jax.tree_util.tree_leaves_with_path(getattr(data, name)):
            array = np.asarray(leaf)
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                row = int(np.argwhere(~np.isfinite(array))[0][0])
                raise NonFiniteError(
                    f"{name}{jax.tree_util.keystr(path)} of shape {show_shape(array.shape)} holds NaN or infinite values,"
                    f" first in sample {row}. Clean it, for example with `np.nan_to_num(x)`."
                )


