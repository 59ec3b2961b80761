"""Cross-validation: the models of all folds trained together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import jax
import numpy as np

from jkeras import arguments
from jkeras.console.progress import resolve_verbosity
from jkeras.console.tables import html_table
from jkeras.errors import ArgumentError
from jkeras.models import members
from jkeras.models.data_checks import check_epochs
from jkeras.models.ensemble import array_source, as_list
from jkeras.models.grouping import Grouping
from jkeras.models.model import Model
from jkeras.tracebacks import filtered
from jkeras.training.array_source import ArraySource
from jkeras.training.sources import TrainingData
from jkeras.training.task import Options, prepare, recipe_of
from jkeras.types import CallbacksLike, Data, Verbose


class CrossValidation:
    """The result of `jk.cross_validate`.

    Attributes:
        models: the trained model of each fold.
        scores: for each name in the logs, the scores on the held-out rows of each fold, of shape `(folds,)`.
        rows: the held-out rows of each fold.
        groupings: how the folds of each size were trained, smallest first; see `Ensemble`.

    >>> result = CrossValidation((), {"loss": np.array([0.25, 0.75])}, ())
    >>> result.mean, result
    ({'loss': 0.5}, <CrossValidation of 0 folds: loss 0.5000 ± 0.3536>)
    """

    def __init__(
        self,
        models: tuple[Model, ...],
        scores: Mapping[str, np.ndarray],
        rows: tuple[np.ndarray, ...],
        groupings: tuple[Grouping, ...] = (),
    ):
        self.models = models
        self.scores: dict[str, np.ndarray] = dict(scores)
        self.rows = rows
        self.groupings = groupings

    @property
    def mean(self) -> dict[str, float]:
        """The mean of each score over the folds."""
        return {name: float(np.mean(values)) for name, values in self.scores.items()}

    @property
    def std(self) -> dict[str, float]:
        """The standard deviation of each score over the folds (of the sample, with n - 1)."""
        return {name: float(np.std(values, ddof=1)) for name, values in self.scores.items()}

    def _repr_html_(self) -> str:
        names = [*self.scores]
        rows: list[list[Any]] = [[i + 1, *(float(self.scores[n][i]) for n in names)] for i in range(len(self.models))]
        rows += [["mean", *self.mean.values()], ["std", *self.std.values()]]
        return html_table(["fold", *names], rows, f"Cross-validation of {len(self.models)} folds")

    def __repr__(self) -> str:
        parts = [f"{name} {mean:.4f} ± {self.std[name]:.4f}" for name, mean in self.mean.items()]
        return f"<CrossValidation of {len(self.models)} folds: {', '.join(parts)}>"


@filtered
def cross_validate(
    model: Model,
    x: Data | None,
    y: Data | None = None,
    folds: int | Iterable[Any] = 5,
    *,
    shuffle: bool = True,
    seed: int = 0,
    batch_size: int | None = None,
    epochs: int = 1,
    callbacks: CallbacksLike = None,
    sample_weight: Data | None = None,
    group: int | None = None,
    verbose: Verbose = 0,
) -> CrossValidation:
    """Trains a model once per fold, each time from its current weights, and scores it on the held-out rows.

    All folds are trained together; each gives the same result as `model.fit` on its rows.

    Args:
        model: a compiled model.
        x: inputs, as arrays, as in `fit`.
        y: targets, likewise.
        folds: the number of folds, or pairs `(training rows, held-out rows)` such as those of `split(x, y)` of scikit-learn's
            `StratifiedKFold`.
        shuffle: whether rows are assigned to folds at random; otherwise folds are blocks of consecutive rows.
        seed: the seed of that shuffle.
        batch_size: the number of rows per step, as in `fit`.
        epochs: the number of epochs, as in `fit`.
        callbacks: as in `fit`. Each fold has its own copies of callbacks with hooks per epoch.
        sample_weight: a weight per sample, as in `fit`.
        group: the number of folds to train in one program, as in `Ensemble.fit`.
        verbose: as in `fit`; folds of one size train together and have one bar.

    Returns:
        A `CrossValidation`.

    Raises:
        ArgumentError: there are fewer than two folds, more folds than rows, or rows that do not exist.

    >>> import jkeras as jk, numpy as np
    >>> x = np.linspace(-1, 1, 20, dtype="float32")[:, None]
    >>> line = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)]).compile(jk.optimizers.SGD(0.1), "mse")
    >>> result = cross_validate(line, x, 3 * x, folds=4, epochs=100)
    >>> result.scores["loss"].shape, result.mean["loss"] < 0.01
    ((4,), True)
    """
    recipe = recipe_of(model, "cross_validate")
    check_epochs("cross_validate", epochs, shuffle)
    arguments.checked("cross_validate", "seed", seed, arguments.integer)
    source = array_source(x, y, sample_weight, batch_size)
    pairs = _pairs(folds, source.rows, shuffle, seed)
    whole = prepare(model, TrainingData(source), method="cross_validate", in_memory=True)
    model, start = whole.model, whole.first_state()
    options = Options(epochs=epochs, verbose=verbose, steps_per_execution=recipe.steps_per_execution)
    trained: dict[int, Model] = {}
    groupings: list[Grouping] = []
    # Folds of equal size train together; sizes differ by one row at most, unless the user says otherwise.
    for size in sorted({len(rows) for rows, _ in pairs}):
        same_size = [i for i, (rows, _) in enumerate(pairs) if len(rows) == size]
        if resolve_verbosity(verbose):
            print(f"Folds {', '.join(str(i + 1) for i in same_size)} of {len(pairs)}")
        plan = members.Plan(options, as_list(callbacks), rows=np.stack([pairs[i][0] for i in same_size]), group=group)
        part = ArraySource(source.data, size, min(source.batch_size, size))
        task = prepare(model, TrainingData(part), method="cross_validate", in_memory=True)
        state, histories, grouping = members.train(task, members.stack([start] * len(same_size)), plan)
        groupings.append(grouping)
        for position, i in enumerate(same_size):
            own = members.member(state, position)
            trained[i] = model.with_state(own, histories[position])
    logs = []
    for i, (_, rows) in enumerate(pairs):
        data = jax.tree.map(lambda a, rows=rows: a[rows], source.data)
        logs.append(
            trained[i].evaluate(
                data.x, data.y, batch_size, verbose=0, sample_weight=data.sample_weight, return_dict=True
            )
        )
    scores = {name: np.asarray([row[name] for row in logs]) for name in logs[0]}
    models, held_out = tuple(trained[i] for i in range(len(pairs))), tuple(rows for _, rows in pairs)
    return CrossValidation(models, scores, held_out, tuple(groupings))


def _pairs(folds: int | Iterable[Any], count: int, shuffle: bool, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    if isinstance(folds, (int, np.integer)) and not isinstance(folds, bool):
        if not 2 <= folds <= count:
            raise ArgumentError(f"cross_validate(folds={folds}): expected 2 to {count}, the number of rows.")
        order = np.asarray(jax.random.permutation(jax.random.key(seed), count)) if shuffle else np.arange(count)
        left_out = [np.sort(part) for part in np.array_split(order, folds)]
        return [(np.setdiff1d(np.arange(count), rows), rows) for rows in left_out]
    try:
        pairs = [(np.asarray(train), np.asarray(test)) for train, test in cast("Iterable[Any]", folds)]
    except (TypeError, ValueError):
        pairs = []
    for rows in (rows for pair in pairs for rows in pair):
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows) or rows.min() < 0 or rows.max() >= count:
            raise ArgumentError(f"cross_validate(folds=...): {rows!r} are not the numbers of some of {count} rows.")
    if len(pairs) < 2:
        raise ArgumentError(
            f"cross_validate(folds={folds!r}): expected a number of at least 2, or pairs (rows to train on, rows to score on)."
        )
    return pairs
