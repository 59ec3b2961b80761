"""Intersection over union of segmentations, from a confusion matrix."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.errors import ArgumentError
from jkeras.losses.loss import compute_dtype
from jkeras.losses.reduction import align
from jkeras.metrics.metric import BuiltInMetric, State
from jkeras.types import ArrayLike, DTypeField, DTypePolicyLike, PyTree, Specs
from jkeras.values.fields import field


def _count_dtype(value: DTypePolicyLike) -> str:
    return "int32" if value in (None, "int") else compute_dtype(value)


INTEGER: Any = field(default=None, convert=_count_dtype)
AXIS: Any = field(default=-1, convert=arguments.integer)
CLASS: Any = field(default=None, convert=arguments.optional(arguments.integer))


def _class_ids(value: object) -> tuple[int, ...]:
    try:
        return tuple(arguments.at_least(0)(v) for v in arguments.entries(value))
    except ArgumentError:
        raise ArgumentError("expected a list of class ids, integers of at least 0") from None


class _Attributes:
    """Values of the arguments that a class does not have."""

    num_classes: int = 2
    target_class_ids: tuple[int, ...] | None = None
    ignore_class: int | None = None
    sparse_y_true: bool = False
    sparse_y_pred: bool = False
    axis: int = -1


class _IoU(_Attributes, BuiltInMetric):
    """A confusion matrix `(true class, predicted class)`, and the mean over some of the classes that occur.

    Shapes: class ids `(batch, ...)` if sparse, otherwise scores `(batch, ..., classes)`.
    """

    better: ClassVar[str | None] = "up"

    def _ids(self, y_true: jax.Array, y_pred: jax.Array) -> tuple[jax.Array, jax.Array]:
        y_true = y_true if self.sparse_y_true else jnp.argmax(y_true, axis=self.axis)
        y_pred = y_pred if self.sparse_y_pred else jnp.argmax(y_pred, axis=self.axis)
        return y_true, y_pred

    def __post_init__(self) -> None:
        super().__post_init__()
        if max(self.target_class_ids or (), default=0) >= self.num_classes:
            raise ArgumentError(
                f"{type(self).__name__}(target_class_ids={self.target_class_ids}): expected ids below"
                f" num_classes={self.num_classes}"
            )

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        return {"total_confusion_matrix": self._zeros(self.num_classes, self.num_classes)}

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        matrix = state["total_confusion_matrix"]
        classes = self.num_classes
        y_true, y_pred = self._ids(jnp.asarray(y_true), jnp.asarray(y_pred))
        y_true, y_pred = y_true.astype(jnp.int32), y_pred.astype(jnp.int32)
        valid = (y_true >= 0) & (y_true < classes)
        if self.ignore_class is not None:
            valid &= y_true != self.ignore_class
        if sample_weight is None:
            weights = jnp.ones((), matrix.dtype)
        else:
            weights = jnp.asarray(sample_weight).astype(matrix.dtype)
            weights = align(y_true, weights)[1]
        weights = jnp.broadcast_to(weights, y_true.shape).ravel()
        y_pred = y_pred.ravel()
        valid = valid.ravel() & (y_pred >= 0) & (y_pred < classes)
        cells = jnp.where(valid, y_true.ravel() * classes + y_pred, 0)
        counts = jnp.zeros(classes * classes, matrix.dtype).at[cells].add(jnp.where(valid, weights, 0))
        return {"total_confusion_matrix": matrix + counts.reshape(matrix.shape)}

    def compute(self, state: State) -> jax.Array:
        matrix = state["total_confusion_matrix"]
        both = jnp.diagonal(matrix)
        union = jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1) - both
        if self.target_class_ids is not None:
            class_ids = jnp.asarray(self.target_class_ids, jnp.int32)
            both, union = both[class_ids], union[class_ids]
        both, union = both.astype(jnp.float32), union.astype(jnp.float32)
        present = union > 1e-9
        scores = jnp.where(present, both / (union + config.epsilon()), 0.0)
        return jnp.sum(scores) / (jnp.sum(present, dtype=jnp.float32) + config.epsilon())


class IoU(_IoU):
    """The mean intersection over union of some classes.

    Args:
        num_classes: the number of classes.
        target_class_ids: the classes to average over, without those that occur neither in targets nor in predictions.
        ignore_class: targets of this class do not count.
        sparse_y_true: targets are class ids, otherwise one-hot along `axis`.
        sparse_y_pred: predictions are class ids, otherwise scores along `axis`.
        axis: the class axis of one-hot targets and scores.

    States are integers by default, so fractional weights are truncated, as in Keras; `dtype="float32"` avoids that.

    >>> metric = IoU(num_classes=2, target_class_ids=[0])
    >>> round(float(metric.compute(metric.update(metric.empty(), jnp.array([0, 0, 1, 1]), jnp.array([0, 1, 0, 1])))), 4)
    0.3333
    """

    num_classes: int = field(convert=arguments.positive_int)
    target_class_ids: tuple[int, ...] = field(convert=_class_ids)
    name: str | None = None
    dtype: DTypeField = INTEGER
    ignore_class: int | None = CLASS
    sparse_y_true: bool = field(default=True, convert=arguments.boolean)
    sparse_y_pred: bool = field(default=True, convert=arguments.boolean)
    axis: int = AXIS


class MeanIoU(_IoU):
    """The mean intersection over union of all classes that occur.

    >>> metric = MeanIoU(num_classes=2)
    >>> state = metric.update(metric.empty(), jnp.array([0, 0, 1, 1]), jnp.array([0, 1, 0, 1]))
    >>> round(float(metric.compute(state)), 4)
    0.3333
    """

    num_classes: int = field(convert=arguments.positive_int)
    name: str | None = None
    dtype: DTypeField = INTEGER
    ignore_class: int | None = CLASS
    sparse_y_true: bool = field(default=True, convert=arguments.boolean)
    sparse_y_pred: bool = field(default=True, convert=arguments.boolean)
    axis: int = AXIS


class OneHotIoU(_IoU):
    """The mean intersection over union of some classes, for one-hot targets.

    >>> metric = OneHotIoU(num_classes=2, target_class_ids=[0])
    >>> state = metric.update(metric.empty(), jnp.array([[1, 0], [0, 1]]), jnp.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> round(float(metric.compute(state)), 4)
    0.5
    """

    num_classes: int = field(convert=arguments.positive_int)
    target_class_ids: tuple[int, ...] = field(convert=_class_ids)
    name: str | None = None
    dtype: DTypeField = INTEGER
    ignore_class: int | None = CLASS
    sparse_y_pred: bool = field(default=False, convert=arguments.boolean)
    axis: int = AXIS


class OneHotMeanIoU(_IoU):
    """The mean intersection over union of all classes that occur, for one-hot targets.

    >>> metric = OneHotMeanIoU(num_classes=2)
    >>> state = metric.update(metric.empty(), jnp.array([[1, 0], [0, 1]]), jnp.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> round(float(metric.compute(state)), 4)
    0.25
    """

    num_classes: int = field(convert=arguments.positive_int)
    name: str | None = None
    dtype: DTypeField = INTEGER
    ignore_class: int | None = CLASS
    sparse_y_pred: bool = field(default=False, convert=arguments.boolean)
    axis: int = AXIS


class BinaryIoU(_IoU):
    """The mean intersection over union of class 0, 1 or both; predictions of at least `threshold` are class 1.

    >>> metric = BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
    >>> y_true, y_pred = jnp.array([0, 1, 0, 1]), jnp.array([0.1, 0.2, 0.4, 0.7])
    >>> round(float(metric.compute(metric.update(metric.empty(), y_true, y_pred))), 4)
    0.3333
    """

    target_class_ids: tuple[int, ...] = field(default=(0, 1), convert=_class_ids)
    threshold: float = field(default=0.5, convert=arguments.number)
    name: str | None = None
    dtype: DTypeField = INTEGER

    def _ids(self, y_true: jax.Array, y_pred: jax.Array) -> tuple[jax.Array, jax.Array]:
        return y_true, y_pred >= self.threshold
