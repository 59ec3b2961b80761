"""Losses on whole images, on sequences and on batches of embeddings."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jkeras import arguments, config
from jkeras.dtypes import at_least_float32
from jkeras.errors import InputError
from jkeras.losses.loss import DTYPE, REDUCTION, PairLoss, PlainLoss
from jkeras.losses.regression import as_pair
from jkeras.tracing import concrete
from jkeras.types import Axis, DTypeField, PyTree
from jkeras.values.fields import field


def dice(y_true: ArrayLike, y_pred: ArrayLike, axis: Axis | None = None) -> jax.Array:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))` over `axis`, by default over everything.

    Shapes: targets and predictions of one shape; sums go over `axis`, by default over everything.

    Args:
        y_true: targets from 0 to 1.
        y_pred: predictions of the same shape.
        axis: the axes that are summed over; None sums over all.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> round(dice(jnp.array([1.0, 0.0]), jnp.array([1.0, 1.0])).item(), 4)
    0.3333
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    total = jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis)
    return 1 - 2.0 * jnp.sum(y_true * y_pred, axis=axis) / (total + config.epsilon())


def tversky(
    y_true: ArrayLike, y_pred: ArrayLike, alpha: float = 0.5, beta: float = 0.5, axis: Axis | None = None
) -> jax.Array:
    """Dice with separate weights for the two kinds of error, over `axis`, by default over everything.

    As in Keras, `alpha` weights false negatives and `beta` false positives.
    Source: S. Salehi et al., "Tversky loss function for image segmentation using 3D fully convolutional deep
    networks", 2017.

    Shapes: targets and predictions of one shape; sums go over `axis`, by default over everything.

    Args:
        y_true: targets from 0 to 1.
        y_pred: predictions of the same shape.
        alpha: the weight of false negatives: targets that are not predicted.
        beta: the weight of false positives: predictions that are not targets.
        axis: the axes that are summed over; None sums over all.

    Raises:
        TypeError: the shapes of `y_true` and `y_pred` do not broadcast.

    >>> round(tversky(jnp.array([1.0, 0.0]), jnp.array([1.0, 1.0])).item(), 4)
    0.3333
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    both = jnp.sum(y_true * y_pred, axis=axis)
    false_negatives = jnp.sum((1 - y_pred) * y_true, axis=axis)
    false_positives = jnp.sum(y_pred * (1 - y_true), axis=axis)
    return 1 - both / (both + false_negatives * alpha + false_positives * beta + config.epsilon())


