"""Keras's overridable methods for losses, metrics and steps on one batch, for JAX."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jkeras import lowering
from jkeras.errors import InputError
from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.run import Lists
from jkeras.keras.variables import StatelessScope, Variable, unwrap
from jkeras.utils import unpack_x_y_sample_weight


class CompiledFunction:
    """The result of `make_train_function` and so on: a compiled step over lists of arrays and an iterator of batches.

    `fit`, `evaluate` and `predict` run the same programs. If an overridden `make_*_function` returns a different function,
    they call that instead.
    """

    def __init__(self, model: Any, mode: str):
        self._model = weakref.ref(model)
        self._mode = mode

    def __call__(self, state: Lists, iterator: Iterator[Any]) -> tuple[Any, Lists]:
        return self.settled()(state, iterator)

    def settled(self) -> Callable[[Lists, Iterator[Any]], tuple[Any, Lists]]:
        """The function for the current model, which does not check for changes in each call."""
        loops, program = self._model().compiled_step()  # type: ignore[misc]
        step = getattr(loops, f"{self._mode}_batch")
        if self._mode != "predict":
            return lambda state, iterator: step(program, state, next(iterator))

        def predict(state: Lists, iterator: Iterator[Any]) -> tuple[Any, Lists]:
            # Weights that a prediction does not change are not results of the program, which would copy them.
            outputs, others = step(program, state, next(iterator))
            return outputs, (state[0], others)

        return predict

    def __reduce__(self) -> Any:
        return (type(None), ())  # recreated on demand


class Steps:
    """The part of `Trainer` that is traced."""

    # Attributes of the layer with the trainer, and attributes that `compile` sets.
    trainable_variables: list[Variable]
    non_trainable_variables: list[Variable]
    metrics_variables: list[Variable]
    metrics: list[Any]
    losses: list[Any]
    optimizer: Any
    _compile_loss: Any
    _compile_metrics: Any
    _loss_tracker: Any

    # -- losses and metrics ---------------------------------------------------------------------------------------

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The total loss: the loss of `compile` and the losses that layers and regularizers added. Override it for another loss.

        Raises:
            ValueError: there is no loss to minimise.
        """
        total = []
        if self._compile_loss is not None:
            loss = self._compile_loss(y, y_pred, sample_weight)
            if loss is not None:
                total.append(loss)
        for loss in self.losses:
            total.append(jnp.sum(self._as_float(loss)))
        if not total:
            return jnp.zeros(())
        return total[0] if len(total) == 1 else sum(total[1:], total[0])

    @staticmethod
    def _as_float(loss: Any) -> Any:
        loss = jnp.asarray(loss)
        return loss if jnp.issubdtype(loss.dtype, jnp.floating) else loss.astype(jnp.float32)

    def _compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Calls `compute_loss`; overrides written before Keras 3.3 lack the argument `training`."""
        if "training" in inspect.signature(self.compute_loss).parameters:
            return self.compute_loss(x, y, y_pred, sample_weight, training=training)
        return self.compute_loss(x, y, y_pred, sample_weight)

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, Lists]:
        """The loss as a pure function of the variables, and the variables after it."""
        mapping = [
            *zip(self.trainable_variables, trainable_variables, strict=False),
            *zip(self.non_trainable_variables, non_trainable_variables, strict=False),
            *zip(self.metrics_variables, metrics_variables, strict=False),
        ]
        with StatelessScope(state_mapping=mapping) as scope:
            loss = self._compute_loss(x, y, y_pred, sample_weight=sample_weight, training=training)
        others = current_values(scope, self.non_trainable_variables)
        return loss, (trainable_variables, others, current_values(scope, self.metrics_variables))  # type: ignore[return-value]

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Updates the metrics of `compile` and returns the values of all. Override it to update others."""
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """The values of `metrics` by name."""
        values: dict[str, Any] = {}
        for metric in self.metrics:
            result = jax.tree.map(unwrap, metric.result())  # a metric may return one of its variables
            values.update(result if isinstance(result, Mapping) else {metric.name: result})
        return values

    # -- steps ----------------------------------------------------------------------------------------------------

    @lowering.remembered()
    def compute_loss_and_updates(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: Sequence[Any] | None = None,
    ) -> tuple[Any, Any]:
        """The loss, scaled by the optimizer, as a pure function to differentiate, and the other results of the pass."""
        arguments = {"training": training} if self._call_has_training_arg else {}  # type: ignore[attr-defined]
        y_pred, non_trainable_variables, losses = self.stateless_call(  # type: ignore[attr-defined]
            trainable_variables, non_trainable_variables, x, return_losses=True, **arguments
        )
        if losses:
            # Inside `compute_loss`, `self.losses` are the losses of this pass.
            self._losses_override.clear()  # type: ignore[attr-defined]
            self._losses_override.extend(losses)  # type: ignore[attr-defined]
        loss, variables = self.stateless_compute_loss(
            trainable_variables, non_trainable_variables, metrics_variables, x=x, y=y, y_pred=y_pred,
            sample_weight=sample_weight, training=training,
        )  # fmt: skip
        if losses:
            self._losses_override.clear()  # type: ignore[attr-defined]
        _, non_trainable_variables, metrics_variables = variables
        unscaled = loss
        if training and optimizer_of(self) is not None:
            slots = zip(self.optimizer.variables, optimizer_variables or (), strict=False)
            with StatelessScope(state_mapping=slots):
                loss = self.optimizer.scale_loss(loss)
        return loss, (unscaled, y_pred, non_trainable_variables, metrics_variables)

    def _update_metrics_variables(
        self, metrics_variables: Sequence[Any], loss: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any
    ) -> tuple[dict[str, Any], list[Any]]:
        mapping = list(zip(self.metrics_variables, metrics_variables, strict=True))
        with StatelessScope(state_mapping=mapping) as scope:
            rows = next(leaf for leaf in jax.tree.leaves(x) if leaf is not None).shape[0]
            self._loss_tracker.update_state(loss, sample_weight=rows)
            logs = self.compute_metrics(x, y, y_pred, sample_weight)
        return logs, current_values(scope, self.metrics_variables)

    def train_step(self, state: Lists, data: Any) -> tuple[dict[str, Any], Lists]:
        """One training step over `(trainable, non_trainable, optimizer, metrics)` variables: returns logs and new variables."""
        trainable, others, slots, metrics = state
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        function = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (_, (loss, y_pred, others, metrics)), gradients = function(
            trainable, others, metrics, x, y, sample_weight, training=True, optimizer_variables=slots
        )
        if optimizer_of(self) is None:
            raise InputError("There is no optimizer to train with: `model.compile(optimizer='adam', ...)`.")
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        logs, metrics = self._update_metrics_variables(metrics, loss, x, y, y_pred, sample_weight)
        return logs, (trainable, others, slots, metrics)

    def test_step(self, state: Lists, data: Any) -> tuple[dict[str, Any], Lists]:
        """One evaluation step over `(trainable, non_trainable, metrics)` variables: returns logs and new variables."""
        trainable, others, metrics = state
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        _, (loss, y_pred, others, metrics) = self.compute_loss_and_updates(
            trainable, others, metrics, x, y, sample_weight, training=False
        )
        logs, metrics = self._update_metrics_variables(metrics, loss, x, y, y_pred, sample_weight)
        return logs, (trainable, others, metrics)

    def predict_step(self, state: Lists, data: Any) -> tuple[Any, Any]:
        """The outputs for one batch over `(trainable, non_trainable)` variables, and the new non-trainable variables."""
        trainable, others = state
        arguments = {"training": False} if self._call_has_training_arg else {}  # type: ignore[attr-defined]
        x, _, _ = unpack_x_y_sample_weight(data)
        return self.stateless_call(trainable, others, x, **arguments)  # type: ignore[attr-defined]

    # -- functions ------------------------------------------------------------------------------------------------

    run_eagerly: bool
    jit_compile: Any
    train_function: Any
    test_function: Any
    predict_function: Any

    @property
    def _compiles(self) -> bool:
        return bool(not self.run_eagerly and self.jit_compile)

    def make_train_function(self, force: bool = False) -> None:
        """Sets `train_function(state, iterator)`, which `fit` and `train_on_batch` run."""
        if self.train_function is None or force:
            self.train_function = CompiledFunction(self, "train") if self._compiles else _calling(self, "train_step")

    def make_test_function(self, force: bool = False) -> None:
        """Sets `test_function(state, iterator)`, which `evaluate` and `test_on_batch` run."""
        if self.test_function is None or force:
            self.test_function = CompiledFunction(self, "test") if self._compiles else _calling(self, "test_step")

    def make_predict_function(self, force: bool = False) -> Any:
        """Sets `predict_function(state, iterator)`, which `predict` and `predict_on_batch` run."""
        if self.predict_function is None or force:
            if self._compiles:
                self.predict_function = CompiledFunction(self, "predict")
            else:
                self.predict_function = _calling(self, "predict_step")
        return self.predict_function


def _calling(model: Any, method: str) -> Any:
    """A step that is called without compiling it."""
    weak = weakref.ref(model)

    def function(state: Lists, iterator: Iterator[Any]) -> tuple[Any, Lists]:
        data = jax.tree.map(jnp.asarray, next(iterator))
        returned, new = getattr(weak(), method)(state, data)
        return returned, (state[0], new) if method == "predict_step" else new

    return function


def current_values(scope: StatelessScope, variables: Sequence[Variable]) -> list[Any]:
    """The values of variables at the end of the scope."""
    values = [scope.get_current_value(variable) for variable in variables]
    return [variable.value if value is None else value for variable, value in zip(variables, values, strict=True)]
