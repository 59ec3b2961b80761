"""Arrays of variables as dictionaries nested by path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jkeras.errors import ArgumentError
from jkeras.keras.variables import Variable
from jkeras.paths import items


def nested(variables: Iterable[Variable], value_format: str) -> dict[str, Any]:
    """The arrays of variables, nested by path.

    Raises:
        ValueError: two variables have the same path, or the format is unknown.
    """
    if value_format not in ("backend_tensor", "numpy_array"):
        raise ArgumentError(
            "Invalid `value_format` argument. Expected one of {'numpy_array', 'backend_tensor'}."
            f" Received: value_format={value_format}"
        )
    tree: dict[str, Any] = {}
    seen: set[str] = set()
    for variable in variables:
        if variable.path in seen:
            raise ArgumentError(
                f"The following variable path is found twice in the model: '{variable.path}'. `get_state_tree()` can only be"
                " called when all variable paths are unique. Make sure to give unique names to your layers (and other"
                " objects)."
            )
        seen.add(variable.path)
        *parts, name = variable.path.split("/")
        group = tree
        for part in parts:
            group = group.setdefault(part, {})
        group[name] = variable.value if value_format == "backend_tensor" else variable.numpy()
    return tree


def assign(variables: Iterable[Variable], tree: Mapping[str, Any]) -> None:
    """Assigns the arrays of a nested dictionary to the variables with the same paths."""
    values = dict(items(tree))
    for variable in variables:
        if variable.path in values:
            variable.assign(values[variable.path])
