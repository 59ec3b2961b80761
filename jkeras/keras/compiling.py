"""`compile`: the optimizer, losses and metrics of a model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from jkeras.arguments import checked, positive_int
from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.passes import Source
from jkeras.keras.run import Loops, Program
from jkeras.keras.steps import Steps
from jkeras.tracebacks import filtered_methods


@filtered_methods("compile")
class Compiling(Steps):
    """The part of `Trainer` that holds what training needs."""

    # What belongs to training: no part of the layer, so none of it is a sublayer's or changes what its `call` computes.
    # As in Keras, a model has no `optimizer` before `compile`.
    optimizer: Any
    loss: Any = None
    compiled: bool = False
    stop_training: bool = False
    stop_evaluating: bool = False
    stop_predicting: bool = False
    steps_per_execution: int = 1
    run_eagerly: bool = False
    jit_compile: Any = True
    train_function: Any = None
    test_function: Any = None
    predict_function: Any = None
    history: Any = None
    _compile_loss: Any = None
    _compile_metrics: Any = None
    _loss_tracker: Any = None
    _compile_config: dict[str, Any] | None = None
    _strategy: Any = None
    # The number of steps and the root key for shuffling, which checkpoints contain; None before the first `fit`.
    _progress: tuple[Any, Any] | None = None
    _validation: tuple[Any, Source] | None = None
    _step_cache: tuple[Any, Loops, Program] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in Compiling.__annotations__:
            vars(self)[name] = value
        else:
            super().__setattr__(name, value)

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        *,
        distribute: Any = None,
    ) -> None:
        """Configures training; arguments as in `keras.Model.compile`.

        Args:
            distribute: a strategy of `jkeras.distribute`; None takes that of an enclosing `scope()`, if any.
        """
        from jkeras.keras import optimizers
        from jkeras.keras.compile_utils import CompileLoss, CompileMetrics
        from jkeras.keras.metrics import Mean
        from jkeras.training import strategy

        checked("compile", "steps_per_execution", steps_per_execution, positive_int)
        self.optimizer = optimizers.get(optimizer)
        scaled = isinstance(self.optimizer, optimizers.LossScaleOptimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16" and self.optimizer and not scaled:  # type: ignore[attr-defined]
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer, name="loss_scale_optimizer")
        output_names = getattr(self, "output_names", None)
        if loss is not None:
            self._compile_loss = CompileLoss(loss, loss_weights, output_names=output_names)
            self.loss = loss
        if metrics is not None or weighted_metrics is not None:
            self._compile_metrics = CompileMetrics(metrics, weighted_metrics, output_names=output_names)
        if jit_compile == "auto":
            jit_compile = not run_eagerly
        if jit_compile and run_eagerly:
            jit_compile = False
            warnings.warn(
                "If `run_eagerly` is True, then `jit_compile` cannot also be True. Disabling `jit_compile`.",
                stacklevel=2,
            )
        self.jit_compile = jit_compile
        self.run_eagerly = run_eagerly
        self.stop_training = False
        self.compiled = True
        self._loss_tracker = Mean(name="loss")
        self.steps_per_execution = steps_per_execution
        self.train_function = self.test_function = self.predict_function = None
        self._strategy = strategy.current() if distribute is None else strategy.as_strategy(distribute)
        self._compile_config = dict(
            optimizer=self.optimizer if isinstance(optimizer, str) else optimizer, loss=loss, loss_weights=loss_weights,
            metrics=metrics, weighted_metrics=weighted_metrics, run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution, jit_compile=jit_compile,
        )  # fmt: skip

    @property
    def metrics(self) -> list[Any]:  # type: ignore[override]
        """The running loss, the metrics of `compile`, those of individual losses, and those of the model and its layers."""
        own_metrics = self._get_own_metrics()
        for layer in self._flatten_layers(include_self=False):  # type: ignore[attr-defined]
            if not isinstance(layer, Compiling):  # a nested model has its own `compile`
                own_metrics.extend(layer.metrics)
        return own_metrics

    def _get_own_metrics(self) -> list[Any]:
        own_metrics = [metric for metric in (self._loss_tracker, self._compile_metrics) if metric is not None]
        if self._compile_loss is not None:
            own_metrics.extend(self._compile_loss.metrics)
        own_metrics.extend(self._metrics)  # type: ignore[attr-defined]
        return own_metrics

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Resets all metrics."""
        for metric in self.metrics:
            metric.reset_state()

    @property
    def compiled_metrics(self) -> Any:
        """The metrics of `compile` as one object."""
        return self._compile_metrics

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, as plain values."""
        from jkeras.keras.saving import serialize_keras_object

        return {} if self._compile_config is None else serialize_keras_object(self._compile_config)

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compiles the model from the result of `get_compile_config`."""
        from jkeras.keras.saving import deserialize_keras_object

        if type(self).compile is not Compiling.compile:
            warnings.warn(
                "`compile()` was not called as part of model loading because the model's `compile()` method is custom. All"
                " subclassed Models that have `compile()` overridden should also override `get_compile_config()` and"
                " `compile_from_config(config)`. Alternatively, you can call `compile()` manually after loading.",
                stacklevel=2,
            )
            return
        self.compile(**deserialize_keras_object(config))
        if optimizer_of(self) is not None and self.built:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)
