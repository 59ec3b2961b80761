"""Pictures of models."""

from __future__ import annotations

from typing import Any

from jkeras import arguments, utils
from jkeras.errors import ArgumentError
from jkeras.keras.value import to_value


def _value(function: str, model: Any) -> Any:
    from jkeras.keras.model import Model

    if not isinstance(model, Model):
        raise ArgumentError(f"{function}(model={arguments.shown(model)}): expected a model.")
    return to_value(model)


def model_to_dot(model: Any, *args: Any, **kwargs: Any) -> Any:
    """The graph of a model in Graphviz's language; arguments as for `jkeras.utils.model_to_dot`."""
    return utils.model_to_dot(_value("model_to_dot", model), *args, **kwargs)


def plot_model(model: Any, *args: Any, **kwargs: Any) -> Any:
    """Draws a model to a file; arguments as for `jkeras.utils.plot_model`."""
    return utils.plot_model(_value("plot_model", model), *args, **kwargs)
