"""Penalties on weights and activations, as in `keras.regularizers`."""

from __future__ import annotations

from jkeras import regularizers
from jkeras.keras.identifiers import Family
from jkeras.keras.modules import own_names
from jkeras.keras.mutable import Mutable, facades


class Regularizer(Mutable, regularizers.Regularizer):
    """Base of penalties: a subclass defines `__call__(self, x)`, which returns a scalar."""


TABLE = facades(regularizers.TABLE, Regularizer, __name__)
globals().update(TABLE)

FAMILY = Family("regularizer", TABLE, Regularizer)
get, serialize, deserialize = FAMILY.get, FAMILY.serializer("regularizer"), FAMILY.deserialize

__all__ = own_names(__name__)
