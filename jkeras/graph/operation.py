"""A function of `jkeras.ops` standing in a graph as a layer: what `x + y` and `ops.exp(x)` add."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from jkeras.dispatch import axis_error
from jkeras.errors import UnknownNameError
from jkeras.graph.layer import Layer
from jkeras.registry import snake_case
from jkeras.values.fields import field


def function_named(name: str) -> Callable[..., Any]:
    """The function that an operation applies.

    Raises:
        UnknownNameError: there is none of that name.
    """
    functions = _table().FUNCTIONS
    if name not in functions:
        raise UnknownNameError("operation", name, functions)
    result: Callable[..., Any] = functions[name]
    return result


def is_function(name: str) -> bool:
    """Whether `jkeras.ops` has a function of that name."""
    return name in _table().FUNCTIONS


@functools.lru_cache(maxsize=1)
def _table() -> Any:
    """The table of functions; hundreds of them, so loaded when the first is used."""
    return importlib.import_module("jkeras.ops.table")


class Operation(Layer):
    """Applies a function by name; its positional and keyword arguments are those of the function.

    >>> import jax.numpy as jnp
    >>> Operation("add")(jnp.ones(2), 1.0).tolist()
    [2.0, 2.0]
    """

    operation: str
    # A function works in the types that it is given, whatever the policy of the model around it.
    autocast: bool = field(default=False, kw_only=True, in_config=False)

    def __post_init__(self) -> None:
        function_named(self.operation)

    @property
    def mixes_samples(self) -> bool | None:  # type: ignore[override]
        """False for functions of single elements; for the others it depends on their arguments, so unknown."""
        return False if self.operation in _table().ROWWISE else None

    @property
    def default_name(self) -> str:
        """What the layer is called in a model: the function's name."""
        name = self.operation.rpartition(".")[2]
        return snake_case("get_item" if name == "getitem" else name)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        function = function_named(self.operation)
        try:
            return function(*args, **kwargs)
        except IndexError as error:
            raise axis_error(error, self.operation, function, args, kwargs) from error


__all__ = ["Operation", "function_named"]
