"""Where the weights of a pass are: a protocol, and plain nested dicts.

`graph/linen.py` has the other implementation, a scope of Flax, for programs that run a definition as a Flax module.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax

from jkeras.graph.scope import Path, WeightInfo
from jkeras.paths import nested
from jkeras.random_keys import folded
from jkeras.types import Array

Draw = Callable[[Array | None], jax.Array]


class WeightStore(Protocol):
    """What a pass requires of the place where weights are. Collections are "params" and "state"."""

    def is_mutable(self, collection: str) -> bool:
        """Whether weights of a collection can be made and changed."""

    def read(self, collection: str, path: Path) -> jax.Array | None:
        """The array at a path; None if there is none."""

    def make(self, weight: WeightInfo, draw: Draw) -> jax.Array:
        """Draws a weight that is not there from its own random key, or from None if there are no keys, and keeps it."""

    def write(self, path: Path, value: jax.Array) -> None:
        """Replaces a weight of the state."""


@dataclasses.dataclass(frozen=True)
class Variables:
    """Weights in nested dicts, `{"params": ..., "state": ...}`, which stay as they are: what is new is kept beside them.

    Attributes:
        given: the weights at the start.
        key: the root of the keys that weights are drawn from; without it no parameters are made.
        changes: the weights made or replaced, by collection and path.
    """

    given: Mapping[str, Mapping[str, Any]]
    key: Array | None = None
    changes: dict[str, dict[Path, jax.Array]] = dataclasses.field(default_factory=lambda: {"params": {}, "state": {}})

    def is_mutable(self, collection: str) -> bool:
        """See `WeightStore`."""
        return collection == "state" or self.key is not None

    def read(self, collection: str, path: Path) -> jax.Array | None:
        """See `WeightStore`."""
        changed = self.changes[collection].get(path)
        if changed is not None:
            return changed
        value: Any = self.given[collection]
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value  # type: ignore[no-any-return]  # of a tree whose leaves are arrays

    def make(self, weight: WeightInfo, draw: Draw) -> jax.Array:
        """See `WeightStore`."""
        value = draw(None if self.key is None else key_of(self.key, weight))
        self.changes[weight.collection][weight.path] = value
        return value

    def write(self, path: Path, value: jax.Array) -> None:
        """See `WeightStore`."""
        self.changes["state"][path] = value

    def collected(self, collection: str) -> dict[str, Any]:
        """The weights of a collection with all changes."""
        return _overlaid(self.given[collection], nested(self.changes[collection]))


def _overlaid(tree: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Plain nested dicts, with the leaves of others put in or added."""
    return {
        name: _overlaid(tree.get(name, {}), over.get(name, {})) if isinstance(value, Mapping) else value
        for name, value in {**tree, **over}.items()
    }


def key_of(root: jax.Array, weight: WeightInfo) -> jax.Array:
    """The key of a weight: the root with a hash of its place, as in Flax (by default, `flax_fix_rng_separator=False`)."""
    place = hashlib.sha1(usedforsecurity=False)
    number = weight.number.to_bytes((weight.number.bit_length() + 7) // 8, "big")
    for part in (*map(str.encode, weight.path[:-1]), number):
        place.update(part)
    return folded(root, int.from_bytes(place.digest()[:4], "big"))
