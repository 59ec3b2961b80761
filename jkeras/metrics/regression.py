"""Means of losses as metrics, and regression scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jkeras import arguments, config, losses
from jkeras.errors import InputError
from jkeras.losses.reduction import divide_no_nan, squeeze_or_expand
from jkeras.losses.regression import as_pair
from jkeras.metrics.metric import DTYPE, BuiltInMetric, State
from jkeras.metrics.reduction import PairMetric, PlainMetric, add_to_mean
from jkeras.types import Axis, DTypeField, PyTree, Specs
from jkeras.values.fields import field


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: Axis | None = -1) -> jax.Array:
    """The cosine of the angle between targets and predictions, from -1 to 1 (same direction).

    >>> cosine_similarity(jnp.array([[1.0, 0.0]]), jnp.array([[3.0, 0.0]])).tolist()
    [1.0]
    """
    return -losses.cosine_similarity(y_true, y_pred, axis)


def pearson_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: Axis | None = -1) -> jax.Array:
    """Pearson's correlation along `axis`; NaN if targets or predictions are constant.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.
        axis: the axis along which to correlate.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> pearson_correlation(jnp.array([[0.0, 1.0, 2.0]]), jnp.array([[1.0, 3.0, 5.0]])).tolist()
    [1.0]
    """
    y_true, y_pred = squeeze_or_expand(*as_pair(y_true, y_pred))
    y_true = y_true - jnp.mean(y_true, axis=axis, keepdims=True)
    y_pred = y_pred - jnp.mean(y_pred, axis=axis, keepdims=True)
    y_true = y_true / jnp.std(y_true, axis=axis, keepdims=True)
    y_pred = y_pred / jnp.std(y_pred, axis=axis, keepdims=True)
    return jnp.mean(y_true * y_pred, axis=axis)


def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: Axis | None = -1) -> jax.Array:
    """Lin's concordance correlation along `axis`: unlike Pearson's, it also penalises differences of mean and scale.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.
        axis: the axis along which to correlate.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    Source: L. I.-K. Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", 1989.

    >>> concordance_correlation(jnp.array([[0.0, 1.0, 2.0]]), jnp.array([[0.0, 1.0, 2.0]])).round(4).tolist()
    [1.0]
    """
    y_true, y_pred = squeeze_or_expand(*as_pair(y_true, y_pred))
    true_mean = jnp.mean(y_true, axis=axis, keepdims=True)
    pred_mean = jnp.mean(y_pred, axis=axis, keepdims=True)
    scale = (
        jnp.var(y_true - true_mean, axis=axis, keepdims=True)
        + jnp.var(y_pred - pred_mean, axis=axis, keepdims=True)
        + jnp.square(true_mean - pred_mean)
    )
    together = (y_true - pred_mean) * (y_pred - pred_mean)
    return jnp.mean(2 * together / (scale + config.epsilon()), axis=axis)


AXIS: Any = field(default=-1, convert=arguments.integer)
FLAG: Any = field(default=False, convert=arguments.boolean)
SMOOTHING: Any = field(default=0, convert=arguments.number)


class MeanSquaredError(PlainMetric):
    """The mean squared error.

    >>> metric = MeanSquaredError()
    >>> float(metric.compute(metric.update(metric.empty(), jnp.array([[0.0], [1.0]]), jnp.array([[2.0], [1.0]]))))
    2.0
    """

    name: str | None = "mean_squared_error"
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.mean_squared_error)


class MeanAbsoluteError(PlainMetric):
    """The mean absolute error.

    >>> metric = MeanAbsoluteError()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 2.0]]), jnp.array([[1.0, 4.0]]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    name: str | None = "mean_absolute_error"
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(PlainMetric):
    """The mean absolute error as a percentage of the targets.

    >>> metric = MeanAbsolutePercentageError()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 2.0]]), jnp.array([[1.0, 4.0]]))
    >>> round(float(metric.compute(state)), 4)
    50.0
    """

    name: str | None = "mean_absolute_percentage_error"
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(PlainMetric):
    """The mean squared error of `log(1 + y)`.

    >>> metric = MeanSquaredLogarithmicError()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 2.0]]), jnp.array([[1.0, 4.0]]))
    >>> round(float(metric.compute(state)), 4)
    0.1305
    """

    name: str | None = "mean_squared_logarithmic_error"
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.mean_squared_logarithmic_error)


class LogCoshError(PlainMetric):
    """The mean of `log(cosh(error))`.

    >>> metric = LogCoshError()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 2.0]]), jnp.array([[1.0, 4.0]]))
    >>> round(float(metric.compute(state)), 4)
    0.6625
    """

    name: str | None = "logcosh"
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.log_cosh)


