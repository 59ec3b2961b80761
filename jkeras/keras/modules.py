"""Modules that stand for others: every name of the target appears here, whenever it is added there."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from jkeras.errors import suggestion
from jkeras.lazy import named

# What modules are written with, and do not offer.
_TOOLS = frozenset(
    (
        "jkeras.errors",
        "jkeras.lazy",
        *(f"jkeras.keras.{name}" for name in "modules mutable old_configs recorded".split()),
    )
)


class Mirror(types.ModuleType):
    """A module whose names are those of another, looked up when asked for.

    Args:
        name: the module's name.
        target: the name of the other module.
        moved: names that come from other modules, loaded when asked for; see `jkeras.lazy`.
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
        """What an error names, without loading what is loaded when asked for."""
        module = importlib.import_module(self._target)
        listed = getattr(module, "__all__", None)
        if listed is not None:
            return sorted({*listed, *self._moved})
        return [name for name in dir(self) if name not in vars(module) or self._is_public(name)]

    def _public_names(self) -> list[str]:
        """What `from keras.layers import *` binds: what is ours, without what the module itself imports."""
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
    """`__all__` of a module with a file of its own: classes and functions of jkeras in it, and what loads when asked for."""
    names = {
        name
        for name, value in vars(sys.modules[module]).copy().items()
        if not name.startswith("_") and callable(value) and _is_ours(value) and value.__module__ not in _TOOLS
    }
    return sorted(names.union(*others))


def _is_ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "jkeras")).startswith("jkeras")


def add_mirrors(package: str) -> None:
    """Gives a module the mirrors that stand inside of it as attributes; a module calls this when it is imported."""
    for name, module in sys.modules.copy().items():
        parent, _, child = name.rpartition(".")
        if parent == package and isinstance(module, Mirror):
            vars(sys.modules[package])[child] = module
