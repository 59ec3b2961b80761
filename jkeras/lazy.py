"""Packages whose public names are loaded when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
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
        return sorted({*table, *vars(sys.modules[package])})

    return get, listed


def named(place: str, name: str) -> Any:
    """What `place`, a module and after a colon a name in it, stands for; without one it is `name` there."""
    module, _, own_name = place.partition(":")
    return getattr(importlib.import_module(module), own_name or name)
