"""Layers taken from a model: the description, with its weights and its place in the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras.errors import NotBuiltError
from jkeras.graph.layer import Layer, Origin, origin_of


def view(model: Any, name: str, layer: Any) -> Any:
    """A copy of `layer` that knows its name, its weights and its tensors in `model`.

    Used in a new model, the copy brings its weights along; called on arrays, it computes with them.
    """
    if hasattr(layer, "with_variables"):
        clone = layer.taken_from(Origin(model, name, lambda: None))
        return clone.with_variables(lambda: subtree(model.variables, name)) if model.built else clone
    return layer.taken_from(Origin(model, name, lambda: subtree(model.variables, name)))


def subtree(variables: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The variables of one layer of a model."""
    return {collection: tree[name] for collection, tree in variables.items() if name in tree}


def home(layer: Layer) -> tuple[Any, str]:
    """The model that a view came from, and its name there.

    Raises:
        NotBuiltError: the layer is a plain description.
    """
    origin = origin_of(layer)
    if origin is None:
        raise NotBuiltError(
            f"{layer!r} is a description and belongs to no model. Take the layer from one:"
            f" `model.get_layer(name)` has weights, `input` and `output`."
        )
    return origin.model, str(origin.name)


def single(values: list[Any]) -> Any:
    """The only entry of a list, or the list."""
    return values[0] if len(values) == 1 else values
