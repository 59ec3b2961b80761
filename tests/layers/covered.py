"""Which layers the contract compares with Keras: read off the tables of cases, so that no list can fall behind them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import tests.conftest  # noqa: F401  (chooses Keras's backend before Keras is imported)
from tests.layers.contract import Case

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def cases_of(module: ModuleType) -> Iterator[Case]:
    """The cases in the tables of a test module."""
    for table in vars(module).values():
        if isinstance(table, Mapping):
            yield from (case for case in table.values() if isinstance(case, Case))


def all_cases() -> Iterator[Case]:
    """The cases of all test modules of this folder."""
    for path in sorted(HERE.rglob("test_*.py")):
        yield from cases_of(importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)))


def covered_layers() -> set[str]:
    """The names of the layer classes that `check` compares with Keras's in some test of this folder."""
    return {case.name for case in all_cases()}


def covered() -> set[str]:
    """The same by their names in Keras."""
    return {f"keras.layers.{name}" for name in covered_layers()}
