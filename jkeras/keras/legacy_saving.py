"""`keras.legacy.saving`: configurations in the form from before Keras 3, a class's name and its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras.errors import ArgumentError
from jkeras.keras.old_configs import object_from
from jkeras.keras.registration import get_registered_name, get_registered_object


def serialize_keras_object(instance: Any) -> Any:
    """The class's name and the arguments of an object; the name of a function.

    Raises:
        ArgumentError: it is neither.
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": get_registered_name(type(instance)), "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ArgumentError(f"Cannot serialize {instance} because it doesn't implement `get_config()`.")


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """What `serialize_keras_object` was given.

    Args:
        identifier: a configuration, or a name.
        module_objects: classes and functions by name.
        custom_objects: those of a user.
        printable_module_name: what is looked for, for messages.

    Raises:
        ArgumentError: there is nothing of that name.
    """
    if identifier is None:
        return None
    name = identifier if isinstance(identifier, str) else identifier.get("class_name")
    registered = get_registered_object(name, custom_objects, module_objects)
    if isinstance(identifier, str):
        if registered is None:
            raise ArgumentError(f"Unknown {printable_module_name}: '{identifier}'.")
        return registered() if isinstance(registered, type) else registered
    return (
        object_from(identifier, custom_objects)
        if registered is None
        else registered.from_config(dict(identifier["config"]))
    )
