"""`Trainer`: `compile`, `fit`, `evaluate`, `predict` and so on, for models and for any layer that mixes it in."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jkeras.arguments import at_least, checked, optional
from jkeras.console.progress import ProgressBar, resolve_verbosity
from jkeras.errors import ArgumentError
from jkeras.keras import as_value, config
from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.compiling import Compiling
from jkeras.keras.layer_state import parted_variables
from jkeras.keras.one_thread import in_one_thread
from jkeras.keras.passes import Pass, evaluate, predict
from jkeras.keras.run import (
    CalledSteps,
    Cells,
    Hooks,
    Loops,
    Program,
    Run,
    SharedKey,
    Task,
    assign,
    flat_logs,
    packed,
    shared_loops,
)
from jkeras.keras.steps import CompiledFunction
from jkeras.keras.validation import Validation
from jkeras.keras.variables import StatelessScope, SymbolicScope
from jkeras.random_keys import as_key
from jkeras.tracebacks import filtered_methods
from jkeras.training import batches, loop
from jkeras.training.array_source import ArraySource
from jkeras.training.class_weights import check_class_weight, class_weights
from jkeras.training.prediction import FAST_BATCH_SIZE
from jkeras.training.program import mixes_samples
from jkeras.training.sources import Source, as_source, split, weighted
from jkeras.training.state import Batch
from jkeras.training.stream_source import StreamSource
from jkeras.training.task import Options
from jkeras.utils import unpack_x_y_sample_weight


@filtered_methods("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
class Trainer(Compiling):
    """Training of a layer. `keras.Model` is a layer with it; `class Mine(Trainer, keras.layers.Dense)` is another.

    Attributes:
        optimizer: the object that `compile` was given or made; before, there is none.
        loss: what `compile` was given.
        compiled: whether `compile` was called.
        stop_training: set to True in a callback to end `fit`; `stop_evaluating` and `stop_predicting` likewise.
        history: the `History` of the last `fit`.
    """

    def __init__(self) -> None:
        pass

    # -- over data ------------------------------------------------------------------------------------------------

    @in_one_thread
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Trains the model in place and returns its `History`; arguments as for `keras.Model.fit`."""
        self._assert_compile_called("fit")
        _check_counts(
            "fit", epochs=epochs, initial_epoch=initial_epoch, batch_size=batch_size, steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps, validation_batch_size=validation_batch_size,
        )  # fmt: skip
        epochs = _limited(epochs, "epochs", config.max_epochs())
        verbose = _shown(verbose)
        source = self._source(x, y, sample_weight, batch_size, steps_per_epoch)
        self._symbolic_build(data_batch=packed(source.example()))
        _begin_anew(source)
        callback_list = self._callback_list(
            callbacks, verbose, add_history=True, epochs=epochs, steps=source.steps_per_epoch
        )
        self.stop_training = False
        if as_value.is_asked_for(self, callback_list):
            as_value.fit(self, callback_list, dict(
                x=source, batch_size=batch_size, epochs=epochs, verbose=verbose, validation_data=validation_data,
                shuffle=shuffle, class_weight=class_weight, initial_epoch=initial_epoch, validation_steps=validation_steps,
                validation_freq=validation_freq, validation_batch_size=validation_batch_size,
                validation_split=0.0 if validation_data is not None else validation_split,
            ))  # fmt: skip
            return self.history
        if validation_split and validation_data is None:
            if not isinstance(source, ArraySource):
                raise ArgumentError("validation_split needs arrays; for an iterable of batches pass validation_data.")
            source, held_out = split(source, validation_split)
            validation_data = (held_out.data.x, held_out.data.y, held_out.data.sample_weight)
            callback_list.set_params({**callback_list.params, "steps": source.steps_per_epoch})
        source = weighted(source, class_weight)
        self.make_train_function()
        run = Run(self, Cells.of(self, training=True))
        loops, program = self._task_parts(self.train_function, "train_step", run.cells, source.example())
        validate = Validation(
            self, validation_data, validation_batch_size or batch_size, validation_steps, validation_freq, callback_list
        )

        def begin_epoch(*_: Any) -> None:
            run.metrics_home()
            self.reset_metrics()

        def end_epoch(epoch: int, logs: dict[str, Any]) -> None:
            run.metrics_home()
            logs.update(validate(epoch))

        def end_training(*_: Any) -> None:
            if optimizer_of(self) is not None and epochs > 0:
                self.optimizer.finalize_variable_values(self.trainable_variables)

        before = {"on_epoch_begin": begin_epoch, "on_epoch_end": end_epoch, "on_train_end": end_training}
        hooks = Hooks(callback_list, self, before)
        options = Options(
            epochs, initial_epoch, shuffle if shuffle == "batch" else bool(shuffle), verbose,
            "auto" if self.steps_per_execution == 1 else self.steps_per_execution, ends_interrupted_epoch=False,
        )  # fmt: skip
        fit_run = None
        state = run.state(*self._begin_progress(), owned=True)
        try:
            fit_run = loop.fit(Task(program, source, loops, run.first_metrics), state, options, hooks, run)  # type: ignore[arg-type]
        finally:
            run.finish(None if fit_run is None else fit_run.state)
            self._validation = None
        self._progress = (fit_run.state.step, fit_run.state.rng)
        if fit_run.signals.interrupted.is_set():
            raise KeyboardInterrupt
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics in inference mode: a number, a list or a dict; arguments as for `keras.Model.evaluate`."""
        self._assert_compile_called("evaluate")
        cached = self._validation if kwargs.pop("_use_cached_eval_dataset", False) else None
        if kwargs:
            raise ArgumentError(f"Arguments not recognized: {kwargs}")
        _check_counts("evaluate", batch_size=batch_size, steps=steps)
        source = self._source(x, y, sample_weight, batch_size, steps) if cached is None else cached[1]
        example = source.example()
        self._symbolic_build(data_batch=packed(example))
        _begin_anew(source)
        self.make_test_function()
        verbose = _shown(verbose)
        callback_list = self._callback_list(callbacks, verbose, epochs=1, steps=source.steps_per_epoch)
        run = Run(self, Cells.of(self, training=False))
        loops, program = self._task_parts(self.test_function, "test_step", run.cells, example)
        self.stop_evaluating = False
        callback_list.on_test_begin()
        self.reset_metrics()
        bar = ProgressBar(source.steps_per_epoch, verbose=0 if callback_list is callbacks else verbose)
        hooks = Hooks(callback_list, self, {})
        this = Pass(run, run.state(*self._begin_progress()), hooks)
        run.offer(lambda: this.state)
        task = Task(program, source, loops, run.first_metrics)
        this.state = this.state.replace(metrics=task.empty_metrics(task.evaluate, example))
        try:
            logs = evaluate(this, task, bar, lambda: self.stop_evaluating)
        finally:
            run.finish(this.state)
        bar.finish(logs)
        logs = _pythonified(logs)
        callback_list.on_test_end(logs)
        return logs if return_dict else self._flatten_metrics_in_order(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for all of `x` as NumPy arrays; arguments as for `keras.Model.predict`."""
        _check_counts("predict", batch_size=batch_size, steps=steps)
        source = self._source(x, None, None, batch_size, steps)
        self._build_for(source.example().x)
        verbose = _shown(verbose)
        callback_list = self._callback_list(callbacks, verbose, epochs=1, steps=source.steps_per_epoch)
        function = self.make_predict_function() or self.predict_function
        pad = isinstance(function, CompiledFunction) and not self._mixes_samples()
        if isinstance(source, ArraySource) and pad and batch_size is None and steps is None and not callbacks:
            source = dataclasses.replace(source, batch_size=min(source.rows, FAST_BATCH_SIZE))
        self.stop_predicting = False
        callback_list.on_predict_begin()
        bar = ProgressBar(source.steps_per_epoch, verbose=0 if callback_list is callbacks else verbose)
        run = Run(self, Cells.of(self, training=False)._replace(metrics=[]))
        this = Pass(run, run.state(*self._begin_progress()), Hooks(callback_list, self, {}))
        run.offer(lambda: this.state)
        try:
            outputs = predict(this, function, source, bar, lambda: self.stop_predicting, pad)
        finally:
            run.finish(this.state)
        bar.finish()
        callback_list.on_predict_end()
        return outputs

    # -- over one batch -------------------------------------------------------------------------------------------

    @in_one_thread
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One training step in place; returns the loss, or a list or dict of the batch's loss and metrics."""
        self._assert_compile_called("train_on_batch")
        if class_weight is not None:
            if sample_weight is not None:
                raise ArgumentError(
                    "Arguments `sample_weight` and `class_weight` cannot be specified at the same time."
                    f" Received: sample_weight={sample_weight}, class_weight={class_weight}"
                )
            check_class_weight(class_weight)
            sample_weight = class_weights(y, class_weight)
        data = _one_batch(x, y, sample_weight)
        self._symbolic_build(data_batch=data)
        self.make_train_function()
        return self._on_batch(self.train_function, Cells._fields, data, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch in inference mode."""
        self._assert_compile_called("test_on_batch")
        data = _one_batch(x, y, sample_weight)
        self._symbolic_build(data_batch=data)
        self.make_test_function()
        return self._on_batch(self.test_function, ("trainable", "non_trainable", "metrics"), data, return_dict)

    def _on_batch(self, function: Any, parts: tuple[str, ...], data: Any, return_dict: bool) -> Any:
        self.reset_metrics()
        cells = Cells.of(self, training="optimizer" in parts)
        logs, new = function(cells.values(*parts), iter([data]))
        for part, values in zip(parts, new, strict=True):
            assign(getattr(cells, part), values)
        values = _pythonified(jax.device_get(flat_logs(logs)))
        return values if return_dict else self._flatten_metrics_in_order(values)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch as NumPy arrays."""
        x = batches.to_arrays(x, "x")
        self._build_for(x)
        function = self.make_predict_function() or self.predict_function
        cells = Cells(*parted_variables(self), [], [])
        outputs, (_, others) = function(cells.values("trainable", "non_trainable"), iter([(x,)]))
        assign(cells.non_trainable, others)
        return jax.tree.map(np.array, outputs)

    # -- internals ------------------------------------------------------------------------------------------------

    def _assert_compile_called(self, method_name: str) -> None:
        if not self.compiled:
            raise ArgumentError(f"You must call `compile()` before calling `{method_name}()`.")

    def _source(self, x: Any, y: Any, sample_weight: Any, batch_size: int | None, steps: int | None) -> Source:
        """The data of a run; epochs with a given number of steps end with a whole execution."""
        steps = _limited(steps, "steps_per_epoch", config.max_steps_per_epoch())
        together = self.steps_per_execution
        return as_source(x, y, sample_weight, batch_size, None if steps is None else -(-steps // together) * together)

    def _callback_list(self, callbacks: Any, verbose: Any, **params: Any) -> Any:
        from jkeras.keras.callbacks import CallbackList

        if isinstance(callbacks, CallbackList):
            return callbacks
        return CallbackList(callbacks, model=self, verbose=resolve_verbosity(verbose), **params)

    def compiled_step(self) -> tuple[Loops, Program]:
        """The compiled steps of this model, and the key for which they are compiled."""
        from jkeras.keras.sharing import own_key, shared_key

        own = own_key(self)
        if self._step_cache is None or self._step_cache[0] != own:
            shared = shared_key(self)
            loops = Loops() if shared is None else shared_loops()
            self._step_cache = (own, loops, Program((id(self), own) if shared is None else shared, self))
        _, loops, program = self._step_cache
        return loops, program

    def _mixes_samples(self) -> bool:
        """Whether a row's prediction may depend on other rows."""
        self.compiled_step()
        shared = self._step_cache[2].key[0] if self._step_cache is not None else None
        return not isinstance(shared, SharedKey) or mixes_samples(shared.definition, training=False)

    def _task_parts(self, function: Any, method: str, cells: Cells, example: Batch) -> tuple[Any, Program]:
        """The loops that run the steps over data, and their program."""
        loops, program = self.compiled_step()
        if not isinstance(function, CompiledFunction):
            return CalledSteps(), program
        parts = Cells._fields if method == "train_step" else ("trainable", "non_trainable", "metrics")
        return loops, loops.reporting(program, method, cells, parts, packed(example))

    def _begin_progress(self) -> tuple[Any, Any]:
        if self._progress is None:
            from jkeras.keras.seeds import make_default_seed

            return np.int32(0), as_key(make_default_seed())
        return self._progress

    def _build_for(self, x: Any) -> None:
        """Creates the weights for inputs like these."""
        if not all(layer.built for layer in self._flatten_layers()):  # type: ignore[attr-defined]
            with StatelessScope(), SymbolicScope():
                jax.eval_shape(lambda inputs: self(inputs), jax.tree.map(_spec, x))  # type: ignore[operator]

    def _symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Creates what does not exist yet: weights, and the states of metrics and the optimizer."""
        unbuilt = [part for part in (self._compile_metrics, self._compile_loss) if part is not None and not part.built]
        if unbuilt or not all(layer.built for layer in self._flatten_layers()):  # type: ignore[attr-defined]
            x, y, sample_weight = jax.tree.map(_spec, unpack_x_y_sample_weight(data_batch))

            def program(x: Any, y: Any, sample_weight: Any) -> None:
                arguments = {"training": False} if self._call_has_training_arg else {}  # type: ignore[attr-defined]
                y_pred = self(x, **arguments)  # type: ignore[operator]
                if unbuilt:
                    self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
                    self._compute_loss(x, y, y_pred, sample_weight=sample_weight, training=False)

            with StatelessScope(), SymbolicScope():
                jax.eval_shape(program, x, y, sample_weight)
        optimizer = optimizer_of(self)
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.trainable_variables)
        self._post_build()

    def _post_build(self) -> None:
        """Called when everything is built."""

    def _flatten_metrics_in_order(self, logs: Mapping[str, Any]) -> Any:
        """The values of logs in the order of `metrics`, followed by others; a single value is not in a list."""
        names: list[str] = []
        for metric in self.metrics:
            names += [inner.name for inner in metric.metrics] if metric is self._compile_metrics else [metric.name]
        values = [logs[name] for name in names if name in logs]
        values += [logs[name] for name in sorted(logs) if name not in names]
        return values[0] if len(values) == 1 else values


def _begin_anew(source: Source) -> None:
    """Ends the epoch from which the example was read, as Keras does, in case the data set shuffles itself."""
    if isinstance(source, StreamSource) and source.numbered:
        source.iterable.on_epoch_end()


def _shown(verbose: Any) -> Any:
    """The verbosity of a run: 0 after `keras.config.disable_interactive_logging()`."""
    return verbose if config.is_interactive_logging_enabled() else 0


def _check_counts(method: str, **counts: Any) -> None:
    """Raises for numbers of epochs, rows or steps that are none."""
    for name, count in counts.items():
        checked(method, name, count, optional(at_least(0)))


def _limited(count: Any, what: str, most: int | None) -> Any:
    """A number of epochs or steps, limited by `keras.config`."""
    if most is None or (count is not None and count <= most):
        return count
    warnings.warn(f"Limiting {what} to {most}", stacklevel=4)
    return most


def _spec(leaf: Any) -> jax.ShapeDtypeStruct:
    dtype = np.dtype(config.floatx()) if isinstance(leaf, float) else leaf.dtype
    return jax.ShapeDtypeStruct(np.shape(leaf), jax.dtypes.canonicalize_dtype(dtype))


def _one_batch(x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    arrays = (batches.to_arrays(part, name) for part, name in ((x, "x"), (y, "y"), (sample_weight, "sample_weight")))
    return tuple(arrays)  # type: ignore[return-value]


def _pythonified(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Logs as numbers, sorted by name, as Keras reports them."""
    return {name: float(value) if np.ndim(value) == 0 else value for name, value in sorted(flat_logs(logs).items())}
