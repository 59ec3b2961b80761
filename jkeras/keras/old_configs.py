"""Configurations of layers from before Keras 3, which do not name modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras.errors import InputError
from jkeras.files.dialects import old_names
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.registration import get_registered_object

_MODELS = {"Functional": "keras.src.models.functional", "Model": "keras.src.models.functional", "Sequential": "keras"}


def object_from(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer that a configuration of any version of Keras describes.

    Raises:
        InputError: it is not a configuration.
    """
    if isinstance(config, Mapping) and "module" in config:
        return deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(config, Mapping) or "config" not in config:
        raise InputError(
            "The provided configuration is not a valid Keras configuration. Expected a dictionary containing a 'config' key."
            f" Received: config={config}"
        )
    name = config["class_name"]
    if get_registered_object(name, custom_objects) is not None:
        return deserialize_keras_object({**config, "module": None, "registered_name": name}, custom_objects)
    if name in _MODELS:
        class_name = "Functional" if name == "Model" else name
        inner = config["config"]
        inner = {"name": None, "layers": inner} if isinstance(inner, list) else inner
        return deserialize_keras_object(
            {**config, "class_name": class_name, "config": inner, "module": _MODELS[name]}, custom_objects
        )
    class_name, arguments = old_names.layer(name, config["config"])
    return deserialize_keras_object(
        {**config, "class_name": class_name, "config": arguments, "module": "keras.layers"}, custom_objects
    )
