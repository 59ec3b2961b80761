"""`Model.quantize`: all layers of a model, one after another."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from jkeras.errors import ArgumentError


def quantize_model(model: Any, mode: Any, config: Any, filters: Any, options: Mapping[str, Any]) -> None:
    """Quantises the layers of a model that `filters` choose; warns of those whose class cannot."""
    options = dict(options)
    type_check = options.pop("type_check", True)
    if options:
        raise ArgumentError(f"Unrecognized keyword arguments passed to {type(model).__name__}: {options}")
    chosen = layer_filter(filters)
    # A model itself is one of its layers, but a leaf only if it has none.
    for layer in model._flatten_layers():
        if not chosen(layer) or len(layer._flatten_layers()) > 1:
            continue
        try:
            layer.quantize(mode, type_check=type_check, config=config)
        except NotImplementedError as error:
            warnings.warn(str(error), stacklevel=4)
        except AttributeError:
            pass


def layer_filter(filters: Any) -> Callable[[Any], bool]:
    """Whether a layer is chosen: by its name, or by a function of it."""
    if filters is None:
        return lambda layer: True
    if isinstance(filters, str):
        return lambda layer: re.search(filters, layer.name) is not None
    if isinstance(filters, (list, tuple)):
        return lambda layer: any(re.search(pattern, layer.name) for pattern in filters)
    if callable(filters):
        return lambda layer: bool(filters(layer))
    raise ArgumentError(
        "The `filters` argument must be a regex string, a list of regex strings, or a callable."
        f" Received: {type(filters)}"
    )