class Hinge(PlainMetric):
    """The mean of `max(1 - y_true * y_pred, 0)`.

    >>> metric = Hinge()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0], [-1.0]]), jnp.array([[0.5], [0.5]]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    name: str | None = "hinge"
    better: ClassVar[str | None] = "down"
    mixes_samples = True  # whether labels are 0 and 1 depends on the whole batch
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.hinge)


class SquaredHinge(PlainMetric):
    """The mean of `max(1 - y_true * y_pred, 0)**2`.

    >>> metric = SquaredHinge()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0], [-1.0]]), jnp.array([[0.5], [0.5]]))
    >>> round(float(metric.compute(state)), 4)
    1.25
    """

    name: str | None = "squared_hinge"
    better: ClassVar[str | None] = "down"
    mixes_samples = True
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.squared_hinge)


class CategoricalHinge(PlainMetric):
    """The mean of `max(best wrong score - right score + 1, 0)`.

    >>> metric = CategoricalHinge()
    >>> state = metric.update(metric.empty(), jnp.array([[0.0, 1.0]]), jnp.array([[0.25, 0.75]]))
    >>> round(float(metric.compute(state)), 4)
    0.5
    """

    name: str | None = "categorical_hinge"
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.categorical_hinge)


class KLDivergence(PlainMetric):
    """The mean Kullback-Leibler divergence.

    >>> metric = KLDivergence()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 0.0]]), jnp.array([[0.6, 0.4]]))
    >>> round(float(metric.compute(state)), 4)
    0.5108
    """

    name: str | None = "kl_divergence"
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.kl_divergence)


class Poisson(PlainMetric):
    """The mean of `y_pred - y_true * log(y_pred)`.

    >>> metric = Poisson()
    >>> state = metric.update(metric.empty(), jnp.array([[0.0]]), jnp.array([[2.0]]))
    >>> round(float(metric.compute(state)), 4)
    2.0
    """

    name: str | None = "poisson"
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.poisson)


class BinaryCrossentropy(PairMetric):
    """The mean cross-entropy for labels 0 and 1.

    >>> metric = BinaryCrossentropy()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 0.0]]), jnp.array([[0.6, 0.4]]))
    >>> round(float(metric.compute(state)), 4)
    0.5108
    """

    name: str | None = "binary_crossentropy"
    dtype: DTypeField = DTYPE
    from_logits: bool = FLAG
    label_smoothing: float = SMOOTHING
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.binary_crossentropy)


class CategoricalCrossentropy(PairMetric):
    """The mean cross-entropy for one-hot targets or target probabilities.

    >>> metric = CategoricalCrossentropy()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 0.0]]), jnp.array([[0.6, 0.4]]))
    >>> round(float(metric.compute(state)), 4)
    0.5108
    """

    name: str | None = "categorical_crossentropy"
    dtype: DTypeField = DTYPE
    from_logits: bool = FLAG
    label_smoothing: float = SMOOTHING
    axis: int = AXIS
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.categorical_crossentropy)


class SparseCategoricalCrossentropy(PairMetric):
    """The mean cross-entropy for class ids; samples of `ignore_class` do not count.

    Keras excludes such samples only if there are sample weights; otherwise it counts them as 0.

    >>> metric = SparseCategoricalCrossentropy()
    >>> state = metric.update(metric.empty(), jnp.array([0]), jnp.array([[0.6, 0.4]]))
    >>> round(float(metric.compute(state)), 4)
    0.5108
    """

    name: str | None = "sparse_categorical_crossentropy"
    dtype: DTypeField = DTYPE
    from_logits: bool = FLAG
    ignore_class: int | None = field(default=None, convert=arguments.optional(arguments.integer))
    axis: int = AXIS
    better: ClassVar[str | None] = "down"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(losses.sparse_categorical_crossentropy)

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        if self.ignore_class is None:
            return super().update(state, y_true, y_pred, sample_weight)
        values = self.values(jnp.asarray(y_true), jnp.asarray(y_pred))
        mask = (jnp.asarray(y_true) != self.ignore_class).reshape(values.shape).astype(values.dtype)
        if sample_weight is not None:
            weights = jnp.asarray(sample_weight).astype(values.dtype)
            mask, weights = squeeze_or_expand(mask, weights)
            mask = mask * weights.reshape(weights.shape + (1,) * (mask.ndim - weights.ndim))
        return add_to_mean(state, values, mask)


class CosineSimilarity(PairMetric):
    """The mean cosine of the angle between targets and predictions.

    >>> metric = CosineSimilarity()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 0.0]]), jnp.array([[1.0, 1.0]]))
    >>> round(float(metric.compute(state)), 4)
    0.7071
    """

    name: str | None = "cosine_similarity"
    dtype: DTypeField = DTYPE
    # Keras's configurations omit the axis; here it is included if it is not the default.
    axis: int = field(default=-1, convert=arguments.integer, in_config=False)
    better: ClassVar[str | None] = "up"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(cosine_similarity)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | ({} if self.axis == -1 else {"axis": self.axis})


class PearsonCorrelation(PairMetric):
    """The mean of Pearson's correlation along `axis`.

    >>> metric = PearsonCorrelation()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 2.0, 4.0]]), jnp.array([[1.0, 3.0, 3.0]]))
    >>> round(float(metric.compute(state)), 4)
    0.7559
    """

    name: str | None = "pearson_correlation"
    dtype: DTypeField = DTYPE
    axis: int = AXIS
    better: ClassVar[str | None] = "up"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(pearson_correlation)


class ConcordanceCorrelation(PairMetric):
    """The mean of Lin's concordance correlation along `axis`.

    >>> metric = ConcordanceCorrelation()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 2.0, 4.0]]), jnp.array([[1.0, 3.0, 3.0]]))
    >>> round(float(metric.compute(state)), 4)
    0.7273
    """

    name: str | None = "concordance_correlation"
    dtype: DTypeField = DTYPE
    axis: int = AXIS
    better: ClassVar[str | None] = "up"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(concordance_correlation)


class RootMeanSquaredError(BuiltInMetric):
    """The square root of the mean squared error over all data.

    >>> metric = RootMeanSquaredError()
    >>> float(metric.compute(metric.update(metric.empty(), jnp.array([0.0, 0.0]), jnp.array([1.0, 7.0]))))
    5.0
    """

    name: str | None = "root_mean_squared_error"
    dtype: DTypeField = DTYPE
    better: ClassVar[str | None] = "down"

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        return {"total": self._zeros(), "count": self._zeros()}

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        dtype = state["total"].dtype
        y_true, y_pred = squeeze_or_expand(jnp.asarray(y_true).astype(dtype), jnp.asarray(y_pred).astype(dtype))
        return add_to_mean(state, jnp.square(y_pred - y_true), sample_weight)

    def compute(self, state: State) -> jax.Array:
        return jnp.sqrt(divide_no_nan(state["total"], state["count"]))


class R2Score(BuiltInMetric):
    """The coefficient of determination, `1 - residual / total`: the share of the targets' variance that is explained.

    Args:
        class_aggregation: "uniform_average", "variance_weighted_average", or None for one score per output.
        num_regressors: the number of independent regressors, for the adjusted score; 0 gives the plain score.

    As in Keras, infinite scores count as 0, and the adjusted score uses the number of targets (samples times outputs)
    as the number of samples. If that is too small, the plain score is returned.

    >>> metric = R2Score()
    >>> y_true, y_pred = jnp.array([[1.0], [4.0], [3.0]]), jnp.array([[2.0], [4.0], [4.0]])
    >>> round(float(metric.compute(metric.update(metric.empty(), y_true, y_pred))), 4)
    0.5714
    """

    class_aggregation: str | None = field(
        default="uniform_average", convert=arguments.one_of(None, "uniform_average", "variance_weighted_average")
    )
    num_regressors: int = field(default=0, convert=arguments.at_least(0))
    name: str | None = "r2_score"
    dtype: DTypeField = DTYPE
    better: ClassVar[str | None] = "up"

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        shape = () if y_pred is None else (y_pred.shape[-1] if len(y_pred.shape) > 1 else 1,)
        per_output = {name: self._zeros(*shape) for name in ("squared_sum", "sum", "residual", "count")}
        return {"num_samples": self._zeros(), **per_output}

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        dtype = state["sum"].dtype
        y_true, y_pred = squeeze_or_expand(jnp.asarray(y_true).astype(dtype), jnp.asarray(y_pred).astype(dtype))
        if y_true.ndim == 1 and y_pred.ndim == 1:
            y_true, y_pred = y_true[:, None], y_pred[:, None]
        if y_true.ndim != 2 or y_pred.ndim != 2:
            raise InputError(f"R2Score needs (batch, outputs); got targets {y_true.shape}, predictions {y_pred.shape}.")
        weights = jnp.ones((), dtype) if sample_weight is None else jnp.asarray(sample_weight).astype(dtype)
        weights = jnp.broadcast_to(weights[:, None] if weights.ndim == 1 else weights, y_true.shape)
        counted = weights != 0
        y_true, y_pred = jnp.where(counted, y_true, 0), jnp.where(counted, y_pred, 0)
        return {
            "num_samples": state["num_samples"] + jnp.sum(counted, dtype=dtype),
            "squared_sum": state["squared_sum"] + jnp.sum(weights * y_true**2, axis=0),
            "sum": state["sum"] + jnp.sum(weights * y_true, axis=0),
            "residual": state["residual"] + jnp.sum(weights * (y_true - y_pred) ** 2, axis=0),
            "count": state["count"] + jnp.sum(weights, axis=0),
        }

    def compute(self, state: State) -> jax.Array:
        total = state["squared_sum"] - state["sum"] * state["sum"] / state["count"]
        score = 1 - state["residual"] / total
        score = jnp.where(jnp.isinf(score), 0.0, score)
        if self.class_aggregation == "uniform_average":
            score = jnp.mean(score)
        elif self.class_aggregation is not None:
            score = jnp.sum(total * score) / jnp.sum(total)
        if self.num_regressors:
            freedom = state["num_samples"] - self.num_regressors - 1
            adjusted = 1 - (1 - score) * (state["num_samples"] - 1) / jnp.where(freedom > 0, freedom, 1)
            score = jnp.where(freedom > 0, adjusted, score)
        return score
