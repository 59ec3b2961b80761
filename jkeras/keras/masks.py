"""Masks that go along with tensors, as `tensor._keras_mask`."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from jkeras import tree

# Tracers take no attributes: their masks by id, as long as they live.
_of_tracers: dict[int, tuple[weakref.ref[Any], Any]] = {}


def mask_of(tensor: Any) -> Any:
    """The mask that came with a tensor, or None."""
    mask = getattr(tensor, "_keras_mask", None)
    if mask is None and _of_tracers:
        reference, known_mask = _of_tracers.get(id(tensor), (None, None))
        if reference is not None and reference() is tensor:
            return known_mask
    return mask


def masks_of(value: Any) -> Any:
    """The masks that came with tensors, None for those without one, in the structure of the tensors."""
    if isinstance(value, (list, tuple, Mapping)):
        return tree.map_structure(mask_of, value)
    return mask_of(value)


def set_mask(tensor: Any, mask: Any) -> None:
    """Lets a mask go along with a tensor; None ends that."""
    try:
        tensor._keras_mask = mask
    except AttributeError:
        key = id(tensor)
        _of_tracers[key] = (weakref.ref(tensor, lambda _: _of_tracers.pop(key, None)), mask)
