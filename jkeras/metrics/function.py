"""A function of targets and predictions as a metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax

from jkeras import arguments
from jkeras.losses.identifiers import CLASSES as LOSSES
from jkeras.losses.identifiers import TABLE as LOSS_TABLE
from jkeras.losses.loss import Loss, keeps_batch_axis
from jkeras.metrics import accuracy, regression
from jkeras.metrics.reduction import MeanMetric
from jkeras.registry import resolve, snake_case
from jkeras.types import ArrayLike, DTypePolicyLike, PyTree, Specs
from jkeras.values.config import serialize

# Functions that a configuration may name.
_OWN = (
    accuracy.binary_accuracy,
    accuracy.categorical_accuracy,
    accuracy.sparse_categorical_accuracy,
    accuracy.top_k_categorical_accuracy,
    accuracy.sparse_top_k_categorical_accuracy,
    regression.pearson_correlation,
    regression.concordance_correlation,
)
FUNCTIONS: Mapping[str, Any] = {**LOSS_TABLE, **{function.__name__: function for function in _OWN}}


class MeanMetricWrapper(MeanMetric):
    """The mean of a function `(y_true, y_pred, **kwargs) -> values`, also called `FunctionMetric`.

    Values per sample, `(batch, ...)`, are averaged over samples; a scalar counts as one value per batch.

    Args:
        kwargs: further arguments for the function.

    >>> import jax.numpy as jnp
    >>> metric = MeanMetricWrapper(lambda y_true, y_pred: jnp.abs(y_true - y_pred), name="distance")
    >>> state = metric.update(metric.empty(), jnp.array([1.0, 2.0]), jnp.array([2.0, 5.0]))
    >>> float(metric.compute(state))
    2.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: DTypePolicyLike = None, **kwargs: Any):
        fn = arguments.checked(type(self).__name__, "fn", fn, arguments.function)
        own = fn.name if isinstance(fn, Loss) else arguments.name_of(fn) or snake_case(type(fn).__name__)
        super().__init__(name=name or own, dtype=dtype)
        self.fn = fn
        self.kwargs = kwargs

    @property
    def direction(self) -> str | None:
        return "down" if any(self.fn is loss.function or isinstance(self.fn, loss) for loss in LOSSES) else None

    def values(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike]) -> jax.Array:
        result: jax.Array = self.fn(y_true, y_pred, **self.kwargs)
        return result

    def takes_padding(self, y_true_spec: Specs, y_pred_spec: Specs) -> bool:
        return keeps_batch_axis(self.values, y_true_spec, y_pred_spec)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "fn": serialize(self.fn), **serialize(self.kwargs)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> MeanMetricWrapper:
        fn = config["fn"]
        return cls(**{**config, "fn": fn if callable(fn) else resolve("function", FUNCTIONS, fn, Loss)})


FunctionMetric = MeanMetricWrapper
