"""What readers and writers of Keras's files need to know about a layer beyond its attributes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, Self, TypeVar

import numpy as np

Weight = TypeVar("Weight")


@dataclasses.dataclass(frozen=True)
class InFiles:
    """How Keras's files store the layers of a class.

    Attributes:
        class_name: the class's name in paths, where Keras's own code calls it otherwise than its users.
        children: the names of sublayers that `build` makes, by their names here; several where versions of Keras differ, today's
            first.
        repeats: paths of weights in sublayers that are kept once more, before the own ones; the first that is there.
        learned: what a layer learned from data and keeps as arguments, as arrays by their names, in the order of files;
            empty if it has learned nothing yet.
        arguments: the arguments that a file keeps beside the configuration, such as a mean or a vocabulary, of the class,
            the arguments in the configuration and what else the file has. None where nothing is kept beside the weights.
        to_file: the own weights as they are in files, where some are part of others; of a layer and all of them, by name.
        from_file: what weights that are part of others in files become, once such a file is read; likewise, by name.
        order: the names of the own weights in the order of files, where it is not that of the layer.
        left_out: own weights that are not in files, because they are stored as part of another layer.
        plain_layers: whether `layers` in its configuration are plain arguments; those of a model belong to its graph.
    """

    class_name: str | None = None
    children: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    repeats: tuple[str, ...] = ()
    learned: Callable[[Any], Mapping[str, np.ndarray]] = lambda layer: {}
    arguments: Callable[[Any, Mapping[str, Any], Beside], Mapping[str, Any]] | None = None
    to_file: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] = lambda layer, values: values
    from_file: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] = lambda layer, values: values
    order: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    plain_layers: bool = False

    @property
    def learns(self) -> bool:
        """Whether something beside the weights is kept."""
        return self.arguments is not None

    def in_order(self, weights: Iterable[Weight], key: Callable[[Weight], str]) -> tuple[Weight, ...]:
        """Those of a layer's own weights that are kept, in the order of files; `key` gives the name of one."""
        places = {name: place for place, name in enumerate(self.order)}
        written = [weight for weight in weights if key(weight) not in self.left_out]
        return tuple(sorted(written, key=lambda weight: places.get(key(weight), len(places))))


PLAIN = InFiles()


def in_files(cls: type) -> InFiles:
    """The declaration of a class; empty for objects that are not layers."""
    in_files_of_class: InFiles = getattr(cls, "_in_files", PLAIN)
    return in_files_of_class


class Beside(Protocol):
    """What a file stores for one layer."""

    def array(self, name: str) -> np.ndarray | None:
        """An array by its number or name; None if it is missing. Requested arrays count as read."""

    def lines(self, name: str) -> list[str] | None:
        """The lines of the layer's text file; None if it is missing."""

    def inside(self, name: str) -> Self:
        """The same for a part of the layer."""
