"""Every layer of `jkeras.layers` as a mutable class: a layer added there appears here."""

from __future__ import annotations

import inspect
from typing import Any

from jkeras import layers
from jkeras.graph.layer import Layer as PureLayer
from jkeras.keras import objects
from jkeras.keras.mutable_layer import Layer as Layer
from jkeras.keras.mutable_layer import facade


def serialize(layer: Any) -> Any:
    """The JSON-able form of a layer."""
    return objects.serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The layer that `serialize`, ours or Keras's, described."""
    return objects.deserialize_keras_object(config, custom_objects)


def __getattr__(name: str) -> Any:
    found = getattr(layers, name)
    if inspect.isclass(found) and issubclass(found, PureLayer):
        return facade(found)
    return found


def __dir__() -> list[str]:
    return sorted({"deserialize", "serialize", *(name for name in dir(layers) if not name.startswith("_"))})
