"""Functions of `keras.ops` as operations, which can be nodes of a graph."""

from __future__ import annotations

from typing import Any

from jkeras.keras.inference import infer_output_spec
from jkeras.keras.operation import Operation


class FunctionOperation(Operation):
    """A function of `keras.ops`, by name.

    Args:
        function: the function's name.
        name: None makes one from the function's name.
    """

    def __init__(self, function: str, name: str | None = None):
        super().__init__(name=name)
        self.function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        from jkeras.ops.table import FUNCTIONS

        return FUNCTIONS[self.function](*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_output_spec(self.call, *args, **kwargs)
