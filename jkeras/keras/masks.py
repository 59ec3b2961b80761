"""Masks attached to tensors, as `tensor._keras_mask`."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from jkeras import tree

# Tracers do not accept attributes: their masks by id, as long as they exist.
_of_tracers: dict[int, tuple[weakref.ref[Any], Any]] = {}


def mask_of(tensor: Any) -> Any:
    """The mask attached to a tensor, or None."""
    mask = getattr(tensor, "_keras_mask", None)
    if mask is None and _of_tracers:
        reference, known_mask = _of_tracers.get(id(tensor), (None, None))
        if reference is not None and reference() is tensor:
            return known_mask
    return mask


def masks_of(value: Any) -> Any:
    """The masks attached to tensors, in their structure, with None for tensors without one."""
    if isinstance(value, (list, tuple, Mapping)):
        return tree.map_structure(mask_of, value)
    return mask_of(value)


def set_mask(tensor: Any, mask: Any) -> None:
    """Attaches a mask to a tensor; None removes it."""
    try:
        tensor._keras_mask = mask
    except AttributeError:
        key = id(tensor)
        _of_tracers[key] = (weakref.ref(tensor, lambda _: _of_tracers.pop(key, None)), mask)
