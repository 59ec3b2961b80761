"""Runs a built-in layer's computation on a view of the object, in which variables are arrays.

The computations of the core are written for arrays. A view is a shallow copy of the object with the same class, so that
overrides in users' subclasses take effect; variables in its attributes are replaced by their values in the compute dtype. If
the computation assigns to an attribute that holds a variable, the value is assigned to the variable.
"""

from __future__ import annotations

from typing import Any

from jkeras.keras.variables import Variable


def is_view(layer: Any) -> bool:
    """Whether an object is a view of a layer."""
    return "_cells" in vars(layer)


def view_of(layer: Any) -> Any:
    """A view of a layer; a view is returned unchanged."""
    own = vars(layer)
    if "_cells" in own:
        return layer
    view = object.__new__(type(layer))
    attributes = vars(view)
    attributes.update(own)
    cells = {name: own[name] for name in _cell_names(layer)}
    for name, cell in cells.items():
        attributes[name] = cell.value
    for name in own["_assigned"]:
        if name not in own:  # stored by a property, such as `trainable`
            continue
        # Converted as in the constructor: None is also an activation.
        attributes[name] = layer._convert(name, layer._fields[name], own[name])
    attributes.update(_cells=cells, _original=layer)
    for name in layer._inner_attributes:
        if name in own:
            attributes[name] = _inner_view(own[name])
    return view


def assign(view: Any, name: str, value: Any) -> None:
    """Sets an attribute of a view, and the corresponding variable of the layer."""
    cell = vars(view)["_cells"].get(name)
    vars(view)[name] = value if cell is None else cell.assign(value)


def _cell_names(layer: Any) -> tuple[str, ...]:
    """The attributes that hold variables; recomputed after an assignment."""
    own, version = vars(layer), layer._tracker.version
    known, names = own.get("_cell_names", (None, ()))
    if known != version:
        names = tuple(name for name, value in own.items() if isinstance(value, Variable))
        own["_cell_names"] = (version, names)
    return names


def _inner_view(value: Any) -> Any:
    """Views of the layers whose weights a computation reads directly; layers with user code remain objects."""
    if isinstance(value, (list, tuple)):
        return [_inner_view(part) for part in value]
    return view_of(value) if getattr(value, "_runs_on_view", False) else value
