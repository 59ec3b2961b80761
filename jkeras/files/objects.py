"""The functions of `keras.saving` on single objects and on models."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from jkeras import arguments, registry
from jkeras.dtypes import DTypePolicy
from jkeras.errors import ArgumentError, RestoreError
from jkeras.files import config as configs
from jkeras.graph.layer import Layer
from jkeras.models.model import Model, known_classes
from jkeras.types import Config, PathLike
from jkeras.values.config import deserialize, serialize, target_of
from jkeras.values.spec import Spec

# The modules whose configurations each family reads itself, longest name first.
FAMILIES = (
    "optimizers.schedules",
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
)
# The tables in which a bare function name is looked up.
FUNCTIONS = ("activations", "losses", "metrics")


def _model(value: object) -> Model:
    if not (isinstance(value, Layer) and hasattr(value, "save_weights")):
        raise ArgumentError("expected a model")
    return cast("Model", value)


def save_model(model: Model, filepath: PathLike, overwrite: bool = True) -> None:
    """The same as `model.save(filepath)`.

    Args:
        model: the model to save.
        filepath: the path; its suffix determines the format.
        overwrite: whether to replace an existing file.

    Raises:
        ExistsError: the path exists and `overwrite` is False.

    >>> import tempfile
    >>> import jkeras as jk
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)]), f"{folder}/model.keras")
    ...     jk.load_model(f"{folder}/model.keras").output_shape
    (None, 1)
    """
    arguments.checked("save_model", "model", model, _model).save(filepath, overwrite=overwrite)


def save_weights(
    model: Model, filepath: PathLike, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """The same as `model.save_weights(filepath)`.

    Args:
        model: the model whose weights to save.
        filepath: the path; its suffix determines the format.
        overwrite: whether to replace existing files.
        max_shard_size: the largest size of a file of a `.weights.json` index, in GB; 5 if None.
        **kwargs: none.

    Raises:
        ExistsError: the path exists and `overwrite` is False.

    >>> import tempfile
    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_weights(model, f"{folder}/it.weights.h5")
    ...     load_weights(model, f"{folder}/it.weights.h5").count_params()
    3
    """
    arguments.checked("save_weights", "model", model, _model).save_weights(
        filepath, overwrite, max_shard_size, **kwargs
    )


def load_weights(model: Model, filepath: PathLike, skip_mismatch: bool = False, **kwargs: Any) -> Model:
    """The model with the weights from a file; see `model.load_weights`.

    Args:
        model: a built model.
        filepath: a file or directory of weights or of a whole model.
        skip_mismatch: whether to skip layers that differ, with a warning.
        **kwargs: further arguments of `model.load_weights`: `only`, `by_name`.

    Raises:
        RestoreError: the file is damaged or does not match the model; the message lists all differences.

    >>> import tempfile
    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save_weights(f"{folder}/it.safetensors")
    ...     load_weights(model, f"{folder}/it.safetensors").count_params()
    3
    """
    return arguments.checked("load_weights", "model", model, _model).load_weights(filepath, skip_mismatch, **kwargs)


def serialize_keras_object(obj: Any) -> Any:
    """The JSON-able form of a layer, loss, metric, optimizer and so on, of a function, or of a structure of them.

    Args:
        obj: the object, function or structure.

    >>> from jkeras import initializers
    >>> serialize_keras_object(initializers.Constant(2))["config"]
    {'value': 2}
    """
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(value) for value in obj]
    if isinstance(obj, Mapping):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    return configs.to_config(obj) if isinstance(obj, Layer) else serialize(obj)


def deserialize_keras_object(
    config: Config, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """Restores an object from the output of `serialize_keras_object` of jkeras or Keras.

    Only classes of the library, and those that the user registered, are instantiated. Nothing else that `config` names is
    looked up, and no code in it is run, so `safe_mode` has no effect.

    Args:
        config: the output of `serialize_keras_object`.
        custom_objects: the user's classes and functions by name, known during this call only.
        safe_mode: accepted for compatibility with Keras.

    Raises:
        RestoreError: the configuration names something unknown.
        UnknownNameError: the same, if similar names can be suggested.
        ArgumentError: `custom_objects` or `safe_mode` is something else.

    >>> from jkeras import initializers
    >>> deserialize_keras_object(serialize_keras_object(initializers.Constant(2)))
    Constant(value=2)
    """
    place = "deserialize_keras_object"
    arguments.flags(place, safe_mode=safe_mode)
    known = arguments.checked(place, "custom_objects", custom_objects, arguments.optional(arguments.table))
    with registry.custom_object_scope(known or {}):
        return deserialize(config, _made)


def _made(config: Mapping[str, Any], depth: int) -> Any:
    name = config["class_name"]
    inner: Any = config.get("config")
    if name == "function":
        return _function(str(inner))
    own = target_of(config, {})
    inner = inner if isinstance(inner, Mapping) else {}
    family = str(config.get("module") or "").removeprefix("keras.").removeprefix("src.")
    reader = next((f for f in FAMILIES if family.startswith(f)), None)
    if isinstance(own, type) and issubclass(own, Spec) and not issubclass(own, Layer):
        return own.from_config(inner)
    if reader is not None and own is None:
        return importlib.import_module(f"jkeras.{reader}").deserialize(config)
    if name == "DTypePolicy":
        return DTypePolicy(inner["name"])
    if own is not None and not (isinstance(own, type) and issubclass(own, Layer)):
        return own.from_config(inner) if hasattr(own, "from_config") else own(**inner)
    return configs.from_config(config, known_classes())


def _function(name: str) -> Any:
    function = registry.get_registered_object(name)
    if function is not None:
        return function
    for family in FUNCTIONS:
        function = getattr(importlib.import_module(f"jkeras.{family}"), name, None)
        if callable(function):
            return function
    raise RestoreError(f"There is no function {name!r}: pass `custom_objects={{{name!r}: function}}`, or register it.")
