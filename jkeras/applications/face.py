"""The abstraction over both faces: one definition creates models of both."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from jkeras import config
from jkeras.registry import snake_case

# A symbolic tensor, layer or model of either face; they have no common base.
Tensor = Any


class Face(NamedTuple):
    """The layers and models of `jkeras`, or those of `jkeras.keras`.

    Attributes:
        name: the package.
        layers: the module of layers.
        model: `model(inputs, outputs, name=...)`.
        sequential: `sequential(layers, name=...)`.
        is_symbolic: whether an object is a symbolic tensor.
        source_inputs: the inputs from which a symbolic tensor is computed, in the form that `model` takes.
        layer_class: the class of this face for a layer class of the core without a public name.
        load: a function that returns the model with the weights from a file.
        normalization: the arguments of a `Normalization` of some channels that takes its statistics from a weights file,
            and is the identity without one.
        names_at_creation: whether layers get their automatic names, which count the layers of all models, on creation.
        name_scope: the context for creating layers whose weights have a name prefix.
    """

    name: str
    layers: Any
    model: Callable[..., Any]
    sequential: Callable[..., Any]
    is_symbolic: Callable[[Any], bool]
    source_inputs: Callable[[Tensor], Any]
    layer_class: Callable[[type], Any]
    load: Callable[[Any, str | os.PathLike[str]], Any]
    normalization: Callable[[int, str | os.PathLike[str] | None], dict[str, Any]]
    names_at_creation: bool
    name_scope: Callable[[str], AbstractContextManager[Any]]


class NumberedLayers:
    """A module of layers with automatic names that count created layers."""

    def __init__(self, layers: Any) -> None:
        self._layers = layers
        self._counts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        layer = getattr(self._layers, name)
        return self.numbered(layer) if isinstance(layer, type) else layer

    def numbered(self, cls: type) -> Callable[..., Any]:
        """The constructor, with a numbered name if none is passed."""

        def make(*args: Any, name: str | None = None, **kwargs: Any) -> Any:
            if name is None:
                base = snake_case(cls.__name__)
                number = self._counts[base]
                self._counts[base] += 1
                name = f"{base}_{number}" if number else base
            return cls(*args, name=name, **kwargs)

        return make


class Blocks:
    """The building blocks that depend on the data format.

    Attributes:
        face: the face of the layers.
        layers: the face's module of layers.
        axis: the channels axis.
        channels_first: whether it is the first axis after the batch axis.

    Args:
        face: the face of the layers.
        numbered: whether layers without a name are numbered in the order of creation instead of their order in the finished
            model.
    """

    def __init__(self, face: Face, *, numbered: bool = False) -> None:
        self.face = face
        self.layers = NumberedLayers(face.layers) if numbered and not face.names_at_creation else face.layers
        self.channels_first = config.image_data_format() == "channels_first"
        self.axis = 1 if self.channels_first else -1

    def own_layer(self, cls: type) -> Any:
        """The constructor for a layer class of the core without a public name."""
        layer_class = self.face.layer_class(cls)
        return self.layers.numbered(layer_class) if isinstance(self.layers, NumberedLayers) else layer_class

    def norm(self, x: Tensor, name: str | None = None, **options: Any) -> Tensor:
        """Batch normalization over the channels."""
        return self.layers.BatchNormalization(axis=self.axis, name=name, **options)(x)

    def activation(self, x: Tensor, name: str | None = None, function: str = "relu") -> Tensor:
        """An activation as a separate layer."""
        return self.layers.Activation(function, name=name)(x)

    def concatenate(self, parts: list[Tensor], name: str | None = None) -> Tensor:
        """Joins the channels."""
        return self.layers.Concatenate(axis=self.axis, name=name)(parts)

    def channels(self, x: Tensor) -> int:
        """The number of channels."""
        return int(x.shape[self.axis])

    def size(self, x: Tensor) -> tuple[int | None, int | None]:
        """Height and width."""
        height, width = x.shape[2:4] if self.channels_first else x.shape[1:3]
        return height, width

    def pad_for(self, x: Tensor, kernel_size: int, name: str | None = None) -> Tensor:
        """Pads an image with zeros so that a "valid" window with stride 2 matches other libraries' "same" padding."""
        half = kernel_size // 2
        odd = [1 if size is None else 1 - size % 2 for size in self.size(x)]
        if self.size(x)[0] is None:
            odd = [1, 1]
        padding = tuple((half - less, half) for less in odd)
        return self.layers.ZeroPadding2D(padding, name=name)(x)


def divisible(value: float, divisor: int = 8) -> int:
    """The nearest multiple of the divisor that is at most 10 % below the value."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
