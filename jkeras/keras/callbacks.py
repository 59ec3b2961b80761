"""Callbacks, as in `keras.callbacks`: those of jkeras, adapted to Keras's mutable model and messages."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jkeras import callbacks, tree
from jkeras.callbacks import BackupAndRestore as BackupAndRestore
from jkeras.callbacks import Callback as Callback
from jkeras.callbacks import CSVLogger as CSVLogger
from jkeras.callbacks import LearningRateScheduler as LearningRateScheduler
from jkeras.callbacks import OrbaxCheckpoint as OrbaxCheckpoint
from jkeras.callbacks import ProgbarLogger as ProgbarLogger
from jkeras.callbacks import RemoteMonitor as RemoteMonitor
from jkeras.callbacks.argument_checks import checked_arguments
from jkeras.callbacks.callback import HOOKS, Logs, check_hooks
from jkeras.callbacks.monitor import MODES, Monitor
from jkeras.errors import ArgumentError, SaveError
from jkeras.keras import ops
from jkeras.keras.compiled_metrics import CompileMetrics
from jkeras.keras.modules import own_names
from jkeras.keras.optimizers import LossScaleOptimizer, MultiOptimizer, Optimizer
from jkeras.training.lazy_logs import LazyLogs


class CallbackList(Callback):
    """A list of callbacks; each hook calls theirs, in order, with a dict of logs.

    Args:
        callbacks: a callback, or a nested list of them.
        add_history: whether to add a `History` if there is none.
        add_progbar: accepted for compatibility with Keras: `fit` itself draws the progress bar.
        model: the model of the run.
        params: `epochs`, `steps` and `verbose` of the run.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Any] = tree.flatten(callbacks) if callbacks else []
        for callback in self.callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                check_hooks(callback)
        histories = [callback for callback in self.callbacks if isinstance(callback, History)]
        if add_history and not histories:
            histories = [History()]
            self.callbacks.append(histories[0])
        self._history = histories[-1] if histories else None
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Adds a callback."""
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks if params else ():
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def on_non_finite(self, explanation: str) -> None:
        for callback in self.callbacks:
            callback.on_non_finite(explanation)


def _for_all(hook: str) -> Callable[..., None]:
    def run(self: CallbackList, logs: Logs = None) -> None:
        numbers = _plain(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(numbers)

    def run_at(self: CallbackList, position: int, logs: Logs = None) -> None:
        numbers = _plain(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(position, numbers)

    return run_at if "epoch" in hook or "batch" in hook else run


def _plain(logs: Logs) -> dict[str, Any]:
    """Converts scalar arrays in logs to Python numbers; the same dict if there are none, or if it converts them itself."""
    if isinstance(logs, LazyLogs):
        return logs
    if isinstance(logs, dict) and all(isinstance(value, (int, float)) for value in logs.values()):
        return logs
    flat: dict[str, Any] = {}
    for name, value in (logs or {}).items():
        if isinstance(value, Mapping):
            flat.update(_plain(value))
        else:
            flat[name] = float(value) if hasattr(value, "dtype") and not np.ndim(value) else value
    return flat


for _hook in HOOKS:
    if _hook != "on_non_finite":
        setattr(CallbackList, _hook, _for_all(_hook))


class History(callbacks.History):
    """Records the logs of every epoch in `history`; `fit` returns it."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Starts over."""
        self.epoch = []
        self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds the epoch."""
        super().on_epoch_end(epoch, logs)
        self.model.history = self


@checked_arguments
class LambdaCallback(Callback):
    """A callback made of functions: `LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))`."""

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        vars(self).update(kwargs, **{name: function for name, function in hooks.items() if function is not None})


class TerminateOnNaN(callbacks.TerminateOnNaN):
    """Stops training if the loss of a batch is NaN or infinite.

    Args:
        raise_error: raises an error instead of stopping.
    """

    on_non_finite = Callback.on_non_finite  # not overridden: that would require checking each step's loss in advance


class MonitorCallback(Monitor):
    """Base of callbacks that compare a value in the logs with the best so far; the metric decides the direction.

    Args:
        monitor, mode, min_delta: see `jkeras.callbacks.monitor.Monitor`.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0):
        if mode not in MODES:
            warnings.warn(f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        super().__init__(monitor, mode, min_delta)

    @property
    def monitor_op(self) -> Any:
        """`keras.ops.greater` or `keras.ops.less`; None before the first epoch."""
        return None if self.maximize is None else ops.greater if self.maximize else ops.less

    def _set_monitor_op(self) -> None:
        self.maximize = self._larger_is_better()

    def value_in(self, logs: Logs) -> float | None:
        """The monitored value, or None with a warning if it is not in the logs.

        Raises:
            ArgumentError: the better direction is unknown.
        """
        if self.maximize is None:
            self._set_monitor_op()
        return super().value_in(logs)

    def _is_improvement(self, monitor_value: float, reference_value: float | None) -> bool:
        return reference_value is None or self.improves(monitor_value, reference_value)

    def _larger_is_better(self) -> bool:
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return False
        for whole in self.model.metrics:
            for metric in whole.metrics if isinstance(whole, CompileMetrics) else [whole]:
                if name == metric.name or (name.endswith(f"_{metric.name}") and metric.direction is not None):
                    return metric.direction == "up"
        raise ArgumentError(
            f"{type(self).__name__} callback received monitor={self.monitor}, but Keras isn't able to automatically determine"
            " whether that metric should be maximized or minimized. Pass `mode='max'` in order to monitor based on the"
            " highest metric value, or pass `mode='min'` in order to use the lowest value."
        )


class EarlyStopping(callbacks.EarlyStopping, MonitorCallback):
    """Stops training when a value has stopped improving; see `jkeras.callbacks.EarlyStopping`."""

    def get_monitor_value(self, logs: Logs) -> float | None:
        """The monitored value; a subclass may compute a different one from the logs."""
        return super().value_in(logs)

    def value_in(self, logs: Logs) -> float | None:
        """The result of `get_monitor_value`, after the better direction has been determined."""
        if self.maximize is None:
            self._set_monitor_op()
        return self.get_monitor_value(logs)


class ReduceLROnPlateau(callbacks.ReduceLROnPlateau, MonitorCallback):
    """Reduces the learning rate when a value has stopped improving; see `jkeras.callbacks.ReduceLROnPlateau`."""

    def in_cooldown(self) -> bool:
        """Whether the last reduction is so recent that the value is not monitored."""
        return self.cooldown_counter > 0


@checked_arguments
class ModelCheckpoint(callbacks.ModelCheckpoint, MonitorCallback):
    """Saves the model or its weights after epochs or batches; see `jkeras.callbacks.ModelCheckpoint`."""

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(
            filepath, monitor, verbose, save_best_only, save_weights_only, mode, save_freq, initial_value_threshold
        )
        if self.save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ArgumentError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided must end in `.weights.h5`"
                f" (Keras weights format). Received: filepath={self.filepath}"
            )
        if not self.save_weights_only and Path(self.filepath).suffix not in (".keras", ".h5"):
            raise ArgumentError(
                f"The filepath provided must end in `.keras` (Keras model format). Received: filepath={self.filepath}"
            )

    def _path(self, epoch: int, logs: Logs, numbers: dict[str, int]) -> str:
        try:
            return super()._path(epoch, logs, numbers)
        except ArgumentError as error:
            raise KeyError(f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}') from None

    def _save(self, epoch: int, logs: Logs, numbers: dict[str, int]) -> None:
        path = Path(self._path(epoch, logs, numbers))
        if path.is_dir():
            raise SaveError(
                "Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an existing directory:"
                f" {path}"
            )
        super()._save(epoch, logs, numbers)


