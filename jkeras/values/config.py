"""Configurations: values as plain JSON-able data, in the form that Keras 3 writes, and back.

`serialize` is the only writer and `deserialize` the only reader: registry, models, files and the drop-in use them. The
caller of the reader decides which classes a name may refer to. Configurations of older Keras versions are translated
before they get here (`jkeras/files/dialects/old_names.py`).
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

# Genuine configurations are never nested more deeply than this.
MAX_DEPTH = 60


class Configured:
    """A value that returns its arguments as a configuration."""

    # The arguments of a hand-written constructor; None until construction has ended.
    _spec_arguments: dict[str, Any] | None = None

    # The module of this family in Keras files, such as "keras.layers".
    keras_module: ClassVar[str] = "jkeras"

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain JSON-able values, with Keras's keys."""
        raise NotImplementedError

    def _written_as(self) -> Any:
        """What `serialize` writes instead of this value; a wrapper of a function is written as the function."""
        return self

    def _written_beside(self) -> dict[str, Any]:
        """Entries of a configuration in addition to class and arguments, which Keras ignores."""
        return {}

    def _written_class(self) -> dict[str, Any]:
        """The module, class name and registered name of this value in a configuration."""
        cls = type(self)
        own = cls.__module__.startswith("jkeras.")
        return {
            "module": self.keras_module if own else cls.__module__,
            "class_name": cls.__name__,
            "registered_name": registered_name(cls) or (None if own else cls.__name__),
        }


def _is_function(value: Any) -> bool:
    """Whether this is a Python function or a wrapper of one, such as `jax.nn.relu`, not a class or other callable."""
    return callable(value) and not isinstance(value, type) and name_of(value) is not None


def serialize(value: Any) -> Any:
    """The JSON-able form of a configuration value, as Keras 3 writes it.

    >>> serialize((3, 3))
    [3, 3]
    """
    if isinstance(value, Configured):
        replacement = value._written_as()
        if replacement is not value:
            return serialize(replacement)
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
    """Converts a JSON structure to the value that it describes: containers, arrays, slices, and objects.

    Args:
        written: the output of `serialize` or of Keras.
        make: creates the object for an entry that names a class or function, at a given depth.
        depth: the nesting depth of `written`.

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
    """The class or function that an entry names: a custom object, else one in the table; None if there is neither."""
    for name in (entry.get("registered_name"), entry.get("class_name")):
        target = custom_object(name) if isinstance(name, str) and name else None
        if target is not None:
            return target
    return table.get(str(entry.get("class_name")))
