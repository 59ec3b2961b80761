"""Packages whose public names are loaded when they are first used."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from jkeras.errors import ExtraError, suggestion

# When the package was loaded, of which this module is among the first.
LOADED_NS = time.time_ns()


def names_in(places: Mapping[str, str]) -> dict[str, str]:
    """A table for `names_from` of modules with the names in each, separated by spaces.

    >>> names_in({"package.first": "A B", "package.second": "C"})
    {'A': 'package.first', 'B': 'package.first', 'C': 'package.second'}
    """
    return {name: module for module, names in places.items() for name in names.split()}


def needed(module: str, what: str, install: str) -> Any:
    """A module of a package that not everybody has.

    Args:
        module: its name.
        what: what needs it.
        install: what to install, as `pip` is told.

    Raises:
        ExtraError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExtraError(f"{what} needs {module.partition('.')[0]}: pip install {install}") from error


def names_from(package: str, table: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package.

    What is not used is not loaded, and a package that its own parts import cannot import those parts in return.

    Args:
        package: the package's name.
        table: for each public name the module that it is in, and after a colon its name there if that is another; for a
            module of the package the package itself.
    """

    def get(name: str) -> Any:
        from jkeras.garbage import collector_paused  # an import of the package alone loads as little as possible

        place = table.get(name, package)
        if place == package and name.startswith("__"):  # a question of Python or a tool, not a mistyped name
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if place != package:
            importlib.import_module("jax")  # as a whole: parts of it that two threads load first wait for each other
        with collector_paused():
            value = _submodule(package, name) if place == package else named(place, name)
        if value is None:
            listed = public_names(package, table)
            raise AttributeError(f"module {package!r} has no attribute {name!r}.{suggestion(name, listed)}")
        vars(sys.modules[package])[name] = value
        return value

    def listed() -> list[str]:
        return public_names(package, table)

    return get, listed


def _submodule(package: str, name: str) -> ModuleType | None:
    """The module of that name in a package, or None."""
    full = f"{package}.{name}"
    is_package = "__path__" in vars(sys.modules[package])
    if not is_package or importlib.util.find_spec(full) is None:
        return None
    try:
        return importlib.import_module(full)
    except ImportError as error:  # an extra is missing: `hasattr(jk, "data")` is False
        raise AttributeError(str(error)) from error


def public_names(package: str, *others: Iterable[str]) -> list[str]:
    """What `dir(package)` shows: the names in `__all__`, or else those that it imports under names without underscore.

    Modules that happen to be loaded, and what other libraries have, are left out; the names in `others` are added.
    """
    module = dict(vars(sys.modules[package]))  # a copy: other threads load names meanwhile
    special = [name for name in module if name.startswith("__")]
    home = "jkeras." if "__path__" in module else package  # a package gathers what others define
    names = module.get("__all__") or [name for name, value in module.items() if _is_public(name, value, home)]
    return sorted({*special, *names}.union(*others))


def _is_public(name: str, value: object, home: str) -> bool:
    if name.startswith("_") or (name.isupper() and isinstance(value, dict)) or isinstance(value, ModuleType):
        return False
    return str(getattr(value, "__module__", home)).startswith(home) and value is not annotations


def named(place: str, name: str) -> Any:
    """The object at `place`, a module with an optional name after a colon; by default the name is `name`."""
    module, _, own_name = place.partition(":")
    return getattr(importlib.import_module(module), own_name or name)
