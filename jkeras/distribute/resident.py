"""Data in the memory of replicas: a copy in each, or in each a part of the rows, from which batches are exchanged."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.training.state import Batch

AXIS = "replica"


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Resident:
    """Data that replicas have; one of the two is None.

    Attributes:
        copied: `(rows, ...)`, which every replica has whole.
        parts: `(replicas, rows of one, ...)`, of which each has its own.
    """

    copied: Batch | None
    parts: Batch | None

    @property
    def rows(self) -> Batch:
        """All rows, `(rows, ...)`, outside a replica."""
        if self.copied is not None:
            return self.copied
        whole: Batch = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), self.parts)
        return whole

    def taken(self, positions: jax.Array) -> Batch:
        """The rows of a replica at its positions, in its program.

        Args:
            positions: `(replicas, rows)`, those of every replica.
        """
        own = positions[lax.axis_index(AXIS)]
        batch: Batch
        if self.parts is None:
            batch = jax.tree.map(lambda leaf: leaf.at[own].get(mode="promise_in_bounds"), self.copied)
        else:
            batch = jax.tree.map(lambda part: _exchanged(part, positions, own), self.parts)
        return batch


# How `jax.pmap` maps it.
AXES = Resident(copied=None, parts=0)  # type: ignore[arg-type]


def _exchanged(part: jax.Array, positions: jax.Array, own: jax.Array) -> jax.Array:
    """Every replica sends what it would have at the places of each other's rows; who gets it chooses by where a row lies."""
    count = part.shape[0]
    offers = part.at[positions % count].get(mode="promise_in_bounds")
    received = lax.all_to_all(offers, AXIS, 0, 0)
    rows: jax.Array = received[own // count, jnp.arange(own.shape[0])]
    return rows
