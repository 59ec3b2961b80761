"""True and false positives and negatives at thresholds, and the metrics computed from them.

A state is two histograms: the weights of positive and of negative samples by how many of the sorted thresholds their
prediction exceeds. One pass over a batch fills them, however many thresholds there are; the counts at each threshold
are their cumulative sums, taken once in `compute`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import arguments, config
from jkeras.allowance import charge
from jkeras.errors import ArgumentError, InputError
from jkeras.losses.reduction import align, divide_no_nan, squeeze_or_expand
from jkeras.metrics.metric import DTYPE, BuiltInMetric, State
from jkeras.types import ArrayLike, Converted, DTypeField, DTypeLike, PyTree, Specs
from jkeras.values.fields import field

# Keras replaces predictions outside the top k by this value.
LOWEST = -1e10
# Up to this many cells, comparing with each cell is faster than a scatter.
FEW_CELLS = 16
# Bytes per threshold in a tuple.
THRESHOLD = 40


class Counts(NamedTuple):
    """Weighted counts at each threshold, `(thresholds,)` or `(thresholds, labels)`."""

    true_positives: jax.Array
    false_positives: jax.Array
    true_negatives: jax.Array
    false_negatives: jax.Array

    @property
    def recall(self) -> jax.Array:
        return divide_no_nan(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def precision(self) -> jax.Array:
        return divide_no_nan(self.true_positives, self.true_positives + self.false_positives)

    @property
    def specificity(self) -> jax.Array:
        return divide_no_nan(self.true_negatives, self.true_negatives + self.false_positives)


def evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Whether thresholds divide [0, 1] evenly (to within `epsilon`), so that arithmetic gives the bucket."""
    steps = len(thresholds) - 1
    if steps < 2:
        return False
    return bool(np.allclose(thresholds, np.arange(steps + 1, dtype=np.float32) / steps, atol=config.epsilon()))


def exceeded(y_pred: jax.Array, thresholds: Sequence[float], even: bool) -> jax.Array:
    """How many of the sorted thresholds each prediction exceeds; NaN exceeds none."""
    ordered = np.sort(np.asarray(thresholds, np.float64))
    if even:
        # Keras's arithmetic, so that predictions equal to a threshold round the same way.
        count = jnp.ceil(jnp.clip(y_pred, 0.0, 1.0) * (len(ordered) - 1))
        if ordered[0] < 0 or ordered[-1] > 1:
            count = jnp.maximum(count, 1)
    else:
        count = jnp.searchsorted(jnp.asarray(ordered, y_pred.dtype), y_pred, side="left")
    return jnp.where(jnp.isnan(y_pred), 0, count).astype(jnp.int32)


