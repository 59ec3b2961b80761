"""Modules that stand for others: every name of the target appears here, whenever it is added there."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from jkeras.errors import suggestion
from jkeras.graph.layer import Layer as PureLayer
from jkeras.keras.mutable_layer import Layer, handles_in
from jkeras.keras.wrapping import to_value
from jkeras.lazy import named


class Mirror(types.ModuleType):
    """A module whose names are those of another, looked up when asked for.

    Args:
        name: the module's name.
        target: the name of the other module.
        extra: names that only this module has, or has otherwise.
        lifted: whether functions take handles and return them.
        moved: names that come from other modules, loaded when asked for; see `jkeras.lazy`.
    """

    def __init__(
        self,
        name: str,
        target: str,
        extra: Mapping[str, Any] | None = None,
        lifted: bool = False,
        moved: Mapping[str, str] | None = None,
    ):
        super().__init__(name)
        self.__dict__.update(_target=target, _lifted=lifted, _moved=moved or {}, __path__=[], **(extra or {}))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if name in self._moved:
            return named(self._moved[name], name)
        module = importlib.import_module(self._target)
        try:
            found = getattr(module, name)
        except AttributeError:
            known = [n for n in dir(module) if not n.startswith("_")]
            raise AttributeError(f"{self.__name__} has no {name!r}.{suggestion(name, known)}") from None
        if isinstance(found, types.ModuleType):
            return sys.modules.get(f"{self.__name__}.{name}", found)
        return lift(found) if self._lifted and inspect.isfunction(found) else found

    def __dir__(self) -> list[str]:
        own = [name for name in self.__dict__ if not name.startswith("_")]
        return sorted({*own, *self._moved, *(n for n in dir(importlib.import_module(self._target)) if not n.startswith("_"))})


@functools.cache
def lift(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of immutable models and layers as one of handles."""

    @functools.wraps(function)
    def lifted(*args: Any, **kwargs: Any) -> Any:
        result = function(*to_value(args), **to_value(kwargs))
        return handles_in(result) if isinstance(result, PureLayer) else result

    return lifted


def pure_objects(objects: Mapping[str, Any] | None) -> dict[str, Any]:
    """Custom objects by name, with the classes of layers as the classes of their descriptions."""
    return {name: pure_object(value) for name, value in (objects or {}).items()}


def pure_object(value: Any) -> Any:
    """What stands for a class or function when a configuration is read."""
    return value.description_class() if inspect.isclass(value) and issubclass(value, Layer) else value
