"""Models, and what reads and copies them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import jkeras
from jkeras.errors import suggestion
from jkeras.keras.modules import pure_object, pure_objects
from jkeras.keras.mutable_layer import handle_of
from jkeras.keras.mutable_model import Model as Model
from jkeras.keras.mutable_model import Sequential as Sequential
from jkeras.keras.wrapping import to_value
from jkeras.models import config as configs
from jkeras.models.model import known_classes
from jkeras.registry import custom_object_scope as pure_scope
from jkeras.registry import register


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Model:
    """The model that `model.save(filepath)` wrote. Code in a file is never run, so `safe_mode` is always on."""
    return handle_of(jkeras.load_model(filepath, pure_objects(custom_objects), compile))


def save_model(model: Model, filepath: Any, overwrite: bool = True) -> None:
    """The same as `model.save(filepath)`."""
    model.save(filepath, overwrite=overwrite)


def clone_model(
    model: Model, input_tensors: Any = None, clone_function: Any = None, call_function: Any = None, recursive: bool = False
) -> Model:
    """The same definition with weights of its own, not compiled; arguments as in `jkeras.clone_model`."""
    value = to_value(model)
    if clone_function is not None:

        def change(layer: Any) -> Any:
            return to_value(clone_function(handle_of(layer)))

        value = jkeras.clone_model(value, input_tensors, change, call_function, recursive)
    # By way of the configuration, so that no layer is the same object as one of the model.
    return model_from_config(configs.to_config(value))


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model of a configuration, with fresh weights."""
    with custom_object_scope(custom_objects or {}):
        return handle_of(configs.from_config(config, known_classes()))


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that `model.to_json()` wrote, with fresh weights."""
    return model_from_config(json.loads(json_string), custom_objects)


def custom_object_scope(custom_objects: Mapping[str, Any]) -> Any:
    """Makes classes and functions known by name while a `with` block runs."""
    return pure_scope(pure_objects(custom_objects))


CustomObjectScope = custom_object_scope


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorator that makes a class or function known for loading files that use it."""

    def decorate(target: Any) -> Any:
        register(package, name or target.__name__)(pure_object(target))
        return target

    return decorate


def __getattr__(name: str) -> Any:
    if name in ("Ensemble", "History"):
        return getattr(jkeras, name)
    raise AttributeError(f"jkeras.keras.models has no {name!r}.{suggestion(name, globals())}")
