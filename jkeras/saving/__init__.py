"""Files and directories that models are saved in, with the names of `keras.saving`. Nothing else touches these formats."""

from __future__ import annotations

from collections.abc import Callable as _Callable
from typing import Any as _Any

from jkeras.lazy import names_from as _names_from

__getattr__: _Callable[[str], _Any]
__dir__: _Callable[[], list[str]]
__getattr__, __dir__ = _names_from(
    __name__,
    {
        "CustomObjectScope": "jkeras.registry:custom_object_scope",
        "custom_object_scope": "jkeras.registry",
        "deserialize_keras_object": "jkeras.models.objects",
        "get_custom_objects": "jkeras.registry",
        "get_registered_name": "jkeras.registry",
        "get_registered_object": "jkeras.registry",
        "load_model": "jkeras.models.loading",
        "load_weights": "jkeras.models.objects",
        "register_keras_serializable": "jkeras.registry:register",
        "save_model": "jkeras.models.objects",
        "save_weights": "jkeras.models.objects",
        "serialize_keras_object": "jkeras.models.objects",
    },
)
