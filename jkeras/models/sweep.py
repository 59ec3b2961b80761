"""Training one model with many values of its hyperparameters in one program."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, optimizers
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, NotBuiltError, suggestion
from jkeras.lazy import needed
from jkeras.models import members, traced_hyperparameters
from jkeras.models.data_checks import check_epochs
from jkeras.models.ensemble import as_list
from jkeras.models.grouping import Grouping
from jkeras.models.history import History, html_table
from jkeras.models.model import Model
from jkeras.random_keys import as_key
from jkeras.tracebacks import filtered, filtered_methods
from jkeras.training.program import init_optimizer
from jkeras.training.sources import TrainingData, ValidationData
from jkeras.training.state import TrainState, arrays_of
from jkeras.training.task import Options, Task, prepare
from jkeras.types import CallbacksLike, Data, PathLike, Verbose


@filtered
def sweep(model: Model, *, together: bool = False, **values: Any) -> Sweep:
    """Prepares many runs of one model with different hyperparameters: `jk.sweep(model, learning_rate=[...], l2=[...])`.

    Nothing is trained before `fit`. Each run gives the same result as `fit` of the model with those values in its
    layers and its optimizer, but all runs share one program.

    Args:
        model: a compiled model.
        together: whether the lists are paired up (first values, second values, ...) instead of forming every
            combination.
        **values: lists of numbers: `learning_rate`; any number of the optimizer, such as `weight_decay` or `beta_1`;
            `l1` and `l2`, the factors of all kernels' regularizers; `dropout`, the rate of all dropout layers; `seed`,
            for other initial weights and another order of the data.

    Raises:
        ArgumentError: a name is unknown, a list is empty, a value is not allowed, or `together` lists differ in length.

    >>> import jkeras as jk, numpy as np
    >>> x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    >>> model = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> result = jk.sweep(model, learning_rate=[1e-4, 0.1], seed=[0, 1]).fit(x, 2 * x, epochs=30, verbose=0)
    >>> result.best_setting["learning_rate"], len(result)
    (0.1, 4)
    """
    if not values:
        raise ArgumentError("sweep(model): expected hyperparameters, such as learning_rate=[0.1, 0.01].")
    checked = traced_hyperparameters.check(model, values)
    if together and len({len(column) for column in checked.values()}) > 1:
        lengths = {name: len(column) for name, column in checked.items()}
        raise ArgumentError(f"sweep(together=True): the lists have different lengths: {lengths}.")
    rows = zip(*checked.values(), strict=True) if together else itertools.product(*checked.values())
    return Sweep(model, [dict(zip(checked, row, strict=True)) for row in rows])


@filtered_methods("fit")
class Sweep:
    """Many runs of one model; created by `jk.sweep`, trained by `fit`. Immutable.

    Attributes:
        model: the model that is swept.
        settings: the hyperparameters of each run.
        histories: the history of each.
        grouping: as that of an `Ensemble`.
    """

    def __init__(self, model: Model, settings: list[dict[str, Any]]):
        self.model = model
        self.settings = settings
        self.histories: tuple[History, ...] = ()
        self.grouping: Grouping | None = None
        self._state: TrainState | None = None

    def _with(self, **changes: Any) -> Self:
        clone = copy.copy(self)
        vars(clone).update(changes)
        return clone

    def fit(
        self,
        x: Data | None,
        y: Data | None = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbose = "auto",
        callbacks: CallbacksLike = None,
        validation_split: float = 0.0,
        validation_data: Data | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Data | None = None,
        *,
        group: int | None = None,
    ) -> Self:
        """Trains all models and returns the sweep with their results; arguments as in `Ensemble.fit`."""
        check_epochs("sweep.fit", epochs, shuffle)
        task = prepare(
            self.model,
            TrainingData(x, y, sample_weight, batch_size, class_weight=class_weight),
            ValidationData(validation_data, validation_split),
            in_memory=True,
        )
        check_used("fit", owner="sweep", may_show=True)
        recipe = task.model.recipe
        options = Options(
            epochs=epochs, shuffle=shuffle, verbose=verbose, steps_per_execution=recipe.steps_per_execution
        )
        state = self._first_state(task)
        plan = members.Plan(options, as_list(callbacks), group=group, settings=self.settings)
        if traced_hyperparameters.PLACE in state.model_state:
            varied = traced_hyperparameters.varied
            task = dataclasses.replace(task, train=varied(task.train), evaluate=varied(task.evaluate))
        trained = members.train(task, state, plan)
        final = trained.state
        model_state = {name: tree for name, tree in final.model_state.items() if name != traced_hyperparameters.PLACE}
        return self._with(
            model=task.model,
            histories=trained.histories,
            grouping=trained.grouping,
            _state=final.replace(model_state=model_state),
        )

    def _first_state(self, task: Task) -> TrainState:
        model, states = task.model, []
        for setting in self.settings:
            seed = setting.get("seed")
            own = model.state if seed is None else model.init(seed).state.replace(rng=as_key(seed))
            states.append(own.replace(opt_state=None))
        state: TrainState = members.stack(states)
        optimizer = model.recipe.optimizer
        if arrays_of(model.state).opt_state is not None and "seed" not in self.settings[0]:
            opt_state = members.stack([arrays_of(model.state).opt_state] * len(states))
        else:
            opt_state = jax.vmap(lambda params: init_optimizer(optimizer, params, task.train.program.frozen))(
                arrays_of(state).params
            )
        if "learning_rate" in self.settings[0]:
            rates = jnp.asarray([setting["learning_rate"] for setting in self.settings], jnp.float32)
            opt_state = jax.vmap(lambda s, rate: optimizers.set_learning_rate(optimizer, s, rate))(opt_state, rates)
        names = [name for name in self.settings[0] if name not in traced_hyperparameters.OF_STATE]
        columns = {name: jnp.asarray([s[name] for s in self.settings], jnp.float32) for name in names}
        place = {traced_hyperparameters.PLACE: columns} if columns else {}
        result: TrainState = state.replace(opt_state=opt_state, model_state={**arrays_of(state).model_state, **place})
        return result

    # -- results --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.settings)

    def __getitem__(self, index: int) -> Model:
        """One of the models, trained, with its hyperparameters in its layers and its optimizer."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"The sweep has {len(self)} models.")
        if self._state is None:
            raise NotBuiltError("Nothing is trained yet: `sweep = sweep.fit(x, y)`.")
        model = traced_hyperparameters.applied(self.model, self.settings[index])
        return model.with_state(members.member(self._state, index), self.histories[index])

    def __iter__(self) -> Iterator[Model]:
        return (self[i] for i in range(len(self)))

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Logs: arrays of shape `(epochs, models)`, NaN after a model stopped."""
        if not self.histories:
            return {}
        return {name: members.table([h[name] for h in self.histories]) for name in self.histories[0]}

    @property
    def table(self) -> list[dict[str, Any]]:
        """A row for each model: its hyperparameters, and its logs after the last epoch."""
        histories = self.histories or [History()] * len(self)
        return [{**s, **{name: h[name][-1] for name in h}} for s, h in zip(self.settings, histories, strict=True)]

    def ranked(self, by: str | None = None, mode: str = "auto") -> list[int]:
        """The indices of the models, best first; models that diverged to NaN come last.

        Args:
            by: a name in the logs; by default `val_loss`, or `loss` without validation.
            mode: "min", "max", or "auto", which maximizes names that contain `acc`, `auc`, `f1` and so on, and
                minimizes others.
        """
        logs = self.history
        if not logs:
            raise NotBuiltError("Nothing is trained yet: `sweep = sweep.fit(x, y)`.")
        by = arguments.checked("ranked", "by", by, arguments.optional(arguments.text))
        by = by or ("val_loss" if "val_loss" in logs else "loss")
        if by not in logs:
            raise ArgumentError(f"The logs have no {by!r}.{suggestion(by, logs)} They have {', '.join(logs)}.")
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(f"mode={mode!r}: expected 'auto', 'min' or 'max'.")
        words = ("acc", "auc", "precision", "recall", "f1", "fbeta", "score", "iou", "r2", "similarity")
        largest = mode == "max" or (mode == "auto" and any(word in by for word in words))
        values = np.asarray([h[by][-1] for h in self.histories])
        return [
            int(i)
            for i in np.argsort(np.where(np.isnan(values), np.inf, -values if largest else values), kind="stable")
        ]

    @property
    def best(self) -> Model:
        """The model with the smallest `val_loss`, or `loss` without validation."""
        return self[self.ranked()[0]]

    @property
    def best_setting(self) -> dict[str, Any]:
        """Its hyperparameters."""
        return self.settings[self.ranked()[0]]

    def to_pandas(self) -> Any:
        """`table` as a pandas data frame."""
        pandas = needed("pandas", "Sweep.to_pandas", "pandas")

        return pandas.DataFrame(self.table)

    def plot(self, metric: str | None = None, path: PathLike | None = None) -> Any:
        """The curves of all models, and the last value by each hyperparameter; a matplotlib figure."""
        from jkeras.plots import plot_sweep

        return plot_sweep(self, metric, path=path)

    def _repr_html_(self) -> str:
        rows = [self.table[i] for i in self.ranked()] if self.histories else self.table
        return html_table(
            list(rows[0]), [list(row.values()) for row in rows], "best first" if self.histories else "not trained"
        )

    def __repr__(self) -> str:
        names = ", ".join(self.settings[0])
        return f"<Sweep of {len(self)} x {self.model!r} over {names}{'' if self.histories else ', not trained'}>"
