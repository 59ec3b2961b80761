"""`keras.src.<anything>`: libraries that import Keras's internals get the public objects with the same names.

All modules of Keras, listed in `modules.txt`, exist here. A name is looked up in the public modules that the module's path names,
longest first (`keras.src.layers.core.dense` tries `keras.layers.core`, then `keras.layers`), then in related modules, then in
`keras` itself.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jkeras.keras import homes

_ROOT = __name__.rpartition(".")[0]
_MODULES = frozenset(Path(__file__).with_name("modules.txt").read_text(encoding="utf-8").split())


class _Inside(types.ModuleType):
    """A module of Keras's internals."""

    def __init__(self, name: str):
        super().__init__(name, f"The public objects that Keras keeps in {name!r}.")
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return _found(self.__name__.removeprefix(__name__).lstrip("."), name)


def _found(path: str, name: str) -> Any:
    for place in _places(path):
        try:
            member = getattr(importlib.import_module(f"{_ROOT}.{place}" if place else _ROOT), name)
        except (AttributeError, ImportError):
            continue
        if not isinstance(member, types.ModuleType):
            return member
    specials = importlib.import_module(f"{__name__}.specials")
    if name in specials.__all__:
        return getattr(specials, name)
    inside = f"{path}.{name}" if path else name
    if inside in _MODULES:
        return importlib.import_module(f"{__name__}.{inside}")
    raise AttributeError(f"keras.src.{inside} is not supported: there is no public object of the name {name!r}.")


def _places(path: str) -> Iterator[str]:
    parts = path.split(".") if path else []
    for length in range(len(parts), 0, -1):
        yield ".".join(parts[:length])
    yield from homes.FOLDERS.get(parts[0], ()) if parts else ()
    yield ""


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Creates the modules below this package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Finds the modules below this package."""
        if not fullname.startswith(f"{__name__}.") or fullname.removeprefix(f"{__name__}.") not in _MODULES:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """The module."""
        return _Inside(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Does nothing: names are looked up on access."""


sys.meta_path.insert(0, _Finder())


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _found("", name)