def histogram(
    y_true: PyTree[ArrayLike],
    y_pred: PyTree[ArrayLike],
    sample_weight: ArrayLike | None,
    thresholds: Sequence[float],
    even: bool,
    dtype: DTypeLike,
    top_k: int | None = None,
    class_id: int | None = None,
    label_weights: Sequence[float] | None = None,
    by_label: bool = False,
) -> State:
    """The histograms of a batch.

    Args:
        y_true: labels, `(batch, ...)`; nonzero means positive.
        y_pred: predictions of the same shape.
        sample_weight: None, `(batch,)`, or with further axes.
        thresholds: in any order.
        even: whether they divide the interval from 0 to 1 evenly.
        dtype: the type of the counts.
        top_k: only the `top_k` largest predictions along the last axis can be positive.
        class_id: only this index of the last axis counts.
        label_weights: a weight per index of the last axis.
        by_label: whether to count separately for each index of the last axis.

    Raises:
        InputError: the shapes do not match.
    """
    y_pred, y_true = squeeze_or_expand(jnp.asarray(y_pred).astype(dtype), jnp.asarray(y_true).astype(dtype))
    if y_true.shape != y_pred.shape:
        raise InputError(
            f"Targets of shape {y_true.shape} do not match predictions of shape {y_pred.shape}: this metric"
            " needs a label for each prediction. For class ids write `jk.utils.to_categorical(y)`."
        )
    if top_k is not None:
        kth = jax.lax.top_k(y_pred, top_k)[1]
        inside = jnp.sum(jax.nn.one_hot(kth, y_pred.shape[-1], dtype=jnp.int32), axis=-2) > 0
        y_pred = jnp.where(inside, y_pred, LOWEST)
    if class_id is not None:
        if y_pred.ndim == 1:
            raise InputError(f"class_id={class_id} needs predictions (batch, classes); got {y_pred.shape}.")
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
    weights = jnp.ones((), dtype)
    if sample_weight is not None:
        weights = align(y_pred, jnp.asarray(sample_weight).astype(dtype))[1]
        if weights.ndim > y_pred.ndim:
            weights = weights.reshape(weights.shape[: y_pred.ndim])
    if label_weights is not None:
        weights = weights * jnp.asarray(label_weights, dtype)
    weights = jnp.broadcast_to(weights, y_pred.shape)

    cells = len(thresholds) + 1
    labels = y_pred.shape[-1] if by_label else 1
    index = exceeded(y_pred, thresholds, even) + cells * (y_true != 0)
    if by_label:
        index = index * labels + jnp.arange(labels)
    # A row of weight 0 may hold anything, including NaN.
    index = jnp.where(weights == 0, 0, index).ravel()
    counts = _weighted_bins(index, weights.ravel(), 2 * cells * labels)
    negatives, positives = counts.reshape((2, cells, labels) if by_label else (2, cells))
    return {"positives": positives, "negatives": negatives}


def _weighted_bins(index: jax.Array, weights: jax.Array, size: int) -> jax.Array:
    if size <= FEW_CELLS:
        return jnp.sum(jnp.where(index[:, None] == jnp.arange(size), weights[:, None], 0), axis=0)
    return jnp.zeros(size, weights.dtype).at[index].add(weights)


def counts(state: State, thresholds: Sequence[float]) -> Counts:
    """Counts at each threshold, in the order of the `thresholds` argument."""
    rank = np.argsort(np.argsort(np.asarray(thresholds, np.float64), kind="stable"), kind="stable")

    def split(bins: jax.Array) -> tuple[jax.Array, jax.Array]:
        below = jnp.cumsum(bins, axis=0)[:-1]
        above = jnp.cumsum(bins[::-1], axis=0)[::-1][1:]
        return below[rank], above[rank]

    false_negatives, true_positives = split(state["positives"])
    true_negatives, false_positives = split(state["negatives"])
    return Counts(true_positives, false_positives, true_negatives, false_negatives)


def _thresholds(value: object) -> Any:
    try:
        if isinstance(value, (tuple, list, np.ndarray)):
            return tuple(arguments.probability(v) for v in value)
        return arguments.probability(value)
    except ArgumentError:
        raise ArgumentError("expected a number from 0 to 1, or a list of them") from None


THRESHOLDS: Any = field(default=None, convert=arguments.optional(_thresholds))
INDEX: Any = field(default=None, convert=arguments.optional(arguments.at_least(0)))
TOP_K: Any = field(default=None, convert=arguments.optional(arguments.positive_int))


class _ThresholdAttributes:
    thresholds: Converted[float | Sequence[float] | None, float | tuple[float, ...] | None]
    # For classes without these arguments.
    top_k: int | None = None
    class_id: int | None = None


class _AtThresholds(_ThresholdAttributes, BuiltInMetric):
    """A number computed from the counts at each of one or more thresholds.

    Shapes: labels and predictions of one shape, `(batch, ...)`; one value, or one for each threshold of a list.
    """

    def _values(self, counts: Counts) -> jax.Array:
        raise NotImplementedError

    def all_thresholds(self) -> tuple[float, ...]:
        if self.thresholds is None:
            return (0.5 if self.top_k is None else LOWEST,)
        return self.thresholds if isinstance(self.thresholds, tuple) else (self.thresholds,)

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        cells = len(self.all_thresholds()) + 1
        return {"positives": self._zeros(cells), "negatives": self._zeros(cells)}

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        thresholds = self.all_thresholds()
        counts = histogram(
            y_true,
            y_pred,
            sample_weight,
            thresholds,
            evenly_spaced(thresholds),
            state["positives"].dtype,
            top_k=self.top_k,
            class_id=self.class_id,
        )
        return self.merge(state, counts)

    def compute(self, state: State) -> jax.Array:
        values = self._values(counts(state, self.all_thresholds()))
        return values[0] if values.shape[0] == 1 else values


