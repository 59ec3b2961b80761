"""`keras.ops`; see `dispatch.py` for the creation of its functions."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterable
from typing import Any

from jkeras.files.operations import PACKAGE
from jkeras.keras import dispatch


class _Part(types.ModuleType):
    """A submodule, such as `keras.ops.numpy`."""

    def __init__(self, name: str, functions: Iterable[str], prefix: str = ""):
        super().__init__(f"{__name__}.{name}", f"The functions of `keras.ops.{name}`.")
        for function in functions:
            setattr(self, function, dispatch.FUNCTIONS[prefix + function])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return dispatch.operation_class(PACKAGE + self.__name__.rpartition(".")[2], name)


for _name, _prefix in {"numpy": "", "nn": "", "linalg": "", "image": "image."}.items():
    _names = importlib.import_module(f"jkeras.ops.{_name}").__all__
    globals()[_name] = sys.modules[f"{__name__}.{_name}"] = _Part(_name, _names, _prefix)
__path__: list[str] = []

__all__ = [*(name for name in dispatch.FUNCTIONS if "." not in name), "image", "linalg", "nn", "numpy"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return dispatch.operation_class(PACKAGE, name)


globals().update({name: function for name, function in dispatch.FUNCTIONS.items() if "." not in name})
