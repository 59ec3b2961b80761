"""Keras over jkeras: `import jkeras.keras as keras` runs a Keras script.

Layers, models, losses, metrics and optimizers are Keras's mutable objects here, over cells (`Variable`) that hold their
values; functions, data and files are those of jkeras. Names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import jkeras
from jkeras.errors import suggestion
from jkeras.keras.modules import Mirror
from jkeras.lazy import named

__version__ = "3.15.1"

_HERE = __name__

# Where the names of the package itself are defined.
_NAMES = {
    **dict.fromkeys(("KerasTensor",), f"{_HERE}.tensor"),
    **dict.fromkeys(("Variable", "StatelessScope", "SymbolicScope", "name_scope"), f"{_HERE}.variables"),
    "Operation": f"{_HERE}.operation",
    "Function": f"{_HERE}.function",
    "Layer": f"{_HERE}.layer",
    "Model": f"{_HERE}.model",
    "Functional": f"{_HERE}.functional",
    "Sequential": f"{_HERE}.sequential",
    "Input": f"{_HERE}.input",
    "InputSpec": f"{_HERE}.input",
    "Loss": f"{_HERE}.losses",
    "Metric": f"{_HERE}.metrics",
    "Optimizer": f"{_HERE}.optimizers",
    "Initializer": f"{_HERE}.initializers",
    "Regularizer": f"{_HERE}.regularizers",
    "DTypePolicy": f"{_HERE}.dtype_policies",
    "FloatDTypePolicy": f"{_HERE}.dtype_policies",
}

# Modules with files of their own.
_MODULES = frozenset(
    """activations callbacks constraints initializers layers losses metrics models optimizers random regularizers saving
    utils ops dtype_policies backend config wrappers""".split()
)

# Modules that are those of jkeras under Keras's name.
_MIRRORS = {
    **{name: f"jkeras.{name}" for name in ("datasets", "distribute", "distribution", "tree")},
}

for _name, _target in _MIRRORS.items():
    sys.modules.setdefault(f"{_HERE}.{_name}", Mirror(f"{_HERE}.{_name}", _target))
    globals()[_name] = sys.modules[f"{_HERE}.{_name}"]


def version() -> str:
    """The version of Keras whose names these are."""
    return __version__


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {_HERE!r} has no attribute {name!r}")
    if name in _NAMES:
        return named(_NAMES[name], name)
    if name in _MODULES:
        return importlib.import_module(f"{_HERE}.{name}")
    if name == "applications":
        raise AttributeError("keras.applications is not offered: jkeras has no pretrained models.")
    raise AttributeError(f"keras has no {name!r}.{suggestion(name, dir(jkeras))}")
