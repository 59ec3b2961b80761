"""The area under the ROC or precision-recall curve."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, config
from jkeras.allowance import charge
from jkeras.errors import ArgumentError
from jkeras.losses.reduction import divide_no_nan
from jkeras.metrics.confusion import THRESHOLD, Counts, counts, evenly_spaced, histogram
from jkeras.metrics.metric import DTYPE, BuiltInMetric, State
from jkeras.types import ArrayLike, DTypeField, PyTree, Specs
from jkeras.values.fields import Converted, field


def _curve(value: object) -> str:
    folded = _plain(value)
    if not isinstance(folded, str) or folded.upper() not in ("ROC", "PR", "PRGAIN"):
        raise ArgumentError("expected one of 'ROC', 'PR', 'PRGAIN'")
    return folded.upper()


_HEIGHTS: Mapping[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "interpolation": lambda a, b: (a + b) / 2.0,
    "minoring": jnp.minimum,
    "majoring": jnp.maximum,
}


class AUC(BuiltInMetric):
    """The area under a curve, approximated from the counts at a number of thresholds.

    Shapes: labels and predictions of one shape, `(batch,)` or `(batch, labels)` with `multi_label`.

    Args:
        num_thresholds: the number of thresholds, including one just below 0 and one just above 1.
        curve: "ROC", "PR" (precision over recall) or "PRGAIN".
        summation_method: "interpolation" (trapezoids; for PR the interpolation of Davis and Goadrich), "minoring" or
            "majoring".
        thresholds: thresholds from 0 to 1, instead of `num_thresholds`.
        multi_label: predictions are `(batch, labels)` and the area is averaged over labels.
        num_labels: the number of labels, needed only to create a state before the first batch.
        label_weights: a weight per label.
        from_logits: predictions are logits.

    Source: J. Davis and M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", 2006; P. Flach and
    M. Kull, "Precision-Recall-Gain Curves", 2015.

    >>> metric = AUC(num_thresholds=3)
    >>> state = metric.update(metric.empty(), jnp.array([0, 0, 1, 1]), jnp.array([0.0, 0.5, 0.3, 0.9]))
    >>> float(metric.compute(state))
    0.75
    """

    # None if `thresholds` determine it.
    num_thresholds: Converted[int | None, int] = field(default=200, convert=arguments.optional(arguments.at_least(2)))
    curve: str = field(default="ROC", convert=_curve)
    summation_method: str = field(
        default="interpolation", convert=lambda v: arguments.one_of("interpolation", "majoring", "minoring")(_plain(v))
    )
    name: str | None = None
    dtype: DTypeField = DTYPE
    thresholds: Any = field(
        default=None,
        convert=arguments.optional(lambda v: tuple(sorted(map(arguments.probability, arguments.entries(v))))),
    )
    multi_label: bool = field(default=False, convert=arguments.boolean)
    num_labels: int | None = field(default=None, convert=arguments.optional(arguments.at_least(0)))
    label_weights: Any = field(
        default=None, convert=arguments.optional(lambda v: tuple(map(arguments.number, arguments.entries(v))))
    )
    from_logits: bool = field(default=False, convert=arguments.boolean)
    better: ClassVar[str | None] = "up"

    def __post_init__(self) -> None:
        if self.num_labels and not self.multi_label:
            raise ArgumentError(f"AUC(num_labels={self.num_labels}) needs `multi_label=True`.")
        if self.thresholds is not None:
            self.num_thresholds = len(self.thresholds) + 2
        elif self.num_thresholds is None:
            raise ArgumentError("AUC needs `num_thresholds` or `thresholds`.")
        super().__post_init__()

    def get_config(self) -> dict[str, Any]:
        config_ = super().get_config()
        return config_ if self.thresholds is not None else {k: v for k, v in config_.items() if k != "thresholds"}

    def _inner(self) -> tuple[float, ...]:
        n = self.num_thresholds
        charge(n, "thresholds of a metric", THRESHOLD)
        return tuple((i + 1) / (n - 1) for i in range(n - 2)) if self.thresholds is None else self.thresholds

    def all_thresholds(self) -> tuple[float, ...]:
        return (-config.epsilon(), *self._inner(), 1 + config.epsilon())

    def spaced_evenly(self) -> bool:
        return self.thresholds is None or evenly_spaced((0.0, *self.thresholds, 1.0))

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        shape: tuple[int, ...] = (self.num_thresholds + 1,)
        if self.multi_label:
            shape += (self.num_labels or (1 if y_pred is None else y_pred.shape[-1]),)
        return {"positives": self._zeros(*shape), "negatives": self._zeros(*shape)}

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        dtype = state["positives"].dtype
        y_pred = jnp.asarray(y_pred).astype(dtype)
        counts = histogram(
            y_true,
            jax.nn.sigmoid(y_pred) if self.from_logits else y_pred,
            sample_weight,
            self.all_thresholds(),
            self.spaced_evenly(),
            dtype,
            label_weights=None if self.multi_label else self.label_weights,
            by_label=self.multi_label,
        )
        return self.merge(state, counts)

    def compute(self, state: State) -> jax.Array:
        return self._values(counts(state, self.all_thresholds()))

    def _values(self, counts: Counts) -> jax.Array:
        if self.curve == "PR" and self.summation_method == "interpolation":
            pieces = _interpolated_pr(counts)
        else:
            x, y = _points(counts, self.curve)
            height = _HEIGHTS[self.summation_method](y[:-1], y[1:])
            pieces = (x[:-1] - x[1:]) * height
        if not self.multi_label:
            return jnp.sum(pieces)
        by_label = jnp.sum(pieces, axis=0)
        if self.label_weights is None:
            return jnp.mean(by_label)
        weights = jnp.asarray(self.label_weights, by_label.dtype)
        return divide_no_nan(jnp.sum(by_label * weights), jnp.sum(weights))


def _plain(value: object) -> Any:
    """The value of an enumeration member, as a name."""
    return value.value if isinstance(value, enum.Enum) else value


def _points(counts: Counts, curve: str) -> tuple[jax.Array, jax.Array]:
    """The points of the curve, one per threshold, in ascending order of thresholds."""
    tp, fp, tn, fn = counts
    if curve == "ROC":
        return divide_no_nan(fp, fp + tn), counts.recall
    if curve == "PR":
        return counts.recall, counts.precision
    odds = divide_no_nan(tp + fn, tn + fp)
    recall_gain = jnp.where(tp == 0, 0.0, 1.0 - odds * divide_no_nan(fn, tp))
    precision_gain = jnp.where(tp == 0, 1.0, 1.0 - odds * divide_no_nan(fp, tp))
    return jnp.maximum(recall_gain, 0.0), precision_gain


def _interpolated_pr(counts: Counts) -> jax.Array:
    """Areas between neighbouring thresholds, with linear interpolation of true and false positives."""
    tp, fp, _, fn = counts
    predicted = tp + fp
    d_tp = tp[:-1] - tp[1:]
    slope = divide_no_nan(d_tp, jnp.maximum(predicted[:-1] - predicted[1:], 0))
    intercept = tp[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0) & (predicted[1:] > 0)
    ratio = jnp.where(both, divide_no_nan(predicted[:-1], jnp.maximum(predicted[1:], 0)), 1.0)
    return divide_no_nan(slope * (d_tp + intercept * jnp.log(ratio)), jnp.maximum(tp[1:] + fn[1:], 0))
