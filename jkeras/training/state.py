"""Everything that training changes, as one immutable pytree."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Self

import jax
import jax.numpy as jnp

Flat = dict[str, Any]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """The arrays of a model in training.

    Attributes:
        params: trainable weights, nested by layer, as Flax has them.
        model_state: non-trainable weights (moving averages, states of stateful layers), nested alike.
        opt_state: the optimizer's state; None before `compile`.
        step: the number of optimizer steps taken, an int32 scalar.
        rng: the root key; every random number is drawn from it folded with a stream's name and the step.
        metrics: running metric states inside an epoch, by name.
    """

    params: dict[str, Any]
    model_state: dict[str, Any]
    opt_state: Any
    step: jax.Array
    rng: jax.Array
    metrics: Any = None

    def replace(self, **changes: Any) -> Self:
        """A copy with some parts changed."""
        return dataclasses.replace(self, **changes)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """One batch of data.

    Attributes:
        x: inputs: an array, or a list, tuple or dict of arrays, batch axis first.
        y: targets, likewise, or None.
        sample_weight: weights per sample (or per time step), or None.
        valid: `(batch,)` booleans, False where a row only fills up a ragged last batch; None when all rows are data.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    valid: Any = None


def items(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested dicts with their paths, `dense/kernel`."""
    for name, value in tree.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from items(value, path + "/")
        else:
            yield path, value


def flatten(tree: Mapping[str, Any]) -> Flat:
    """Nested dicts as one dict by path.

    >>> flatten({"dense": {"kernel": 1, "bias": 2}})
    {'dense/kernel': 1, 'dense/bias': 2}
    """
    return dict(items(tree))


def merge(tree: Mapping[str, Any], flat: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts with the leaves that `flat` names replaced.

    >>> merge({"dense": {"kernel": 1, "bias": 2}}, {"dense/bias": 3})
    {'dense': {'kernel': 1, 'bias': 3}}
    """
    return {
        name: merge(value, flat, f"{prefix}{name}/")
        if isinstance(value, Mapping)
        else flat.get(f"{prefix}{name}", value)
        for name, value in tree.items()
    }


def owned_copy(tree: Any) -> Any:
    """New buffers with the same contents, for the training loop to donate."""
    return jax.tree.map(lambda leaf: jnp.copy(leaf) if isinstance(leaf, jax.Array) else jnp.asarray(leaf), tree)
