"""`keras.src.legacy.saving.json_utils`: JSON with tuples, bytes, arrays and objects, as it was before Keras 3."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from jkeras.keras.legacy_saving import serialize_keras_object


class Encoder(json.JSONEncoder):
    """Writes JSON with tuples, bytes, enumerations, arrays and objects that have a configuration; `decode` reads it.

    Example:
        >>> from jkeras.keras.legacy_json import Encoder, decode
        >>> decode(Encoder().encode({"shape": (2, 3)}))
        {'shape': (2, 3)}
    """

    def default(self, o: Any) -> Any:
        """What is written in place of a value that JSON does not know."""
        return get_json_type(o)

    def encode(self, o: Any) -> str:
        """The text of a value."""
        return super().encode(_with_marked_tuples(o))


def _with_marked_tuples(value: Any) -> Any:
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [_with_marked_tuples(part) for part in value]}
    if isinstance(value, list):
        return [_with_marked_tuples(part) for part in value]
    if isinstance(value, Mapping):
        return {key: _with_marked_tuples(part) for key, part in value.items()}
    return value


def get_json_type(obj: Any) -> Any:
    """A value in types that JSON has.

    Raises:
        TypeError: there is no such form of it.
    """
    if hasattr(obj, "get_config"):
        return {**serialize_keras_object(obj), "__passive_serialization__": True}
    if isinstance(obj, np.ndarray):
        return obj.tolist()
    if isinstance(obj, np.generic):
        return obj.item()
    if callable(obj):
        return obj.__name__
    if isinstance(obj, Mapping):
        return dict(obj)
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__"}
    if isinstance(obj, enum.Enum):
        return obj.value
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "value": obj.decode()}
    raise TypeError(f"Unable to serialize {obj} to JSON. Unrecognized type {type(obj)}.")


def decode(json_string: str) -> Any:
    """The value that `Encoder` wrote."""
    return json.loads(json_string, object_hook=_decoded)


def _decoded(value: dict[str, Any]) -> Any:
    name = value.get("class_name")
    if name == "__tuple__":
        return tuple(value["items"])
    if name == "__ellipsis__":
        return Ellipsis
    return value["value"].encode() if name == "__bytes__" else value
