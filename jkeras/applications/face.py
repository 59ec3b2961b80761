"""What networks are written over: one definition makes models of both faces."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from jkeras import config
from jkeras.registry import snake_case

# A symbolic tensor, layer or model of either face: they have no base in common.
Tensor = Any


class Face(NamedTuple):
    """The layers and models of `jkeras`, or those of `jkeras.keras`.

    Attributes:
        name: the package.
        layers: the module of layers.
        model: `model(inputs, outputs, name=...)`.
        sequential: `sequential(layers, name=...)`.
        is_symbolic: whether something is a symbolic tensor.
        source_inputs: what a symbolic tensor is computed from, as `model` takes it.
        layer_class: the class of this face for a class of layers of the core that has no public name.
        load: the model with the weights of a file.
        normalization: the arguments of a `Normalization` of some channels that takes its numbers from a file of weights,
            and changes nothing where there is none.
        names_at_creation: whether a layer has its automatic name, which counts layers of all models, from its creation.
        name_scope: the context in which layers are made whose weights have a name before theirs.
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
    """A module of layers whose automatic names count what is made."""

    def __init__(self, layers: Any) -> None:
        self._layers = layers
        self._counts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        layer = getattr(self._layers, name)
        return self.numbered(layer) if isinstance(layer, type) else layer

    def numbered(self, cls: type) -> Callable[..., Any]:
        """The constructor, with a number in the name where none is given."""

        def make(*args: Any, name: str | None = None, **kwargs: Any) -> Any:
            if name is None:
                base = snake_case(cls.__name__)
                number = self._counts[base]
                self._counts[base] += 1
                name = f"{base}_{number}" if number else base
            return cls(*args, name=name, **kwargs)

        return make


class Blocks:
    """The parts that depend on where images have their channels.

    Attributes:
        face: whose layers are put together.
        layers: its module of layers.
        axis: the axis of the channels.
        channels_first: whether that is the first one after the batch.

    Args:
        face: whose layers are put together.
        numbered: whether layers without a name are numbered in the order in which they are made, not in the order in which
            they come in the finished model.
    """

    def __init__(self, face: Face, *, numbered: bool = False) -> None:
        self.face = face
        self.layers = NumberedLayers(face.layers) if numbered and not face.names_at_creation else face.layers
        self.channels_first = config.image_data_format() == "channels_first"
        self.axis = 1 if self.channels_first else -1

    def own_layer(self, cls: type) -> Any:
        """What makes layers of a class of the core that has no public name."""
        layer_class = self.face.layer_class(cls)
        return self.layers.numbered(layer_class) if isinstance(self.layers, NumberedLayers) else layer_class

    def norm(self, x: Tensor, name: str | None = None, **options: Any) -> Tensor:
        """Batch normalization over the channels."""
        return self.layers.BatchNormalization(axis=self.axis, name=name, **options)(x)

    def activation(self, x: Tensor, name: str | None = None, function: str = "relu") -> Tensor:
        """An activation as a layer of its own."""
        return self.layers.Activation(function, name=name)(x)

    def concatenate(self, parts: list[Tensor], name: str | None = None) -> Tensor:
        """Joins the channels."""
        return self.layers.Concatenate(axis=self.axis, name=name)(parts)

    def channels(self, x: Tensor) -> int:
        """How many there are."""
        return int(x.shape[self.axis])

    def size(self, x: Tensor) -> tuple[int | None, int | None]:
        """Height and width."""
        height, width = x.shape[2:4] if self.channels_first else x.shape[1:3]
        return height, width

    def pad_for(self, x: Tensor, kernel_size: int, name: str | None = None) -> Tensor:
        """Zeros around an image, so that a "valid" window of stride 2 sees what it would see in other libraries."""
        half = kernel_size // 2
        odd = [1 if size is None else 1 - size % 2 for size in self.size(x)]
        if self.size(x)[0] is None:
            odd = [1, 1]
        padding = tuple((half - less, half) for less in odd)
        return self.layers.ZeroPadding2D(padding, name=name)(x)


def divisible(value: float, divisor: int = 8) -> int:
    """The nearest multiple of the divisor that is not more than 10 % below the value."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
