"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras.keras.identifiers import Family as Family
from jkeras.keras.mutable import Mutable as Mutable
from jkeras.keras.recorded import FunctionCall as FunctionCall

class Loss:
    """Base of losses: a subclass defines `call(self, y_true, y_pred)`, values per sample, or `__call__`."""

    name: Any
    reduction: Any
    dtype: Any
    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str | None = None,
    ) -> None: ...
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...
    def get_config(self) -> dict[str, Any]: ...

class BinaryCrossentropy(Loss):
    """Cross-entropy for labels 0 and 1."""

    from_logits: Any
    label_smoothing: Any
    axis: Any
    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy that down-weights easy samples."""

    apply_class_balancing: Any
    alpha: Any
    gamma: Any
    from_logits: Any
    label_smoothing: Any
    axis: Any
    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CTC(Loss):
    """Connectionist temporal classification: compares sequences of class ids with longer sequences of logits."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CategoricalCrossentropy(Loss):
    """Cross-entropy for one-hot targets or target probabilities."""

    from_logits: Any
    label_smoothing: Any
    axis: Any
    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CategoricalFocalCrossentropy(Loss):
    """Categorical cross-entropy that down-weights easy samples."""

    alpha: Any
    gamma: Any
    from_logits: Any
    label_smoothing: Any
    axis: Any
    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CategoricalGeneralizedCrossEntropy(Loss):
    """`(1 - p**q) / q` for class ids, between cross-entropy and absolute error; robust to wrong labels."""

    q: Any
    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CategoricalHinge(Loss):
    """`max(best wrong score - right score + 1, 0)` for one-hot targets."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Circle(Loss):
    """Pulls embeddings with the same label together and pushes embeddings with different labels apart."""

    gamma: Any
    margin: Any
    remove_diagonal: Any
    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class CosineSimilarity(Loss):
    """The negative cosine of the angle between targets and predictions."""

    axis: Any
    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Dice(Loss):
    """One minus the Dice coefficient (twice the overlap over the total) over `axis`; by default for the whole batch."""

    reduction: Any
    name: Any
    axis: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class FunctionLoss(Loss):
    """A function `(y_true, y_pred, **kwargs) -> values` as a loss."""

    name: Any
    reduction: Any
    dtype: Any
    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def get_config(self) -> dict[str, Any]: ...
    def to_value(self) -> Any: ...

class Hinge(Loss):
    """The mean of `max(1 - y_true * y_pred, 0)`."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Huber(Loss):
    """Half the squared error up to `delta`, linear beyond."""

    delta: Any
    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class KLDivergence(Loss):
    """The Kullback-Leibler divergence from predicted to target probabilities."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class LogCosh(Loss):
    """The mean of `log(cosh(error))`: squared near zero, linear far from it."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanAbsoluteError(Loss):
    """The mean absolute error."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanAbsolutePercentageError(Loss):
    """The mean absolute error as a percentage of the targets."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanSquaredError(Loss):
    """The mean squared error."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MeanSquaredLogarithmicError(Loss):
    """The mean squared error of `log(1 + y)`."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Poisson(Loss):
    """The negative log-likelihood of counts, up to a constant."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy for class ids."""

    from_logits: Any
    ignore_class: Any
    reduction: Any
    axis: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class SquaredHinge(Loss):
    """The mean of `max(1 - y_true * y_pred, 0)**2`."""

    reduction: Any
    name: Any
    dtype: Any
    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Tversky(Loss):
    """Dice with separate weights for the two kinds of error."""

    alpha: Any
    beta: Any
    reduction: Any
    name: Any
    axis: Any
    dtype: Any
    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

LossFunctionWrapper = FunctionLoss

def BCE(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Any: ...
def KLD(y_true: Any, y_pred: Any) -> Any: ...
def MAE(y_true: Any, y_pred: Any) -> Any: ...
def MAPE(y_true: Any, y_pred: Any) -> Any: ...
def MSE(y_true: Any, y_pred: Any) -> Any: ...
def MSLE(y_true: Any, y_pred: Any) -> Any: ...
def align(values: Any, weights: Any, what: str = "sample_weight") -> Any: ...
def any_symbolic_tensors(args: Any = None, kwargs: Mapping[str, Any] | None = None) -> Any: ...
def as_array(value: Any, dtype: Any = None) -> Any: ...
def auto_name(prefix: str) -> Any: ...
def bce(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Any: ...
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
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any: ...
def categorical_hinge(y_true: Any, y_pred: Any) -> Any: ...
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any: ...
def core_function(function: Any) -> Any: ...
def cosine_similarity(y_true: Any, y_pred: Any, axis: Any = -1) -> Any: ...
def ctc(y_true: Any, y_pred: Any) -> Any: ...
def deserialize(name: Any, custom_objects: Any = None) -> Any: ...
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any: ...
def facade(description: Any, base: Any, module: str, **namespace: Any) -> Any: ...
def facades(table: Mapping[str, Any], base: Any, module: str) -> Any: ...
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
def mask_of(tensor: Any) -> Any: ...
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any: ...
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any: ...
def mean_squared_error(y_true: Any, y_pred: Any) -> Any: ...
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any: ...
def mse(y_true: Any, y_pred: Any) -> Any: ...
def msle(y_true: Any, y_pred: Any) -> Any: ...
def on_tensors(function: Callable[..., Any], module: str | None = None) -> Any: ...
def own_names(module: str, *others: Any) -> Any: ...
def poisson(y_true: Any, y_pred: Any) -> Any: ...
def reduce_weighted(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
) -> Any: ...
def serialize(loss: Any) -> Any: ...
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any: ...
def squared_hinge(y_true: Any, y_pred: Any) -> Any: ...
def squeeze_or_expand(a: Any, b: Any, expand_rank_1: bool = True) -> Any: ...
def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> Any: ...
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any: ...
def value_of(instance: Any) -> Any: ...
