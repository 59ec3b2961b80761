"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras.keras.identifiers import Family as Family
from jkeras.keras.mutable import Mutable as Mutable

class Regularizer:
    """Base of penalties: a subclass defines `__call__(self, x)`, which returns a scalar."""
    def __init__(self) -> None: ...

class L1(Regularizer):
    """The penalty `l1 * sum(abs(x))`."""

    l1: Any
    def __init__(self, l1: float = 0.01) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class L1L2(Regularizer):
    """The penalty `l1 * sum(abs(x)) + l2 * sum(x**2)`."""

    l1: Any
    l2: Any
    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class L2(Regularizer):
    """The penalty `l2 * sum(x**2)`, without the factor 1/2 that some texts include."""

    l2: Any
    def __init__(self, l2: float = 0.01) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class OrthogonalRegularizer(Regularizer):
    """Pushes the rows (or columns) of a matrix towards orthogonality."""

    factor: Any
    mode: Any
    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None: ...
    def __getattr__(self, name: str) -> Any: ...

l1 = L1
l1_l2 = L1L2
l1l2 = L1L2
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer

def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any: ...
def facades(table: Mapping[str, Any], base: Any, module: str) -> Any: ...
def get(identifier: Any) -> Any: ...
def own_names(module: str, *others: Any) -> Any: ...
def serialize(regularizer: Any) -> Any: ...
