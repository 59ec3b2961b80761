"""Functions of tensors that add themselves to the graph if they are called with symbolic tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jkeras.keras.mutable import without_examples
from jkeras.keras.operation import Operation
from jkeras.keras.tensor import any_symbolic_tensors


class FunctionCall(Operation):
    """A function as an operation."""

    def __init__(self, function: Callable[..., Any], name: str | None = None):
        super().__init__(name=name)
        self.function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def on_tensors(function: Callable[..., Any], module: str | None = None) -> Callable[..., Any]:
    """`function`, extended to symbolic tensors.

    >>> from jkeras.keras.tensor import KerasTensor
    >>> on_tensors(lambda x: x.sum(-1))(KerasTensor((None, 3))).shape
    (None,)
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any_symbolic_tensors(args, kwargs):
            return FunctionCall(function)(*args, **kwargs)
        return function(*args, **kwargs)

    call.__module__ = module or function.__module__
    call.__doc__ = without_examples(function.__doc__)
    return call
