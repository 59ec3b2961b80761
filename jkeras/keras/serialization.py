"""`serialize_keras_object`: objects, functions and values as JSON-able configurations in Keras's form."""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import jax
import numpy as np

from jkeras.keras import lambdas
from jkeras.keras.dtypes import standardize_dtype
from jkeras.keras.public_names import public_name
from jkeras.keras.registration import get_registered_name
from jkeras.keras.scopes import _Scope
from jkeras.keras.tensor import KerasTensor

_PLAIN = (str, int, float, bool, type(None))


class _Shared:
    """Configurations written and objects read in an `ObjectSharingScope`, by number."""

    def __init__(self) -> None:
        self.configs: dict[int, dict[str, Any]] = {}
        self.objects: dict[int, Any] = {}
        # The numbers are ids, so the objects must be kept alive.
        self.kept: list[Any] = []


_shared: ContextVar[_Shared | None] = ContextVar("shared", default=None)


class ObjectSharingScope(_Scope):
    """A context in which an object that is written several times is restored as one object."""

    def _set(self) -> Any:
        return _shared.set(_Shared())


def shared_object(number: Any) -> Any:
    """The object that was restored with this number, or None."""
    shared = _shared.get()
    return None if shared is None else shared.objects.get(number)


def remember_shared(number: Any, value: Any) -> None:
    """Stores an object that was restored with a number."""
    shared = _shared.get()
    if shared is not None:
        shared.objects[number] = value


def serialize_keras_object(obj: Any) -> Any:
    """The JSON-able form of a layer, loss, metric, optimizer and so on, of a function, or of a structure of them.

    Args:
        obj: anything with `get_config`, a function, an array, a plain value, or a list, tuple or dict of such.

    Raises:
        TypeError: it cannot be serialized.

    >>> serialize_keras_object({"size": (2, np.float32(0.5))})
    {'size': (2, 0.5)}
    """
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        parts = [serialize_keras_object(part) for part in obj]
        return tuple(parts) if isinstance(obj, tuple) else parts
    if isinstance(obj, dict):
        return _serialize_dict(obj)
    special = _special(obj)
    return _serialize_object(obj) if special is None else special


def _serialize_dict(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: serialize_keras_object(value) for key, value in values.items()}


def _entry(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": f"__{kind}__", "config": config}


def _special(obj: Any) -> Any:
    """The form of special values; None for all others."""
    if isinstance(obj, bytes):
        return _entry("bytes", value=obj.decode("utf-8"))
    if isinstance(obj, slice):
        return _entry("slice", **_serialize_dict({"start": obj.start, "stop": obj.stop, "step": obj.step}))
    if obj is Ellipsis:
        return _entry("ellipsis")
    if isinstance(obj, KerasTensor):
        history = obj.history
        place = None if history is None else [history.operation.name, history.node_index, history.tensor_index]
        return _entry("keras_tensor", shape=obj.shape, dtype=obj.dtype, keras_history=place)
    if isinstance(obj, jax.Array):
        return _entry("tensor", value=np.asarray(obj).tolist(), dtype=standardize_dtype(obj.dtype))
    if isinstance(obj, np.ndarray) and obj.ndim > 0:
        return _entry("numpy", value=obj.tolist(), dtype=standardize_dtype(obj.dtype))
    if isinstance(obj, (np.ndarray, np.generic)):
        return obj.item()
    if isinstance(obj, np.dtype):
        return obj.name
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        warnings.warn(
            "The object being serialized includes a `lambda`. This is unsafe. In order to reload the object, you will have to"
            " pass `safe_mode=False` to the loading function. Please avoid using `lambda` in the future, and use named Python"
            f" functions instead. This is the `lambda` being serialized: {_source(obj)}",
            stacklevel=3,
        )
        return _entry("lambda", value=lambdas.dump(obj))
    return None


def _source(function: Any) -> str:
    try:
        return inspect.getsource(function)
    except OSError:
        return repr(function)


def _serialize_object(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    place = public_name(cls)
    module, class_name = place or (cls.__module__, cls.__name__)
    config: dict[str, Any] = {
        "module": None if module == "__main__" else module,
        "class_name": class_name,
        "config": _config_of(obj),
        "registered_name": None if place and not module.startswith("keras.src.") else get_registered_name(cls),
    }
    config.update(getattr(obj, "_written_beside", dict)())
    for key in ("build_config", "compile_config"):
        part = getattr(obj, f"get_{key}", lambda: None)()
        if part is not None:
            config[key] = _serialize_dict(part)
    _remember_written(obj, config)
    return config


def _config_of(obj: Any) -> Any:
    if inspect.isroutine(obj) or not hasattr(obj, "get_config"):
        if hasattr(obj, "__name__"):
            return get_registered_name(obj)
        raise TypeError(
            f"Cannot serialize object {obj} of type {type(obj)}. To be serializable, a class must implement the"
            " `get_config()` method."
        )
    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(f"The `get_config()` method of {obj} should return a dict. It returned: {config}")
    return _serialize_dict(config)


def _remember_written(obj: Any, config: dict[str, Any]) -> None:
    shared = _shared.get()
    if shared is None:
        return
    number = id(obj)
    first = shared.configs.setdefault(number, config)
    shared.kept.append(obj)
    if first is not config:
        first["shared_object_id"] = config["shared_object_id"] = number
