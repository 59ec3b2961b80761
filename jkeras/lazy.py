"""Packages whose public names are loaded when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from jkeras.errors import suggestion


def names_from(package: str, table: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package.

    A package that its own parts import cannot import those parts in return; its public names have to wait.

    Args:
        package: the package's name.
        table: for each public name the module that it is in, and after a colon its name there if that is another.
    """

    def get(name: str) -> Any:
        if name not in table:
            known = [*table, *vars(sys.modules[package])]
            raise AttributeError(f"module {package!r} has no attribute {name!r}.{suggestion(name, known)}")
        return named(table[name], name)

    def listed() -> list[str]:
        return public_names(package, table)

    return get, listed


def public_names(package: str, *others: Iterable[str]) -> list[str]:
    """What `dir(package)` shows: the names in `__all__`, or else those that it imports under names without underscore.

    Modules that happen to be loaded, and what other libraries have, are left out; the names in `others` are added.
    """
    module = vars(sys.modules[package])
    special = [name for name in module if name.startswith("__")]
    home = "jkeras." if "__path__" in module else package  # a package gathers what others define
    names = module.get("__all__") or [name for name, value in module.items() if _is_public(name, value, home)]
    return sorted({*special, *names}.union(*others))


def _is_public(name: str, value: object, home: str) -> bool:
    if name.startswith("_") or name.isupper() and isinstance(value, dict) or isinstance(value, ModuleType):
        return False
    return str(getattr(value, "__module__", home)).startswith(home) and value is not annotations


def named(place: str, name: str) -> Any:
    """What `place`, a module and after a colon a name in it, stands for; without one it is `name` there."""
    module, _, own_name = place.partition(":")
    return getattr(importlib.import_module(module), own_name or name)
