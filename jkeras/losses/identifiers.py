"""Names of losses, functions as losses, and what `compile` makes of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jkeras import arguments, registry
from jkeras.errors import ArgumentError
from jkeras.losses import crossentropy, margin, regression, structured
from jkeras.losses.loss import Loss, PairLoss, match_ranks, per_sample
from jkeras.types import ArrayLike, DTypePolicyLike, LossLike, PyTree, Specs
from jkeras.values.config import serialize as serialize_value


class FunctionLoss(Loss):
    """A function `(y_true, y_pred, **kwargs) -> values` as a loss.

    Values per sample, `(batch, ...)`, are weighted and reduced like those of any loss; a scalar is returned unchanged.

    Args:
        kwargs: further arguments for the function.

    >>> import jax.numpy as jnp
    >>> loss = FunctionLoss(lambda y_true, y_pred, power: jnp.abs(y_true - y_pred) ** power, power=3)
    >>> float(loss(jnp.array([1.0, 2.0]), jnp.array([3.0, 2.0])))
    4.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DTypePolicyLike = None,
        **kwargs: Any,
    ):
        fn = arguments.checked(type(self).__name__, "fn", fn, arguments.function)
        super().__init__(name=name or arguments.name_of(fn), reduction=reduction, dtype=dtype)
        self.fn = fn
        self.kwargs = kwargs

    def call(self, y_true: PyTree[ArrayLike], y_pred: PyTree[ArrayLike]) -> Any:
        y_true, y_pred = match_ranks(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.kwargs)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction, "fn": serialize(self.fn), **serialize(self.kwargs)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> FunctionLoss:
        fn = config["fn"]
        return cls(**{**config, "fn": fn if callable(fn) else get(fn)})


CLASSES: tuple[type[PairLoss], ...] = (
    regression.MeanSquaredError,
    regression.MeanAbsoluteError,
    regression.MeanAbsolutePercentageError,
    regression.MeanSquaredLogarithmicError,
    regression.CosineSimilarity,
    regression.Huber,
    regression.LogCosh,
    margin.Hinge,
    margin.SquaredHinge,
    margin.CategoricalHinge,
    crossentropy.KLDivergence,
    crossentropy.Poisson,
    crossentropy.BinaryCrossentropy,
    crossentropy.BinaryFocalCrossentropy,
    crossentropy.CategoricalCrossentropy,
    crossentropy.CategoricalFocalCrossentropy,
    crossentropy.CategoricalGeneralizedCrossEntropy,
    crossentropy.SparseCategoricalCrossentropy,
    structured.CTC,
    structured.Dice,
    structured.Tversky,
    structured.Circle,
)
ALIASES: Mapping[str, Callable[..., Any]] = {
    "bce": crossentropy.binary_crossentropy,
    "kld": crossentropy.kl_divergence,
    "kullback_leibler_divergence": crossentropy.kl_divergence,
    "mae": regression.mean_absolute_error,
    "mse": regression.mean_squared_error,
    "mape": regression.mean_absolute_percentage_error,
    "msle": regression.mean_squared_logarithmic_error,
    "logcosh": regression.log_cosh,
}
# As in Keras, the name of a function gives the function, the name of a class an instance.
TABLE: Mapping[str, Any] = {
    **{cls.__name__: cls for cls in CLASSES},
    "FunctionLoss": FunctionLoss,
    "LossFunctionWrapper": FunctionLoss,
    **{cls.function.__name__: cls.function for cls in CLASSES},
    **ALIASES,
    **{name.upper(): function for name, function in ALIASES.items() if len(name) < 5},
}

# These look at a whole batch: whether its labels are 0 and 1, or which samples form pairs.
_BY_BATCH = (margin.Hinge, margin.SquaredHinge, structured.Circle)


def compares_rows(loss: object) -> bool:
    """Whether a loss compares each row of the predictions with the same row of the targets, as all built-in ones do.

    Always False for users' functions and classes, subclasses of built-in losses included.

    >>> compares_rows(regression.Huber()), compares_rows(lambda y_true, y_pred: y_pred)
    (True, False)
    """
    return type(loss) in CLASSES


