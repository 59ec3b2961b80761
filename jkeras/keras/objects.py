"""Objects by name, for reading configurations: the functions of `keras.saving` on classes in this namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from jkeras import registry
from jkeras.graph.layer import Layer as PureLayer
from jkeras.keras.modules import pure_object, pure_objects
from jkeras.keras.mutable_layer import handles_in
from jkeras.keras.wrapping import to_value
from jkeras.models import objects


class CustomObjects(MutableMapping[str, Any]):
    """The table of registered objects; `get_custom_objects().update({"name": function})` registers more."""

    def __getitem__(self, name: str) -> Any:
        return registry.get_custom_objects()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        registry.get_custom_objects()[name] = pure_object(value)

    def __delitem__(self, name: str) -> None:
        del registry.get_custom_objects()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(registry.get_custom_objects())

    def __len__(self) -> int:
        return len(registry.get_custom_objects())


def get_custom_objects() -> CustomObjects:
    """The table of registered objects; what is added to it is known from then on."""
    return CustomObjects()


def get_registered_name(obj: Any) -> str:
    """The name that a class or function was registered under, or its own."""
    return registry.registered_name(pure_object(obj)) or obj.__name__


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any | None:
    """The custom object of that name, or None."""
    return registry.get_registered_object(name, custom_objects, module_objects)


def serialize_keras_object(obj: Any) -> Any:
    """The JSON-able form of a layer, loss, metric, optimizer ..., of a function, or of a structure of them."""
    return objects.serialize_keras_object(to_value(obj))


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """What `serialize_keras_object` was given; code in `config` is never run, so `safe_mode` is always on."""
    found = objects.deserialize_keras_object(config, pure_objects(custom_objects))
    return handles_in(found) if isinstance(found, PureLayer) else found


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """The same as `model.save_weights(filepath)`."""
    model.save_weights(filepath, overwrite=overwrite)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """The same as `model.load_weights(filepath)`."""
    model.load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)
