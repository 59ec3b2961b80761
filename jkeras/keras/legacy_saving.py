"""`keras.legacy.saving`: configurations in the form from before Keras 3, a class's name and its arguments, and `.h5` files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jkeras.errors import ArgumentError
from jkeras.keras import files, older_files
from jkeras.keras.old_configs import object_from
from jkeras.keras.registration import get_registered_name, get_registered_object
from jkeras.keras.src.messages import ask_to_proceed_with_overwrite


def serialize_keras_object(instance: Any) -> Any:
    """The class name and arguments of an object, or the name of a function.

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
        custom_objects: the user's classes and functions by name.
        printable_module_name: the kind of object, for messages.

    Raises:
        ArgumentError: there is no object with this name.
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


def save_model_to_hdf5(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Writes a model to a file in the format of Keras 2, whatever the file is called.

    Args:
        model: what to write.
        filepath: the file; its folder is made where it is missing.
        overwrite: whether a file there is replaced; if False, the user is asked.
        include_optimizer: whether what the model was compiled with is written.
    """
    path = Path(filepath)
    if path.exists() and not overwrite and not ask_to_proceed_with_overwrite(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    older_files.save(model, path, include_optimizer)


def load_model_from_hdf5(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model in a file that `save_model_to_hdf5` or Keras 2 wrote; see `keras.saving.load_model`."""
    return files.load_model(filepath, custom_objects, compile, safe_mode)
