"""The methods of a model that train and query it; `models/training.py` implements them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self, overload

from jkeras import arguments, optimizers
from jkeras.discarded import check_used
from jkeras.models import training
from jkeras.models.step_methods import ModelWithSteps
from jkeras.tracebacks import filtered_methods
from jkeras.training import strategy
from jkeras.training.program import build_program, init_optimizer, trainable_parts
from jkeras.training.recipe import Recipe
from jkeras.training.sources import TrainingData, ValidationData
from jkeras.training.state import Batch, arrays_of
from jkeras.training.task import Options, recipe_of
from jkeras.types import CallbacksLike, Data, LossesLike, MetricsLike, OptimizerLike, Verbose
from jkeras.values.frozen import FrozenList


@filtered_methods("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
@filtered_methods("with_learning_rate")
class TrainableModel(ModelWithSteps):
    """A model that can be compiled, trained, evaluated and used for predictions."""

    def compile(
        self,
        optimizer: OptimizerLike = "rmsprop",
        loss: LossesLike = None,
        loss_weights: float | Sequence[float] | Mapping[str, float] | None = None,
        metrics: MetricsLike = None,
        weighted_metrics: MetricsLike = None,
        run_eagerly: bool = False,
        steps_per_execution: int | Literal["auto"] = "auto",
        jit_compile: bool | Literal["auto"] = "auto",
        auto_scale_loss: bool = True,
        check_finite: bool = False,
        distribute: object = None,
    ) -> Self:
        """Configures the model for training and returns it. Nothing is compiled yet.

        If the model's policy is `mixed_float16`, the optimizer is wrapped in a `LossScaleOptimizer` unless
        `auto_scale_loss=False`. The optimizer's state is reset; weights are kept.

        Args:
            optimizer: a name, an `Optimizer`, or any Optax transformation.
            loss: a name, a `Loss` or a function `(y_true, y_pred) -> values`; a list or dict of them for several outputs.
            loss_weights: numbers, in the same structure as the losses.
            metrics: a list, or one per output in a list of lists or a dict.
            weighted_metrics: likewise; these take sample weights into account.
            run_eagerly: whether to run each step without compiling it, to debug it line by line.
            steps_per_execution: the number of steps in one call of the compiled loop; "auto" keeps the progress bar responsive.
            jit_compile: accepted for compatibility with Keras; a step is always compiled unless `run_eagerly` is True.
            auto_scale_loss: whether to scale the loss under the policy `mixed_float16`.
            check_finite: whether to stop at the first NaN or infinite loss; the error names the layer where it arose.
            distribute: a strategy of `jkeras.distribute`; None uses that of the enclosing `scope()`, if any.

        Returns:
            The compiled model.

        Raises:
            ArgumentError: a name is unknown (the nearest is suggested), or an argument has a value that is not allowed.
        """
        recipe = Recipe(
            optimizer,
            loss,
            loss_weights,
            metrics,
            weighted_metrics,
            run_eagerly,
            steps_per_execution,
            jit_compile,
            auto_scale_loss,
            check_finite,
            strategy.current() if distribute is None else distribute,
        )
        check_used("compile")
        return self.with_recipe(recipe)

    def with_recipe(self, recipe: Recipe) -> Self:
        """The model with an existing recipe, such as that of another model; the optimizer's state is reset.

        Args:
            recipe: the recipe.
        """
        if self.dtype_policy.name == "mixed_float16":
            recipe = recipe.with_scaled_loss()
        state = self._spec_contents.state
        return self._evolve(recipe=recipe, state=None if state is None else state.replace(opt_state=None))

    def fit(
        self,
        x: Data | None = None,
        y: Data | None = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbose = "auto",
        callbacks: CallbacksLike = None,
        validation_split: float = 0.0,
        validation_data: Data | None = None,
        shuffle: bool | Literal["batch"] = True,
        class_weight: Mapping[Any, float] | None = None,
        sample_weight: Data | None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Iterable[int] = 1,
        *,
        seed: int | None = None,
        donate: bool = False,
    ) -> Self:
        """Trains the model and returns the trained one, with `.history`. The original model does not change.

        Args:
            x: inputs: an array, a list or dict of arrays for several inputs, a pandas frame, or an iterable of batches.
            y: targets, likewise; None if `x` yields `(x, y)`.
            batch_size: the number of rows per batch; None means 32.
            epochs: the number of epochs, or of the last epoch if `initial_epoch` is set.
            verbose: 0 prints nothing, 1 a bar, 2 a line per epoch; "auto" is 1 on a terminal and 2 elsewhere.
            callbacks: built-in or custom callbacks.
            validation_split: the fraction of the data to validate on, taken from its end before shuffling.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or an iterable of batches to validate on.
            shuffle: whether each epoch visits the rows in a new random order, drawn from the run's seed; "batch"
                shuffles batches but not the rows within them.
            class_weight: a weight per class.
            sample_weight: a weight per sample (or per time step).
            initial_epoch: the number of the first epoch, counted from 0.
            steps_per_epoch: the number of batches per epoch, for infinite data; with arrays, each epoch continues where
                the last one ended.
            validation_steps: the number of batches per validation.
            validation_batch_size: the number of rows per validation batch.
            validation_freq: the number of epochs between validations, or a list of epochs (counted from 1) after which
                to validate.
            seed: the seed of shuffling and dropout; None continues from the model's state.
            donate: whether the run takes over the model's arrays instead of copying them, which halves the peak memory
                of weights and optimizer. Afterwards the model, and any other model that shares its arrays, raises
                `ConsumedError`.

        Raises:
            NotCompiledError: the model was not compiled.
            InputError: the data does not match the model or the loss; checked before anything is compiled.
            NonFiniteError: with `compile(check_finite=True)`, the loss is NaN or infinite; the error names the place.

        Pressing Ctrl-C ends training after the current step. In a script this raises a KeyboardInterrupt whose `model`
        is the model trained so far (`except KeyboardInterrupt as stop: model = stop.model`); in notebooks and the REPL,
        `fit` returns that model.
        """
        return training.fit(
            self,
            TrainingData(x, y, sample_weight, batch_size, steps_per_epoch, class_weight),
            ValidationData(validation_data, validation_split, validation_batch_size, validation_steps),
            Options(epochs, initial_epoch, shuffle, verbose, validation_freq=validation_freq, seed=seed, donate=donate),
            callbacks,
        )

    @overload
    def evaluate(
        self,
        x: Data | None = None,
        y: Data | None = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: Data | None = None,
        steps: int | None = None,
        callbacks: CallbacksLike = None,
        *,
        return_dict: Literal[True],
    ) -> dict[str, float]: ...
    @overload
    def evaluate(
        self,
        x: Data | None = None,
        y: Data | None = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: Data | None = None,
        steps: int | None = None,
        callbacks: CallbacksLike = None,
        return_dict: Literal[False] = False,
    ) -> float | list[float]: ...
    @overload
    def evaluate(
        self,
        x: Data | None = None,
        y: Data | None = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: Data | None = None,
        steps: int | None = None,
        callbacks: CallbacksLike = None,
        *,
        return_dict: bool,
    ) -> training.Scores: ...
    def evaluate(
        self,
        x: Data | None = None,
        y: Data | None = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: Data | None = None,
        steps: int | None = None,
        callbacks: CallbacksLike = None,
        return_dict: bool = False,
    ) -> training.Scores:
        """Computes the loss and metrics in inference mode.

        Args:
            x: inputs, as in `fit`.
            y: targets, as in `fit`.
            batch_size: the number of rows per batch; None means 32.
            verbose: as in `fit`.
            sample_weight: a weight per sample (or per time step).
            steps: the number of batches; None evaluates all data.
            callbacks: callbacks with hooks for evaluation.
            return_dict: whether to return a dict by name.

        Returns:
            The loss, a list `[loss, metric, ...]` if there are metrics, or a dict.

        Raises:
            NotCompiledError: the model was not compiled.
            InputError: the data does not match the model or the loss.
        """
        data = TrainingData(x, y, sample_weight, batch_size, steps)
        return training.evaluate(self, data, verbose, callbacks, return_dict)

    def predict(
        self,
        x: Data | None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        steps: int | None = None,
        callbacks: CallbacksLike = None,
    ) -> Any:
        """Computes the outputs for all of `x`.

        Args:
            x: inputs, as in `fit`.
            batch_size: the number of rows per batch; None chooses it for speed.
            verbose: as in `fit`.
            steps: the number of batches; None processes all data.
            callbacks: callbacks with hooks for prediction.

        Returns:
            NumPy arrays, in the structure of the model's outputs.

        Raises:
            InputError: the data does not match the model.
        """
        return training.predict(self, TrainingData(x, batch_size=batch_size, steps=steps), verbose, callbacks)

    # -- one batch ------------------------------------------------------------------------------------------------

    @overload
    def train_on_batch(
        self,
        x: Data | None,
        y: Data | None = None,
        sample_weight: Data | None = None,
        class_weight: Mapping[Any, float] | None = None,
        *,
        return_dict: Literal[True],
        donate: bool = False,
    ) -> tuple[Self, dict[str, float]]: ...
    @overload
    def train_on_batch(
        self,
        x: Data | None,
        y: Data | None = None,
        sample_weight: Data | None = None,
        class_weight: Mapping[Any, float] | None = None,
        return_dict: Literal[False] = False,
        *,
        donate: bool = False,
    ) -> tuple[Self, float | list[float]]: ...
    @overload
    def train_on_batch(
        self,
        x: Data | None,
        y: Data | None = None,
        sample_weight: Data | None = None,
        class_weight: Mapping[Any, float] | None = None,
        *,
        return_dict: bool,
        donate: bool = False,
    ) -> tuple[Self, training.Scores]: ...
    def train_on_batch(
        self,
        x: Data | None,
        y: Data | None = None,
        sample_weight: Data | None = None,
        class_weight: Mapping[Any, float] | None = None,
        return_dict: bool = False,
        *,
        donate: bool = False,
    ) -> tuple[Self, training.Scores]:
        """Runs one optimizer step on one batch.

        Args:
            x: inputs, as in `fit`.
            y: targets, as in `fit`.
            sample_weight: a weight per sample (or per time step).
            class_weight: a weight per class.
            return_dict: whether to return the logs as a dict by name.
            donate: whether the step takes over the model's arrays, as in `fit`.

        Returns:
            The new model, and the loss and metrics of the batch.

        Raises:
            NotCompiledError: the model was not compiled.
            InputError: the data does not match the model or the loss.
        """
        data = TrainingData(x, y, sample_weight, class_weight=class_weight)
        return training.train_on_batch(self, data, return_dict, donate)

    @overload
    def test_on_batch(
        self, x: Data | None, y: Data | None = None, sample_weight: Data | None = None, *, return_dict: Literal[True]
    ) -> dict[str, float]: ...
    @overload
    def test_on_batch(
        self,
        x: Data | None,
        y: Data | None = None,
        sample_weight: Data | None = None,
        return_dict: Literal[False] = False,
    ) -> float | list[float]: ...
    @overload
    def test_on_batch(
        self, x: Data | None, y: Data | None = None, sample_weight: Data | None = None, *, return_dict: bool
    ) -> training.Scores: ...
    def test_on_batch(
        self, x: Data | None, y: Data | None = None, sample_weight: Data | None = None, return_dict: bool = False
    ) -> training.Scores:
        """Computes the loss and metrics of one batch in inference mode.

        Args:
            x: inputs, as in `fit`.
            y: targets, as in `fit`.
            sample_weight: a weight per sample (or per time step).
            return_dict: whether to return a dict by name.

        Returns:
            The loss, a list `[loss, metric, ...]` if there are metrics, or a dict.

        Raises:
            NotCompiledError: the model was not compiled.
            InputError: the data does not match the model or the loss.
        """
        return training.test_on_batch(self, TrainingData(x, y, sample_weight), return_dict)

    def predict_on_batch(self, x: Data | None) -> Any:
        """Computes the outputs for one batch.

        Args:
            x: inputs, as in `fit`.

        Returns:
            NumPy arrays, in the structure of the model's outputs.

        Raises:
            InputError: the data does not match the model.
        """
        return training.predict_on_batch(self, x)

    # -- what training left ---------------------------------------------------------------------------------------

    @property
    def epoch(self) -> FrozenList[int]:
        """The epochs of the last `fit`, numbered from 0."""
        return self.history.epoch

    @property
    def optimizer(self) -> Any:
        """The optimizer passed to `compile`."""
        return None if self.recipe is None else self.recipe.optimizer

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update."""
        recipe = recipe_of(self, "learning_rate")
        if arrays_of(self.state).opt_state is None:
            return float(self.with_optimizer_state().learning_rate)
        return float(optimizers.get_learning_rate(recipe.optimizer, arrays_of(self.state).opt_state))

    def with_learning_rate(self, value: float) -> Self:
        """The model with another learning rate; nothing is recompiled.

        Args:
            value: the learning rate.

        Raises:
            NotCompiledError: the model was not compiled.
            ArgumentError: `value` is not a number.
        """
        recipe, model = recipe_of(self, "with_learning_rate"), self.with_optimizer_state()
        value = arguments.checked("with_learning_rate", "value", value, arguments.scalar)
        opt_state = optimizers.set_learning_rate(recipe.optimizer, arrays_of(model.state).opt_state, value)
        check_used("with_learning_rate")
        return model._evolve(state=model.state.replace(opt_state=opt_state))

    def with_optimizer_state(self) -> Self:
        """The model with an optimizer state, which is created if it does not exist yet."""
        recipe = recipe_of(self, "with_optimizer_state")
        if arrays_of(self.state).opt_state is not None:
            return self
        frozen, _ = trainable_parts(self.description)
        opt_state = init_optimizer(recipe.optimizer, arrays_of(self.state).params, frozen)
        return self._evolve(state=self.state.replace(opt_state=opt_state))

    @property
    def metrics_names(self) -> list[str]:
        """The names in the order of `evaluate`'s list, for a model whose outputs' targets look like its outputs."""
        recipe = recipe_of(self, "metrics_names")
        outputs = self.description.outputs
        program = build_program(self.definition, recipe, Batch(self.input_specs, outputs))
        return program.objective.log_names
