"""Converts between classes and functions and their names in Keras."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from jkeras.errors import ArgumentError, UnknownNameError
from jkeras.files import operations

# Modules of functions that configurations may name.
_FUNCTIONS = ("activations", "losses", "metrics", "initializers", "regularizers", "constraints")
_MODULES = frozenset(
    (
        "keras",
        *(f"keras.{name}" for name in _FUNCTIONS),
        *(
            f"keras.{name}"
            for name in (
                "layers",
                "models",
                "optimizers",
                "optimizers.schedules",
                "random",
                "quantizers",
                "distillation",
            )
        ),
        *(f"keras.{name}" for name in ("dtype_policies", "ops", "ops.numpy", "ops.nn", "ops.image", "ops.linalg")),
        *(f"keras.{name}" for name in ("metrics", "callbacks", "mixed_precision")),
    )
)
# Classes that configurations place in other modules, by their module in jkeras.
_INNER = {
    "keras.src.models.functional": ("functional", "Functional"),
    "keras.src.layers.preprocessing.feature_space": ("feature_space", "Feature Cross TFDIdentity"),
    "keras.src.applications.convnext": ("layers", "LayerScale StochasticDepth"),
    "keras.src.applications.inception_resnet_v2": ("layers", "CustomScaleLayer"),
    "keras.utils": ("feature_space", "FeatureSpace"),
}


def public_name(cls: type) -> tuple[str, str] | None:
    """The module and name of a class of the library in Keras; None for other classes.

    >>> from jkeras import initializers
    >>> public_name(initializers.GlorotUniform)
    ('keras.initializers', 'GlorotUniform')
    """
    if not cls.__module__.startswith("jkeras."):
        return None
    module = getattr(cls, "keras_module", None)
    return None if module is None else (module, cls.__name__)


def public_object(module: str, name: str) -> Any:
    """The class or function that a configuration names; None if there is none.

    Raises:
        ArgumentError: it is a function that reads files or changes settings.
    """
    home, names = _INNER.get(module, ("", ""))
    if name in names.split():
        return getattr(importlib.import_module(f"jkeras.keras.{home}"), name)
    if operations.is_operation({"module": module}):
        try:
            return importlib.import_module("jkeras.keras.function_operation").named_class(name, module)
        except UnknownNameError:
            return None
    if module in _MODULES:
        return _allowed(module, name, _lookup(module, name))
    if _lookup(module, name) is not None and module.count(".") == 1 and not module.startswith("keras.src"):
        return _allowed(module, name, None)
    if module.startswith("keras.src."):
        return _anywhere(module, name)
    return None


def _lookup(module: str, name: str) -> Any:
    if name.startswith("_"):
        return None
    try:
        home = importlib.import_module(f"jkeras.{module}")
        return getattr(home, name, None)
    except ImportError:
        return None


def _allowed(module: str, name: str, value: Any) -> Any:
    """Whether an object may come from a configuration: a class with a configuration, or a function of arrays."""
    functions = module.startswith("keras.ops") or module.removeprefix("keras.") in (*_FUNCTIONS, "random")
    settings = name in ("get", "serialize", "deserialize")
    if value is not None and (inspect.isclass(value) or (functions and callable(value) and not settings)):
        return value
    if value is not None or module not in _MODULES:
        raise ArgumentError(
            f"Cannot deserialize `{module}.{name}` because it is not a modeling function. Non-modeling APIs are disallowed"
            " during deserialization for security. Model configuration should only contains operations, layers, metrics,"
            " losses, or registered custom objects and functions."
        )
    return None


def _anywhere(module: str, name: str) -> Any:
    """The public object for an internal Keras name in a configuration."""
    family = f"keras.{module.split('.')[2]}"
    for home in (family, "keras"):
        member = _lookup(home, name) if home in _MODULES else None
        if inspect.isclass(member):
            return member
    return None


def builtin_function(name: str) -> Any:
    """The function with this name among activations, losses, metrics and so on; None if there is none."""
    for family in _FUNCTIONS:
        function = _lookup(f"keras.{family}", name)
        if callable(function) and name not in ("get", "serialize", "deserialize"):
            return function
    return None
