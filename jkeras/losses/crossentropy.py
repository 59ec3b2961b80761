"""Losses on probabilities: cross-entropies, focal variants, divergences.

Predictions are probabilities unless `from_logits`. As in Keras, class probabilities are renormalised to sum to one and
clipped to `[epsilon, 1 - epsilon]`. A clipped probability has no gradient, so if training saturates, prefer
`from_logits=True` with a linear last layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jkeras import arguments, config, lowering
from jkeras.errors import ArgumentError, InputError
from jkeras.losses.loss import DTYPE, REDUCTION, PairLoss, PlainLoss
from jkeras.losses.regression import as_pair
from jkeras.types import DTypeField, PyTree
from jkeras.values.fields import field


def _clipped(p: jax.Array) -> jax.Array:
    return jnp.clip(p, config.epsilon(), 1.0 - config.epsilon())


def _same_shape(y_true: jax.Array, y_pred: jax.Array, name: str) -> None:
    if y_true.shape != y_pred.shape:
        raise InputError(f"{name} needs targets of the same shape as predictions, {y_pred.shape}; got {y_true.shape}.")


def _axis(axis: Any) -> int:
    if isinstance(axis, bool):
        raise ArgumentError(f"axis={axis!r}: expected an integer")
    result: int = axis
    return result


def _smoothed(y_true: jax.Array, label_smoothing: float, classes: int) -> jax.Array:
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes if label_smoothing else y_true


def _log_probabilities(y_pred: jax.Array, from_logits: bool, axis: int) -> jax.Array:
    if from_logits:
        return jax.nn.log_softmax(y_pred, axis=axis)
    logits = lowering.logits_of(y_pred, axis)
    if logits is not None:
        return _clipped_logarithm(jax.nn.log_softmax(logits, axis))
    return jnp.log(_clipped(y_pred / jnp.sum(y_pred, axis, keepdims=True)))


def _clipped_logarithm(log_p: jax.Array) -> jax.Array:
    """`log(_clipped(p))`, from `log(p)`; it has no gradient beyond the bounds either."""
    low, high = (np.log(np.asarray(p, log_p.dtype)) for p in (config.epsilon(), 1.0 - config.epsilon()))
    return jnp.clip(log_p, low, high)


def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> jax.Array:
    """`-sum(y_true * log(y_pred))` over the class axis.

    Shapes: targets `(batch, ..., classes)`, one-hot or probabilities, and predictions of the same shape; one value
    for each sample, `(batch, ...)`.

    Args:
        y_true: probabilities or one-hot vectors, `(batch, ..., classes)`.
        y_pred: predictions of the same shape.
        from_logits: predictions are logits.
        label_smoothing: the share of each target, from 0 to 1, that is spread evenly over all classes.
        axis: the class axis.

    Raises:
        InputError: the shapes differ.

    >>> categorical_crossentropy(jnp.array([[0.0, 1.0]]), jnp.array([[0.5, 0.5]])).round(4).tolist()
    [0.6930999755859375]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    _same_shape(y_true, y_pred, "categorical_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, y_true.shape[-1])
    return -jnp.sum(y_true * _log_probabilities(y_pred, from_logits, _axis(axis)), axis=axis)


def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """`-sum(alpha * (1 - y_pred)**gamma * y_true * log(y_pred))` over the class axis.

    Shapes: targets `(batch, ..., classes)`, one-hot or probabilities, and predictions of the same shape; one value
    for each sample, `(batch, ...)`.

    Args:
        y_true: one-hot vectors or probabilities, `(batch, ..., classes)`.
        y_pred: predictions of the same shape.
        alpha: the weight of the classes, one number for all or one per class.
        gamma: the focusing exponent; the larger it is, the less easy samples count.
        from_logits: whether predictions are logits.
        label_smoothing: the share of each target, from 0 to 1, that is spread evenly over all classes.
        axis: the class axis.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    Source: T.-Y. Lin et al., "Focal Loss for Dense Object Detection", 2017.

    >>> categorical_focal_crossentropy(jnp.array([[0.0, 1.0]]), jnp.array([[0.5, 0.5]])).round(4).tolist()
    [0.0433]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        y_pred = jax.nn.softmax(y_pred, axis=_axis(axis))
    p = _clipped(y_pred / jnp.sum(y_pred, axis=_axis(axis), keepdims=True))
    weight = jnp.power(1.0 - p, gamma) * jnp.asarray(alpha, p.dtype)
    return -jnp.sum(weight * y_true * jnp.log(p), axis=axis)


def class_ids(y_true: jax.Array, y_pred: jax.Array, axis: int) -> jax.Array:
    """Class ids, without the class axis if they have one of size 1."""
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        return jnp.squeeze(y_true, axis)
    return y_true


def _log_at(p: jax.Array, ids: jax.Array, axis: int) -> jax.Array:
    return jnp.log(_clipped(lowering.chosen(p, ids, axis) / jnp.sum(p, axis)))


def _log_softmax_at(logits: jax.Array, ids: jax.Array, axis: int) -> jax.Array:
    """`log_softmax(logits)` at the ids; the derivative of `log_softmax` would sum over the classes once more."""
    shifted = logits - jax.lax.stop_gradient(jnp.max(logits, axis, keepdims=True))
    return lowering.chosen(shifted, ids, axis) - jnp.log(jnp.sum(jnp.exp(shifted), axis))


def sparse_categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> jax.Array:
    """`-log(y_pred[class])`.

    Shapes: class ids `(batch, ...)` or `(batch, ..., 1)` and predictions `(batch, ..., classes)`; one value for
    each sample, `(batch, ...)`.

    Args:
        y_true: class ids, `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: predictions, `(batch, ..., classes)`.
        from_logits: predictions are logits.
        ignore_class: samples with this class id have loss 0.
        axis: the class axis.

    Raises:
        InputError: the shapes do not match.

    >>> sparse_categorical_crossentropy(jnp.array([1]), jnp.array([[0.5, 0.5]])).round(4).tolist()
    [0.6930999755859375]
    """
    y_pred = lowering.as_array(y_pred)
    y_true = class_ids(jnp.asarray(y_true), y_pred, _axis(axis))
    expected = y_pred.shape[: axis % y_pred.ndim] + y_pred.shape[axis % y_pred.ndim + 1 :]
    if y_true.shape != expected:
        raise InputError(
            f"sparse_categorical_crossentropy needs class ids of shape {expected} for predictions of shape"
            f" {y_pred.shape}; got {y_true.shape}."
        )
    logits = y_pred if from_logits else lowering.logits_of(y_pred, axis)
    scores = y_pred if logits is None else logits
    counts = None
    if ignore_class is not None:
        counts = y_true != ignore_class
        y_true = jnp.where(counts, y_true, 0)
        scores = jnp.where(jnp.expand_dims(counts, axis), scores, 0)
    ids = y_true.astype(jnp.int32)
    log_p = _log_at(scores, ids, axis) if logits is None else _log_softmax_at(scores, ids, axis)
    if logits is not None and not from_logits:
        log_p = _clipped_logarithm(log_p)
    known = (ids >= 0) & (ids < y_pred.shape[axis])  # other ids have loss 0, as in Keras
    loss = jnp.where(known, -log_p, 0.0)
    return loss if counts is None else jnp.where(counts, loss, 0.0)


def _binary(y_true: jax.Array, y_pred: jax.Array, from_logits: bool) -> jax.Array:
    if from_logits:
        return -y_true * jax.nn.log_sigmoid(y_pred) - (1.0 - y_true) * jax.nn.log_sigmoid(-y_pred)
    p = _clipped(y_pred)
    return -(y_true * jnp.log(p) + (1.0 - y_true) * jnp.log(1.0 - p))


def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> jax.Array:
    """The mean of `-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)` over `axis`.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: labels from 0 to 1, `(batch, ..., features)`.
        y_pred: predictions of the same shape.
        from_logits: predictions are logits.
        label_smoothing: moves labels towards 1/2 by this share, from 0 to 1.
        axis: the axis to average over.

    Raises:
        InputError: the shapes differ.

    >>> binary_crossentropy(jnp.array([[1.0, 0.0]]), jnp.array([[0.5, 0.5]])).round(4).tolist()
    [0.6930999755859375]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    _same_shape(y_true, y_pred, "binary_crossentropy")
    return jnp.mean(_binary(_smoothed(y_true, label_smoothing, 2), y_pred, from_logits), axis=axis)


def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """Binary cross-entropy times `(1 - p)**gamma`, where `p` is the predicted probability of the true label.

    With `apply_class_balancing`, positives have weight `alpha` and negatives `1 - alpha`.
    Source: T.-Y. Lin et al., "Focal Loss for Dense Object Detection", 2017.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: labels from 0 to 1, `(batch, ..., features)`.
        y_pred: predictions of the same shape.
        apply_class_balancing: whether to weight positives by `alpha` and negatives by `1 - alpha`.
        alpha: the weight of positives.
        gamma: the focusing exponent; the larger it is, the less easy samples count.
        from_logits: whether predictions are logits.
        label_smoothing: moves labels towards 1/2 by this share, from 0 to 1.
        axis: the axis to average over.

    Raises:
        InputError: the shapes differ.

    >>> binary_focal_crossentropy(jnp.array([[1.0, 0.0]]), jnp.array([[0.5, 0.5]])).round(4).tolist()
    [0.1733]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    _same_shape(y_true, y_pred, "binary_focal_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 2)
    p = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    truth = y_true * p + (1.0 - y_true) * (1.0 - p)
    loss = jnp.power(1.0 - truth, gamma) * _binary(y_true, p, False)
    if apply_class_balancing:
        loss = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * loss
    return jnp.mean(loss, axis=axis)


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`sum(y_true * log(y_true / y_pred))` over the last axis, both clipped to `[epsilon, 1]`.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> kl_divergence(jnp.array([[0.5, 0.5]]), jnp.array([[0.5, 0.5]])).tolist()
    [0.0]
    """
    y_true, y_pred = (jnp.clip(p, config.epsilon(), 1.0) for p in as_pair(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`mean(y_pred - y_true * log(y_pred + epsilon))` over the last axis.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> poisson(jnp.array([[0.0]]), jnp.array([[2.0]])).tolist()
    [2.0]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + jnp.asarray(config.epsilon(), y_pred.dtype)), axis=-1)


def categorical_generalized_cross_entropy(y_true: ArrayLike, y_pred: ArrayLike, q: float) -> jax.Array:
    """`(1 - p**q) / q`, where `p` is the predicted probability of the true class; robust to wrong labels.

    Shapes: class ids `(batch, ...)` or `(batch, ..., 1)` and predictions `(batch, ..., classes)`; one value for
    each sample, `(batch, ...)`.

    Args:
        y_true: class ids, `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: probabilities, `(batch, ..., classes)`.
        q: from 0 (cross-entropy) to 1 (mean absolute error).

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not match.

    Source: Z. Zhang and M. Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy
    Labels", 2018.

    >>> categorical_generalized_cross_entropy(jnp.array([1]), jnp.array([[0.5, 0.5]]), q=0.5).round(4).tolist()
    [0.5858]
    """
    y_pred = jnp.asarray(y_pred)
    ids = class_ids(jnp.asarray(y_true), y_pred, -1).astype(jnp.int32)
    p = jnp.sum(y_pred * jax.nn.one_hot(ids, y_pred.shape[-1], dtype=y_pred.dtype), axis=-1)
    return (1 - jnp.power(p, q)) / q


SMOOTHING: Any = field(default=0.0, convert=arguments.probability)
AXIS: Any = field(default=-1, convert=arguments.integer)
FLAG: Any = field(default=False, convert=arguments.boolean)


class KLDivergence(PlainLoss):
    """The Kullback-Leibler divergence from predicted to target probabilities.

    >>> round(float(KLDivergence()(jnp.array([[1.0, 0.0]]), jnp.array([[0.6, 0.4]]))), 4)
    0.5108
    """

    name: str | None = "kl_divergence"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(kl_divergence)


class Poisson(PlainLoss):
    """The negative log-likelihood of counts, up to a constant.

    >>> float(Poisson()(jnp.array([[0.0]]), jnp.array([[2.0]])))
    2.0
    """

    name: str | None = "poisson"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(poisson)


class BinaryCrossentropy(PairLoss):
    """Cross-entropy for labels 0 and 1.

    >>> loss = BinaryCrossentropy(from_logits=True)
    >>> round(float(loss(jnp.array([[1.0], [0.0]]), jnp.array([[0.0], [0.0]]))), 4)
    0.6931
    """

    from_logits: bool = FLAG
    label_smoothing: float = SMOOTHING
    axis: int = AXIS
    reduction: str | None = REDUCTION
    name: str | None = "binary_crossentropy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(binary_crossentropy)
    target_kind = "probability"


class BinaryFocalCrossentropy(PairLoss):
    """Binary cross-entropy that down-weights easy samples.

    >>> round(float(BinaryFocalCrossentropy()(jnp.array([[1.0, 0.0]]), jnp.array([[0.6, 0.4]]))), 4)
    0.0817
    """

    apply_class_balancing: bool = FLAG
    alpha: float = field(default=0.25, convert=arguments.number)
    gamma: float = field(default=2.0, convert=arguments.number)
    from_logits: bool = FLAG
    label_smoothing: float = SMOOTHING
    axis: int = AXIS
    reduction: str | None = REDUCTION
    name: str | None = "binary_focal_crossentropy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(binary_focal_crossentropy)
    target_kind = "probability"


class CategoricalCrossentropy(PairLoss):
    """Cross-entropy for one-hot targets or target probabilities.

    >>> loss = CategoricalCrossentropy(label_smoothing=0.1)
    >>> round(float(loss(jnp.array([[0.0, 1.0]]), jnp.array([[0.1, 0.9]]))), 4)
    0.2152
    """

    from_logits: bool = FLAG
    label_smoothing: float = SMOOTHING
    axis: int = AXIS
    reduction: str | None = REDUCTION
    name: str | None = "categorical_crossentropy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(categorical_crossentropy)
    target_kind = "one_hot"


class CategoricalFocalCrossentropy(PairLoss):
    """Categorical cross-entropy that down-weights easy samples.

    >>> round(float(CategoricalFocalCrossentropy()(jnp.array([[1.0, 0.0]]), jnp.array([[0.6, 0.4]]))), 4)
    0.0204
    """

    alpha: float = field(default=0.25, convert=arguments.number)
    gamma: float = field(default=2.0, convert=arguments.number)
    from_logits: bool = FLAG
    label_smoothing: float = SMOOTHING
    axis: int = AXIS
    reduction: str | None = REDUCTION
    name: str | None = "categorical_focal_crossentropy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(categorical_focal_crossentropy)
    target_kind = "one_hot"


class SparseCategoricalCrossentropy(PairLoss):
    """Cross-entropy for class ids.

    Samples of `ignore_class` count neither in the sum nor in its divisor.

    >>> loss = SparseCategoricalCrossentropy(ignore_class=-1)
    >>> round(float(loss(jnp.array([1, -1]), jnp.array([[0.5, 0.5], [0.9, 0.1]]))), 4)
    0.6931
    """

    from_logits: bool = FLAG
    ignore_class: int | None = field(default=None, convert=arguments.optional(arguments.integer))
    reduction: str | None = REDUCTION
    axis: int = field(default=-1, convert=arguments.integer, in_config=False)
    name: str | None = "sparse_categorical_crossentropy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(sparse_categorical_crossentropy)
    target_kind = "class_id"

    def valid(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], values: jax.Array) -> jax.Array | None:
        return None if self.ignore_class is None else (y_true != self.ignore_class).reshape(values.shape)


class CategoricalGeneralizedCrossEntropy(PairLoss):
    """`(1 - p**q) / q` for class ids, between cross-entropy and absolute error; robust to wrong labels.

    >>> round(float(CategoricalGeneralizedCrossEntropy()(jnp.array([0]), jnp.array([[0.6, 0.4]]))), 4)
    0.4508
    """

    q: float = field(default=0.5, convert=arguments.between(0, 1, open_low=True, open_high=True))
    reduction: str | None = REDUCTION
    name: str | None = "categorical_generalized_cross_entropy"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(categorical_generalized_cross_entropy)
    target_kind = "class_id"
