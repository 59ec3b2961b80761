"""Margin losses. Targets are -1 and 1; if all targets are 0 or 1, they are converted to -1 and 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jkeras.losses.loss import PlainLoss
from jkeras.losses.regression import as_pair


def _signs(y_true: jax.Array) -> jax.Array:
    return jnp.where(jnp.all((y_true == 0) | (y_true == 1)), 2.0 * y_true - 1.0, y_true)


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`mean(max(1 - y_true * y_pred, 0))` over the last axis.

    Shapes: targets -1 or 1 (or 0 and 1) `(batch, ..., features)` and predictions of the same shape; one value for
    each sample, `(batch, ...)`.

    Args:
        y_true: labels -1 and 1, or 0 and 1.
        y_pred: scores of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> hinge(jnp.array([[1.0, -1.0]]), jnp.array([[0.5, -2.0]])).tolist()
    [0.25]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`mean(max(1 - y_true * y_pred, 0)**2)` over the last axis.

    Shapes: targets -1 or 1 (or 0 and 1) `(batch, ..., features)` and predictions of the same shape; one value for
    each sample, `(batch, ...)`.

    Args:
        y_true: labels -1 and 1, or 0 and 1.
        y_pred: scores of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> squared_hinge(jnp.array([[1.0, -1.0]]), jnp.array([[0.5, -2.0]])).tolist()
    [0.125]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.square(jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """`max(best wrong score - right score + 1, 0)` for one-hot targets `(batch, ..., classes)`.

    Shapes: targets `(batch, ..., classes)`, one-hot or probabilities, and predictions of the same shape; one value
    for each sample, `(batch, ...)`.

    Args:
        y_true: one-hot vectors, `(batch, ..., classes)`.
        y_pred: scores of the same shape.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> categorical_hinge(jnp.array([[0.0, 1.0]]), jnp.array([[0.5, 1.0]])).tolist()
    [0.5]
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    right = jnp.sum(y_true * y_pred, axis=-1)
    wrong = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(wrong - right + 1.0, 0.0)


class Hinge(PlainLoss):
    """The mean of `max(1 - y_true * y_pred, 0)`.

    >>> float(Hinge()(jnp.array([[1.0], [-1.0]]), jnp.array([[0.5], [0.5]])))
    1.0
    """

    name: str | None = "hinge"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(hinge)


class SquaredHinge(PlainLoss):
    """The mean of `max(1 - y_true * y_pred, 0)**2`.

    >>> float(SquaredHinge()(jnp.array([[1.0], [-1.0]]), jnp.array([[0.5], [0.5]])))
    1.25
    """

    name: str | None = "squared_hinge"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(squared_hinge)


class CategoricalHinge(PlainLoss):
    """`max(best wrong score - right score + 1, 0)` for one-hot targets.

    >>> float(CategoricalHinge()(jnp.array([[0.0, 1.0]]), jnp.array([[0.25, 0.75]])))
    0.5
    """

    name: str | None = "categorical_hinge"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(categorical_hinge)
