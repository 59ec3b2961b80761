"""The functions of `keras.ops.numpy`."""

from __future__ import annotations

from typing import Any

from jkeras.ops import arrays
from jkeras.ops.table import PUBLIC as _PUBLIC

_NAMES = [name for name in (*arrays.TABLE, *arrays.PLAIN) if name in _PUBLIC]

globals().update({name: _PUBLIC[name] for name in _NAMES})

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"jkeras.ops.numpy has no function {name!r}.")