class _Count(_AtThresholds):
    thresholds: Converted[float | Sequence[float] | None, float | tuple[float, ...] | None] = THRESHOLDS
    name: str | None = None
    dtype: DTypeField = DTYPE


class TruePositives(_Count):
    """The weight of positive samples predicted positive.

    >>> metric = TruePositives()
    >>> float(metric.compute(metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([1.0, 0.0, 1.0, 1.0]))))
    2.0
    """

    def _values(self, counts: Counts) -> jax.Array:
        return counts.true_positives


class FalsePositives(_Count):
    """The weight of negative samples predicted positive.

    >>> metric = FalsePositives()
    >>> state = metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([0.1, 0.4, 0.6, 0.9]))
    >>> round(float(metric.compute(state)), 4)
    0.0
    """

    def _values(self, counts: Counts) -> jax.Array:
        return counts.false_positives


class TrueNegatives(_Count):
    """The weight of negative samples predicted negative.

    >>> metric = TrueNegatives()
    >>> state = metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([0.1, 0.4, 0.6, 0.9]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    def _values(self, counts: Counts) -> jax.Array:
        return counts.true_negatives


class FalseNegatives(_Count):
    """The weight of positive samples predicted negative.

    >>> metric = FalseNegatives()
    >>> state = metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([0.1, 0.4, 0.6, 0.9]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    def _values(self, counts: Counts) -> jax.Array:
        return counts.false_negatives


class Precision(_AtThresholds):
    """The share of positive predictions that are right.

    Args:
        thresholds: a number or a list; predictions above it are positive. By default 0.5, or with `top_k` no threshold.
        top_k: only the `top_k` largest predictions along the last axis can be positive.
        class_id: only this index of the last axis counts.

    >>> metric = Precision()
    >>> state = metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([1.0, 0.0, 1.0, 1.0]))
    >>> round(float(metric.compute(state)), 4)
    0.6667
    """

    thresholds: Converted[float | Sequence[float] | None, float | tuple[float, ...] | None] = THRESHOLDS
    top_k: int | None = TOP_K
    class_id: int | None = INDEX
    name: str | None = None
    dtype: DTypeField = DTYPE
    better: ClassVar[str | None] = "up"

    def _values(self, counts: Counts) -> jax.Array:
        return counts.precision


class Recall(_AtThresholds):
    """The share of positive samples that are predicted positive; arguments as for `Precision`.

    >>> metric = Recall()
    >>> state = metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([0.1, 0.4, 0.6, 0.9]))
    >>> round(float(metric.compute(state)), 4)
    0.6667
    """

    thresholds: Converted[float | Sequence[float] | None, float | tuple[float, ...] | None] = THRESHOLDS
    top_k: int | None = TOP_K
    class_id: int | None = INDEX
    name: str | None = None
    dtype: DTypeField = DTYPE
    better: ClassVar[str | None] = "up"

    def _values(self, counts: Counts) -> jax.Array:
        return counts.recall


class _BestAttributes:
    num_thresholds: int
    class_id: int | None


class _BestAt(_BestAttributes, BuiltInMetric):
    """The best value of one rate over the thresholds at which another rate is large enough.

    Shapes: labels and predictions of one shape, `(batch, ...)`; one value.
    """

    better: ClassVar[str | None] = "up"

    def _required(self) -> float:
        raise NotImplementedError

    def _rates(self, counts: Counts) -> tuple[jax.Array, jax.Array]:
        """The rate that must reach the required value, and the rate to report."""
        raise NotImplementedError

    def all_thresholds(self) -> tuple[float, ...]:
        n = self.num_thresholds
        charge(n, "thresholds of a metric", THRESHOLD)
        return (0.5,) if n == 1 else (0.0, *((i + 1) / (n - 1) for i in range(n - 2)), 1.0)

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        cells = self.num_thresholds + 1
        return {"positives": self._zeros(cells), "negatives": self._zeros(cells)}

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        thresholds, dtype = self.all_thresholds(), state["positives"].dtype
        even = self.num_thresholds > 1
        added = histogram(y_true, y_pred, sample_weight, thresholds, even, dtype, class_id=self.class_id)
        return self.merge(state, added)

    def compute(self, state: State) -> jax.Array:
        return self._values(counts(state, self.all_thresholds()))

    def _values(self, counts: Counts) -> jax.Array:
        constrained, reported = self._rates(counts)
        return jnp.max(jnp.where(constrained >= self._required(), reported, 0), initial=0)


COUNT: Any = field(default=200, convert=arguments.positive_int)


class SensitivityAtSpecificity(_BestAt):
    """The best sensitivity (recall) where the specificity is at least `specificity`.

    Args:
        specificity: the required specificity, from 0 to 1.

    >>> metric = SensitivityAtSpecificity(0.5)
    >>> y_true, y_pred = jnp.array([0, 0, 0, 1, 1]), jnp.array([0.0, 0.3, 0.8, 0.3, 0.8])
    >>> float(metric.compute(metric.update(metric.empty(), y_true, y_pred)))
    0.5
    """

    specificity: float = field(convert=arguments.probability)
    num_thresholds: int = COUNT
    class_id: int | None = INDEX
    name: str | None = None
    dtype: DTypeField = DTYPE

    def _required(self) -> float:
        return self.specificity

    def _rates(self, counts: Counts) -> tuple[jax.Array, jax.Array]:
        return counts.specificity, counts.recall


class SpecificityAtSensitivity(_BestAt):
    """The best specificity where the sensitivity (recall) is at least `sensitivity`.

    Args:
        sensitivity: the required sensitivity, from 0 to 1.

    >>> metric = SpecificityAtSensitivity(sensitivity=0.5)
    >>> state = metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([0.1, 0.4, 0.6, 0.9]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    sensitivity: float = field(convert=arguments.probability)
    num_thresholds: int = COUNT
    class_id: int | None = INDEX
    name: str | None = None
    dtype: DTypeField = DTYPE

    def _required(self) -> float:
        return self.sensitivity

    def _rates(self, counts: Counts) -> tuple[jax.Array, jax.Array]:
        return counts.recall, counts.specificity


class PrecisionAtRecall(_BestAt):
    """The best precision where the recall is at least `recall`.

    Args:
        recall: the required recall, from 0 to 1.

    >>> metric = PrecisionAtRecall(recall=0.5)
    >>> state = metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([0.1, 0.4, 0.6, 0.9]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    recall: float = field(convert=arguments.probability)
    num_thresholds: int = COUNT
    class_id: int | None = INDEX
    name: str | None = None
    dtype: DTypeField = DTYPE

    def _required(self) -> float:
        return self.recall

    def _rates(self, counts: Counts) -> tuple[jax.Array, jax.Array]:
        return counts.recall, counts.precision


class RecallAtPrecision(_BestAt):
    """The best recall where the precision is at least `precision`.

    Args:
        precision: the required precision, from 0 to 1.

    >>> metric = RecallAtPrecision(precision=0.8)
    >>> state = metric.update(metric.empty(), jnp.array([0, 1, 1, 1]), jnp.array([0.1, 0.4, 0.6, 0.9]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    precision: float = field(convert=arguments.probability)
    num_thresholds: int = COUNT
    class_id: int | None = INDEX
    name: str | None = None
    dtype: DTypeField = DTYPE

    def _required(self) -> float:
        return self.precision

    def _rates(self, counts: Counts) -> tuple[jax.Array, jax.Array]:
        return counts.precision, counts.recall
