"""Modules that mirror others: every name of the target is available, even if added later."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from jkeras.errors import suggestion
from jkeras.lazy import named

# Modules whose names are not part of the API.
_TOOLS = frozenset(
    (
        "jkeras.errors",
        "jkeras.lazy",
        *(f"jkeras.keras.{name}" for name in "modules mutable old_configs recorded".split()),
    )
)


class Mirror(types.ModuleType):
    """A module that looks up its names in another module on access.

    Args:
        name: the name of the module.
        target: the name of the other module.
        moved: names from other modules, loaded on access; see `jkeras.lazy`.
    """

    def __init__(self, name: str, target: str, moved: Mapping[str, str] | None = None):
        super().__init__(name)
        self._target = target
        self._moved = dict(moved or {})
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return self._public_names()
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        child = sys.modules.get(f"{self.__name__}.{name}")
        if child is not None:
            return child
        if name in self._moved:
            return named(self._moved[name], name)
        module = importlib.import_module(self._target)
        try:
            return getattr(module, name)
        except AttributeError:
            raise AttributeError(f"{self.__name__} has no {name!r}.{suggestion(name, self._offered())}") from None

    def _offered(self) -> list[str]:
        """The available names, for error messages, without loading lazy ones."""
        module = importlib.import_module(self._target)
        listed = getattr(module, "__all__", None)
        if listed is not None:
            return sorted({*listed, *self._moved})
        return [name for name in dir(self) if name not in vars(module) or self._is_public(name)]

    def _public_names(self) -> list[str]:
        """The names that `from keras.layers import *` binds: the public ones, without the module's own imports."""
        listed = getattr(importlib.import_module(self._target), "__all__", None)
        names = dir(self) if listed is None else {*listed, *self._moved}
        return [name for name in names if not name.startswith("_") and self._is_public(name)]

    def _is_public(self, name: str) -> bool:
        try:
            value = getattr(self, name)
        except (AttributeError, ImportError):
            return False
        if isinstance(value, types.ModuleType):
            return value.__name__ in (f"{self._target}.{name}", f"{self.__name__}.{name}")
        return _is_ours(value)

    def __dir__(self) -> list[str]:
        return sorted({*self._moved, *(n for n in dir(importlib.import_module(self._target)) if not n.startswith("_"))})


def own_names(module: str, *others: Iterable[str]) -> list[str]:
    """The `__all__` of a module with its own file: its classes and functions of jkeras, and lazily loaded names."""
    names = {
        name
        for name, value in vars(sys.modules[module]).copy().items()
        if not name.startswith("_") and callable(value) and _is_ours(value) and value.__module__ not in _TOOLS
    }
    return sorted(names.union(*others))


def _is_ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "jkeras")).startswith("jkeras")


def add_mirrors(package: str) -> None:
    """Sets the mirrors inside a module as its attributes; modules call this on import."""
    for name, module in sys.modules.copy().items():
        parent, _, child = name.rpartition(".")
        if parent == package and isinstance(module, Mirror):
            vars(sys.modules[package])[child] = module
