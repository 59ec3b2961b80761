"""A step as a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Step(NamedTuple):
    """A pure function with what it is compiled for; called, it takes the arrays.

    Attributes:
        function: `(program, state, batch) -> state`; for predictions `(program, state, inputs) -> outputs`.
        program: everything static: it is hashable, and steps with equal functions and programs share what is compiled.
    """

    function: Callable[[Any, Any, Any], Any]
    program: Any

    def __call__(self, state: Any, batch: Any) -> Any:
        return self.function(self.program, state, batch)
