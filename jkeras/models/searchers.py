"""What proposes the settings of a search: an Optuna study or a KerasTuner oracle."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from jkeras.arguments import shown
from jkeras.callbacks.callback import Callback
from jkeras.callbacks.pruning import OptunaPruning
from jkeras.errors import ArgumentError, ExtraError


@dataclasses.dataclass(frozen=True)
class Choices:
    """One of several values."""

    values: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, inclusive; an integer if both are. With `log`, the scale is logarithmic."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether numbers between are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)


def domain(name: str, entry: Any) -> Choices | Range:
    """What an entry of a space means: `[values]`, `(low, high)` or `(low, high, "log")`.

    >>> domain("units", (8, 64)), domain("activation", ["relu", "tanh"])
    (Range(low=8, high=64, log=False), Choices(values=('relu', 'tanh')))
    """
    if isinstance(entry, list) and entry:
        return Choices(tuple(entry))
    numbers = isinstance(entry, tuple) and all(isinstance(v, (int, float)) for v in entry[:2])
    if (
        numbers
        and (len(entry) == 2 or entry[2:] == ("log",))
        and entry[0] < entry[1]
        and (len(entry) == 2 or entry[0] > 0)
    ):
        return Range(entry[0], entry[1], len(entry) == 3)
    raise ArgumentError(
        f"search: {name}={shown(entry)}: expected a list of values, a range (low, high), or (low, high, 'log') above 0."
    )


Space = Mapping[str, Choices | Range]


class Searcher(Protocol):
    """Proposes settings and receives their results."""

    def ask(self, space: Space) -> tuple[Any, dict[str, Any]]:
        """A trial and its setting."""

    def callbacks(self, trial: Any, monitor: str) -> Sequence[Callback]:
        """Callbacks for the training of a trial."""

    def tell(self, trial: Any, value: float | None) -> None:
        """Reports the result of a trial; None if it was stopped early."""


class OptunaSearcher:
    """An Optuna study, which can stop unpromising trials early.

    Args:
        study: the study; None creates a new one.
        direction: the direction of a new study, "minimize" or "maximize".
        seed: the seed of a new study.

    Raises:
        ExtraError: optuna is not installed.
    """

    def __init__(self, study: Any = None, direction: str = "minimize", seed: int = 0):
        try:
            import optuna
        except ImportError as error:
            raise ExtraError("search needs optuna: pip install 'jkeras[optuna]'") from error
        self._optuna: Any = optuna
        sampler = optuna.samplers.TPESampler(seed=seed)
        self.study = optuna.create_study(direction=direction, sampler=sampler) if study is None else study

    def ask(self, space: Space) -> tuple[Any, dict[str, Any]]:
        trial = self.study.ask()
        return trial, {name: self._suggested(trial, name, part) for name, part in space.items()}

    def _suggested(self, trial: Any, name: str, part: Choices | Range) -> Any:
        if isinstance(part, Choices):
            return trial.suggest_categorical(name, part.values)
        suggest = trial.suggest_int if part.whole else trial.suggest_float
        return suggest(name, part.low, part.high, log=part.log)

    def callbacks(self, trial: Any, monitor: str) -> Sequence[Callback]:
        return [OptunaPruning(trial, monitor)]

    def tell(self, trial: Any, value: float | None) -> None:
        states = self._optuna.trial.TrialState
        self.study.tell(trial, value, state=states.PRUNED if value is None else states.COMPLETE)


class KerasTunerSearcher:
    """A KerasTuner oracle, such as `keras_tuner.oracles.BayesianOptimizationOracle(objective=..., max_trials=20)`.

    Args:
        oracle: the oracle, with its objective.
    """

    def __init__(self, oracle: Any):
        self.oracle = oracle

    def ask(self, space: Space) -> tuple[Any, dict[str, Any]]:
        table = self.oracle.get_space()
        for name, part in space.items():
            if isinstance(part, Choices):
                table.Choice(name, list(part.values))
            else:
                sampling = "log" if part.log else "linear"
                (table.Int if part.whole else table.Float)(name, part.low, part.high, sampling=sampling)
        self.oracle.update_space(table)
        trial = self.oracle.create_trial("jkeras")
        return trial, {name: trial.hyperparameters.get(name) for name in space}

    def callbacks(self, trial: Any, monitor: str) -> Sequence[Callback]:
        return []

    def tell(self, trial: Any, value: float | None) -> None:
        if value is None:
            trial.status = "INVALID"
        else:
            self.oracle.update_trial(trial.trial_id, {self.oracle.objective.name: value})
            trial.status = "COMPLETED"
        self.oracle.end_trial(trial)
