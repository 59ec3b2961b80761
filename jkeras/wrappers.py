"""Models as estimators of scikit-learn, for its pipelines, searches and cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

import jax
import numpy as np

from jkeras.errors import ArgumentError, InputError, NotCompiledError
from jkeras.models.history import History
from jkeras.models.model import Model

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise ImportError("jkeras.wrappers needs scikit-learn 1.6 or newer: pip install 'jkeras[sklearn]'") from error


__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]

# What a wrapper is given: a compiled model, or a function that makes one.
ModelLike: TypeAlias = Model | Callable[..., Model]
# What scikit-learn takes for data: arrays, lists of lists, frames, sparse matrices. It has no type for them.
Data: TypeAlias = Any


# scikit-learn has no types, so that its classes are `Any` to checkers.
class _Wrapper(BaseEstimator):  # type: ignore[misc]
    """What the wrappers share.

    Args:
        model: a compiled model, or a function that makes one from the keyword arguments `X` (rows, features), `y` (as it
            is trained on) and `model_kwargs`.
        warm_start: whether `fit` continues from the weights of the previous `fit`.
        model_kwargs: keyword arguments of that function.
        fit_kwargs: keyword arguments of every `model.fit`; those passed to `fit` itself take precedence.

    Attributes:
        model_: the trained model.
        history_: its history.
    """

    def __init__(
        self,
        model: ModelLike,
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ):
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False  # the seed of a run is fixed
        return tags

    @property
    def epoch_(self) -> list[int]:
        """The numbers of the epochs of the last `fit`."""
        history: History | None = vars(self).get("history_")
        return [] if history is None else list(history.epoch)

    def fit(self, X: Data, y: Data, **kwargs: Any) -> Self:
        """Trains the model.

        Args:
            X: numbers of shape `(rows, features)`.
            y: targets of shape `(rows,)` or `(rows, outputs)`.
            **kwargs: arguments of `model.fit`.

        Raises:
            NotCompiledError: the model is not compiled.
        """
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=False)
        y = self._learn_targets(y)
        earlier: Model | None = vars(self).get("model_") if self.warm_start else None
        model = _compiled(self._model_for(X, y) if earlier is None else earlier, type(self).__name__)
        trained = model.fit(X, y, **{"verbose": 0, **(self.fit_kwargs or {}), **kwargs})
        self.model_ = trained
        self.history_: History = trained.history
        return self

    def _model_for(self, X: np.ndarray, y: np.ndarray) -> object:
        if _value(self.model) is not None:
            return self.model
        if not callable(self.model):
            raise ArgumentError(
                f"{type(self).__name__}(model={self.model!r}): expected a compiled model, or a function of X and y that"
                " returns one."
            )
        return self.model(X=X, y=y, **(self.model_kwargs or {}))

    def _learn_targets(self, y: np.ndarray) -> np.ndarray:
        """The targets as the model is trained on; remembers the way back."""
        type_of_target(y, raise_unknown=True)
        self._target_rank = y.ndim
        return y.reshape(len(y), -1)

    def _outputs(self, X: Data) -> np.ndarray:
        check_is_fitted(self, "model_")
        outputs = jax.tree.leaves(self.model_.predict(validate_data(self, X, reset=False), verbose=0))
        if len(outputs) != 1:
            raise InputError(
                f"{type(self).__name__} takes models with one output; {self.model_.name} has {len(outputs)}. Write"
                " jk.Model(inputs, outputs[0])."
            )
        return np.asarray(outputs[0])


class SKLearnClassifier(ClassifierMixin, _Wrapper):  # type: ignore[misc]
    """A model as a classifier of scikit-learn.

    The model is trained on one-hot targets of shape `(rows, classes)`, so its loss is `"categorical_crossentropy"`. Labels
    may be numbers or strings. Arguments as in Keras's `keras.wrappers.SKLearnClassifier`.

    Args:
        model: a compiled model, or a function that makes one from the keyword arguments `X`, `y` and `model_kwargs`.
        warm_start: whether `fit` continues from the weights of the previous `fit`.
        model_kwargs: keyword arguments of that function.
        fit_kwargs: keyword arguments of every `model.fit`; those passed to `fit` itself take precedence.

    Attributes:
        model_: the trained model.
        history_: its history.
        classes_: the labels, sorted.

    Raises:
        InputError: the targets are not classes, or only one class is there.

    >>> import jkeras as jk
    >>> def build(X, y, hidden=8):
    ...     layers = [jk.Input(X.shape[1:]), jk.layers.Dense(hidden, "relu"), jk.layers.Dense(y.shape[1], "softmax")]
    ...     return jk.Sequential(layers).compile("adam", "categorical_crossentropy")
    >>> classifier = SKLearnClassifier(build, model_kwargs={"hidden": 4}, fit_kwargs={"epochs": 1})
    >>> classifier.fit([[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]).classes_.tolist()
    ['high', 'low']
    """

    classes_: np.ndarray

    def _learn_targets(self, y: np.ndarray) -> np.ndarray:
        kind = type_of_target(y, raise_unknown=True)
        if kind not in ("binary", "multiclass"):
            # scikit-learn's own checks look for these words.
            raise InputError(
                f"Unknown label type: {kind}. SKLearnClassifier takes one class per row: integers or strings of shape (rows,)."
            )
        self.classes_, numbers = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"SKLearnClassifier can't train when only one class is present: every label is {self.classes_[0]!r}."
            )
        return np.eye(len(self.classes_), dtype="float32")[numbers]

    def predict(self, X: Data) -> np.ndarray:
        """The most probable class of each row; shape `(rows,)`."""
        numbers = self._outputs(X).argmax(axis=-1)
        labels: np.ndarray = self.classes_[numbers]
        return labels

    def predict_proba(self, X: Data) -> np.ndarray:
        """The model's outputs, probabilities if it ends in a softmax; shape `(rows, classes)`."""
        return self._outputs(X)

    def decision_function(self, X: Data) -> np.ndarray:
        """The model's outputs as Keras gives them; for two classes the second one's lead, as scikit-learn wants it."""
        outputs = self._outputs(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[-1] == 2 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, _Wrapper):  # type: ignore[misc]
    """A model as a regressor of scikit-learn.

    Arguments as in Keras's `keras.wrappers.SKLearnRegressor`.

    Args:
        model: a compiled model, or a function that makes one from the keyword arguments `X`, `y` and `model_kwargs`.
        warm_start: whether `fit` continues from the weights of the previous `fit`.
        model_kwargs: keyword arguments of that function.
        fit_kwargs: keyword arguments of every `model.fit`; those passed to `fit` itself take precedence.

    Attributes:
        model_: the trained model.
        history_: its history.

    >>> import jkeras as jk
    >>> line = jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)]).compile(jk.optimizers.SGD(0.1), "mse")
    >>> regressor = SKLearnRegressor(line, fit_kwargs={"epochs": 200, "batch_size": 4})
    >>> prediction = regressor.fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]).predict([[4.0]])
    >>> bool(abs(prediction[0] - 9) < 0.1)
    True
    """

    def predict(self, X: Data) -> np.ndarray:
        """The model's outputs; shape `(rows,)` or `(rows, outputs)`, as the targets had."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._target_rank == 1 and outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        return tags


class SKLearnTransformer(TransformerMixin, _Wrapper):  # type: ignore[misc]
    """A model as a transformer of scikit-learn: its outputs are the features of what comes next.

    Arguments as in Keras's `keras.wrappers.SKLearnTransformer`. A transformer whose model is not to be trained any further
    goes into a `sklearn.frozen.FrozenEstimator`.

    Args:
        model: a compiled model, or a function that makes one from the keyword arguments `X`, `y` and `model_kwargs`.
        warm_start: whether `fit` continues from the weights of the previous `fit`.
        model_kwargs: keyword arguments of that function.
        fit_kwargs: keyword arguments of every `model.fit`; those passed to `fit` itself take precedence.

    Attributes:
        model_: the trained model.
        history_: its history.

    Raises:
        InputError: the model has several outputs.
        NotCompiledError: the model is not compiled.

    >>> import jkeras as jk
    >>> network = jk.Sequential([jk.Input((2,)), jk.layers.Dense(3)]).compile("sgd", "mse")
    >>> X = np.ones((4, 2), "float32")
    >>> SKLearnTransformer(network).fit(X, np.ones((4, 3))).transform(X).shape
    (4, 3)
    """

    def transform(self, X: Data) -> np.ndarray:
        """The model's outputs; shape `(rows, outputs)`."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.target_tags.multi_output = True
        return tags


@runtime_checkable
class Handle(Protocol):
    """What holds a model, such as the models of `jkeras.keras`."""

    @property
    def value(self) -> object:
        """The immutable model."""


def _value(model: object) -> Model | None:
    """The immutable model, also behind a handle; None for what is not a model."""
    value = model if isinstance(model, Model) else model.value if isinstance(model, Handle) else None
    return value if isinstance(value, Model) else None


def _compiled(model: object, wrapper: str) -> Model:
    value = _value(model)
    if value is None:
        raise ArgumentError(f"{wrapper}: the function `model` returned {model!r}, which is not a model.")
    if value.recipe is None or value.recipe.loss is None:
        raise NotCompiledError(
            f"{wrapper} needs a compiled model with an optimizer and a loss: model.compile('adam', 'mse')."
        )
    return value
