"""The metric protocol: an immutable description, and states that accumulate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments, constants
from jkeras.allowance import charge
from jkeras.losses.loss import compute_dtype
from jkeras.registry import snake_case
from jkeras.types import ArrayLike, DTypeField, DTypePolicyLike, PyTree, Specs
from jkeras.values.fields import field
from jkeras.values.spec import Spec

State = dict[str, jax.Array]

DTYPE: Any = field(default=None, convert=compute_dtype)


class MetricAttributes:
    """What every metric has; each built-in class sets the order of the arguments (see `jkeras.values.fields`)."""

    name: str | None
    dtype: DTypeField


class Metric(MetricAttributes, Spec):
    """A metric. It holds no numbers: a state goes in, a new state comes out.

    `empty` creates a state, `update` adds a batch to it, `merge` adds two states, `compute` returns the value. States
    are dicts of arrays of fixed shape, so all four work under `jax.jit`, `jax.lax.scan` and `jax.vmap`, and states of
    different devices or workers can be merged in any order.

    A subclass defines `empty`, `update` and `compute`. Rows with sample weight 0 must not change the result, because
    batches are padded with such rows.

    Shapes: targets and predictions `(batch, ...)`; the value has no axes.

    Args:
        dtype: the dtype of states, float32 by default.
        name: the name; by default the class name in snake case.

    Raises:
        ArgumentError: an argument has a value that the metric cannot take.
        InputError: targets, predictions and weights do not match, as far as the metric can tell.
        TypeError: the shapes of targets and predictions do not broadcast; `fit` and `evaluate` raise an
            `InputError` that names the output.

    >>> class Largest(Metric):
    ...     def empty(self, y_true=None, y_pred=None):
    ...         return {"largest": jnp.zeros(())}
    ...     def update(self, state, y_true, y_pred, sample_weight=None):
    ...         error = jnp.abs(y_true - y_pred)
    ...         if sample_weight is not None:
    ...             error = jnp.where(sample_weight > 0, error, 0)
    ...         return {"largest": jnp.maximum(state["largest"], error.max())}
    ...     def merge(self, a, b):
    ...         return {"largest": jnp.maximum(a["largest"], b["largest"])}
    ...     def compute(self, state):
    ...         return state["largest"]
    >>> metric = Largest()
    >>> state = metric.update(metric.empty(), jnp.array([1.0, 2.0]), jnp.array([1.5, 5.0]))
    >>> float(metric.compute(state))
    3.0
    """

    keras_module = "keras.metrics"

    # "up" if higher is better, "down" if lower is better, None if unknown.
    better: ClassVar[str | None] = None
    # Whether the mask of a model's output excludes samples or steps, as Keras does for means of values per sample.
    applies_mask: ClassVar[bool] = False

    if TYPE_CHECKING:
        _dtype: DTypePolicyLike = field(default=None, alias="dtype", kw_only=True)
        _name: str | None = field(default=None, alias="name", kw_only=True)
    else:
        dtype: str | None = field(default=None, convert=compute_dtype, trailing=True)
        name: str | None = field(default=None, convert=arguments.optional(arguments.text), trailing=True)

    def __post_init__(self) -> None:
        if self.name is None:
            self.name: str | None = snake_case(type(self).__name__)

    @property
    def direction(self) -> str | None:
        """ "up" if higher is better, "down" if lower is better, None if unknown."""
        return self.better

    def empty(self, y_true: Specs | None = None, y_pred: Specs | None = None) -> State:
        """The initial state.

        Args:
            y_true: targets of a batch, or their shapes and dtypes; needed before `jax.lax.scan` by the few metrics that
                hold numbers per class or output.
            y_pred: the same for the predictions.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `empty`, `update` and `compute`.")

    def update(
        self, state: State, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike], sample_weight: ArrayLike | None = None
    ) -> State:
        """The state after one more batch.

        Args:
            state: a state.
            y_true: targets.
            y_pred: predictions.
            sample_weight: `(batch,)` or with further axes; rows with weight 0 do not count.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `empty`, `update` and `compute`.")

    def merge(self, a: State, b: State) -> State:
        """The combined state of the data of two states."""
        result: State = jax.tree.map(jnp.add, a, b)
        return result

    def compute(self, state: State) -> jax.Array:
        """The value of a state."""
        raise NotImplementedError(f"{type(self).__name__} must define `empty`, `update` and `compute`.")

    def takes_padding(self, y_true_spec: Specs, y_pred_spec: Specs) -> bool:
        """Whether rows of weight 0 do not change the result, so that batches may be padded with them."""
        return True

    def _zeros(self, *shape: int) -> jax.Array:
        charge(math.prod(shape), "counters of a metric", 4)
        return constants.zeros(shape, self.dtype)


class BuiltInMetric(Metric):
    """Base of the metrics that declare `name` and `dtype` themselves, where Keras has them."""

    if TYPE_CHECKING:
        _dtype: DTypePolicyLike = field(init=False)
        _name: str | None = field(init=False)


def per_sample(metric: Metric, y_true_spec: Specs, y_pred_spec: Specs) -> bool:
    """Whether a batch may be padded with rows of weight 0 without changing the metric.

    False for functions that return one number per batch: how they use a row is unknown.

    Args:
        metric: the metric.
        y_true_spec: shapes and types of the targets of a batch.
        y_pred_spec: those of the predictions.

    Raises:
        InputError: the metric rejects the shapes.

    >>> from jkeras.metrics import MeanSquaredError
    >>> spec = jax.ShapeDtypeStruct((2, 3), "float32")
    >>> per_sample(MeanSquaredError(), spec, spec)
    True
    """
    return metric.takes_padding(y_true_spec, y_pred_spec)
