"""Accuracies: the share of predictions that are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jkeras import arguments, lowering
from jkeras.losses.reduction import squeeze_or_expand
from jkeras.losses.regression import as_pair
from jkeras.metrics.metric import DTYPE
from jkeras.metrics.reduction import PairMetric
from jkeras.types import DTypeField
from jkeras.values.fields import field


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """1 where target and prediction are equal, else 0.

    >>> accuracy(jnp.array([1, 2]), jnp.array([1, 3])).tolist()
    [1.0, 0.0]
    """
    y_pred = jnp.asarray(y_pred)
    y_true, y_pred = squeeze_or_expand(jnp.asarray(y_true).astype(y_pred.dtype), y_pred)
    return (y_true == y_pred).astype(jnp.float32)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> jax.Array:
    """1 where the label equals `y_pred > threshold`, else 0.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: labels 0 and 1.
        y_pred: predictions of the same shape.
        threshold: predictions above this number are positive.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> binary_accuracy(jnp.array([1.0, 1.0]), jnp.array([0.6, 0.5])).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = squeeze_or_expand(jnp.asarray(y_true), jnp.asarray(y_pred))
    return (y_true == (y_pred > threshold).astype(y_true.dtype)).astype(jnp.float32)


def _ids_beside(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    """Class ids with one axis less than the predictions; a trailing axis of size 1 is removed."""
    return jnp.squeeze(y_true, -1) if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1 else y_true


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """1 where the largest prediction has the same index as the largest target, else 0, `(batch, ...)`.

    Shapes: targets `(batch, ..., classes)`, one-hot or probabilities, and predictions of the same shape; one value
    for each sample, `(batch, ...)`.

    Args:
        y_true: one-hot vectors, `(batch, ..., classes)`.
        y_pred: scores of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> categorical_accuracy(jnp.array([[0, 1], [1, 0]]), jnp.array([[0.2, 0.8], [0.3, 0.7]])).tolist()
    [1.0, 0.0]
    """
    y_pred = lowering.as_array(y_pred)
    ids = lowering.last_argmax(jnp.asarray(y_true))
    matches = lowering.is_argmax(y_pred, _ids_beside(ids, y_pred))
    return matches.astype(jnp.float32).reshape(ids.shape)


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """1 where the class id is the index of the largest prediction, else 0, `(batch, ...)`.

    Shapes: class ids `(batch, ...)` or `(batch, ..., 1)` and predictions `(batch, ..., classes)`; one value for
    each sample, `(batch, ...)`.

    Args:
        y_true: class ids.
        y_pred: scores, `(batch, ..., classes)`.

    Raises:
        ValueError: the shapes do not fit.

    >>> sparse_categorical_accuracy(jnp.array([1, 0]), jnp.array([[0.2, 0.8], [0.3, 0.7]])).tolist()
    [1.0, 0.0]
    """
    y_pred = lowering.as_array(y_pred)
    matches = lowering.is_argmax(y_pred, _ids_beside(jnp.asarray(y_true), y_pred))
    if matches.ndim > 1 and matches.shape[-1] == 1:
        matches = jnp.squeeze(matches, -1)
    return matches.astype(jnp.float32)


def _in_top_k(ids: jax.Array, y_pred: jax.Array, k: int) -> jax.Array:
    flat = _ids_beside(ids, y_pred)
    class_scores = jnp.take_along_axis(y_pred, flat.astype(jnp.int32)[..., None], axis=-1)
    class_scores = jnp.where(jnp.isnan(class_scores), -jnp.inf, class_scores)
    return (jnp.sum(y_pred > class_scores, axis=-1) < k).astype(jnp.float32).reshape(ids.shape)


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> jax.Array:
    """1 where the prediction for the true class is among the `k` largest, else 0, `(batch, ...)`.

    Shapes: targets `(batch, ..., classes)`, one-hot or probabilities, and predictions of the same shape; one value
    for each sample, `(batch, ...)`.

    Args:
        y_true: one-hot vectors, `(batch, ..., classes)`.
        y_pred: scores of the same shape.
        k: the number of largest predictions to consider.

    Raises:
        ValueError: the shapes do not fit.

    >>> top_k_categorical_accuracy(jnp.array([[0, 0, 1]]), jnp.array([[0.2, 0.5, 0.3]]), k=2).tolist()
    [1.0]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return _in_top_k(jnp.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> jax.Array:
    """1 where the prediction for the class id is among the `k` largest, else 0, `(batch, ...)`.

    With `from_sorted_ids`, predictions are class ids, sorted from best to worst.

    Shapes: class ids `(batch, ...)` or `(batch, ..., 1)` and predictions `(batch, ..., classes)`; one value for
    each sample, `(batch, ...)`.

    Args:
        y_true: class ids.
        y_pred: scores, `(batch, ..., classes)`.
        k: the number of largest predictions to consider.
        from_sorted_ids: whether predictions are class ids, sorted from best to worst, instead of scores.

    Raises:
        ValueError: the shapes do not fit.

    >>> sparse_top_k_categorical_accuracy(jnp.array([2]), jnp.array([[0.2, 0.5, 0.3]]), k=2).tolist()
    [1.0]
    """
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    if not from_sorted_ids:
        return _in_top_k(y_true, y_pred, k)
    ids = _ids_beside(y_true, y_pred).astype(y_pred.dtype)
    return jnp.any(ids[..., None] == y_pred[..., :k], axis=-1).astype(jnp.float32).reshape(y_true.shape)


class _Accuracy(PairMetric):
    better: ClassVar[str | None] = "up"
    matches_ranks = False


class Accuracy(_Accuracy):
    """How often predictions equal targets.

    >>> metric = Accuracy()
    >>> float(metric.compute(metric.update(metric.empty(), jnp.array([1, 2, 3, 4]), jnp.array([0, 2, 3, 4]))))
    0.75
    """

    name: str | None = "accuracy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(accuracy)


class BinaryAccuracy(_Accuracy):
    """How often labels 0 and 1 equal `y_pred > threshold`; a prediction of exactly `threshold` means 0.

    >>> metric = BinaryAccuracy()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0], [0.0]]), jnp.array([[0.6], [0.7]]))
    >>> round(float(metric.compute(state)), 4)
    0.5
    """

    name: str | None = "binary_accuracy"
    dtype: DTypeField = DTYPE
    threshold: float = field(default=0.5, convert=arguments.number)
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(binary_accuracy)


class CategoricalAccuracy(_Accuracy):
    """How often the largest prediction has the same index as the largest target; targets are one-hot.

    >>> metric = CategoricalAccuracy()
    >>> state = metric.update(metric.empty(), jnp.array([[1.0, 0.0]]), jnp.array([[0.6, 0.4]]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    name: str | None = "categorical_accuracy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(_Accuracy):
    """How often the class id is the index of the largest prediction.

    >>> metric = SparseCategoricalAccuracy()
    >>> state = metric.update(metric.empty(), jnp.array([0, 1]), jnp.array([[0.6, 0.4], [0.7, 0.3]]))
    >>> round(float(metric.compute(state)), 4)
    0.5
    """

    name: str | None = "sparse_categorical_accuracy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(_Accuracy):
    """How often the true class is among the `k` largest predictions; targets are one-hot.

    >>> metric = TopKCategoricalAccuracy(k=2)
    >>> state = metric.update(metric.empty(), jnp.array([[0.0, 0.0, 1.0]]), jnp.array([[0.5, 0.2, 0.3]]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    k: int = field(default=5, convert=arguments.positive_int)
    name: str | None = "top_k_categorical_accuracy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(top_k_categorical_accuracy)


class SparseTopKCategoricalAccuracy(_Accuracy):
    """How often the class id is among the `k` largest predictions.

    Args:
        from_sorted_ids: whether predictions are class ids, sorted from best to worst, instead of scores.

    >>> metric = SparseTopKCategoricalAccuracy(k=2)
    >>> state = metric.update(metric.empty(), jnp.array([2]), jnp.array([[0.5, 0.2, 0.3]]))
    >>> round(float(metric.compute(state)), 4)
    1.0
    """

    k: int = field(default=5, convert=arguments.positive_int)
    name: str | None = "sparse_top_k_categorical_accuracy"
    dtype: DTypeField = DTYPE
    from_sorted_ids: bool = field(default=False, convert=arguments.boolean)
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(sparse_top_k_categorical_accuracy)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config if self.from_sorted_ids else {k: v for k, v in config.items() if k != "from_sorted_ids"}
