"""Layers as arguments of other layers, such as wrappers, or their configurations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jkeras import registry
from jkeras.errors import ArgumentError
from jkeras.graph.layer import Layer


class _BuiltIn(Mapping[str, Any]):
    """The layer classes of jkeras by name, for configurations that hold layers."""

    def __getitem__(self, name: str) -> type[Layer]:
        for cls in self._classes():
            if cls.__name__ == name:
                return cls
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (cls.__name__ for cls in self._classes())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _classes(self) -> Iterator[type[Layer]]:
        return (cls for cls in _subclasses(Layer) if cls._is_value and cls.__module__.startswith("jkeras."))


def _subclasses(cls: type[Layer]) -> Iterator[type[Layer]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def inner_layer(value: object) -> Layer:
    """A layer, or the configuration of one."""
    if isinstance(value, Mapping):
        value = registry.resolve("layer", _BuiltIn(), value, Layer)
    if not isinstance(value, Layer):
        raise ArgumentError("expected a layer")
    return value
