"""The functions of `keras.ops.image`."""

from __future__ import annotations

from typing import Any

from jkeras.ops import images
from jkeras.ops.table import PUBLIC as _PUBLIC

globals().update({name: _PUBLIC[f"image.{name}"] for name in images.TABLE})

__all__ = list(images.TABLE)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"jkeras.ops.image has no function {name!r}.")
