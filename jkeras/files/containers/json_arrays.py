"""Stores plain Python values that contain arrays as JSON and named arrays.

>>> text, arrays = pack({"best": 0.5, "seen": (1, 2)}, "run")
>>> unpack(text, arrays)
{'best': 0.5, 'seen': (1, 2)}
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, TypeAlias

import jax
import numpy as np

from jkeras.errors import ArgumentError, RestoreError
from jkeras.types import ArrayLike

# Values to pack: None, booleans, numbers, strings, bytes, arrays, and nested lists, tuples and dicts of these.
Plain: TypeAlias = Any
# A JSON value.
Packed: TypeAlias = Any

# Smaller arrays go into the JSON text, as do 64-bit arrays of any size, which JAX would narrow.
INLINE_BYTES = 4096


def pack(value: Plain, where: str) -> tuple[Packed, dict[str, np.ndarray]]:
    """A value that `json.dumps` can write, and the larger arrays by names that begin with `where`.

    Args:
        value: None, booleans, numbers, strings, bytes, arrays, and nested lists, tuples and dicts of these.
        where: a name for the value, for array names and messages.

    Raises:
        ArgumentError: `value` contains something else.
    """
    arrays: dict[str, np.ndarray] = {}
    return _packed(value, where, arrays), arrays


def _packed(value: Plain, path: str, arrays: dict[str, np.ndarray]) -> Packed:
    if value is None or isinstance(value, (bool, str)) or type(value) in (int, float):
        return value
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        items = [_packed(item, f"{path}/{i}", arrays) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, Mapping):
        pairs = [[_packed(k, path, arrays), _packed(v, f"{path}/{k}", arrays)] for k, v in value.items()]
        return {"dict": pairs}
    if isinstance(value, (np.ndarray, np.generic, jax.Array)) and value.dtype.kind not in "OUSMm":
        return _packed_array(value, path, arrays)
    raise ArgumentError(
        f"{path}: a {type(value).__name__} cannot be saved; use numbers, text, bytes, arrays, and lists, tuples and dicts"
        f" of them."
    )


def _packed_array(value: np.ndarray | np.generic | jax.Array, path: str, arrays: dict[str, np.ndarray]) -> Packed:
    array = np.asarray(value)
    kind = "scalar" if isinstance(value, np.generic) else "array"
    if array.nbytes <= INLINE_BYTES or array.dtype.itemsize >= 8:
        text = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
        return {kind: [array.dtype.name, list(array.shape), text]}
    name = path if path not in arrays else f"{path}-{len(arrays)}"
    # A copy: its owner may change it while it is being written.
    arrays[name] = array.copy() if isinstance(value, np.ndarray) else array
    return {kind: name}


def unpack(packed: Packed, arrays: Mapping[str, ArrayLike]) -> Plain:
    """Restores the value that was passed to `pack`, with NumPy arrays.

    Raises:
        RestoreError: the saved value is damaged.
    """
    if isinstance(packed, list):
        return [unpack(item, arrays) for item in packed]
    if not isinstance(packed, dict):
        return packed
    try:
        ((kind, content),) = packed.items()
        if kind == "bytes":
            return base64.b64decode(content, validate=True)
        if kind == "tuple":
            return tuple(unpack(item, arrays) for item in content)
        if kind == "dict":
            return {unpack(k, arrays): unpack(v, arrays) for k, v in content}
        if kind in ("array", "scalar"):
            array = np.asarray(arrays[content]) if isinstance(content, str) else _inline(*content)
            return array if kind == "array" else array[()]
    except (TypeError, ValueError, KeyError, binascii.Error) as error:
        raise RestoreError(f"A saved value is damaged: {error}") from None
    raise RestoreError(f"A saved value is damaged: unknown kind {kind!r}.")


def _inline(dtype: str, shape: list[int], text: str) -> np.ndarray:
    data = base64.b64decode(text, validate=True)
    return np.frombuffer(data, jax.numpy.dtype(dtype)).reshape(shape).copy()
