"""Internals of Keras that libraries use and that have no public name."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

from jkeras.errors import ArgumentError
from jkeras.files.containers import hdf5
from jkeras.keras.dtypes import standardize_dtype
from jkeras.keras.ops import cast, convert_to_tensor
from jkeras.keras.seeds import draw_seed
from jkeras.keras.serialization import remember_shared
from jkeras.keras.stores import ArrayStore, ReadStore
from jkeras.training.class_weights import class_weights

_attributes: dict[str, Any] = {}


class H5IOStore:
    """Groups of arrays in an HDF5 file.

    Args:
        path_or_io: the file's path.
        mode: "r" reads it, "w" writes it when the store is closed.

    Raises:
        ArgumentError: the mode is neither "r" nor "w".
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
        """Creates a group for arrays, by name."""
        return self._written.make(path, None)

    def get(self, path: str) -> Any:
        """The arrays of a group by name; empty if there is no such group."""
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
    """Whether the caller is a function of a Grain data set."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(
            ("grain._src.python.dataset", "grain._src.python.data_loader")
        ):
            return True
        frame = frame.f_back
    return False


def in_tf_graph() -> bool:
    """Whether TensorFlow is tracing: never."""
    return False


def convert_tf_tensor(outputs: Any, dtype: Any = None) -> Any:
    """An array of `outputs`."""
    return convert_to_tensor(outputs, dtype=dtype)


def is_float(dtype: str) -> bool:
    """Whether a type, by name, is one of floats."""
    return "float" in dtype


def dtype_size(dtype: str) -> int:
    """The bits of a type, by name.

    Raises:
        ArgumentError: there is no such type.
    """
    bits = "16" if dtype == "bfloat16" else "1" if dtype == "bool" else re.sub("^(float|u?int)", "", dtype)
    if bits not in ("1", "8", "16", "32", "64"):
        raise ArgumentError(f"Invalid dtype: {dtype}")
    return int(bits)


def cast_to_common_dtype(tensors: Sequence[Any]) -> Sequence[Any]:
    """Arrays as floats of the widest float type among them; float16 and bfloat16 become float32. Other arrays are unchanged."""
    floats = {name for tensor in tensors if is_float(name := standardize_dtype(tensor.dtype))}
    if not floats:
        return tensors
    widest = "float32" if floats == {"float16", "bfloat16"} else max(floats, key=dtype_size)
    return [cast(tensor, widest) for tensor in tensors]


def get_global_attribute(name: str, default: Any = None, set_to_default: bool = False) -> Any:
    """The global value with a name."""
    value = _attributes.get(name)
    if value is None and default is not None:
        value = default
        if set_to_default:
            _attributes[name] = default
    return value


def set_global_attribute(name: str, value: Any) -> None:
    """Sets the global value with a name."""
    _attributes[name] = value


def record_object_after_deserialization(obj: Any, obj_id: Any) -> None:
    """Keeps an object that was read, in an `ObjectSharingScope`, for others that refer to it."""
    remember_shared(obj_id, obj)


__all__ = [
    "H5IOStore",
    "cast_to_common_dtype",
    "class_weight_to_sample_weights",
    "convert_tf_tensor",
    "dtype_size",
    "get_global_attribute",
    "in_grain_data_pipeline",
    "in_tf_graph",
    "is_float",
    "jax_draw_seed",
    "record_object_after_deserialization",
    "set_global_attribute",
]
