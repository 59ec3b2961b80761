"""Constructor arguments that recurrent layers and cells share, each defined once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from jkeras import activations, arguments, constraints, initializers, regularizers
from jkeras.errors import ArgumentError
from jkeras.layers.inner_layer import inner_layer
from jkeras.values.fields import field

TANH: Any = field(default="tanh", convert=activations.get)
SIGMOID: Any = field(default="sigmoid", convert=activations.get)
GLOROT_UNIFORM: Any = field(default="glorot_uniform", convert=initializers.get)
ORTHOGONAL: Any = field(default="orthogonal", convert=initializers.get)
ZEROS: Any = field(default="zeros", convert=initializers.get)
REGULARIZER: Any = field(default=None, convert=regularizers.get)
CONSTRAINT: Any = field(default=None, convert=constraints.get)
RATE: Any = field(default=0.0, convert=arguments.probability)
SEED: Any = field(default=None, convert=arguments.optional(arguments.integer))
YES: Any = field(default=True, convert=arguments.boolean)
NO: Any = field(default=False, convert=arguments.boolean)
USE_CUDNN: Any = field(default="auto", convert=arguments.one_of("auto", True, False), in_config=False)


@runtime_checkable
class Cell(Protocol):
    """A cell that a recurrent layer can run step by step."""

    @property
    def state_size(self) -> Any: ...
    @property
    def call(self) -> Callable[..., Any]: ...


def cell(value: object) -> Any:
    """A cell (anything with `state_size` and `call(inputs, states)`), or the configuration of one."""
    if isinstance(value, Mapping):
        value = inner_layer(value)
    if isinstance(value, type) or not isinstance(value, Cell):
        raise ArgumentError("expected a cell, which has `state_size` and `call(inputs, states)`")
    return value
