"""Where the weights of a layer are that runs inside another as one of several copies (`layers.Repeat`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jkeras.graph.scope import Path


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the weights of a layer are.

    Attributes:
        owner: the path of the layer that has them, which is the layer itself unless it is inside of a stack.
        prefix: what their names there begin with.
        axes: the number of their first axes along which copies are stacked.
    """

    owner: Path
    prefix: str = ""
    axes: int = 0

    def names(self, of_owner: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The names of the weights in the layer and in the owner."""
        for name in of_owner:
            own = name.removeprefix(self.prefix)
            if name.startswith(self.prefix) and not (self.axes and "." in own):
                yield own, name

    def take(self, values: Mapping[Path, MutableMapping[str, Any]]) -> dict[str, Any]:
        """Removes the weights of the layer from those of all owners, and returns them by their names in the layer."""
        of_owner = values[self.owner]
        return {own: of_owner.pop(name) for own, name in list(self.names(of_owner))}

    def put(self, values: Mapping[Path, MutableMapping[str, Any]], weights: Mapping[str, Any]) -> None:
        """Adds weights to those of the owner."""
        values[self.owner].update({f"{self.prefix}{name}": weight for name, weight in weights.items()})

    def map(self, change: Callable[..., Mapping[str, Any]], weights: Mapping[str, Any]) -> dict[str, Any]:
        """What `change` makes of the weights of each copy and its index, stacked again."""
        if not self.axes:
            return dict(change(weights, ()))
        first = next(iter(weights.values()))
        sizes = first.shape[: self.axes]
        each = [change({name: w[index] for name, w in weights.items()}, index) for index in np.ndindex(sizes)]
        return {
            name: jnp.stack([jnp.asarray(one[name]) for one in each]).reshape(*sizes, *np.shape(each[0][name]))
            for name in each[0]
        }


def place_of(path: Path, definitions: Mapping[Path, tuple[Any, Any]]) -> Place:
    """The place of the weights of a layer.

    Args:
        path: the path of the layer.
        definitions: layers by their paths, as `graph.describe.definitions` has them.
    """
    stacks = [depth for depth in range(len(path)) if definitions[path[:depth]][0].stacks_weights_of == path[depth]]
    if not stacks:
        return Place(path)
    inside = [name for depth, name in enumerate(path) if depth > stacks[0] and depth not in stacks]
    return Place(path[: stacks[0]], "".join(f"{name}." for name in inside), len(stacks))
