"""Sums and means of values, and means of values per sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp

from jkeras.errors import InputError
from jkeras.losses.loss import match_ranks
from jkeras.losses.reduction import divide_no_nan, fill_rows, squeeze_or_expand
from jkeras.metrics.metric import DTYPE, BuiltInMetric, Metric, State
from jkeras.types import ArrayLike, DTypeField, DTypeLike, DTypePolicyLike, PyTree, Specs
from jkeras.values.fields import field


def per_row(
    values: ArrayLike, sample_weight: ArrayLike | None, reduce: Callable[..., jax.Array], dtype: DTypeLike
) -> tuple[jax.Array, jax.Array | None]:
    """Weighted values per row, and the weight of each row.

    Axes that the weights lack are reduced before weighting, the others afterwards, so weights per step give a mean
    over the steps that count.

    Raises:
        InputError: the weights have more axes than the values.
    """
    values = jnp.asarray(values).astype(dtype)
    weights = None
    if sample_weight is not None:
        weights = jnp.asarray(sample_weight).astype(dtype)
        values, weights = squeeze_or_expand(values, weights)
        if weights.ndim > values.ndim:
            raise InputError(f"sample_weight of shape {weights.shape} does not match values of shape {values.shape}.")
        if values.ndim > weights.ndim:
            values = reduce(values, axis=tuple(range(weights.ndim, values.ndim)))
        weights = jnp.broadcast_to(weights, values.shape)
        # Select instead of only multiplying: values that do not count may be NaN.
        values = jnp.where(weights == 0, 0, values * weights)
        if weights.ndim > 1:
            weights = reduce(weights, axis=tuple(range(1, weights.ndim)))
    if values.ndim > 1:
        values = reduce(values, axis=tuple(range(1, values.ndim)))
    return values, weights


def add_to_mean(state: State, values: ArrayLike, sample_weight: ArrayLike | None) -> State:
    """The state of a mean after adding values."""
    dtype = state["total"].dtype
    values, weights = per_row(values, sample_weight, jnp.mean, dtype)
    count = jnp.sum(weights) if weights is not None else jnp.asarray(values.shape[0] if values.ndim else 1, dtype)
    return {"total": state["total"] + jnp.sum(values), "count": state["count"] + count}


class Sum(BuiltInMetric):
    """The weighted sum of values.

    Shapes: values `(batch, ...)`.

    >>> metric = Sum()
    >>> float(metric.compute(metric.update(metric.empty(), jnp.array([1.0, 2.0]), sample_weight=jnp.array([1.0, 3.0]))))
    7.0
    """

    name: str | None = "sum"
    dtype: DTypeField = DTYPE

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        return {"total": self._zeros()}

    def update(self, state: State, values: ArrayLike, sample_weight: ArrayLike | None = None) -> State:  # type: ignore[override]
        values, _ = per_row(values, sample_weight, jnp.sum, state["total"].dtype)
        return {"total": state["total"] + jnp.sum(values)}

    def compute(self, state: State) -> jax.Array:
        return state["total"]


class Mean(BuiltInMetric):
    """The weighted mean of values; axes after the batch axis are averaged first.

    Shapes: values `(batch, ...)`.

    >>> metric = Mean()
    >>> state = metric.update(metric.empty(), jnp.array([1.0, 3.0]))
    >>> state = metric.update(state, jnp.array([8.0]))
    >>> float(metric.compute(state))
    4.0
    """

    name: str | None = "mean"
    dtype: DTypeField = DTYPE

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        return {"total": self._zeros(), "count": self._zeros()}

    def update(self, state: State, values: ArrayLike, sample_weight: ArrayLike | None = None) -> State:  # type: ignore[override]
        return add_to_mean(state, values, sample_weight)

    def compute(self, state: State) -> jax.Array:
        return divide_no_nan(state["total"], state["count"])


class MeanMetric(Metric):
    """The mean of values per sample. A subclass defines `values(y_true, y_pred)`, `(batch, ...)`.

    >>> class Distance(MeanMetric):
    ...     def values(self, y_true, y_pred):
    ...         return jnp.abs(y_true - y_pred)
    >>> metric = Distance()
    >>> float(metric.compute(metric.update(metric.empty(), jnp.array([1.0, 2.0]), jnp.array([2.0, 5.0]))))
    2.0
    """

    applies_mask = True
    # True if a row's value depends on the other rows of its batch.
    mixes_samples: ClassVar[bool] = False

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        return {"total": self._zeros(), "count": self._zeros()}

    def values(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike]) -> jax.Array:
        """Values per sample, `(batch, ...)`."""
        raise NotImplementedError(f"{type(self).__name__} must define `values(self, y_true, y_pred)`.")

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        y_true, y_pred = jax.tree.map(jnp.asarray, (y_true, y_pred))
        y_pred = jax.tree.map(_widened, y_pred)
        if self.mixes_samples and sample_weight is not None:
            y_true, y_pred = fill_rows(jnp.asarray(sample_weight) != 0, (y_true, y_pred))
        return add_to_mean(state, self.values(y_true, y_pred), sample_weight)

    def compute(self, state: State) -> jax.Array:
        return divide_no_nan(state["total"], state["count"])


def _widened(x: jax.Array) -> jax.Array:
    # 16-bit predictions of a mixed-precision model are evaluated in float32.
    return x.astype(jnp.float32) if x.dtype in (jnp.float16, jnp.bfloat16) else x


class PairMetric(MeanMetric):
    """The mean of a function of targets and predictions; the fields of the class are the function's options."""

    function: ClassVar[Callable[..., jax.Array]]
    # Whether `(batch,)` and `(batch, 1)` are matched here; functions that do it themselves get the arrays unchanged.
    matches_ranks: ClassVar[bool] = True

    if TYPE_CHECKING:
        _dtype: DTypePolicyLike = field(init=False)
        _name: str | None = field(init=False)

    def values(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike]) -> jax.Array:
        if self.matches_ranks:
            y_true, y_pred = match_ranks(y_true, y_pred)
        options = {name: getattr(self, name) for name in type(self)._fields if name not in Metric._fields}
        return type(self).function(y_true, y_pred, **options)


class PlainMetric(PairMetric):
    """The mean of a function without options."""

    name: str | None = None
    dtype: DTypeField = DTYPE
