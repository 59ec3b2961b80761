"""Constraints, which project weights after updates, as in `keras.constraints`."""

from __future__ import annotations

from jkeras import constraints
from jkeras.keras.identifiers import Family
from jkeras.keras.modules import own_names
from jkeras.keras.mutable import Mutable, facades


class Constraint(Mutable, constraints.Constraint):
    """Base class: a subclass defines `__call__(self, w)`, which returns an array with the shape of `w`."""


TABLE = facades(constraints.TABLE, Constraint, __name__)
globals().update(TABLE)

FAMILY = Family("constraint", TABLE, Constraint)
get, serialize, deserialize = FAMILY.get, FAMILY.serializer("constraint"), FAMILY.deserialize

__all__ = own_names(__name__)
