"""Searching over settings that make other networks, which one program cannot train together."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

from jkeras.arguments import checked, positive_int, shown
from jkeras.callbacks.pruning import Pruning
from jkeras.console.tables import html_table
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, NotBuiltError, suggestion
from jkeras.models.model import Model
from jkeras.models.searchers import OptunaSearcher, Searcher, domain
from jkeras.models.sweep import sweep
from jkeras.tracebacks import filtered, filtered_methods

Build = Callable[..., Model]


@filtered
def search(
    build: Build,
    space: Mapping[str, Any],
    *,
    swept: Mapping[str, Any] | None = None,
    monitor: str = "val_loss",
    mode: str = "min",
    searcher: Searcher | None = None,
    seed: int = 0,
) -> Search:
    """A search over settings of any kind: units, activations, numbers of layers. `fit` tries them.

    Hyperparameters that `jk.sweep` can vary in one program, such as learning rates, can be in `swept`: each trial then trains
    all of these together and counts as its best.

    Args:
        build: makes a compiled model of the setting, `build(**setting)`.
        space: for each name a list of values, a range `(low, high)`, whole if both ends are, or `(low, high, "log")`.
        swept: lists as `jk.sweep` takes them.
        monitor: the name in the logs of what is to become best; its best epoch counts.
        mode: "min" or "max".
        searcher: `OptunaSearcher(study)` or `KerasTunerSearcher(oracle)` of `jkeras.models.searchers`; by default a new study
            of Optuna (`pip install jkeras[optuna]`).
        seed: the seed of the new study.

    Raises:
        ArgumentError: an entry of the space is none of the above, or `mode` is neither "min" nor "max".
        ExtraError: optuna is needed and not installed.

    Example::

        def build(units, activation):
            network = jk.Sequential([jk.Input((4,)), layers.Dense(units, activation), layers.Dense(1)])
            return network.compile("adam", "mse")

        result = jk.search(build, {"units": (8, 64), "activation": ["relu", "tanh"]}, swept={"learning_rate": [1e-3, 1e-2]})
        result = result.fit(x, y, trials=20, validation_split=0.2, epochs=10)
        result.best_setting, result.best.evaluate(x_test, y_test)
    """
    if not callable(build):
        raise ArgumentError(f"search(build={shown(build)}): expected a function that makes a compiled model.")
    if not isinstance(space, Mapping) or not space:
        raise ArgumentError(f"search(space={shown(space)}): expected a dict such as {{'units': (8, 64)}}.")
    if mode not in ("min", "max"):
        raise ArgumentError(f"search(mode={mode!r}): expected 'min' or 'max'.")
    domains = {name: domain(name, choices) for name, choices in space.items()}
    proposer = OptunaSearcher(None, "minimize" if mode == "min" else "maximize", seed) if searcher is None else searcher
    return Search(build, domains, dict(swept or {}), monitor, mode, proposer)


@filtered_methods("fit")
class Search:
    """A search; made by `jk.search`.

    Attributes:
        table: a row for each trial with its setting and its value of the objective, None if the trial was stopped
            early.
        searcher: proposes the settings.
    """

    def __init__(
        self,
        build: Build,
        space: Mapping[str, Any],
        swept: Mapping[str, Any],
        monitor: str,
        mode: str,
        searcher: Searcher,
    ):
        self.searcher = searcher
        self.table: tuple[dict[str, Any], ...] = ()
        self._build, self._space, self._swept, self._monitor, self._mode = build, space, swept, monitor, mode
        self._best: tuple[float, Model, dict[str, Any]] | None = None

    def fit(self, x: Any, y: Any = None, *, trials: int = 10, **options: Any) -> Search:
        """Runs more trials and returns the search with their results.

        Args:
            x: inputs, as in `Model.fit`.
            y: targets.
            trials: the number of settings to try.
            **options: as in `Model.fit`, such as `epochs` and `validation_split`.

        Raises:
            ArgumentError: the logs do not contain the objective.
        """
        checked("Search.fit", "trials", trials, positive_int)
        check_used("fit", owner="search", may_show=True)
        searched: Search = copy.copy(self)
        rows = list(self.table)
        for _ in range(trials):
            trial, setting = self.searcher.ask(self._space)
            score = self._tried(trial, setting, x, y, options)
            self.searcher.tell(trial, None if score is None else score[0])
            rows.append(
                {**(setting if score is None else score[2]), self._monitor: None if score is None else score[0]}
            )
            if score is not None and (searched._best is None or self._better(score[0], searched._best[0])):
                searched._best = score
        searched.table = tuple(rows)
        return searched

    def _better(self, value: float, other: float) -> bool:
        return value < other if self._mode == "min" else value > other

    def _tried(
        self, trial: Any, setting: dict[str, Any], x: Any, y: Any, options: Mapping[str, Any]
    ) -> tuple[float, Model, dict[str, Any]] | None:
        """Value, model and whole setting of a trial; None if it was ended early or came to NaN."""
        model = self._build(**setting)
        if not isinstance(model, Model):
            raise ArgumentError(f"search: build({setting}) gave {shown(model)}, which is not a model.")
        if self._swept:
            swept = sweep(model, **self._swept).fit(x, y, **options)
            runs = [
                (self._value(one.history), one, {**setting, **own})
                for one, own in zip(swept, swept.settings, strict=True)
            ]
        else:
            watching = self.searcher.callbacks(trial, self._monitor)
            pruned = tuple(one.pruned for one in watching if isinstance(one, Pruning))
            callbacks = options.get("callbacks") or []
            own = [*callbacks] if isinstance(callbacks, (list, tuple)) else [callbacks]
            try:
                trained = model.fit(x, y, **{**options, "callbacks": [*own, *watching]})
            except pruned:
                return None
            runs = [(self._value(trained.history), trained, setting)]
        runs = [run for run in runs if not math.isnan(run[0])]
        return (min if self._mode == "min" else max)(runs, key=lambda run: run[0], default=None)

    def _value(self, history: Mapping[str, Any]) -> float:
        if self._monitor not in history:
            raise ArgumentError(
                f"search(monitor={self._monitor!r}): the logs do not have it.{suggestion(self._monitor, history)} For"
                f" `val_...` give `fit` validation_data or validation_split."
            )
        values = [value for value in history[self._monitor] if not math.isnan(value)]
        return (min if self._mode == "min" else max)(values, default=math.nan)

    def _found(self) -> tuple[float, Model, dict[str, Any]]:
        if self._best is None:
            raise NotBuiltError("No trial came to its end yet: `search = search.fit(x, y)`.")
        return self._best

    @property
    def best(self) -> Model:
        """The trained model of the best trial."""
        return self._found()[1]

    @property
    def best_setting(self) -> dict[str, Any]:
        """Its setting."""
        return dict(self._found()[2])

    @property
    def best_value(self) -> float:
        """The value that it reached."""
        return self._found()[0]

    def _repr_html_(self) -> str:
        if not self.table:
            return html_table([*self._space], [], "Search, no trials yet")
        complete_rows = [row for row in self.table if row[self._monitor] is not None]
        complete_rows.sort(key=lambda row: row[self._monitor], reverse=self._mode == "max")
        other_rows = [row for row in self.table if row[self._monitor] is None]
        rows = [
            ["cut off" if value is None else value for value in row.values()] for row in [*complete_rows, *other_rows]
        ]
        return html_table(list(self.table[0]), rows, f"Search of {len(self.table)} trials, best first")

    def __repr__(self) -> str:
        best = "" if self._best is None else f", best {self._monitor} {self._best[0]:.4g}"
        return f"<Search over {', '.join([*self._space, *self._swept])}: {len(self.table)} trials{best}>"
