"""Ends unpromising trials of a search."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from jkeras.callbacks.callback import Logs
from jkeras.callbacks.monitor import Monitor
from jkeras.errors import ExtraError


@runtime_checkable
class Pruning(Protocol):
    """A callback that ends training by raising an exception.

    Attributes:
        pruned: the class of the exception.
    """

    pruned: type[Exception]


class OptunaPruning(Monitor):
    """Reports a value to an Optuna trial after each epoch, and raises `optuna.TrialPruned` if it should be pruned.

    The study catches the exception in its objective function. Requires `pip install jkeras[optuna]`.

    Args:
        trial: Optuna's trial.
        monitor: the name of the value in the logs.

    Raises:
        ExtraError: optuna is not installed.

    >>> import jkeras as jk
    >>> def objective(trial):
    ...     rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    ...     model = network.compile(jk.optimizers.Adam(rate), "mse")
    ...     pruning = jk.callbacks.OptunaPruning(trial)
    ...     model = model.fit(x, y, validation_split=0.2, epochs=20, callbacks=[pruning])
    ...     return model.history["val_loss"][-1]
    >>> optuna.create_study().optimize(objective, n_trials=50)  # doctest: +SKIP
    """

    def __init__(self, trial: Any, monitor: str = "val_loss"):
        super().__init__(monitor)
        try:
            import optuna
        except ImportError as error:
            raise ExtraError("OptunaPruning needs optuna: pip install 'jkeras[optuna]'") from error
        self.trial = trial
        self.pruned: type[Exception] = optuna.TrialPruned

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Reports the epoch."""
        value = self.value_in(logs)
        if value is None:
            return
        self.trial.report(value, step=epoch)
        if self.trial.should_prune():
            raise self.pruned(f"{self.monitor} was {value:.6g} after epoch {epoch + 1}.")
