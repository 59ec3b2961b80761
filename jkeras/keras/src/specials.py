"""What libraries use of Keras's inside and has no public name."""

from __future__ import annotations

import contextlib
import inspect
import re
from pathlib import Path
from typing import Any

import jax

from jkeras.errors import ArgumentError
from jkeras.files.containers import hdf5
from jkeras.keras.ops import convert_to_tensor
from jkeras.keras.seeds import draw_seed
from jkeras.keras.stores import ArrayStore, ReadStore
from jkeras.training.class_weights import class_weights

_attributes: dict[str, Any] = {}


class H5IOStore:
    """Groups of arrays in an HDF5 file.

    Args:
        path_or_io: the file's path.
        mode: "r" reads it, "w" writes it when the store is closed.

    Raises:
        ArgumentError: the mode is another one.
    """

    def __init__(self, path_or_io: Any, mode: str = "r"):
        if mode not in ("r", "w"):
            raise ArgumentError(f"`mode` must be either 'w' or 'r'. Received: {mode}")
        self.path, self.mode = Path(path_or_io), mode
        self._open = contextlib.ExitStack()
        if mode == "w":
            self._written = ArrayStore()
        else:
            self._read = ReadStore(self._open.enter_context(hdf5.open_tree(self.path, str(self.path))))

    def make(self, path: str, metadata: Any = None) -> Any:
        """A group to write arrays into, by name."""
        return self._written.make(path, None)

    def get(self, path: str) -> Any:
        """The arrays of a group by name; none if there is no such group."""
        return self._read.get(path)

    def close(self) -> None:
        """Finishes the file."""
        if self.mode == "w":
            hdf5.write(self.path, self._written.arrays, self._written.attributes)
        self._open.close()


def jax_draw_seed(seed: Any) -> jax.Array:
    """A random key from a key, an integer, a generator, or None."""
    return seed if isinstance(seed, jax.Array) else draw_seed(seed)


def class_weight_to_sample_weights(y: Any, class_weight: Any) -> Any:
    """A weight per sample from a weight per class."""
    return class_weights(y, class_weight)


def in_grain_data_pipeline() -> bool:
    """Whether a function of a Grain data set called this."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(
            ("grain._src.python.dataset", "grain._src.python.data_loader")
        ):
            return True
        frame = frame.f_back
    return False


def in_tf_graph() -> bool:
    """Whether TensorFlow traces: never."""
    return False


def convert_tf_tensor(outputs: Any, dtype: Any = None) -> Any:
    """An array of `outputs`."""
    return convert_to_tensor(outputs, dtype=dtype)


def to_snake_case(name: str) -> str:
    """`MyLayer` as `my_layer`."""
    name = re.sub(r"\W+", "", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def get_global_attribute(name: str, default: Any = None, set_to_default: bool = False) -> Any:
    """A value that any module may keep under a name."""
    value = _attributes.get(name)
    if value is None and default is not None:
        value = default
        if set_to_default:
            _attributes[name] = default
    return value


def set_global_attribute(name: str, value: Any) -> None:
    """Keeps a value under a name."""
    _attributes[name] = value


__all__ = [
    "H5IOStore",
    "class_weight_to_sample_weights",
    "convert_tf_tensor",
    "get_global_attribute",
    "in_grain_data_pipeline",
    "in_tf_graph",
    "jax_draw_seed",
    "set_global_attribute",
    "to_snake_case",
]
