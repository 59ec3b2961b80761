"""What layouts and checks need to know about a strategy over a mesh."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

import jax

from jkeras.graph.scope import WeightInfo
from jkeras.training.state import TrainState
from jkeras.types import PyTree


class MeshRules(Protocol):
    """A strategy over a mesh; see `distribute/sharded.py` for the implementations."""

    gathers_weights: ClassVar[bool]

    @property
    def auto_shard_dataset(self) -> bool: ...
    @property
    def gather(self) -> bool: ...
    @property
    def batch_axis(self) -> str: ...
    def mesh(self) -> jax.sharding.Mesh: ...
    def state_specs(self, state: TrainState) -> PyTree[Any]: ...
    def check_weights(self, weights: Iterable[WeightInfo]) -> None: ...
