"""Keras over jkeras: `import jkeras.keras as keras` runs a Keras script.

Layers, models, losses, metrics and optimizers are mutable objects, as in Keras, over cells (`Variable`) with their values.
Functions, data and files are those of jkeras. Names are loaded on first use.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

# Imported as a whole: two threads that import different parts first would wait for each other.
import jax  # noqa: F401

import jkeras.ops  # noqa: F401
from jkeras.errors import suggestion
from jkeras.keras import homes
from jkeras.keras.modules import Mirror
from jkeras.lazy import named

__version__ = "3.15.1"

for _name, (_target, _moved) in homes.MIRRORS.items():
    _full = f"{__name__}.{_name}"
    sys.modules.setdefault(_full, Mirror(_full, _target, _moved))


def version() -> str:
    """The version of Keras whose API this is."""
    return __version__


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in homes.NAMES:
        return named(homes.NAMES[name], name)
    if name in homes.MODULES or f"{__name__}.{name}" in sys.modules:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"keras has no {name!r}.{suggestion(name, __dir__())}")


__all__ = sorted(
    {*homes.NAMES, *homes.MODULES, *(name for name in homes.MIRRORS if "." not in name), "version"} - homes.UNLISTED
)


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
