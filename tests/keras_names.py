"""Keras's public names and the parameters of its functions, as tables, and where jkeras has the same.

The tables were read off Keras 3.15 by inspection; they are facts about it and hold no code.
"""

from __future__ import annotations

import csv
import functools
import importlib
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "reference"
STARS = ("VAR_POSITIONAL", "VAR_KEYWORD")


class Parameter(NamedTuple):
    """One parameter; the default as Python writes it, empty where there is none."""

    name: str
    kind: str
    default: str


def _rows(table: str) -> list[list[str]]:
    with open(FOLDER / table, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter="\t"))[1:]


@functools.cache
def canonical_names() -> tuple[str, ...]:
    """Every name under which Keras documents something, in its order."""
    return tuple(name for name, _, alias_of in _rows("keras_names.tsv") if not alias_of)


@functools.cache
def aliases() -> dict[str, str]:
    """Every other name, and what it stands for."""
    return {name: alias_of for name, _, alias_of in _rows("keras_names.tsv") if alias_of}


@functools.cache
def signatures() -> dict[str, tuple[Parameter, ...]]:
    """The parameters of Keras's functions, constructors, and of the methods of models and layers."""
    table: dict[str, list[Parameter]] = {}
    for name, *parameter in _rows("keras_signatures.tsv"):
        table.setdefault(name, []).append(Parameter(*parameter))
    return {name: tuple(parameters) for name, parameters in table.items()}


def parameters_of(target: Any, method: bool = False) -> tuple[Parameter, ...]:
    """The parameters of a class or function of ours; without the first one of a method."""
    found = list(inspect.signature(target).parameters.values())[1 if method else 0 :]
    return tuple(Parameter(p.name, p.kind.name, "" if p.default is p.empty else repr(p.default)) for p in found)


def find(root: str, name: str) -> Any | None:
    """What jkeras has under a name of Keras, or None; `root` is "jkeras" or "jkeras.keras"."""
    found: Any = importlib.import_module(root)
    for part in name.split(".")[1:]:
        try:
            found = getattr(found, part)
        except (AttributeError, ModuleNotFoundError):
            return None
    return found


def ours(name: str) -> tuple[str, Any] | None:
    """Where jkeras has a name of Keras (its own namespace first, then the drop-in one) and what it is."""
    for root in ("jkeras", "jkeras.keras"):
        found = find(root, name)
        if found is not None:
            return name.replace("keras", root, 1), found
    return None


def namespaces(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by the module that they are in."""
    spaces: dict[str, list[str]] = {}
    for name in names:
        spaces.setdefault(name.rpartition(".")[0], []).append(name)
    return spaces
