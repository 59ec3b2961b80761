"""`keras.utils`: the utilities of jkeras, and those for Keras objects."""

from __future__ import annotations

import random as _random
from typing import Any

import numpy as _np

from jkeras import utils as _utils
from jkeras.errors import suggestion
from jkeras.keras.modules import add_mirrors
from jkeras.keras.seeds import reset_global_seed_generator
from jkeras.lazy import named

_ELSEWHERE = {
    **dict.fromkeys(
        (
            "CustomObjectScope",
            "custom_object_scope",
            "deserialize_keras_object",
            "get_custom_objects",
            "get_registered_name",
            "get_registered_object",
            "register_keras_serializable",
            "serialize_keras_object",
        ),
        "jkeras.keras.saving",
    ),
    **dict.fromkeys(("clear_session", "is_keras_tensor", "standardize_dtype"), "jkeras.keras.backend"),
    **dict.fromkeys(
        ("disable_interactive_logging", "enable_interactive_logging", "is_interactive_logging_enabled"),
        "jkeras.keras.config",
    ),
    **dict.fromkeys(("model_to_dot", "plot_model"), "jkeras.keras.pictures"),
    "get_source_inputs": "jkeras.keras.graph",
    "Config": "jkeras.keras.config_object",
    "FeatureSpace": "jkeras.keras.feature_space",
}


def set_random_seed(seed: int) -> None:
    """Seeds Python, NumPy and everything random that is created afterwards.

    Raises:
        ArgumentError: the seed is not an integer from 0 to 2**32 - 1.
    """
    _utils.set_random_seed(seed)
    reset_global_seed_generator()
    _random.seed(seed)
    _np.random.seed(seed)


__all__ = sorted({"set_random_seed", *_ELSEWHERE, *_utils.__all__})


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _ELSEWHERE:
        return named(_ELSEWHERE[name], name)
    if name in dir(_utils):
        return getattr(_utils, name)
    raise AttributeError(f"keras.utils has no {name!r}.{suggestion(name, [*_ELSEWHERE, *dir(_utils)])}")


add_mirrors(__name__)