def averages_rows(loss: Loss, y_true_spec: Specs, y_pred_spec: Specs) -> bool:
    """Whether the loss of all rows equals the mean of the losses of batches, weighted by batch size.

    Always False for users' classes, including subclasses of built-in losses: shapes alone do not show how their code
    combines the rows of a batch.

    Args:
        loss: the loss.
        y_true_spec: shapes and dtypes of the targets of a batch.
        y_pred_spec: shapes and dtypes of the predictions of a batch.

    >>> import jax
    >>> spec = jax.ShapeDtypeStruct((2, 3), "float32")
    >>> averages_rows(regression.Huber(), spec, spec), averages_rows(regression.Huber(reduction="sum"), spec, spec)
    (True, False)
    """
    if not isinstance(loss, PairLoss) or not compares_rows(loss) or type(loss) in _BY_BATCH:
        return False
    means = loss.reduction in ("sum_over_batch_size", "mean") and loss.ignore_class is None
    return means and per_sample(loss, y_true_spec, y_pred_spec)


def get(identifier: LossLike | None) -> Any:
    """The loss that `identifier` means, as in `keras.losses.get`.

    Args:
        identifier: None (returned as None), the name of a function (returns the function) or of a class (returns an
            instance), a configuration, a `Loss`, its class, or a function.

    Raises:
        UnknownNameError: no loss has that name.
        ArgumentError: the identifier is none of the above.

    >>> get("mse").__name__
    'mean_squared_error'
    >>> get("CategoricalCrossentropy")
    CategoricalCrossentropy()
    """
    return registry.resolve("loss", TABLE, identifier, Loss)


def as_loss(identifier: LossLike | None) -> Loss:
    """Like `get`, but always a `Loss`.

    Args:
        identifier: a name, a configuration, a `Loss`, its class, or a function `(y_true, y_pred) -> values`.

    Raises:
        UnknownNameError: no loss has that name.
        ArgumentError: the identifier is none of the above.

    >>> as_loss("mse")
    MeanSquaredError()
    >>> as_loss(lambda y_true, y_pred: abs(y_true - y_pred)).name
    '<lambda>'
    """
    loss = get(identifier)
    if isinstance(loss, Loss):
        return loss
    if loss is None:
        raise ArgumentError("expected a loss: a name, a configuration, a `Loss` or a function; got None")
    cls = next((cls for cls in CLASSES if cls.function is loss), None)
    return FunctionLoss(loss) if cls is None else cls()


def shape_rule(y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> str:
    """The kind of classification that the shapes of targets and predictions imply: "binary", "sparse" or "categorical".

    >>> shape_rule((None,), (None, 1)), shape_rule((None,), (None, 10)), shape_rule((None, 10), (None, 10))
    ('binary', 'sparse', 'categorical')
    """
    classes = y_pred_shape[-1] if len(y_pred_shape) else None
    if classes == 1:
        return "binary"
    if len(y_true_shape) < len(y_pred_shape) or (len(y_true_shape) and y_true_shape[-1] == 1):
        return "sparse"
    return "categorical"


def crossentropy_for(y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> Loss:
    """The loss that "crossentropy" and "ce" mean in `compile`.

    Args:
        y_true_shape: the shape of the targets, with None for unknown sizes.
        y_pred_shape: the shape of the predictions.

    >>> crossentropy_for((None,), (None, 10))
    SparseCategoricalCrossentropy()
    """
    loss_classes = {
        "binary": crossentropy.BinaryCrossentropy,
        "sparse": crossentropy.SparseCategoricalCrossentropy,
        "categorical": crossentropy.CategoricalCrossentropy,
    }
    result: Loss = loss_classes[shape_rule(y_true_shape, y_pred_shape)]()
    return result


def serialize(loss: object) -> Any:
    """The JSON-able form of a loss or a loss function.

    Args:
        loss: a loss or a function.

    >>> serialize(regression.Huber())["class_name"]
    'Huber'
    """
    return serialize_value(loss)


def deserialize(name: LossLike | None, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Restores a loss or function from what `serialize` returned.

    Args:
        name: what `serialize` returned, or a name.
        custom_objects: further names, known during this call only.

    Raises:
        UnknownNameError: no loss has that name.
        ArgumentError: `name` does not describe a loss.

    >>> deserialize("mse").__name__
    'mean_squared_error'
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(name)
