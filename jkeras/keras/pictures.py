"""Pictures of models."""

from __future__ import annotations

from typing import Any

from jkeras import utils
from jkeras.keras.value import to_value


def model_to_dot(model: Any, *args: Any, **kwargs: Any) -> Any:
    """The graph of a model in Graphviz's language; arguments as for `jkeras.utils.model_to_dot`."""
    return utils.model_to_dot(to_value(model), *args, **kwargs)


def plot_model(model: Any, *args: Any, **kwargs: Any) -> Any:
    """Draws a model to a file; arguments as for `jkeras.utils.plot_model`."""
    return utils.plot_model(to_value(model), *args, **kwargs)
