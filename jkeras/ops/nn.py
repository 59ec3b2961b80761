"""The functions of `keras.ops.nn`."""

from __future__ import annotations

from typing import Any

from jkeras.ops import convolution, neural
from jkeras.ops.table import PUBLIC as _PUBLIC

_NAMES = (*convolution.TABLE, *neural.TABLE, "polar")

globals().update({name: _PUBLIC[name] for name in _NAMES})

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"jkeras.ops.nn has no function {name!r}.")
