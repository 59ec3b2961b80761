"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras.keras.identifiers import Family as Family
from jkeras.keras.metrics import losses as losses
from jkeras.keras.metrics.families import ConfusionMetric as ConfusionMetric
from jkeras.keras.metrics.families import CountMetric as CountMetric
from jkeras.keras.metrics.families import CurveMetric as CurveMetric
from jkeras.keras.metrics.families import FScore as FScore
from jkeras.keras.metrics.families import OverlapMetric as OverlapMetric
from jkeras.keras.metrics.families import RegressionScore as RegressionScore
from jkeras.keras.metrics.metric import Metric as Metric

class AUC(CurveMetric):
    """The area under a curve, approximated from the counts at a number of thresholds."""

    num_thresholds: Any
    curve: Any
    summation_method: Any
    name: Any
    dtype: Any
    thresholds: Any
    multi_label: Any
    num_labels: Any
    label_weights: Any
    from_logits: Any
    def __init__(
        self,
        num_thresholds: int | None = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class BinaryIoU(OverlapMetric):
    """The mean intersection over union of class 0, 1 or both; predictions of at least `threshold` are class 1."""

    target_class_ids: Any
    threshold: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        target_class_ids: Any = ...,
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class F1Score(FScore):
    """The F1 score: the harmonic mean of precision and recall."""

    average: Any
    threshold: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class FBetaScore(FScore):
    """The F-beta score; recall counts `beta` times as much as precision."""

    average: Any
    beta: Any
    threshold: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class FalseNegatives(CountMetric):
    """The weight of positive samples predicted negative."""

    thresholds: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class FalsePositives(CountMetric):
    """The weight of negative samples predicted positive."""

    thresholds: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class IoU(OverlapMetric):
    """The mean intersection over union of some classes."""

    num_classes: Any
    target_class_ids: Any
    name: Any
    dtype: Any
    ignore_class: Any
    sparse_y_true: Any
    sparse_y_pred: Any
    axis: Any
    def __init__(
        self,
        num_classes: int,
        target_class_ids: tuple[int, ...],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Mean(Metric):
    """The weighted mean of values; axes after the batch axis are averaged first."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanIoU(OverlapMetric):
    """The mean intersection over union of all classes that occur."""

    num_classes: Any
    name: Any
    dtype: Any
    ignore_class: Any
    sparse_y_true: Any
    sparse_y_pred: Any
    axis: Any
    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class OneHotIoU(OverlapMetric):
    """The mean intersection over union of some classes, for one-hot targets."""

    num_classes: Any
    target_class_ids: Any
    name: Any
    dtype: Any
    ignore_class: Any
    sparse_y_pred: Any
    axis: Any
    def __init__(
        self,
        num_classes: int,
        target_class_ids: tuple[int, ...],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class OneHotMeanIoU(OverlapMetric):
    """The mean intersection over union of all classes that occur, for one-hot targets."""

    num_classes: Any
    name: Any
    dtype: Any
    ignore_class: Any
    sparse_y_pred: Any
    axis: Any
    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Precision(ConfusionMetric):
    """The share of positive predictions that are right."""

    thresholds: Any
    top_k: Any
    class_id: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class PrecisionAtRecall(ConfusionMetric):
    """The best precision where the recall is at least `recall`."""

    recall: Any
    num_thresholds: Any
    class_id: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class R2Score(RegressionScore):
    """The coefficient of determination, `1 - residual / total`: the share of the targets' variance that is explained."""

    class_aggregation: Any
    num_regressors: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Recall(ConfusionMetric):
    """The share of positive samples that are predicted positive; arguments as for `Precision`."""

    thresholds: Any
    top_k: Any
    class_id: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RecallAtPrecision(ConfusionMetric):
    """The best recall where the precision is at least `precision`."""

    precision: Any
    num_thresholds: Any
    class_id: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class SensitivityAtSpecificity(ConfusionMetric):
    """The best sensitivity (recall) where the specificity is at least `specificity`."""

    specificity: Any
    num_thresholds: Any
    class_id: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class SpecificityAtSensitivity(ConfusionMetric):
    """The best specificity where the sensitivity (recall) is at least `sensitivity`."""

    sensitivity: Any
    num_thresholds: Any
    class_id: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Sum(Metric):
    """The weighted sum of values."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class TrueNegatives(CountMetric):
    """The weight of negative samples predicted negative."""

    thresholds: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class TruePositives(CountMetric):
    """The weight of positive samples predicted positive."""

    thresholds: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Accuracy(Mean):
    """How often predictions equal targets."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class BinaryAccuracy(Mean):
    """How often labels 0 and 1 equal `y_pred > threshold`; a prediction of exactly `threshold` means 0."""

    name: Any
    dtype: Any
    threshold: Any
    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class BinaryCrossentropy(Mean):
    """The mean cross-entropy for labels 0 and 1."""

    name: Any
    dtype: Any
    from_logits: Any
    label_smoothing: Any
    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CategoricalAccuracy(Mean):
    """How often the largest prediction has the same index as the largest target; targets are one-hot."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CategoricalCrossentropy(Mean):
    """The mean cross-entropy for one-hot targets or target probabilities."""

    name: Any
    dtype: Any
    from_logits: Any
    label_smoothing: Any
    axis: Any
    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CategoricalHinge(Mean):
    """The mean of `max(best wrong score - right score + 1, 0)`."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class ConcordanceCorrelation(Mean):
    """The mean of Lin's concordance correlation along `axis`."""

    name: Any
    dtype: Any
    axis: Any
    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CosineSimilarity(Mean):
    """The mean cosine of the angle between targets and predictions."""

    name: Any
    dtype: Any
    axis: Any
    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Hinge(Mean):
    """The mean of `max(1 - y_true * y_pred, 0)`."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class KLDivergence(Mean):
    """The mean Kullback-Leibler divergence."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class LogCoshError(Mean):
    """The mean of `log(cosh(error))`."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanAbsoluteError(Mean):
    """The mean absolute error."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanAbsolutePercentageError(Mean):
    """The mean absolute error as a percentage of the targets."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanMetricWrapper(Mean):
    """The mean of a function `(y_true, y_pred, **kwargs) -> values`, also called `FunctionMetric`."""

    dtype: Any
    name: Any
    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def get_config(self) -> dict[str, Any]: ...
    def to_value(self) -> Any: ...
    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any: ...

class MeanSquaredError(Mean):
    """The mean squared error."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanSquaredLogarithmicError(Mean):
    """The mean squared error of `log(1 + y)`."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class PearsonCorrelation(Mean):
    """The mean of Pearson's correlation along `axis`."""

    name: Any
    dtype: Any
    axis: Any
    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Poisson(Mean):
    """The mean of `y_pred - y_true * log(y_pred)`."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RootMeanSquaredError(Mean):
    """The square root of the mean squared error over all data."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class SparseCategoricalAccuracy(Mean):
    """How often the class id is the index of the largest prediction."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class SparseCategoricalCrossentropy(Mean):
    """The mean cross-entropy for class ids; samples of `ignore_class` do not count."""

    name: Any
    dtype: Any
    from_logits: Any
    ignore_class: Any
    axis: Any
    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def update(self, state: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...

class SparseTopKCategoricalAccuracy(Mean):
    """How often the class id is among the `k` largest predictions."""

    k: Any
    name: Any
    dtype: Any
    from_sorted_ids: Any
    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class SquaredHinge(Mean):
    """The mean of `max(1 - y_true * y_pred, 0)**2`."""

    name: Any
    dtype: Any
    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class TopKCategoricalAccuracy(Mean):
    """How often the true class is among the `k` largest predictions; targets are one-hot."""

    k: Any
    name: Any
    dtype: Any
    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

FunctionMetric = MeanMetricWrapper

def BCE(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Any: ...
def KLD(y_true: Any, y_pred: Any) -> Any: ...
def MAE(y_true: Any, y_pred: Any) -> Any: ...
def MAPE(y_true: Any, y_pred: Any) -> Any: ...
def MSE(y_true: Any, y_pred: Any) -> Any: ...
def MSLE(y_true: Any, y_pred: Any) -> Any: ...
def bce(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Any: ...
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any: ...
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any: ...
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any: ...
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any: ...
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any: ...
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any: ...
def categorical_hinge(y_true: Any, y_pred: Any) -> Any: ...
def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any: ...
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any: ...
def facade(description: Any, base: Any, module: str, **namespace: Any) -> Any: ...
def function_mean() -> Any: ...
def get(identifier: Any) -> Any: ...
def hinge(y_true: Any, y_pred: Any) -> Any: ...
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any: ...
def kl_divergence(y_true: Any, y_pred: Any) -> Any: ...
def kld(y_true: Any, y_pred: Any) -> Any: ...
def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Any: ...
def log_cosh(y_true: Any, y_pred: Any) -> Any: ...
def logcosh(y_true: Any, y_pred: Any) -> Any: ...
def mae(y_true: Any, y_pred: Any) -> Any: ...
def mape(y_true: Any, y_pred: Any) -> Any: ...
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any: ...
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any: ...
def mean_squared_error(y_true: Any, y_pred: Any) -> Any: ...
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any: ...
def mse(y_true: Any, y_pred: Any) -> Any: ...
def msle(y_true: Any, y_pred: Any) -> Any: ...
def on_tensors(function: Callable[..., Any], module: str | None = None) -> Any: ...
def own_names(module: str, *others: Any) -> Any: ...
def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any: ...
def poisson(y_true: Any, y_pred: Any) -> Any: ...
def serialize(metric: Any) -> Any: ...
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any: ...
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any: ...
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any: ...
def squared_hinge(y_true: Any, y_pred: Any) -> Any: ...
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any: ...
