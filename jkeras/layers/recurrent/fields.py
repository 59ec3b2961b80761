"""Constructor arguments that recurrent layers and cells share: each is said once and named where it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jkeras import activations, arguments, constraints, initializers, registry, regularizers
from jkeras.errors import ArgumentError
from jkeras.graph.layer import Layer
from jkeras.values.fields import field

UNITS: Any = field(converter=arguments.positive_int)
TANH: Any = field("tanh", converter=activations.get)
SIGMOID: Any = field("sigmoid", converter=activations.get)
GLOROT_UNIFORM: Any = field("glorot_uniform", converter=initializers.get)
ORTHOGONAL: Any = field("orthogonal", converter=initializers.get)
ZEROS: Any = field("zeros", converter=initializers.get)
REGULARIZER: Any = field(None, converter=regularizers.get)
CONSTRAINT: Any = field(None, converter=constraints.get)
RATE: Any = field(0.0, converter=arguments.probability)
SEED: Any = field(None, converter=arguments.optional(arguments.integer))
YES: Any = field(True, converter=arguments.boolean)
NO: Any = field(False, converter=arguments.boolean)
NO_BY_KEYWORD: Any = field(False, converter=arguments.boolean, kw_only=True)
USE_CUDNN: Any = field("auto", converter=arguments.one_of("auto", True, False), in_config=False)


class _BuiltIn(Mapping[str, Any]):
    """The layer classes of jkeras by name, for configurations that hold layers."""

    def __getitem__(self, name: str) -> type[Layer]:
        for cls in _subclasses(Layer):
            if cls.__name__ == name and cls.__module__.startswith("jkeras."):
                return cls
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (cls.__name__ for cls in _subclasses(Layer) if cls.__module__.startswith("jkeras."))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _subclasses(cls: type[Layer]) -> Iterator[type[Layer]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def layer(value: Any) -> Layer:
    """A layer, or the configuration of one."""
    if isinstance(value, Mapping):
        value = registry.resolve("layer", _BuiltIn(), value, Layer)
    if not isinstance(value, Layer):
        raise ArgumentError("expected a layer")
    return value


def cell(value: Any) -> Any:
    """A cell (anything with `state_size` and `call(inputs, states)`), or the configuration of one."""
    if isinstance(value, Mapping):
        value = layer(value)
    for needed in ("call", "state_size"):
        if isinstance(value, type) or not hasattr(value, needed):
            raise ArgumentError(
                f"expected a cell, which has `state_size` and `call(inputs, states)`; it has no `{needed}`"
            )
    return value
