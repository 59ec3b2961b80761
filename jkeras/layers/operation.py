"""A function of `jkeras.ops` standing in a graph as a layer: what `x + y` and `ops.exp(x)` add."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp

from jkeras.errors import UnknownNameError
from jkeras.layers.layer import Layer
from jkeras.registry import snake_case

# Functions that are not found in `jax.numpy` under the name that the graph gives them.
_FUNCTIONS: dict[str, Callable[..., Any]] = {"getitem": operator.getitem}


def function_named(name: str) -> Callable[..., Any]:
    """The function that an operation applies.

    Raises:
        UnknownNameError: there is none of that name.
    """
    found = _FUNCTIONS.get(name) or getattr(jnp, name, None)
    if found is None:
        raise UnknownNameError("operation", name, dir(jnp))
    return found


class Operation(Layer):
    """Applies a function by name; its positional and keyword arguments are those of the function.

    >>> import jax.numpy as jnp
    >>> Operation("add")(jnp.ones(2), 1.0).tolist()
    [2.0, 2.0]
    """

    couples_samples: ClassVar[bool | None] = False

    operation: str

    def __post_init__(self) -> None:
        function_named(self.operation)

    @property
    def base_name(self) -> str:
        """What the layer is called in a model: the function's name."""
        return snake_case("get_item" if self.operation == "getitem" else self.operation)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return function_named(self.operation)(*args, **kwargs)
