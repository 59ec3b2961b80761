"""`keras.applications`: networks that are known by name, with fresh weights or those of a file."""

from __future__ import annotations

import importlib
from typing import Any

from jkeras.architectures.efficientnet import SIZES

_MODULES = ("efficientnet", "imagenet_utils")
_NETWORKS = {f"EfficientNet{size}": "efficientnet" for size in SIZES}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NETWORKS:
        return getattr(importlib.import_module(f"{__name__}.{_NETWORKS[name]}"), name)
    raise AttributeError(
        f"keras.applications.{name} is not offered: of these networks there is {', '.join(sorted(_NETWORKS))} here, and more"
        " in `jkeras.architectures`."
    )


__all__ = sorted([*_MODULES, *_NETWORKS])


def __dir__() -> list[str]:
    return __all__
