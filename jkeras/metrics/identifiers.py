"""Names of metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jkeras import registry
from jkeras.errors import ArgumentError
from jkeras.losses.identifiers import shape_rule
from jkeras.losses.loss import keeps_batch_axis
from jkeras.metrics import accuracy, auc, confusion, f_score, function, iou, reduction, regression
from jkeras.metrics.metric import Metric
from jkeras.types import MetricLike, Specs
from jkeras.values.config import serialize as serialize_value

CLASSES: tuple[type[Metric], ...] = (
    reduction.Mean,
    reduction.Sum,
    function.MeanMetricWrapper,
    regression.MeanSquaredError,
    regression.RootMeanSquaredError,
    regression.MeanAbsoluteError,
    regression.MeanAbsolutePercentageError,
    regression.MeanSquaredLogarithmicError,
    regression.CosineSimilarity,
    regression.LogCoshError,
    regression.R2Score,
    regression.ConcordanceCorrelation,
    regression.PearsonCorrelation,
    regression.Hinge,
    regression.SquaredHinge,
    regression.CategoricalHinge,
    regression.KLDivergence,
    regression.Poisson,
    regression.BinaryCrossentropy,
    regression.CategoricalCrossentropy,
    regression.SparseCategoricalCrossentropy,
    accuracy.Accuracy,
    accuracy.BinaryAccuracy,
    accuracy.CategoricalAccuracy,
    accuracy.SparseCategoricalAccuracy,
    accuracy.TopKCategoricalAccuracy,
    accuracy.SparseTopKCategoricalAccuracy,
    auc.AUC,
    confusion.FalseNegatives,
    confusion.FalsePositives,
    confusion.TrueNegatives,
    confusion.TruePositives,
    confusion.Precision,
    confusion.Recall,
    confusion.PrecisionAtRecall,
    confusion.RecallAtPrecision,
    confusion.SensitivityAtSpecificity,
    confusion.SpecificityAtSensitivity,
    f_score.F1Score,
    f_score.FBetaScore,
    iou.IoU,
    iou.BinaryIoU,
    iou.MeanIoU,
    iou.OneHotIoU,
    iou.OneHotMeanIoU,
)
ALIASES: Mapping[str, type[Metric]] = {
    "bce": regression.BinaryCrossentropy,
    "mse": regression.MeanSquaredError,
    "mae": regression.MeanAbsoluteError,
    "mape": regression.MeanAbsolutePercentageError,
    "msle": regression.MeanSquaredLogarithmicError,
}
TABLE: Mapping[str, type[Metric]] = {
    **registry.named_table(*CLASSES),
    **ALIASES,
    **{name.upper(): cls for name, cls in ALIASES.items()},
}


def adds_rows(metric: Metric, y_true_spec: Specs, y_pred_spec: Specs) -> bool:
    """Whether the result of a built-in metric does not depend on how rows are divided into batches.

    Always False for users' functions and classes, including subclasses of built-in metrics.

    Args:
        metric: the metric.
        y_true_spec: shapes and dtypes of the targets of a batch.
        y_pred_spec: shapes and dtypes of the predictions of a batch.

    >>> import jax
    >>> spec = jax.ShapeDtypeStruct((2, 3), "float32")
    >>> adds_rows(get("mse"), spec, spec), adds_rows(get("hinge"), spec, spec)
    (True, False)
    """
    if type(metric) not in CLASSES or isinstance(metric, function.MeanMetricWrapper):
        return False
    if not isinstance(metric, reduction.MeanMetric):
        return True
    return not metric.mixes_samples and keeps_batch_axis(metric.values, y_true_spec, y_pred_spec)


def get(identifier: MetricLike | None) -> Any:
    """The metric that `identifier` means; functions become a `MeanMetricWrapper`.

    Args:
        identifier: None (returned as None), a name, a configuration, a `Metric`, its class, or a function
            `(y_true, y_pred) -> values`.

    Raises:
        UnknownNameError: no metric has that name.
        ArgumentError: the identifier is none of the above.

    >>> get("mse")
    MeanSquaredError()
    >>> get(regression.pearson_correlation).name
    'pearson_correlation'
    """
    metric = registry.resolve("metric", TABLE, identifier, Metric)
    if metric is None or isinstance(metric, Metric):
        return metric
    if not callable(metric):
        raise ArgumentError(
            f"{type(metric).__name__} is not a metric: it cannot be called with targets and predictions."
        )
    return function.MeanMetricWrapper(metric)


def accuracy_for(y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> Metric:
    """The metric that "accuracy" and "acc" mean in `compile`.

    Args:
        y_true_shape: the shape of the targets, with None for unknown sizes.
        y_pred_shape: the shape of the predictions.

    >>> accuracy_for((None,), (None, 10))
    SparseCategoricalAccuracy()
    """
    classes: Mapping[str, type[Metric]] = {
        "binary": accuracy.BinaryAccuracy,
        "sparse": accuracy.SparseCategoricalAccuracy,
        "categorical": accuracy.CategoricalAccuracy,
    }
    return classes[shape_rule(y_true_shape, y_pred_shape)]()


def crossentropy_for(y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> Metric:
    """The metric that "crossentropy" and "ce" mean in `compile`.

    Args:
        y_true_shape: the shape of the targets, with None for unknown sizes.
        y_pred_shape: the shape of the predictions.

    >>> crossentropy_for((None, 1), (None, 1))
    BinaryCrossentropy()
    """
    classes: Mapping[str, type[Metric]] = {
        "binary": regression.BinaryCrossentropy,
        "sparse": regression.SparseCategoricalCrossentropy,
        "categorical": regression.CategoricalCrossentropy,
    }
    return classes[shape_rule(y_true_shape, y_pred_shape)]()


def serialize(metric: object) -> Any:
    """The JSON-able form of a metric.

    Args:
        metric: a metric or a function.

    >>> serialize(regression.MeanSquaredError())["class_name"]
    'MeanSquaredError'
    """
    return serialize_value(metric)


def deserialize(config: MetricLike | None, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Restores a metric from what `serialize` returned.

    Args:
        config: what `serialize` returned, or a name.
        custom_objects: further names, known during this call only.

    Raises:
        UnknownNameError: no metric has that name.
        ArgumentError: `config` does not describe a metric.

    >>> deserialize("mse")
    MeanSquaredError()
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)
