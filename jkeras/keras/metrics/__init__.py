"""Metrics, as in `keras.metrics`."""

from __future__ import annotations

from typing import Any

from jkeras import metrics as core
from jkeras.keras import losses
from jkeras.keras.identifiers import Family
from jkeras.keras.metrics.families import (
    CLASS_IDS,
    ConfusionMetric,
    CountMetric,
    CurveMetric,
    FScore,
    OverlapMetric,
    RegressionScore,
    function_mean,
)
from jkeras.keras.metrics.metric import Metric as Metric
from jkeras.keras.modules import own_names
from jkeras.keras.mutable import facade
from jkeras.keras.recorded import on_tensors
from jkeras.metrics.function import FUNCTIONS
from jkeras.metrics.identifiers import TABLE as DESCRIPTIONS
from jkeras.metrics.reduction import MeanMetric

# Bases and attributes of the facades that are more than descriptions with cells.
_FAMILIES: dict[Any, tuple[type[Metric], dict[str, Any]]] = {
    **dict.fromkeys(
        (core.TruePositives, core.TrueNegatives, core.FalsePositives, core.FalseNegatives), (CountMetric, {})
    ),
    core.Precision: (ConfusionMetric, {"counted": ("true_positives", "false_positives")}),
    core.Recall: (ConfusionMetric, {"counted": ("true_positives", "false_negatives")}),
    core.PrecisionAtRecall: (ConfusionMetric, {}),
    core.RecallAtPrecision: (ConfusionMetric, {}),
    core.SensitivityAtSpecificity: (ConfusionMetric, {}),
    core.SpecificityAtSensitivity: (ConfusionMetric, {}),
    core.AUC: (CurveMetric, {}),
    core.R2Score: (RegressionScore, {}),
    **dict.fromkeys((core.IoU, core.MeanIoU, core.OneHotIoU, core.OneHotMeanIoU, core.BinaryIoU), (OverlapMetric, {})),
    core.FBetaScore: (FScore, {}),
    core.F1Score: (FScore, {}),
}


def _facades() -> dict[Any, type[Metric]]:
    classes: dict[Any, type[Metric]] = {core.Mean: facade(core.Mean, Metric, __name__)}
    for description in dict.fromkeys(DESCRIPTIONS.values()):
        averages = issubclass(description, MeanMetric) or description is core.RootMeanSquaredError
        base, namespace = _FAMILIES.get(description, (classes[core.Mean] if averages else Metric, {}))
        if description is core.MeanMetricWrapper:
            namespace = function_mean()
        elif description is core.SparseCategoricalCrossentropy:
            namespace = CLASS_IDS
        if description not in classes:
            classes[description] = facade(description, base, __name__, **namespace)
    return classes


_CLASSES = _facades()
TABLE = {name: _CLASSES[description] for name, description in DESCRIPTIONS.items()}
globals().update({cls.__name__: cls for cls in _CLASSES.values()})
FunctionMetric = MeanMetricWrapper = _CLASSES[core.MeanMetricWrapper]
# Functions: those of losses, and the metrics' own.
_FUNCTIONS = {
    **{
        name: losses.TABLE[name]
        for name in losses.TABLE
        if name in core.__all__ and not isinstance(losses.TABLE[name], type)
    },
    **{
        name: on_tensors(function, __name__)
        for name, function in FUNCTIONS.items()
        if name not in losses.TABLE and not isinstance(function, type)
    },
}
globals().update(_FUNCTIONS)

FAMILY = Family("metric", TABLE, Metric)
get, serialize, deserialize = FAMILY.get, FAMILY.serializer("metric"), FAMILY.deserialize

__all__ = own_names(__name__)
