"""The functions of `jkeras.ops` for arrays, variables, and symbolic tensors, which extend the graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jkeras import tree
from jkeras.dispatch import axis_error, found_at
from jkeras.errors import UnknownNameError, suggestion
from jkeras.keras.function_operation import named_class, record
from jkeras.keras.tensor import any_symbolic_tensors
from jkeras.keras.variables import Variable
from jkeras.ops import table
from jkeras.tracebacks import filtered

_CONTAINERS = (list, tuple, dict)


def read(value: Any) -> Any:
    """Replaces variables by their arrays, also inside lists, tuples and dicts; anything else is unchanged."""
    if isinstance(value, Variable):
        return value.value
    if isinstance(value, _CONTAINERS) and any(isinstance(leaf, Variable) for leaf in tree.flatten(value)):
        return tree.map_structure(lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf, value)
    return value


def dispatched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `jkeras.ops`, by name, as a function of `keras.ops`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any_symbolic_tensors(args, kwargs):
            return record(name, args, kwargs)
        args, kwargs = tuple(map(read, args)), {key: read(value) for key, value in kwargs.items()}
        try:
            return function(*args, **kwargs)
        except IndexError as error:
            raise axis_error(error, name, function, args, kwargs) from error

    return filtered(call)


def on_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that inspects a value or creates a function, and never extends a graph."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*map(read, args), **{key: read(value) for key, value in kwargs.items()})

    return call


FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: found_at(
        f"jkeras.keras.ops.{name}",
        dispatched(name, table.FUNCTIONS[name]) if name in table.FUNCTIONS else on_arrays(function),
    )
    for name, function in table.PUBLIC.items()
}


def operation_class(module: str, name: str) -> Any:
    """The class of a function, such as `Add` for `add`; see `function_operation.py`.

    Raises:
        AttributeError: there is no such function.
    """
    try:
        if name[:1].isupper():
            return named_class(name, module)
    except UnknownNameError:
        pass
    raise AttributeError(f"keras.ops has no {name!r}.{suggestion(name, FUNCTIONS)}")
