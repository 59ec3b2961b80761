"""Configurations: values as plain JSON-able data, in the form that Keras 3 writes, and back.

`serialize` is the one writer and `deserialize` the one reader: registry, models, files and the drop-in use them. Which
classes a name may stand for is for the caller of the reader to say; configurations in dialects of older Keras are
translated before they come here (`jkeras/files/dialects/old_names.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.arguments import name_of
from jkeras.errors import RestoreError
from jkeras.values.custom_objects import custom_object, registered_name

# Deeper nesting than this is no configuration that anybody wrote.
MAX_DEPTH = 60


class Configured:
    """A value that states its arguments as a configuration."""

    # What a constructor written by hand was called with; there, if None, once construction has ended.
    _spec_arguments: dict[str, Any] | None = None

    # The module that Keras files name for this family, e.g. "keras.layers".
    keras_module: ClassVar[str] = "jkeras"

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain JSON-able values, with Keras's keys."""
        raise NotImplementedError

    def _written_as(self) -> Any:
        """What `serialize` writes in place of this value; a wrapper of a function is written as the function."""
        return self

    def _written_beside(self) -> dict[str, Any]:
        """What a configuration says beside class and arguments, where Keras does not look."""
        return {}

    def _written_class(self) -> dict[str, Any]:
        """How a configuration names the class of this value: module, class name and registered name."""
        cls = type(self)
        own = cls.__module__.startswith("jkeras.")
        return {
            "module": self.keras_module if own else cls.__module__,
            "class_name": cls.__name__,
            "registered_name": registered_name(cls) or (None if own else cls.__name__),
        }


def _is_function(value: Any) -> bool:
    """Python's functions and what wraps them, such as `jax.nn.relu`; neither classes nor other callable objects."""
    return callable(value) and not isinstance(value, type) and name_of(value) is not None


def serialize(value: Any) -> Any:
    """A JSON-able form of a configuration value, in the form that Keras 3 writes.

    >>> serialize((3, 3))
    [3, 3]
    """
    if isinstance(value, Configured):
        written = value._written_as()
        if written is not value:
            return serialize(written)
        return {**value._written_class(), "config": value.get_config(), **value._written_beside()}
    if isinstance(value, (tuple, list)):
        return [serialize(v) for v in value]
    if isinstance(value, Mapping):
        return {k: serialize(v) for k, v in value.items()}
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return np.asarray(value).tolist()
    if _is_function(value):
        if (getattr(value, "__module__", None) or "").startswith("jkeras."):
            return value.__name__
        name = registered_name(value) or value.__name__
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    if isinstance(value, np.dtype) or (isinstance(value, type) and hasattr(value, "dtype")):
        return np.dtype(value).name
    return value


Make = Callable[[Mapping[str, Any], int], Any]


def deserialize(written: Any, make: Make, depth: int = 0) -> Any:
    """What a JSON structure stands for: containers, arrays, slices, and objects.

    Args:
        written: as `serialize`, or Keras, gives it.
        make: makes the object of an entry that names a class or function, at a depth.
        depth: how deep `written` lies in others.

    Raises:
        RestoreError: the structure is nested too deeply, or damaged.

    >>> deserialize({"a": [1, {"class_name": "__tuple__", "config": [2]}]}, make=lambda entry, depth: entry)
    {'a': [1, (2,)]}
    """
    if depth > MAX_DEPTH:
        raise RestoreError("The configuration is nested too deeply to be a model.")
    if isinstance(written, (list, tuple)):
        return [deserialize(entry, make, depth + 1) for entry in written]
    if not isinstance(written, Mapping):
        return written
    name = written.get("class_name")
    if not isinstance(name, str):
        return {key: deserialize(entry, make, depth + 1) for key, entry in written.items()}
    if name == "__tuple__":
        entries = written.get("items", written.get("config"))
        return tuple(deserialize(entry, make, depth + 1) for entry in (entries if isinstance(entries, list) else ()))
    if name in ("__numpy__", "__tensor__"):
        return _array(written.get("config"))
    if name == "__slice__":
        return slice(*(deserialize(_entry(written, key), make, depth + 1) for key in ("start", "stop", "step")))
    if name == "__ellipsis__":
        return Ellipsis
    return make(written, depth)


def _entry(written: Mapping[str, Any], key: str) -> Any:
    config = written.get("config")
    if not isinstance(config, Mapping) or key not in config:
        raise RestoreError(f"A part of the configuration is damaged: {str(written)[:200]}")
    return config[key]


def _array(config: Any) -> np.ndarray:
    try:
        return np.asarray(config["value"], jnp.dtype(config["dtype"]))
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise RestoreError(f"An array in the configuration is damaged: {str(config)[:200]}") from error


def target_of(entry: Mapping[str, Any], table: Mapping[str, Any]) -> Any | None:
    """The class or function that an entry names: one of the user's own, else one of the table; None if there is neither."""
    for name in (entry.get("registered_name"), entry.get("class_name")):
        target = custom_object(name) if isinstance(name, str) and name else None
        if target is not None:
            return target
    return table.get(str(entry.get("class_name")))
