"""`MirroredStrategy`: one pure step on several devices at once with `jax.pmap`, each with its share of the batch."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec

from jkeras import collectives
from jkeras.distribute import arrays
from jkeras.distribute.devices import as_names
from jkeras.distribute.mesh_rules import MeshRules
from jkeras.distribute.meshes import MeshLayout, Placed, nbytes_of
from jkeras.distribute.resident import AXES, AXIS, Resident
from jkeras.distribute.sharded import MeshStrategy
from jkeras.errors import ArgumentError
from jkeras.graph.scope import walk
from jkeras.metrics import Metric
from jkeras.training import objective as objectives
from jkeras.training import steps
from jkeras.training.layout import BoundStep, CompiledProgram, Layout, Loop, Span, placed_specs
from jkeras.training.own_steps import train_custom
from jkeras.training.program import Program
from jkeras.training.sources import Source
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.step import Step
from jkeras.types import Array, ArrayLike, DevicesField, PyTree
from jkeras.values.fields import field

# The axes of replicas of a program's arguments, by their roles.
OWN: dict[str, Any] = {"batch": 0, "data": AXES}


class ReplicatedProgram(NamedTuple):
    """A program of `jax.pmap`, which needs at least one argument with an axis of replicas: their indices."""

    mapped: Any
    numbers: np.ndarray

    def __call__(self, step: Step, *arguments: Any) -> Any:
        return self.mapped(step, self.numbers, *arguments)

    def lower(self, step: Step, *arguments: Any) -> Any:
        """The program before it is compiled."""
        return self.mapped.lower(step, self.numbers, *arguments)


class ReplicaLayout(MeshLayout):
    """Replicas: each device runs the step on its rows, and sums are reduced over all devices (`jkeras.collectives`).

    Between dispatches every device has the whole state, as with a mesh. A batch that cannot be divided is computed whole.
    """

    def __init__(self, strategy: MeshRules, mesh: jax.sharding.Mesh | None = None):
        super().__init__(strategy, mesh)
        self._whole = WholeBatches(strategy, mesh)

    @property
    def whole(self) -> Layout:
        return self._whole

    def for_rows(self, program: Program, rows: int, training: bool) -> Layout:
        return self if self._divides(program, rows, training) else self._whole

    def accept(self, batch: Batch | Placed, program: Program, training: bool) -> tuple[Layout, Batch]:
        placed = self.place_batch(batch, program, training)
        return (self if placed.divided else self._whole), placed.batch

    def compile(self, loop: Loop) -> CompiledProgram:
        """The program of a loop in all replicas at once."""

        def program(step: Step, number: jax.Array, *arguments: Any) -> Any:
            return loop.function(self, step, *arguments)

        program.__name__ = loop.name
        mapped = jax.pmap(
            program,
            axis_name=AXIS,
            devices=list(self.mesh.devices.flat),
            static_broadcasted_argnums=0,
            in_axes=(None, 0, *map(OWN.get, loop.roles)),
            out_axes=(None,) * loop.results,
            donate_argnums=(2,) if loop.donates else (),
        )
        return ReplicatedProgram(mapped, np.arange(self.parts))

    def around(self, step: Step, training: bool) -> BoundStep:
        return functools.partial(replicated, step)

    def picked(self, data: Resident, order: jax.Array, index: ArrayLike, span: Span) -> Batch:  # type: ignore[override]
        return share_of(data, order, index, span, self.parts)

    def cut(self, data: Resident, index: ArrayLike, span: Span) -> Batch:  # type: ignore[override]
        return share_of(data, None, index, span, self.parts)

    def check(self, program: Program, source: Source) -> None:
        """As in `MeshLayout`; also rejects layers with a state per row."""
        super().check(program, source)
        check_stateless(program)

    def _divides(self, program: Program, rows: int, training: bool) -> bool:
        return rows % self.parts == 0 or not program.mixes_samples(training)

    def abstract_state(self, state: TrainState) -> Any:
        return placed_specs(state)

    def place_data(self, data: Batch) -> Resident:  # type: ignore[override]
        """As in `MeshLayout`; shards get a leading axis of devices."""
        if not self.keeps_parts(nbytes_of(data)):
            return Resident(self.everywhere(data), None)
        shares = jax.tree.map(lambda leaf: self._shares(arrays.with_rows(np.asarray(leaf), self.parts)), data)
        return Resident(None, arrays.put(shares, jax.tree.map(lambda _: self._sharding(self._rows(True)), shares)))

    def _shares(self, leaf: jax.Array | np.ndarray) -> jax.Array | np.ndarray:
        return leaf.reshape(self.parts, -1, *leaf.shape[1:])

    def abstract_data(self, data: Batch) -> Resident:
        if not self.keeps_parts(nbytes_of(data)):
            return Resident(placed_specs(data), None)
        longer = jax.tree.map(lambda leaf: arrays.spec_with_rows(leaf, self.parts), data)
        return Resident(None, self.abstract_batch(longer))

    def abstract_order(self, order: Any) -> Any:
        return placed_specs(order)

    def abstract_batch(self, batch: Batch) -> Batch:
        """As in `MeshLayout`, with a leading axis of devices."""

        def share(leaf: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct((self.parts, leaf.shape[0] // self.parts, *leaf.shape[1:]), leaf.dtype)

        shares: Batch = jax.tree.map(share, batch)
        return shares

    def place_batch(self, batch: Batch | Placed, program: Program, training: bool) -> Placed:
        """As in `MeshLayout`; a divided batch gets a leading axis of devices."""
        if isinstance(batch, Placed) or not self._divides(program, steps.batch_size(batch), training):
            return super().place_batch(batch, program, training)
        padded = self.padded(program, jax.tree.map(np.asarray, batch), training)
        shares = jax.tree.map(self._shares, padded)
        return Placed(arrays.put(shares, jax.tree.map(lambda leaf: self._sharding(self._rows(True)), shares)), True)


class WholeBatches(MeshLayout):
    """Batches that are not divided among the replicas, taken from the data that lies on them."""

    def taken(self, data: Resident, rows: jax.Array) -> Batch:  # type: ignore[override]
        return super().taken(data.rows, rows)

    def cut(self, data: Resident, index: Array, span: Span) -> Batch:  # type: ignore[override]
        return super().cut(data.rows, index, span)


def check_stateless(program: Program) -> None:
    """Checks that no layer has a state per row.

    Raises:
        ArgumentError: a layer has one.
    """
    for path, layer in walk(program.definition):
        if layer.stateful:
            raise ArgumentError(
                f"{'/'.join(path)} ({type(layer).__name__}) is stateful: it has a state for each row of a batch, which"
                f" replicas cannot share. Train it under `jk.distribute.DataParallel()`."
            )


class MirroredStrategy(MeshStrategy):
    """Every device of this process has all weights and trains on a part of each batch, with `jax.pmap`.

    Gradients are averaged over the replicas, losses and metrics are those of the whole batch, and each replica draws its own
    random numbers. As in TensorFlow, BatchNormalization normalises each replica by the statistics of its own rows and averages
    the moving statistics; with `synchronized=True` it uses the statistics of the whole batch.

    Args:
        devices: names of devices, a number, or None for all devices of this process.
        gather: no effect here, because weights are never split.

    Raises:
        ArgumentError: a device is not present.

    >>> strategy = MirroredStrategy(devices=1)
    >>> strategy.num_replicas_in_sync
    1
    >>> import jkeras as jk
    >>> with strategy.scope():
    ...     model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    >>> model.recipe.distribute
    MirroredStrategy(devices=1)

    Source: TensorFlow's `tf.distribute.MirroredStrategy`.
    """

    layout_class: ClassVar[type[MeshLayout]] = ReplicaLayout
    local: ClassVar[bool] = True

    devices: DevicesField = field(default=None, convert=as_names)

    @property
    def batch_axis(self) -> str:
        return AXIS


def share_of(data: Resident, order: jax.Array | None, index: ArrayLike, span: Span, parts: int) -> Batch:
    """One replica's rows of the batch with a given number, in a given order or (None) in storage order."""
    size = span.batch_size
    # The rows of one replica; in the last replicas, fewer of them may count.
    share = -(-size // parts)
    places = jnp.arange(parts * share, dtype=jnp.int32).reshape(parts, share)
    positions = index * size + jnp.minimum(places, size - 1)
    positions = jnp.minimum(positions, span.rows - 1) if order is None else order[positions]
    batch = data.taken(positions)
    if not span.masked and size % parts == 0:
        return batch
    own = places[lax.axis_index(AXIS)]
    return dataclasses.replace(batch, valid=(own < size) & (index * size + own < span.rows))


def replicated(step: Step, state: TrainState, batch: Batch) -> TrainState:
    """One step of one replica; the results are the same in all replicas."""
    program = step.program
    empty = steps.empty_metrics(program, batch)
    with collectives.sharing(AXIS):
        new = step(state.replace(metrics=empty), batch)
        new = new.replace(model_state=collectives.averaged(arrays_of(new).model_state))
        if step.function is train_custom:  # its gradients may not have been averaged
            arrays = arrays_of(new)
            new = new.replace(
                params=collectives.averaged(arrays.params), opt_state=collectives.averaged(arrays.opt_state)
            )
    known = steps.metrics_by_name(program)
    before = arrays_of(state).metrics
    after = arrays_of(new).metrics
    metrics = {name: _merged(known.get(name, objectives.MEAN), before[name], added) for name, added in after.items()}
    result: TrainState = new.replace(metrics=metrics)
    return result


def mapped_step(step: Step, mesh: Any, state: TrainState, batch: Batch) -> TrainState:
    """One step of all replicas over a mesh, equivalent to the `pmap`; the devices need not be present."""
    batch = arrays.pad_rows(batch, mesh.size)
    whole, rows = PartitionSpec(), PartitionSpec(AXIS)
    share = functools.partial(replicated, step)
    shared = jax.shard_map(share, mesh=mesh, in_specs=(whole, rows), out_specs=whole, check_vma=False)
    result: TrainState = shared(state, batch)
    return result


def _merged(metric: Metric, before: PyTree[Any], added: PyTree[Any]) -> PyTree[Any]:
    """A metric's state plus the contributions of all replicas."""
    if type(metric).merge is Metric.merge:
        return metric.merge(before, lax.psum(added, AXIS))
    everybody = lax.all_gather(added, AXIS)
    return lax.scan(lambda state, one: (metric.merge(state, one), None), before, everybody)[0]
