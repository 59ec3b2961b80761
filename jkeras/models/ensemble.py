"""Many models of one definition, trained in one vmapped program."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.callbacks.callback import CallbackList
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, InputError
from jkeras.models import members
from jkeras.models.data_checks import check_epochs
from jkeras.models.grouping import Grouping
from jkeras.models.history import History
from jkeras.models.model import Model
from jkeras.random_keys import as_key
from jkeras.tracebacks import filtered_methods
from jkeras.training.array_source import ArraySource
from jkeras.training.compiled_loops import loops_of
from jkeras.training.evaluation import Evaluation, Pass
from jkeras.training.program import init_optimizer
from jkeras.training.sources import TrainingData, ValidationData, as_source
from jkeras.training.state import TrainState, arrays_of
from jkeras.training.task import Options, Task, prepare, prepare_prediction
from jkeras.types import CallbacksLike, Data, Verbose


@filtered_methods("fit", "evaluate", "predict", "predict_members")
class Ensemble:
    """Models that differ only in their seeds and are trained, evaluated and queried together.

    Each member starts from the weights of its own seed and sees the data in its own order. It ends up as the model that
    `model.init(seed).fit(..., seed=seed)` returns, but all members train together: small models in one program, larger
    ones in groups on all cores.

    An ensemble is immutable: `fit` returns a new one. `ensemble[3]` is an ordinary model; `len(ensemble)` is the number of
    members.

    Args:
        model: a compiled model.
        n: the number of members, or a list of their seeds.
        bootstrap: whether each member trains on a resample of the data, drawn with replacement.

    Attributes:
        model: the model.
        seeds: the members' seeds.
        state: the members' arrays with a leading axis of members; None before `fit`.
        histories: the history of each member.
        grouping: how many members the last `fit` trained in one program, who chose that, and what was measured; None before.

    Raises:
        ArgumentError: `model` is not a model, or `n` is neither a positive number nor a list of seeds.

    >>> import jkeras as jk
    >>> x = np.linspace(-1, 1, 16, dtype="float32")[:, None]
    >>> line = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> ensemble = Ensemble(line, 3).fit(x, 3 * x, epochs=2, verbose=0)
    >>> ensemble.predict_members(x).shape, ensemble[0].predict(x, verbose=0).shape
    ((3, 16, 1), (16, 1))
    """

    def __init__(self, model: Model, n: Any = 8, *, bootstrap: bool = False):
        if not isinstance(model, Model):
            raise ArgumentError(f"Ensemble(model={model!r}): expected a `jk.Model`.")
        try:
            if isinstance(n, (list, tuple, np.ndarray, range)):
                self.seeds: list[int] = [arguments.integer(seed) for seed in n]
            else:
                self.seeds = list(range(arguments.positive_int(n)))
        except ArgumentError as error:
            raise ArgumentError(f"Ensemble(n={n!r}): {error}, or a list of seeds.") from None
        if not self.seeds:
            raise ArgumentError("Ensemble(n=[]): expected at least one seed.")
        self.model = model
        self.bootstrap = bootstrap
        self.state: TrainState | None = None
        self.histories: tuple[History, ...] = tuple(History() for _ in self.seeds)
        self.grouping: Grouping | None = None

    def _with(self, **changes: Any) -> Self:
        clone = copy.copy(self)
        vars(clone).update(changes)
        return clone

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int) -> Model:
        """One member, as an ordinary model."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"The ensemble has {len(self)} members.")
        state = members.member(self._members_state(self.model), index)
        return self.model.with_state(state, self.histories[index])

    def __iter__(self) -> Iterator[Model]:
        return (self[i] for i in range(len(self)))

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Logs of the last `fit`: arrays of shape `(epochs, members)`, NaN after a member stopped."""
        return {name: members.table([h[name] for h in self.histories]) for name in self.histories[0]}

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
        """A trained ensemble; arguments as in `Model.fit`. The data must fit into memory.

        Each member has its own copies of the callbacks, which are called after each epoch with its logs and its model.
        A member stopped by `EarlyStopping` keeps its weights while the others continue.

        Args:
            x, y, batch_size, epochs, verbose, validation_split, validation_data: as in `Model.fit`.
            callbacks: callbacks with epoch hooks. With `BackupAndRestore`, an interrupted run resumes bit for bit if
                the members and their groups are the same.
            shuffle, class_weight, sample_weight: as in `Model.fit`.
            group: the number of members to train in one program, 1 for one after another (on CPUs, one group per core in
                parallel). None measures a few sizes at the beginning, if that takes a small share of the run, and uses the
                fastest; the result's `grouping` has the size and the measurements. Results of different sizes differ only
                by rounding; `group=` with the same number gives the same bits.
        """
        check_epochs("Ensemble.fit", epochs, shuffle)
        task = prepare(
            self.model,
            TrainingData(x, y, sample_weight, batch_size, class_weight=class_weight),
            ValidationData(validation_data, validation_split),
            in_memory=True,
        )
        check_used("fit", owner="ensemble")
        options = Options(
            epochs=epochs,
            shuffle="bootstrap" if self.bootstrap else shuffle,
            verbose=verbose,
            steps_per_execution=task.model.recipe.steps_per_execution,
        )
        plan = members.Plan(options, as_list(callbacks), group=group, settings=self.seeds)
        trained = members.train(task, self._training_state(task), plan)
        return self._with(model=task.model, **trained._asdict())

    def evaluate(
        self, x: Data | None, y: Data | None = None, batch_size: int | None = None, sample_weight: Data | None = None
    ) -> dict[str, Any]:
        """The loss and metrics of every member.

        Args:
            x: inputs, as arrays.
            y: targets, as arrays.
            batch_size: the number of rows per batch; None means 32.
            sample_weight: a weight per sample.

        Returns:
            Arrays of shape `(members,)`, by name.
        """
        data = TrainingData(x, y, sample_weight, batch_size)
        task = prepare(self.model, data, method="evaluate", in_memory=True)
        task = dataclasses.replace(task, loops=loops_of(many=True), run_eagerly=False)
        run = Pass(CallbackList(), lambda: self._members_state(task.model))
        return Evaluation(task, task.source).scores(run)

    def predict_members(self, x: Data | None, batch_size: int | None = None) -> Any:
        """The outputs of every member.

        Args:
            x: inputs, as arrays.
            batch_size: the number of rows per batch; None means 512.

        Returns:
            Arrays of shape `(members, rows, ...)`, in the structure of the outputs.
        """
        task = prepare_prediction(self.model, array_source(x, None, None, batch_size or 512))
        state, predict = self._members_state(task.model), loops_of(many=True).predict
        parts = [jax.device_get(predict(task.definition, state, batch.x)) for batch in task.source.batches()]
        return jax.tree.map(lambda *pieces: np.concatenate(pieces, axis=1), *parts)

    def predict(self, x: Data | None, batch_size: int | None = None) -> tuple[Any, Any]:
        """The mean of the members' outputs, and their spread.

        Args:
            x: inputs, as arrays.
            batch_size: the number of rows per batch; None means 512.

        Returns:
            The mean over the members, and the standard deviation.
        """
        outputs = self.predict_members(x, batch_size)
        return jax.tree.map(lambda a: a.mean(axis=0), outputs), jax.tree.map(lambda a: a.std(axis=0), outputs)

    def _members_state(self, model: Model) -> TrainState:
        if self.state is not None:
            return self.state
        result: TrainState = members.stack([model.init(seed).state for seed in self.seeds])
        return result

    def _training_state(self, task: Task) -> TrainState:
        state = self._members_state(task.model)
        if arrays_of(state).opt_state is None:
            optimizer = task.model.recipe.optimizer
            make: Any = jax.vmap(lambda params: init_optimizer(optimizer, params, task.train.program.frozen))
            state = state.replace(opt_state=make(arrays_of(state).params))
        keys = jnp.stack([as_key(seed) for seed in self.seeds])
        return state.replace(rng=keys)

    def __repr__(self) -> str:
        return f"<Ensemble of {len(self)} x {self.model!r}>"


def array_source(
    x: Data | None, y: Data | None = None, sample_weight: Data | None = None, batch_size: int | None = None
) -> ArraySource:
    """Data for members that are trained together.

    Raises:
        InputError: the data is a stream.
    """
    source = as_source(x, y, sample_weight, batch_size)
    if not isinstance(source, ArraySource):
        raise InputError("Models that train together take arrays, since each sees them in an order of its own.")
    return source


def as_list(callbacks: CallbacksLike) -> list[Any]:
    """Callbacks as a list."""
    return CallbackList(callbacks).callbacks
