"""Configurations: values as plain JSON-able data, in the form that Keras 3 writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import numpy as np


class Configured:
    """A value that states its arguments as a configuration."""

    # The module that Keras files name for this family, e.g. "keras.layers".
    keras_module: ClassVar[str] = "jkeras"

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain JSON-able values, with Keras's keys."""
        raise NotImplementedError

    def _written_as(self) -> Any:
        """What `serialize` writes in place of this value; a wrapper of a function is written as the function."""
        return self


def _is_function(value: Any) -> bool:
    """Python's functions and what wraps them, such as `jax.nn.relu`; neither classes nor other callable objects."""
    return callable(value) and not isinstance(value, type) and isinstance(getattr(value, "__name__", None), str)


def serialize(value: Any) -> Any:
    """A JSON-able form of a configuration value, in the form that Keras 3 writes.

    >>> serialize((3, 3))
    [3, 3]
    """
    if isinstance(value, Configured):
        written = value._written_as()
        if written is not value:
            return serialize(written)
        config = value.get_config()
        if type(value).__module__.startswith("jkeras."):
            module, registered = value.keras_module, None
        else:
            module, registered = type(value).__module__, type(value).__name__
        return {
            "module": module,
            "class_name": type(value).__name__,
            "config": config,
            "registered_name": registered,
        }
    if isinstance(value, (tuple, list)):
        return [serialize(v) for v in value]
    if isinstance(value, Mapping):
        return {k: serialize(v) for k, v in value.items()}
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return np.asarray(value).tolist()
    if _is_function(value):
        if (getattr(value, "__module__", None) or "").startswith("jkeras."):
            return value.__name__
        return {"module": "builtins", "class_name": "function", "config": value.__name__, "registered_name": "function"}
    if isinstance(value, np.dtype) or (isinstance(value, type) and hasattr(value, "dtype")):
        return np.dtype(value).name
    return value
