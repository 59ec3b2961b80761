"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras.keras.identifiers import Family as Family
from jkeras.keras.mutable import Mutable as Mutable

class Constraint:
    """Base class: a subclass defines `__call__(self, w)`, which returns an array with the shape of `w`."""
    def __init__(self) -> None: ...

class MaxNorm(Constraint):
    """Scales weights whose norm along `axis` exceeds `max_value` down to it."""

    max_value: Any
    axis: Any
    def __init__(self, max_value: float = 2, axis: int | tuple[int, ...] = 0) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class MinMaxNorm(Constraint):
    """Scales weights so that their norm along `axis` lies between `min_value` and `max_value`."""

    min_value: Any
    max_value: Any
    rate: Any
    axis: Any
    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | tuple[int, ...] = 0,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class NonNeg(Constraint):
    """Sets negative weights to zero."""
    def __init__(self) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class UnitNorm(Constraint):
    """Scales weights to norm 1 along `axis`."""

    axis: Any
    def __init__(self, axis: int | tuple[int, ...] = 0) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any: ...
def facades(table: Mapping[str, Any], base: Any, module: str) -> Any: ...
def get(identifier: Any) -> Any: ...
def own_names(module: str, *others: Any) -> Any: ...
def serialize(constraint: Any) -> Any: ...
