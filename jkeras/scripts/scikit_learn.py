"""`keras.wrappers.scikit_learn` of Keras 2: estimators from functions that build models."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from jkeras.errors import ArgumentError, NotBuiltError
from jkeras.keras.trainer import Trainer
from jkeras.scripts.notes import NOTES
from jkeras.types import TensorLike
from jkeras.utils import to_categorical

_METHODS = ("fit", "predict", "evaluate")


class BaseWrapper(BaseEstimator):  # type: ignore[misc]
    """An estimator around a function that builds a compiled model.

    Args:
        build_fn: the function, an object with `__call__`, or None if the class defines `__call__`.
        **sk_params: arguments of that function, and of `fit`, `predict` and `evaluate`.
    """

    _today = ""

    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any):
        NOTES.say(f"`{type(self).__name__}` is of Keras 2; write `keras.wrappers.{self._today}(model, ...)`.")
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    @property
    def _builder(self) -> Callable[..., Any]:
        return self.__call__ if self.build_fn is None else self.build_fn

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Refuses arguments that no function accepts.

        Raises:
            ArgumentError: a name is an argument of no function.
        """
        signatures = [
            inspect.signature(self._builder),
            *(inspect.signature(getattr(Trainer, name)) for name in _METHODS),
        ]
        names = {name for signature in signatures for name in signature.parameters} | {"nb_epoch"}
        anything = any(p.kind is p.VAR_KEYWORD for p in signatures[0].parameters.values())
        for name in params:
            if name not in names and not anything:
                raise ArgumentError(f"{name} is not a legal parameter")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, with `build_fn`."""
        return {"build_fn": self.build_fn, **self.sk_params}

    def set_params(self, **params: Any) -> Self:
        """Changes parameters."""
        self.check_params({name: value for name, value in params.items() if name != "build_fn"})
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.sk_params = {**self.sk_params, **params}
        return self

    def filter_sk_params(self, fn: Callable[..., Any], override: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The parameters that a function accepts, updated by others."""
        names = inspect.signature(fn).parameters
        renamed = {"nb_epoch": "epochs"}
        parameters = {
            name if name in names else renamed.get(name, name): value for name, value in self.sk_params.items()
        }
        return {**{name: value for name, value in parameters.items() if name in names}, **(override or {})}

    def fit(self, x: TensorLike, y: TensorLike, **kwargs: Any) -> Any:
        """Builds the model and trains it; its `History`."""
        self.model = self._builder(**self.filter_sk_params(self._builder))
        y = np.asarray(y)
        if self.model.loss == "categorical_crossentropy" and y.ndim != 2:
            y = to_categorical(y)
        return self.model.fit(x, y, **self.filter_sk_params(Trainer.fit, kwargs))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def _predicted(self, x: TensorLike, kwargs: Mapping[str, Any]) -> np.ndarray:
        if not hasattr(self, "model"):
            raise NotBuiltError(f"{type(self).__name__}: call `fit` first.")
        return np.asarray(self.model.predict(x, **self.filter_sk_params(Trainer.predict, kwargs)))

    def _evaluated(self, x: TensorLike, y: TensorLike, kwargs: Mapping[str, Any]) -> dict[str, float]:
        parameters = {**self.filter_sk_params(Trainer.evaluate, kwargs), "return_dict": True}
        return dict(self.model.evaluate(x, y, **parameters))


class KerasClassifier(ClassifierMixin, BaseWrapper):  # type: ignore[misc]
    """A classifier; see `BaseWrapper`."""

    _today = "SKLearnClassifier"

    def fit(self, x: TensorLike, y: TensorLike, **kwargs: Any) -> Any:
        """Trains on classes, or on one column for each class.

        Raises:
            ArgumentError: `y` has another shape.
        """
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ArgumentError(f"Invalid shape for y: {y.shape}")
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **kwargs)

    def predict(self, x: TensorLike, **kwargs: Any) -> np.ndarray:
        """The most likely class of each row."""
        probabilities = self._predicted(x, kwargs)
        if probabilities.shape[-1] > 1:
            return np.asarray(self.classes_[probabilities.argmax(axis=-1)])
        return np.asarray(self.classes_[(probabilities > 0.5).astype("int32")])

    def predict_proba(self, x: TensorLike, **kwargs: Any) -> np.ndarray:
        """A column of probabilities for each class."""
        probabilities = self._predicted(x, kwargs)
        return np.hstack([1 - probabilities, probabilities]) if probabilities.shape[1] == 1 else probabilities

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy.

        Raises:
            ArgumentError: the model was compiled without that metric.
        """
        y = np.searchsorted(self.classes_, y)
        if self.model.loss == "categorical_crossentropy" and y.ndim != 2:
            y = to_categorical(y, self.n_classes_)
        values = self._evaluated(x, y, kwargs)
        for name in ("accuracy", "acc"):
            if name in values:
                return values[name]
        raise ArgumentError('The model has no accuracy; write `model.compile(..., metrics=["accuracy"])`.')


class KerasRegressor(RegressorMixin, BaseWrapper):  # type: ignore[misc]
    """A regressor; see `BaseWrapper`."""

    _today = "SKLearnRegressor"

    def predict(self, x: TensorLike, **kwargs: Any) -> np.ndarray:
        """The predictions."""
        return np.squeeze(self._predicted(x, kwargs), axis=-1)

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The loss with its sign changed, so that greater is better."""
        return -self._evaluated(x, y, kwargs)["loss"]
