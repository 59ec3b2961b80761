"""Regression losses.

Functions take `y_true` and `y_pred` of shape `(batch, ..., features)`, average over the last axis and return
`(batch, ...)`. If only one side has a trailing axis of size 1, it is added or removed, so `(batch,)` and `(batch, 1)`
are never broadcast to `(batch, batch)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jkeras import arguments, config, lowering
from jkeras.losses.loss import DTYPE, REDUCTION, PairLoss, PlainLoss
from jkeras.losses.reduction import squeeze_or_expand
from jkeras.types import Axis, DTypeField
from jkeras.values.fields import field


def as_pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """Both as arrays with the predictions' float dtype."""
    y_pred = lowering.as_array(y_pred)
    if not jnp.issubdtype(y_pred.dtype, jnp.inexact):
        y_pred = y_pred.astype(config.floatx())
    return jnp.asarray(y_true).astype(y_pred.dtype), y_pred


def _matched(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[jax.Array, jax.Array]:
    return squeeze_or_expand(*as_pair(y_true, y_pred))


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`mean((y_true - y_pred)**2)` over the last axis.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> mean_squared_error(jnp.array([[0.0, 1.0]]), jnp.array([[2.0, 1.0]])).tolist()
    [2.0]
    """
    y_true, y_pred = _matched(y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`mean(abs(y_true - y_pred))` over the last axis.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> mean_absolute_error(jnp.array([[0.0, 1.0]]), jnp.array([[2.0, 1.0]])).tolist()
    [1.0]
    """
    y_true, y_pred = _matched(y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`100 * mean(abs(y_true - y_pred) / max(abs(y_true), epsilon))` over the last axis.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> mean_absolute_percentage_error(jnp.array([[2.0, 4.0]]), jnp.array([[1.0, 4.0]])).tolist()
    [25.0]
    """
    y_true, y_pred = _matched(y_true, y_pred)
    scale = jnp.maximum(jnp.abs(y_true), jnp.asarray(config.epsilon(), y_pred.dtype))
    return 100.0 * jnp.mean(jnp.abs((y_true - y_pred) / scale), axis=-1)


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`mean((log(y_true + 1) - log(y_pred + 1))**2)` over the last axis; negative numbers count as zero.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> mean_squared_logarithmic_error(jnp.array([[3.0]]), jnp.array([[3.0]])).tolist()
    [0.0]
    """
    y_true, y_pred = _matched(y_true, y_pred)
    epsilon = jnp.asarray(config.epsilon(), y_pred.dtype)
    difference = jnp.log(jnp.maximum(y_pred, epsilon) + 1.0) - jnp.log(jnp.maximum(y_true, epsilon) + 1.0)
    return jnp.mean(jnp.square(difference), axis=-1)


def l2_normalize(x: jax.Array, axis: Axis | None) -> jax.Array:
    """`x` divided by its norm; a zero vector stays zero and has a finite gradient."""
    squared = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(squared, jnp.asarray(config.epsilon() ** 2, x.dtype)))


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: Axis | None = -1) -> jax.Array:
    """The negative cosine of the angle between targets and predictions, from -1 (same direction) to 1.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.
        axis: the axis of the vectors.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> cosine_similarity(jnp.array([[1.0, 0.0]]), jnp.array([[3.0, 0.0]])).tolist()
    [-1.0]
    """
    y_true, y_pred = _matched(y_true, y_pred)
    return -jnp.sum(l2_normalize(y_true, axis) * l2_normalize(y_pred, axis), axis=axis)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> jax.Array:
    """Half the squared error up to `delta`, linear beyond; averaged over the last axis.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.
        delta: the absolute error at which the loss changes from squared to linear.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    Source: P. J. Huber, "Robust Estimation of a Location Parameter", 1964.

    >>> huber(jnp.array([[0.0, 0.0]]), jnp.array([[1.0, 3.0]])).tolist()
    [1.5]
    """
    y_true, y_pred = _matched(y_true, y_pred)
    error = y_pred - y_true
    size = jnp.abs(error)
    return jnp.mean(jnp.where(size <= delta, 0.5 * jnp.square(error), delta * size - 0.5 * delta**2), axis=-1)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis, computed without overflow.

    Shapes: targets `(batch, ..., features)` and predictions of the same shape; one value for each sample, `(batch,
    ...)`.

    Args:
        y_true: targets, `(batch, ..., features)`.
        y_pred: predictions of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> round(log_cosh(jnp.array([[0.0]]), jnp.array([[1.0]])).item(), 4)
    0.4338
    """
    y_true, y_pred = _matched(y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2.0 * error) - jnp.asarray(math.log(2.0), error.dtype), axis=-1)


class MeanSquaredError(PlainLoss):
    """The mean squared error.

    >>> float(MeanSquaredError()(jnp.array([[0.0], [1.0]]), jnp.array([[2.0], [1.0]])))
    2.0
    """

    name: str | None = "mean_squared_error"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(mean_squared_error)


class MeanAbsoluteError(PlainLoss):
    """The mean absolute error.

    >>> round(float(MeanAbsoluteError()(jnp.array([[1.0, 2.0]]), jnp.array([[1.0, 4.0]]))), 4)
    1.0
    """

    name: str | None = "mean_absolute_error"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(PlainLoss):
    """The mean absolute error as a percentage of the targets.

    >>> round(float(MeanAbsolutePercentageError()(jnp.array([[1.0, 2.0]]), jnp.array([[1.0, 4.0]]))), 4)
    50.0
    """

    name: str | None = "mean_absolute_percentage_error"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(PlainLoss):
    """The mean squared error of `log(1 + y)`.

    >>> round(float(MeanSquaredLogarithmicError()(jnp.array([[1.0, 2.0]]), jnp.array([[1.0, 4.0]]))), 4)
    0.1305
    """

    name: str | None = "mean_squared_logarithmic_error"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(mean_squared_logarithmic_error)


class LogCosh(PlainLoss):
    """The mean of `log(cosh(error))`: squared near zero, linear far from it.

    >>> round(float(LogCosh()(jnp.array([[1.0, 2.0]]), jnp.array([[1.0, 4.0]]))), 4)
    0.6625
    """

    name: str | None = "log_cosh"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(log_cosh)


class CosineSimilarity(PairLoss):
    """The negative cosine of the angle between targets and predictions.

    >>> round(float(CosineSimilarity()(jnp.array([[1.0, 0.0]]), jnp.array([[1.0, 1.0]]))), 4)
    -0.7071
    """

    axis: int = field(default=-1, convert=arguments.integer, in_config=False)
    reduction: str | None = REDUCTION
    name: str | None = "cosine_similarity"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(cosine_similarity)


class Huber(PairLoss):
    """Half the squared error up to `delta`, linear beyond.

    >>> float(Huber(delta=2.0)(jnp.array([[0.0]]), jnp.array([[3.0]])))
    4.0
    """

    delta: float = field(default=1.0, convert=arguments.number, in_config=False)
    reduction: str | None = REDUCTION
    name: str | None = "huber_loss"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(huber)