def circle(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ref_labels: ArrayLike | None = None,
    ref_embeddings: ArrayLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> jax.Array:
    """Pulls embeddings with the same label together and pushes embeddings with different labels apart.

    Shapes: class ids `(batch,)` and embeddings `(batch, features)` of length 1; one value for each sample,
    `(batch,)`.

    Args:
        y_true: labels, `(batch,)`.
        y_pred: embeddings of norm 1, `(batch, features)`.
        ref_labels: labels to compare with, by default `y_true`.
        ref_embeddings: embeddings to compare with, by default `y_pred`.
        remove_diagonal: whether to exclude the comparison of each sample with itself.
        gamma: the scale of the exponents.
        margin: the relaxation `m` of the paper: similarities are to exceed `1 - m` within a class and to stay below `m`
            between classes.

    Raises:
        ValueError: the shapes do not match.

    Source: Y. Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020.

    >>> circle(jnp.array([0, 0, 1]), jnp.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])).round(2).tolist()
    [0.0, 38.4, 0.0]
    """
    y_pred = jnp.asarray(y_pred)
    labels = jnp.asarray(y_true).astype(jnp.int32).reshape(-1, 1)
    keys = y_pred if ref_embeddings is None else jnp.asarray(ref_embeddings)
    key_labels = labels if ref_labels is None else jnp.asarray(ref_labels).astype(jnp.int32).reshape(-1, 1)
    same = labels == key_labels.T
    different = ~same
    if remove_diagonal:
        same = same & ~jnp.eye(same.shape[0], same.shape[1], dtype=bool)
    distance = jnp.maximum(1 - y_pred @ keys.T, 0.0)
    pull = jnp.maximum(margin + distance, 0.0) * (margin - distance) * -gamma
    push = jnp.maximum(1 + margin - distance, 0.0) * (1 - margin - distance) * gamma
    pulled = jax.nn.logsumexp(jnp.where(same, pull, -jnp.inf), axis=1)
    pushed = jax.nn.logsumexp(jnp.where(different, push, -jnp.inf), axis=1)
    return jax.nn.softplus(pulled + pushed)


def ctc(y_true: ArrayLike, y_pred: ArrayLike) -> jax.Array:
    """The negative log-probability of label sequences under all their alignments; class 0 is the blank.

    Shapes: class ids `(batch, labels)` and logits `(batch, time, classes)`; one value for each sample, `(batch,)`.

    Args:
        y_true: class ids starting at 1, padded with 0 at the end, `(batch, labels)`.
        y_pred: logits, `(batch, time, classes)`.

    Returns:
        `(batch,)`.

    Raises:
        InputError: the ranks are not 2 and 3.

    Source: A. Graves et al., "Connectionist Temporal Classification", 2006; computed by Optax.

    >>> ctc(jnp.array([[1, 2]]), jnp.zeros((1, 4, 3))).round(4).tolist()
    [1.686]
    """
    with concrete():  # what it computes while it is imported is not part of a trace
        import optax
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    if y_true.ndim != 2 or y_pred.ndim != 3:
        raise InputError(
            f"ctc needs class ids (batch, labels) and logits (batch, time, classes); got {y_true.shape} and"
            f" {y_pred.shape}."
        )
    length = jnp.sum(y_true != 0, axis=-1, keepdims=True)
    padding = (jnp.arange(y_true.shape[1]) >= length).astype(jnp.float32)
    logits = y_pred.astype(at_least_float32(y_pred.dtype))
    result: jax.Array = optax.ctc_loss(logits, jnp.zeros(logits.shape[:2]), y_true.astype(jnp.int32), padding)
    return result


class CTC(PlainLoss):
    """Connectionist temporal classification: compares sequences of class ids with longer sequences of logits.

    >>> CTC(reduction="sum")
    CTC(reduction='sum')
    """

    name: str | None = "ctc"
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(ctc)
    target_kind = "id_sequence"


class Dice(PairLoss):
    """One minus the Dice coefficient (twice the overlap over the total) over `axis`; by default for the whole batch.

    >>> round(float(Dice(axis=1)(jnp.array([[1.0, 0.0]]), jnp.array([[1.0, 1.0]]))), 4)
    0.3333
    """

    reduction: str | None = REDUCTION
    name: str | None = "dice"
    axis: Axis | None = field(default=None, convert=arguments.optional(arguments.integers))
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(dice)


class Tversky(PairLoss):
    """Dice with separate weights for the two kinds of error.

    Args:
        alpha: the weight of false negatives: targets that are not predicted.
        beta: the weight of false positives: predictions that are not targets.

    >>> round(float(Tversky()(jnp.array([[1.0, 0.0]]), jnp.array([[1.0, 1.0]]))), 4)
    0.3333
    """

    alpha: float = field(default=0.5, convert=arguments.number)
    beta: float = field(default=0.5, convert=arguments.number)
    reduction: str | None = REDUCTION
    name: str | None = "tversky"
    axis: Axis | None = field(default=None, convert=arguments.optional(arguments.integers))
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(tversky)


class Circle(PairLoss):
    """Pulls embeddings with the same label together and pushes embeddings with different labels apart.

    Samples that lack a positive or a negative partner in the batch do not count.

    >>> Circle(gamma=64.0)
    Circle(gamma=64.0)
    """

    gamma: float = field(default=80.0, convert=arguments.number)
    margin: float = field(default=0.4, convert=arguments.number)
    remove_diagonal: bool = field(default=True, convert=arguments.boolean)
    reduction: str | None = REDUCTION
    name: str | None = "circle"
    dtype: DTypeField = DTYPE
    function: ClassVar[Callable[..., jax.Array]] = staticmethod(circle)
    mixes_samples = True
    target_kind = "label"

    def valid(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], values: jax.Array) -> jax.Array | None:
        return values > 0
