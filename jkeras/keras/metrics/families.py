"""Metrics whose cells differ from the state of their description."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

import jax

from jkeras import metrics
from jkeras.errors import ArgumentError, InputError
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.losses import core_function
from jkeras.keras.metrics.metric import Metric
from jkeras.keras.naming import auto_name
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.variables import as_array
from jkeras.losses.reduction import squeeze_or_expand
from jkeras.metrics.confusion import Counts, counts
from jkeras.metrics.reduction import MeanMetric
from jkeras.values.spec import Field


class ConfusionMetric(Metric):
    """Confusion counts at thresholds, which the description accumulates as histograms.

    Attributes:
        thresholds: all thresholds.
        init_thresholds: the constructor's `thresholds`.
    """

    overrides: ClassVar[tuple[str, ...]] = (*Metric.overrides, "all_thresholds")
    # The counts that are stored.
    counted: ClassVar[tuple[str, ...]] = Counts._fields

    def _begin(self) -> None:
        self.init_thresholds = vars(self).get("thresholds")
        self.thresholds = list(self.description.all_thresholds(self))
        super()._begin()

    def all_thresholds(self) -> tuple[float, ...]:
        return tuple(self.thresholds)

    def _arguments(self) -> dict[str, Any]:
        arguments = super()._arguments()
        return {**arguments, "thresholds": self.init_thresholds} if "thresholds" in arguments else arguments

    def _numbers(self, state: metrics.State) -> dict[str, jax.Array]:
        at_thresholds = counts(state, self.all_thresholds())._asdict()
        return {name: at_thresholds[name] for name in self.counted}

    def _value_of(self, numbers: dict[str, jax.Array]) -> jax.Array:
        values = self._values(Counts(**{**dict.fromkeys(Counts._fields), **numbers}))
        return values[0] if values.ndim and values.shape[0] == 1 else values


class CountMetric(ConfusionMetric):
    """One of the counts."""

    def _numbers(self, state: metrics.State) -> dict[str, jax.Array]:
        return {"accumulator": self._values(counts(state, self.all_thresholds()))}

    def _value_of(self, numbers: dict[str, jax.Array]) -> jax.Array:
        values = numbers["accumulator"]
        return values[0] if values.shape[0] == 1 else values


class CurveMetric(ConfusionMetric):
    """`AUC`."""

    overrides: ClassVar[tuple[str, ...]] = (*ConfusionMetric.overrides, "spaced_evenly", "get_config")

    def _begin(self) -> None:
        self._is_even = self.description.spaced_evenly(self)
        super()._begin()

    @property
    def early(self) -> Collection[str] | None:  # type: ignore[override]
        """Counts per label are created with the first data, unless their number was specified."""
        return () if self.multi_label and not self.num_labels else None

    def spaced_evenly(self) -> bool:
        return self._is_even

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        config = metrics.Metric.get_config(self)
        if self.init_thresholds is None:
            del config["thresholds"]
        return config


class RegressionScore(Metric):
    """`R2Score`, whose sums per output are created with the first data."""

    early = ("num_samples",)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Raises:
            InputError: it does not have two axes.
        """
        y_true, y_pred = squeeze_or_expand(as_array(y_true), as_array(y_pred))
        if y_true.ndim != 2 or y_pred.ndim != 2:
            raise InputError(
                f"R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes:"
                f" y_pred.shape={y_pred.shape} and y_true.shape={y_true.shape}."
            )
        super().update_state(y_true, y_pred, sample_weight)


class OverlapMetric(Metric):
    """Metrics over a confusion matrix."""

    def _begin(self) -> None:
        if "target_class_ids" in vars(self):
            self.target_class_ids = list(self.target_class_ids)
        super()._begin()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch."""
        if "int" in self.dtype and "float" in str(getattr(sample_weight, "dtype", "")):
            warnings.warn(
                "You are passing weight as `float`, but dtype is `int`. Type casting may cut its fractions off: use"
                " integer weights, or `dtype='float32'`.",
                stacklevel=2,
            )
        super().update_state(y_true, y_pred, sample_weight)


class FScore(Metric):
    """`FBetaScore`, whose counts per class are created with the first data."""

    @classmethod
    def _convert(cls, name: str, f: Field, value: Any) -> Any:
        if name in ("beta", "threshold") and not isinstance(value, (float, type(f.default))):
            raise ArgumentError(
                f"Invalid `{name}` argument value. It should be a Python float. Received: {name}={value} of type"
                f" '{type(value)}'"
            )
        return super()._convert(name, f, value)

    @property
    def early(self) -> Collection[str] | None:  # type: ignore[override]
        """Pooled counts do not need data."""
        return None if self.average == "micro" else ()


def _update_of_class_ids(
    self: Any, state: metrics.State, y_true: Any, y_pred: Any, sample_weight: Any = None
) -> metrics.State:
    """Keras excludes samples of `ignore_class` only if there are weights; otherwise they count as 0."""
    update = MeanMetric.update if sample_weight is None else metrics.SparseCategoricalCrossentropy.update
    return update(self, state, y_true, y_pred, sample_weight)


CLASS_IDS: dict[str, Any] = {"update": _update_of_class_ids}


def function_mean() -> dict[str, Any]:
    """The attributes of `MeanMetricWrapper` that its description lacks."""

    def __init__(self: Any, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:  # noqa: N807  (of the class that is made of it)
        metrics.MeanMetricWrapper.__init__(self, fn, name=name or auto_name(type(self).__name__), dtype=dtype, **kwargs)

    def get_config(self: Any) -> dict[str, Any]:
        """The arguments as plain values."""
        options = {name: serialize_keras_object(value) for name, value in self.kwargs.items()}
        return {"name": self.name, "dtype": self.dtype, "fn": serialize_keras_object(self.fn), **options}

    def from_config(cls: Any, config: Mapping[str, Any]) -> Any:
        """Restores a metric from `get_config()`."""
        # The name of a metric may be that of a function, so names are not converted.
        read = {key: value if key == "name" else deserialize_keras_object(value) for key, value in config.items()}
        return cls(**(read if "fn" in config else config))

    def to_value(self: Any) -> metrics.MeanMetricWrapper:
        """The description that the attributes make at this moment."""
        return metrics.MeanMetricWrapper(core_function(self.fn), name=self.name, dtype=self.dtype, **self.kwargs)

    own = {"__init__": __init__, "get_config": get_config, "to_value": to_value}
    return {**own, "from_config": classmethod(from_config)}
