"""Activation functions, as in `keras.activations`: those of jkeras, and any callable that takes a tensor."""

from __future__ import annotations

import types
from typing import Any

from jkeras import activations
from jkeras.activations import *  # noqa: F403
from jkeras.activations import linear
from jkeras.errors import ArgumentError
from jkeras.keras.identifiers import Family
from jkeras.keras.modules import own_names
from jkeras.registry import get_registered_name

TABLE = dict(activations.TABLE)
FAMILY = Family("activation", TABLE, types.FunctionType)
deserialize = FAMILY.deserialize


def get(identifier: Any) -> Any:
    """The activation that a name, a configuration, a class or a callable means; None means `linear`.

    Raises:
        UnknownNameError: no activation has that name.
        ArgumentError: the identifier is none of the above.
    """
    return linear if identifier is None else FAMILY.get(identifier)


def serialize(activation: Any) -> Any:
    """The name of a built-in function, or a configuration.

    Raises:
        ArgumentError: there is neither.
    """
    if TABLE.get(getattr(activation, "__name__", "")) is activation:
        return activation.__name__
    config = FAMILY.serialize(activation)
    if not isinstance(config, dict) or "config" not in config:
        raise ArgumentError(
            f"Unknown activation function '{activation}' cannot be serialized: make its class known with"
            " `@keras.saving.register_keras_serializable()`."
        )
    if isinstance(activation, types.FunctionType) and isinstance(config["config"], str):
        config = {**config, "config": get_registered_name(activation)}
    return config


__all__ = own_names(__name__)