class TensorBoard(callbacks.TensorBoard):
    """Writes files for TensorBoard; see `jkeras.callbacks.TensorBoard`."""

    def _iterations(self) -> int:
        return int(self.model.optimizer.iterations)

    def _named_weights(self) -> list[tuple[str, Any]]:
        return [(variable.path, variable.numpy()) for variable in self.model.weights]


@checked_arguments
class SwapEMAWeights(Callback):
    """Swaps weights and their moving averages for evaluation and prediction; requires `use_ema=True`.

    Args:
        swap_on_epoch: also swaps at the end of each epoch, for callbacks that save the model; put this callback
            before those.

    Raises:
        ArgumentError: the optimizer does not maintain averages.
    """

    state_names = ("_averages_in_place",)

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._averages_in_place = False

    def _exchange(self, averages_in_place: bool) -> None:
        if self._averages_in_place == averages_in_place:
            return
        for variable, average in self._pairs():
            weight = variable.numpy()
            variable.assign(average.value)
            average.assign(weight)
        self._averages_in_place = averages_in_place

    def _pairs(self) -> list[tuple[Any, Any]]:
        optimizer = self.model.optimizer
        if isinstance(optimizer, LossScaleOptimizer):
            optimizer = optimizer.inner_optimizer
        parts: list[Optimizer] = optimizer.optimizers if isinstance(optimizer, MultiOptimizer) else [optimizer]
        parts = [part for part in parts if part.use_ema and part.built]
        if not parts:
            raise ArgumentError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. Received:"
                f" {type(optimizer).__name__} without."
            )
        return [
            (variable, average)
            for part in parts
            for variable, average in zip(part._trainable_variables, part._model_variables_moving_average, strict=True)
        ]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Restores the weights."""
        if self.swap_on_epoch:
            self._exchange(averages_in_place=False)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Swaps in the averages, if `swap_on_epoch`; after the last epoch they remain."""
        if self.swap_on_epoch:
            self._exchange(averages_in_place=True)
            if epoch == self.params["epochs"] - 1:
                for variable, average in self._pairs():
                    average.assign(variable.value)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Evaluates the averages."""
        self._exchange(averages_in_place=True)

    def on_test_end(self, logs: Logs = None) -> None:
        """Restores the weights."""
        self._exchange(averages_in_place=False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Swaps in the averages."""
        self._exchange(averages_in_place=True)

    def on_predict_end(self, logs: Logs = None) -> None:
        """Restores the weights."""
        self._exchange(averages_in_place=False)


__all__ = own_names(__name__)
