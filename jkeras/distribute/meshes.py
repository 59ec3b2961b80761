"""Training steps over a mesh: arrays are sharded, and the compiler splits the work and adds the communication."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec

from jkeras import collectives
from jkeras.distribute import arrays, consistency
from jkeras.distribute.mesh import process_count
from jkeras.distribute.mesh_rules import MeshRules
from jkeras.distribute.process_group import together
from jkeras.errors import InputError
from jkeras.graph.describe import describe
from jkeras.graph.layer import Layer
from jkeras.graph.scope import walk
from jkeras.training import borrowed_arrays, steps
from jkeras.training.array_source import ArraySource
from jkeras.training.compiled_loops import PREDICT
from jkeras.training.layout import BoundStep, Layout, Loop, Span, placed_specs
from jkeras.training.program import Program, call_arguments, mixes_samples
from jkeras.training.sources import Source
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.step import Step
from jkeras.types import Array, PyTree, Shape

Tree = TypeVar("Tree")
Decision = TypeVar("Decision", int, float, bool)

WHOLE: PartitionSpec = PartitionSpec()
# The number of steps in a dispatch if there are several processes, which have to agree on it.
STEPS_PER_DISPATCH = 16
# Larger data is sharded. Smaller data is copied to each device, which then takes its rows without communication.
LARGEST_COPY = 256 * 2**20


@dataclasses.dataclass(frozen=True)
class Placed:
    """A batch on the devices, and whether its rows are divided among them or each device has the whole batch."""

    batch: Batch
    divided: bool


class MeshLayout(Layout):
    """State and batches sharded over a mesh.

    Results are those of one device: the compiler sees the whole batch and adds the communication between its shards.

    Args:
        strategy: decides how arrays are sharded.
        mesh: a mesh instead of the strategy's own, for example of devices of another machine.
    """

    one_device: ClassVar[bool] = False

    def __init__(self, strategy: MeshRules, mesh: jax.sharding.Mesh | None = None):
        self.strategy = strategy
        self.mesh: Any = strategy.mesh() if mesh is None else mesh
        self.axis: str = strategy.batch_axis
        self.parts: int = int(self.mesh.shape[self.axis])
        self.processes: int = process_count(self.mesh)
        # The options for one CPU device, which uses all cores, make several devices three times slower.
        super().__init__(None if self.mesh.size == 1 else {})
        # Cached, so that regular expressions are not matched again for every dispatch.
        self._layouts = functools.lru_cache(maxsize=16)(self._laid_out)

    def resident_bytes(self, nbytes: float) -> float:
        """How many bytes of data of this size a device's memory must hold; CPU devices share their memory."""
        if not self.strategy.auto_shard_dataset and self.processes > 1:
            return float("inf")  # each process has its own data and supplies it batch by batch
        devices = self.mesh.local_devices
        on_cpu = devices and devices[0].platform == "cpu"
        if self.keeps_parts(nbytes):
            return nbytes if on_cpu else nbytes / self.parts
        return nbytes * len(devices) if on_cpu else nbytes

    def guard(self) -> contextlib.AbstractContextManager[None]:
        """The context of a run: of several processes, only the first prints and writes files."""
        return together() if self.processes > 1 else contextlib.nullcontext()

    def steps_per_dispatch(self, requested: int | str) -> int | str:
        """The number of steps per dispatch; several processes must not measure it independently."""
        return STEPS_PER_DISPATCH if requested == "auto" and self.processes > 1 else requested

    @property
    def votes(self) -> bool:  # type: ignore[override]
        """Whether several processes have to agree on signals."""
        return self.processes > 1

    def anywhere(self, flags: list[bool]) -> list[bool]:
        """The flags that are set in at least one process."""
        votes = np.asarray(multihost_utils.process_allgather(np.asarray(flags)))
        return [bool(flag) for flag in np.any(votes.reshape(-1, len(flags)), axis=0).tolist()]

    def agreed(self, decision: Decision) -> Decision:
        """The decision (a number or a bool) of process 0."""
        if self.processes == 1:
            return decision
        return type(decision)(multihost_utils.broadcast_one_to_all(np.asarray(decision)))

    # -- before anything is compiled ----------------------------------------------------------------------------------

    def check(self, program: Program, source: Source) -> None:
        """Checks what is to be trained against the devices.

        Raises:
            InputError: a batch cannot be divided among the devices.
            ArgumentError: a layout does not match the weights.
            ProcessError: the processes disagree about the model or the data.
        """
        example = source.example()
        if self.processes > 1:
            consistency.check(program, source, self.strategy)
        own = self.strategy.auto_shard_dataset or self.processes == 1
        parts = self.parts if own else max(1, self.parts // self.processes)
        check_batch(program, steps.batch_size(example), parts, self.strategy, isinstance(source, ArraySource))
        weights = describe(program.definition, *call_arguments(example.x)).weights
        self.strategy.check_weights(weights)

    # -- placement ---------------------------------------------------------------------------------------------------

    def _sharding(self, spec: PartitionSpec) -> NamedSharding:
        return NamedSharding(self.mesh, spec)

    def shardings(self, state: TrainState) -> PyTree[Any]:
        """The sharding of each array of a state."""
        leaves, structure = jax.tree.flatten(state)
        return jax.tree.unflatten(structure, self._layouts(structure, tuple(np.shape(leaf) for leaf in leaves)))

    def _laid_out(self, structure: Any, shapes: tuple[Shape, ...]) -> list[NamedSharding]:
        specs = self.strategy.state_specs(
            jax.tree.unflatten(structure, [jax.ShapeDtypeStruct(s, np.float32) for s in shapes])
        )
        return [self._sharding(spec) for spec in jax.tree.leaves(specs, is_leaf=lambda s: isinstance(s, PartitionSpec))]

    def place(self, state: TrainState) -> TrainState:
        """Places a state on the mesh."""
        return arrays.put(state, self.shardings(state))

    def place_order(self, order: jax.Array) -> jax.Array:
        """Copies row indices to every device."""
        return self.everywhere(order)

    def everywhere(self, tree: Tree) -> Tree:
        """Copies arrays to every device."""
        return cast(Tree, jax.tree.map(lambda leaf: arrays.put(leaf, self._sharding(WHOLE)), tree))

    def keeps_parts(self, nbytes: float) -> bool:
        """Whether data of this size is sharded."""
        return self.parts > 1 and nbytes > LARGEST_COPY

    def place_data(self, data: Batch) -> Batch:
        """Places data in memory: small data is copied to every device, large data is sharded by rows.

        A batch is gathered from the shards, for which the devices send about as many bytes as the batch has.
        """
        if not self.keeps_parts(nbytes_of(data)):
            return self.everywhere(data)
        parts = self._sharding(self._rows(True))
        padded: Batch = jax.tree.map(lambda leaf: arrays.with_rows(np.asarray(leaf), self.parts), data)
        return arrays.put(padded, jax.tree.map(lambda _: parts, padded))

    def cut(self, data: Batch, index: Array, span: Span) -> Batch:
        """The batch with a given number, in storage order; slicing sharded data directly would gather all of it."""
        if not self.keeps_parts(nbytes_of(data)):
            return super().cut(data, index, span)
        rows = index * span.batch_size + jnp.arange(span.batch_size, dtype=jnp.int32)
        batch: Batch = borrowed_arrays.take(data, jnp.minimum(rows, span.rows - 1))
        return dataclasses.replace(batch, valid=rows < span.rows) if span.masked else batch

    def place_batch(self, batch: Batch | Placed, program: Program, training: bool) -> Placed:
        """Places a batch from the host, with its rows divided among the devices if possible."""
        if isinstance(batch, Placed):
            return batch
        if not self.strategy.auto_shard_dataset and self.processes > 1:
            return Placed(self._own_rows(batch), True)
        host = self.padded(program, jax.tree.map(np.asarray, batch), training)
        divided = steps.batch_size(host) % self.parts == 0
        return Placed(arrays.put(host, jax.tree.map(lambda leaf: self._sharding(self._rows(divided)), host)), divided)

    def place_inputs(self, inputs: PyTree[Any], definition: Layer) -> Any:
        """Places inputs from the host, with their rows divided among the devices if possible."""
        batch = Batch(jax.tree.map(np.asarray, inputs))
        if steps.batch_size(batch) % self.parts and not mixes_samples(definition, False):
            batch = arrays.pad_rows(batch, self.parts, np)
        spec = self._rows(steps.batch_size(batch) % self.parts == 0)
        return arrays.put(batch.x, jax.tree.map(lambda leaf: self._sharding(spec), batch.x))

    def accept(self, batch: Batch | Placed, program: Program, training: bool) -> tuple[Layout, Batch]:
        """This layout, and the batch as placed on the devices."""
        return self, self.place_batch(batch, program, training).batch

    def abstract_state(self, state: TrainState) -> Any:
        return placed_specs(state, self.shardings(state))

    def abstract_data(self, data: PyTree[Any]) -> Any:
        divided = self.keeps_parts(nbytes_of(data))
        if divided:
            data = jax.tree.map(lambda leaf: arrays.spec_with_rows(leaf, self.parts), data)
        return placed_specs(data, jax.tree.map(lambda leaf: self._sharding(self._rows(divided)), data))

    def abstract_order(self, order: Any) -> Any:
        return placed_specs(order, self._sharding(WHOLE))

    def abstract_batch(self, batch: Batch) -> Batch:
        spec = self._rows(steps.batch_size(batch) % self.parts == 0)
        result: Batch = placed_specs(batch, jax.tree.map(lambda leaf: self._sharding(spec), batch))
        return result

    def padded(self, program: Program, batch: Batch, training: bool) -> Batch:
        """Pads a batch of the host so that it can be divided, if possible."""
        if steps.batch_size(batch) % self.parts and not program.mixes_samples(training):
            return arrays.pad_rows(batch, self.parts, np)
        return batch

    def _own_rows(self, batch: Batch) -> Batch:
        """Assembles a batch of which each process has supplied its part."""
        sharding = self._sharding(self._rows(True))
        own: Batch = jax.tree.map(lambda a: jax.make_array_from_process_local_data(sharding, np.asarray(a)), batch)
        return own

    def _rows(self, divided: bool) -> PartitionSpec:
        return PartitionSpec(self.axis) if divided else WHOLE

    def release(self, state: TrainState) -> TrainState:
        """A state of arrays on one device; if some are sharded, all stay on the mesh, unless there are several processes."""
        if self.strategy.gather and self.processes > 1:
            return arrays.gathered(state)
        return arrays.local(state) if arrays.all_copied(state) else state

    # -- the compiled step -------------------------------------------------------------------------------------------

    def compile_arguments(self, loop: Loop) -> dict[str, Any]:
        """All outputs of a prediction, in every process."""
        whole = {"out_shardings": self._sharding(WHOLE)} if loop is PREDICT else {}
        return {**super().compile_arguments(loop), **whole}

    def around(self, step: Step, training: bool) -> BoundStep:
        """The step, with sharding constraints on its state and its batch."""

        def run(state: TrainState, batch: Batch) -> TrainState:
            if steps.batch_size(batch) % self.parts and not step.program.mixes_samples(training):
                batch = arrays.pad_rows(batch, self.parts)
            spec = self._rows(steps.batch_size(batch) % self.parts == 0)
            batch = jax.tree.map(lambda a: lax.with_sharding_constraint(a, self._sharding(spec)), batch)
            with collectives.gathering(self._in_use):
                return self._constrained(step(self._constrained(state), batch))

        return run

    def around_prediction(self, step: Step) -> Callable[[TrainState, Any], Any]:
        """The forward pass, which gathers weights where it uses them."""

        def run(state: TrainState, inputs: PyTree[Any]) -> Any:
            with collectives.gathering(self._in_use):
                return step(state, inputs)

        return run

    def _in_use(self, params: dict[str, Any]) -> PyTree[Any]:
        """Weights as a model uses them: gathered, or in their own shardings, which their gradients get, too.

        Without that an optimizer would compute on shards of a replicated weight's gradient, and gather each of its results.
        """
        leaves, structure = jax.tree.flatten(params)
        pairs = list(zip(leaves, jax.tree.leaves(self._param_shardings(params)), strict=True))
        if all(layout.is_fully_replicated for _, layout in pairs):
            return params
        whole = self._sharding(WHOLE)
        if self.strategy.gathers_weights:
            return jax.tree.unflatten(structure, [arrays.whole(*pair, whole) for pair in pairs])
        used = [lax.with_sharding_constraint(*pair) for pair in pairs]
        paths = [path for path, _ in jax.tree.leaves_with_path(params)]
        # Gradients of biases beside split kernels are computed in parts, and gathered at once.
        groups: dict[Any, list[int]] = {}
        for place, axis in _beside_split(paths, pairs).items():
            groups.setdefault((axis, used[place].dtype), []).append(place)
        for (axis, _), places in groups.items():
            biases = tuple(used[place] for place in places)
            parts = self._sharding(PartitionSpec(axis, None))
            joined = arrays.gathered_together(biases, self.mesh.shape[axis], parts, whole)
            for place, bias in zip(places, joined, strict=True):
                used[place] = bias
        return jax.tree.unflatten(structure, used)

    def _param_shardings(self, params: dict[str, Any]) -> PyTree[Any]:
        zero: Any = np.zeros(())
        empty = TrainState(params, {}, None, zero, zero)
        return arrays_of(self.shardings(empty)).params

    def _constrained(self, state: TrainState) -> TrainState:
        constrained: TrainState = jax.tree.map(lax.with_sharding_constraint, state, self.shardings(state))
        return constrained


def _beside_split(paths: list[Any], pairs: list[tuple[Any, NamedSharding]]) -> dict[int, str]:
    """The places of replicated weights of layers that have a weight which ends in axes of the same sizes, the first of them
    split, with the axis of the mesh along which it is."""
    layers: dict[Any, list[int]] = {}
    for place, path in enumerate(paths):
        layers.setdefault(path[:-1], []).append(place)
    axis_by_place = {}
    for places in layers.values():
        for place, other in itertools.permutations(places, 2):
            (weight, layout), (kernel, split) = pairs[place], pairs[other]
            if not layout.is_fully_replicated or not 0 < weight.ndim < kernel.ndim:
                continue
            first, *rest = (*split.spec, *[None] * kernel.ndim)[kernel.ndim - weight.ndim : kernel.ndim]
            if kernel.shape[-weight.ndim :] == weight.shape and isinstance(first, str) and not any(rest):
                axis_by_place[place] = first
    return axis_by_place


def nbytes_of(data: PyTree[Any]) -> int:
    """The size of data, or of their shapes and types, in bytes."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(data))


def check_batch(program: Program, rows: int, parts: int, strategy: object, in_memory: bool) -> None:
    """Checks that batches for training can be divided.

    Raises:
        InputError: they have fewer rows than there are devices, or rows that depend on each other and do not divide evenly.
    """
    name = type(strategy).__name__
    if rows < parts:
        hint = f"batch_size={parts} or more" if in_memory else f"batches of {parts} rows or more"
        raise InputError(
            f"A batch has {rows} row{'s' * (rows != 1)}, but {name} divides it among {parts} devices, which need at least"
            f" one row each. Pass {hint}, or give the strategy fewer devices: `{name}(devices={rows})`."
        )
    if rows % parts and program.mixes_samples(True):
        below, above = rows - rows % parts, rows + -rows % parts
        raise InputError(
            f"A batch of {rows} rows cannot be divided evenly among the {parts} devices of {name}, and it cannot be"
            f" padded, because {_coupling(program)}. Pass batch_size={below} or {above}."
        )


def _coupling(program: Program) -> str:
    for path, layer in walk(program.definition):
        if layer.mixes_samples:
            return f"in {'/'.join(path) or layer.name} ({type(layer).__name__}) rows depend on each other"
        if layer.mixes_samples is None and not type(layer).__module__.startswith("jkeras."):
            return f"rows may depend on each other in {'/'.join(path) or type(layer).__name__}"
        if layer.activity_regularizer is not None:
            return f"{'/'.join(path)} has an activity regularizer, which sees the whole batch"
    return "a loss or a metric sees the whole batch"
