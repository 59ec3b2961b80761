"""F scores: the harmonic mean of precision and recall."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.errors import ArgumentError, InputError
from jkeras.metrics.metric import DTYPE, BuiltInMetric, State
from jkeras.types import ArrayLike, DTypeField, PyTree, Specs
from jkeras.values.fields import field

AVERAGE: Any = field(default=None, convert=arguments.one_of(None, "micro", "macro", "weighted"))
THRESHOLD: Any = field(default=None, convert=arguments.optional(arguments.between(0, 1, open_low=True)))


def _beta(value: object) -> float:
    beta = arguments.number(value)
    if not beta > 0:
        raise ArgumentError("expected a number above 0")
    return float(beta)


class _FScoreAttributes:
    average: str | None
    threshold: float | None


class _FScore(_FScoreAttributes, BuiltInMetric):
    better: ClassVar[str | None] = "up"

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        shape = () if self.average == "micro" or y_pred is None else (y_pred.shape[-1],)
        names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
        return {name: self._zeros(*shape) for name in names}

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        dtype = state["true_positives"].dtype
        y_true, y_pred = jnp.asarray(y_true).astype(dtype), jnp.asarray(y_pred).astype(dtype)
        if y_true.ndim != 2 or y_pred.ndim != 2:
            raise InputError(
                f"{type(self).__name__} needs (batch, classes); got targets {y_true.shape}, predictions {y_pred.shape}."
                " For class ids write `jk.utils.to_categorical(y)`."
            )
        if self.threshold is None:
            best = jnp.max(y_pred, axis=-1, keepdims=True)
            predicted = ((y_pred >= best) & (jnp.abs(y_pred) > 1e-9)).astype(dtype)
        else:
            predicted = (y_pred > self.threshold).astype(dtype)
        weights = None if sample_weight is None else jnp.asarray(sample_weight).astype(dtype).reshape(-1, 1)
        axis = None if self.average == "micro" else 0

        def total(values: jax.Array) -> jax.Array:
            if weights is not None:
                values = jnp.where(weights == 0, 0, values * weights)
            return jnp.sum(values, axis=axis)

        return {
            "true_positives": state["true_positives"] + total(predicted * y_true),
            "false_positives": state["false_positives"] + total(predicted * (1 - y_true)),
            "false_negatives": state["false_negatives"] + total((1 - predicted) * y_true),
            "intermediate_weights": state["intermediate_weights"] + total(y_true),
        }

    def _score(self, state: State, beta: float) -> jax.Array:
        epsilon = config.epsilon()
        right = state["true_positives"]
        precision = right / (right + state["false_positives"] + epsilon)
        recall = right / (right + state["false_negatives"] + epsilon)
        score = (1 + beta**2) * (precision * recall / (beta**2 * precision + recall + epsilon))
        if self.average == "weighted":
            weights = state["intermediate_weights"]
            return jnp.sum(score * weights / (jnp.sum(weights) + epsilon))
        return score if self.average is None else jnp.mean(score)


class FBetaScore(_FScore):
    """The F-beta score; recall counts `beta` times as much as precision.

    Shapes: labels and predictions `(batch, classes)`; one value, or `(classes,)` where `average` is None.

    Args:
        average: None for one score per class, "micro" to pool the counts of all classes, "macro" for the mean over
            classes, "weighted" for the mean weighted by the number of targets.
        beta: the weight of recall relative to precision, above 0.
        threshold: predictions above it are positive; with None, only the largest prediction of each row is.

    >>> metric = FBetaScore(beta=2.0, threshold=0.5)
    >>> y_true, y_pred = jnp.array([[1, 1], [1, 0]]), jnp.array([[0.8, 0.6], [0.4, 0.7]])
    >>> metric.compute(metric.update(metric.empty(), y_true, y_pred)).tolist()
    [0.5555, 0.8333]
    """

    average: str | None = AVERAGE
    beta: float = field(default=1.0, convert=_beta)
    threshold: float | None = THRESHOLD
    name: str | None = "fbeta_score"
    dtype: DTypeField = DTYPE

    def compute(self, state: State) -> jax.Array:
        return self._score(state, self.beta)


class F1Score(_FScore):
    """The F1 score: the harmonic mean of precision and recall.

    Shapes: labels and predictions `(batch, classes)`; one value, or `(classes,)` where `average` is None.

    >>> metric = F1Score(average="micro")
    >>> y_true, y_pred = jnp.array([[1, 0], [0, 1]]), jnp.array([[0.8, 0.2], [0.6, 0.4]])
    >>> round(float(metric.compute(metric.update(metric.empty(), y_true, y_pred))), 3)
    0.5
    """

    average: str | None = AVERAGE
    threshold: float | None = THRESHOLD
    name: str | None = "f1_score"
    dtype: DTypeField = DTYPE

    def compute(self, state: State) -> jax.Array:
        return self._score(state, 1.0)
