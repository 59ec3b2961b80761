"""Steps over a mesh: arrays are laid out, and the compiler splits the work and adds the communication."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import jax
import numpy as np
from jax import lax
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec

from jkeras import collectives, lowering
from jkeras.distribute import arrays, consistency
from jkeras.distribute.process_group import together
from jkeras.errors import InputError
from jkeras.graph.describe import describe
from jkeras.graph.layer import Layer
from jkeras.graph.scope import walk
from jkeras.training import compiled_loops, steps
from jkeras.training.array_source import ArraySource
from jkeras.training.compiled_loops import CompiledLoops, Step
from jkeras.training.program import call_arguments
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.stream_source import StreamSource
from jkeras.types import ArrayLike, ArrayTree, PyTree, Shape

if TYPE_CHECKING:
    from jkeras.distribute.sharded import MeshStrategy
    from jkeras.training.program import Program

Tree = TypeVar("Tree")
Decision = TypeVar("Decision", int, float, bool)
Source: TypeAlias = ArraySource | StreamSource
# A state after training, with the number of its step; sums of metrics after evaluation, with the states of layers.
Trained: TypeAlias = tuple[TrainState, jax.Array]
Evaluated: TypeAlias = tuple[ArrayTree, ArrayTree]

WHOLE: PartitionSpec = PartitionSpec()
# Steps in a dispatch of several processes, which have to agree on it.
STEPS_PER_DISPATCH = 16


@dataclasses.dataclass(frozen=True)
class Placed:
    """A batch on the devices, and whether its rows are divided among them; otherwise each has the whole batch."""

    batch: Batch
    divided: bool


class MeshLoops:
    """What `jkeras.training.compiled_loops.CompiledLoops` does, with state and batches laid out over a mesh.

    Numbers are those of one device: the compiler sees the whole batch, and adds the communication that its parts need.

    Args:
        strategy: says how.
    """

    def __init__(self, strategy: MeshStrategy):
        self.strategy = strategy
        self.mesh: Any = strategy.mesh()
        self.axis: str = strategy.batch_axis
        self.parts: int = int(self.mesh.shape[self.axis])
        self.processes: int = len({device.process_index for device in self.mesh.devices.flat})
        # The options for one CPU device, which has all cores, make several three times slower.
        self.inner: CompiledLoops = CompiledLoops(False, self._around, None if self.mesh.size == 1 else {})
        # Regular expressions are not matched again for every dispatch.
        self._layouts = functools.lru_cache(maxsize=16)(self._laid_out)
        self.logs: Any = self.inner.logs
        self.epoch_order = self.inner.epoch_order
        self.last_rows = self.inner.last_rows
        self._predict = jax.jit(self._predicted, static_argnums=(0, 1), out_shardings=self._sharding(WHOLE))

    @property
    def copies(self) -> float:
        """How many copies of data in memory a device's memory has to hold; devices of the CPU share theirs."""
        if not self.strategy.auto_shard_dataset and self.processes > 1:
            return float("inf")  # each process has data of its own, which it brings batch by batch
        devices = self.mesh.local_devices
        return len(devices) if devices and devices[0].platform == "cpu" else 1

    def guard(self) -> contextlib.AbstractContextManager[None]:
        """What a run happens in: of several processes only the first prints and writes."""
        return together() if self.processes > 1 else contextlib.nullcontext()

    def steps_per_dispatch(self, wanted: int | str) -> int | str:
        """How many steps one dispatch has; several processes must not measure it each for itself."""
        return STEPS_PER_DISPATCH if wanted == "auto" and self.processes > 1 else wanted

    @property
    def votes(self) -> bool:
        """Whether signals have to be agreed on by several processes."""
        return self.processes > 1

    def anywhere(self, flags: list[bool]) -> list[bool]:
        """Which flags are set in at least one process."""
        told = np.asarray(multihost_utils.process_allgather(np.asarray(flags)))
        return [bool(flag) for flag in np.any(told.reshape(-1, len(flags)), axis=0).tolist()]

    def agreed(self, decision: Decision) -> Decision:
        """A decision (a number or a bool) as process 0 takes it."""
        if self.processes == 1:
            return decision
        return type(decision)(multihost_utils.broadcast_one_to_all(np.asarray(decision)))

    # -- before anything is compiled ----------------------------------------------------------------------------------

    def check(self, program: Program, source: Source) -> None:
        """Compares what is to be trained with the devices.

        Raises:
            InputError: a batch cannot be divided among the devices.
            ArgumentError: a layout does not fit the weights.
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

    # -- where things live -------------------------------------------------------------------------------------------

    def _sharding(self, spec: PartitionSpec) -> NamedSharding:
        return NamedSharding(self.mesh, spec)

    def shardings(self, state: TrainState) -> PyTree[Any]:
        """How each array of a state is laid out."""
        leaves, structure = jax.tree.flatten(state)
        return jax.tree.unflatten(structure, self._layouts(structure, tuple(np.shape(leaf) for leaf in leaves)))

    def _laid_out(self, structure: Any, shapes: tuple[Shape, ...]) -> list[NamedSharding]:
        specs = self.strategy.state_specs(
            jax.tree.unflatten(structure, [jax.ShapeDtypeStruct(s, np.float32) for s in shapes])
        )
        return [self._sharding(spec) for spec in jax.tree.leaves(specs, is_leaf=lambda s: isinstance(s, PartitionSpec))]

    def place(self, state: TrainState) -> TrainState:
        """A state, laid out."""
        return arrays.put(state, self.shardings(state))

    def everywhere(self, tree: Tree) -> Tree:
        """Arrays, copied to every device."""
        return cast(Tree, jax.tree.map(lambda leaf: arrays.put(leaf, self._sharding(WHOLE)), tree))

    def place_data(self, data: Batch) -> Batch:
        """Data in memory, copied to every device, which takes its rows of each batch from there."""
        return self.everywhere(data)

    def place_batch(self, batch: Batch | Placed, program: Program, training: bool) -> Placed:
        """A batch from the host, its rows divided among the devices where that is possible."""
        if isinstance(batch, Placed):
            return batch
        if not self.strategy.auto_shard_dataset and self.processes > 1:
            return Placed(self._own_rows(batch), True)
        host = self.padded(program, jax.tree.map(np.asarray, batch), training)
        divided = steps.batch_size(host) % self.parts == 0
        return Placed(arrays.put(host, jax.tree.map(lambda leaf: self._sharding(self._rows(divided)), host)), divided)

    def padded(self, program: Program, batch: Batch, training: bool) -> Batch:
        """A batch of the host, filled up to be divided, where that is possible."""
        if steps.batch_size(batch) % self.parts and takes_padding(program, training):
            return arrays.pad_rows(batch, self.parts, np)
        return batch

    def _own_rows(self, batch: Batch) -> Batch:
        """A batch of which each process has brought its part."""
        sharding = self._sharding(self._rows(True))
        own: Batch = jax.tree.map(lambda a: jax.make_array_from_process_local_data(sharding, np.asarray(a)), batch)
        return own

    def _rows(self, divided: bool) -> PartitionSpec:
        return PartitionSpec(self.axis) if divided else WHOLE

    def release(self, state: TrainState) -> TrainState:
        """A state of ordinary arrays; where some are split, all stay on the mesh, except among processes."""
        if self.strategy.gather and self.processes > 1:
            return arrays.gathered(state)
        return arrays.local(state) if arrays.all_copied(state) else state

    # -- the compiled step -------------------------------------------------------------------------------------------

    def _around(self, step: Step, training: bool) -> Step:
        def run(program: Program, state: TrainState, batch: Batch) -> TrainState:
            if steps.batch_size(batch) % self.parts and takes_padding(program, training):
                batch = arrays.pad_rows(batch, self.parts)
            spec = self._rows(steps.batch_size(batch) % self.parts == 0)
            batch = jax.tree.map(lambda a: lax.with_sharding_constraint(a, self._sharding(spec)), batch)
            with collectives.gathering(self._gathered if self.strategy.gathers_weights else None):
                return self._constrained(step(program, self._constrained(state), batch))

        return run

    def _gathered(self, params: dict[str, Any]) -> PyTree[Any]:
        """Whole weights of weights in parts; their gradients are added up where the parts are."""
        whole = self._sharding(WHOLE)
        leaves, structure = jax.tree.flatten(params)
        layouts = jax.tree.leaves(self._param_shardings(params))
        return jax.tree.unflatten(structure, [arrays.whole(*pair, whole) for pair in zip(leaves, layouts, strict=True)])

    def _param_shardings(self, params: dict[str, Any]) -> PyTree[Any]:
        zero: Any = np.zeros(())
        empty = TrainState(params, {}, None, zero, zero)
        return arrays_of(self.shardings(empty)).params

    def _constrained(self, state: TrainState) -> TrainState:
        constrained: TrainState = jax.tree.map(lax.with_sharding_constraint, state, self.shardings(state))
        return constrained

    # -- what the loop calls -----------------------------------------------------------------------------------------

    def spread(self, tree: Tree, state: TrainState) -> Tree:
        """As in `CompiledLoops`."""
        return tree

    def train_steps(
        self,
        step: Step,
        program: Program,
        state: TrainState,
        data: Batch,
        order: jax.Array,
        rows: ArrayLike,
        start: ArrayLike,
        stop: ArrayLike,
        *,
        batch_size: int,
        masked: bool,
    ) -> Trained:
        """As in `CompiledLoops`."""
        result: Trained = self.inner.train_steps(
            step,
            program,
            self.place(state),
            data,
            self.everywhere(order),
            rows,
            start,
            stop,
            batch_size=batch_size,
            masked=masked,
        )
        return result

    def eval_steps(
        self,
        step: Step,
        program: Program,
        state: TrainState,
        data: Batch,
        rows: ArrayLike,
        start: ArrayLike,
        stop: ArrayLike,
        *,
        batch_size: int,
        masked: bool,
    ) -> Evaluated:
        """As in `CompiledLoops`."""
        result: Evaluated = self.inner.eval_steps(
            step, program, self.place(state), data, rows, start, stop, batch_size=batch_size, masked=masked
        )
        return result

    def train_one(self, step: Step, program: Program, state: TrainState, batch: Batch | Placed) -> Trained:
        """As in `CompiledLoops`."""
        result: Trained = self.inner.train_one(
            step, program, self.place(state), self.place_batch(batch, program, True).batch
        )
        return result

    def train_rows(self, step: Step, program: Program, state: TrainState, data: Batch, rows: jax.Array) -> Trained:
        """As in `CompiledLoops`."""
        result: Trained = self.inner.train_rows(step, program, self.place(state), data, self.everywhere(rows))
        return result

    def eval_one(self, step: Step, program: Program, state: TrainState, batch: Batch | Placed) -> Evaluated:
        """As in `CompiledLoops`."""
        result: Evaluated = self.inner.eval_one(
            step, program, self.place(state), self.place_batch(batch, program, False).batch
        )
        return result

    def predict(self, definition: Layer, state: TrainState, inputs: PyTree[Any]) -> PyTree[Any]:
        """As in `CompiledLoops`; every process gets all outputs."""
        batch = Batch(jax.tree.map(np.asarray, inputs))
        if steps.batch_size(batch) % self.parts and not compiled_loops.mixes_samples(definition, False):
            batch = arrays.pad_rows(batch, self.parts, np)
        spec = self._rows(steps.batch_size(batch) % self.parts == 0)
        x = arrays.put(batch.x, jax.tree.map(lambda leaf: self._sharding(spec), batch.x))
        return self._predict(definition, lowering.cache_token(), self.place(state), x)

    def _predicted(self, definition: Layer, token: str, state: TrainState, inputs: PyTree[Any]) -> PyTree[Any]:
        with collectives.gathering(self._gathered if self.strategy.gathers_weights else None):
            return steps.predict(definition, state, inputs)


def takes_padding(program: Program, training: bool) -> bool:
    """Whether a batch may be filled up with rows that do not count."""
    return not (program.objective.mixes_samples or compiled_loops.mixes_samples(program.definition, training))


def check_batch(program: Program, rows: int, parts: int, strategy: MeshStrategy, in_memory: bool) -> None:
    """Checks that batches for training can be divided.

    Raises:
        InputError: they have fewer rows than there are devices, or coupled rows that do not divide evenly.
    """
    name = type(strategy).__name__
    if rows < parts:
        hint = f"batch_size={parts} or more" if in_memory else f"batches of {parts} rows or more"
        raise InputError(
            f"A batch has {rows} row{'s' * (rows != 1)}, but {name} divides it among {parts} devices, which need one row"
            f" each at least. Pass {hint}, or give the strategy fewer devices: `{name}(devices={rows})`."
        )
    if rows % parts and not takes_padding(program, True):
        below, above = rows - rows % parts, rows + -rows % parts
        raise InputError(
            f"A batch of {rows} rows cannot be divided evenly among the {parts} devices of {name}, and it cannot be filled"
            f" up, since {_coupling(program)}. Pass batch_size={below} or {above}."
        )


def _coupling(program: Program) -> str:
    for path, layer in walk(program.definition):
        if layer.mixes_samples:
            return f"in {'/'.join(path) or layer.name} ({type(layer).__name__}) rows depend on each other"
        if layer.mixes_samples is None and not type(layer).__module__.startswith("jkeras."):
            return f"nothing is known of how rows depend on each other in {'/'.join(path) or type(layer).__name__}"
        if layer.activity_regularizer is not None:
            return f"{'/'.join(path)} has an activity regularizer, which sees the whole batch"
    return "a loss or a metric sees the whole batch"


@functools.lru_cache(maxsize=16)
def loops_of_strategy(strategy: MeshStrategy, token: str) -> MeshLoops:
    """The loops of a strategy; equal strategies share it, and with it what is compiled."""
    return strategy.loops_class(strategy)
