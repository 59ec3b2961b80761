"""`MirroredStrategy`: one pure step on several devices at once by `jax.pmap`, each with its share of the batch."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jkeras import collectives
from jkeras.distribute import arrays
from jkeras.distribute.devices import as_names
from jkeras.distribute.meshes import Evaluated, MeshLoops, Placed, Source, Trained, takes_padding
from jkeras.distribute.sharded import MeshStrategy
from jkeras.errors import ArgumentError
from jkeras.graph.scope import walk
from jkeras.metrics import Metric
from jkeras.training import objective as objectives
from jkeras.training import steps
from jkeras.training.compiled_loops import Step
from jkeras.training.own_steps import train_custom
from jkeras.training.program import Program
from jkeras.training.state import Batch, TrainState, arrays_of, with_arrays
from jkeras.types import ArrayLike, DevicesField, PyTree
from jkeras.values.fields import field

AXIS = "replica"


class ReplicaLoops(MeshLoops):
    """Steps as replicas: each device runs the step on its rows, and sums are shared (`jkeras.collectives`).

    Between dispatches every device has the whole state, as under a mesh; a batch that cannot be divided is computed whole.
    """

    def __init__(self, strategy: MeshStrategy):
        super().__init__(strategy)
        self.ids: np.ndarray = np.arange(self.parts)
        mapped = functools.partial(jax.pmap, axis_name=AXIS, devices=list(self.mesh.devices.flat))
        shared, own = None, 0
        self._train_steps = mapped(
            _train_steps,
            static_broadcasted_argnums=(0, 1, 2),
            in_axes=(shared, shared, shared, own, *(shared,) * 6),
            out_axes=(shared, shared),
            donate_argnums=4,
        )
        self._eval_steps = mapped(
            _eval_steps,
            static_broadcasted_argnums=(0, 1, 2),
            in_axes=(shared, shared, shared, own, *(shared,) * 5),
            out_axes=(shared, shared),
        )
        one: dict[str, Any] = {
            "static_broadcasted_argnums": (0, 1),
            "in_axes": (shared, shared, shared, own),
            "out_axes": (shared, shared),
        }
        self._train_one = mapped(_train_one, donate_argnums=2, **one)
        self._eval_one = mapped(_eval_one, **one)

    def check(self, program: Program, source: Source) -> None:
        """As in `MeshLoops`; a layer with a state for each row is refused, too."""
        super().check(program, source)
        for path, layer in walk(program.definition):
            if layer.stateful:
                raise ArgumentError(
                    f"{'/'.join(path)} ({type(layer).__name__}) is stateful: it has a state for each row of a batch, which"
                    f" replicas cannot share. Train it under `jk.distribute.DataParallel()`."
                )

    def _divides(self, program: Program, rows: int, training: bool) -> bool:
        return rows % self.parts == 0 or takes_padding(program, training)

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
        sizes = Sizes(batch_size, self.parts, masked)
        place = self.everywhere
        result: Trained = self._train_steps(
            step, program, sizes, self.ids, self.place(state), data, place(order), rows, start, stop
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
        if not self._divides(program, batch_size, False):
            return super().eval_steps(
                step, program, state, data, rows, start, stop, batch_size=batch_size, masked=masked
            )
        sizes = Sizes(batch_size, self.parts, masked)
        result: Evaluated = self._eval_steps(step, program, sizes, self.ids, self.place(state), data, rows, start, stop)
        return result

    def train_one(self, step: Step, program: Program, state: TrainState, batch: Batch | Placed) -> Trained:
        """As in `CompiledLoops`."""
        placed = self.place_batch(batch, program, True)
        if not placed.divided:
            return super().train_one(step, program, state, placed)
        result: Trained = self._train_one(step, program, self.place(state), placed.batch)
        return result

    def eval_one(self, step: Step, program: Program, state: TrainState, batch: Batch | Placed) -> Evaluated:
        """As in `CompiledLoops`."""
        placed = self.place_batch(batch, program, False)
        if not placed.divided:
            return super().eval_one(step, program, state, placed)
        result: Evaluated = self._eval_one(step, program, self.place(state), placed.batch)
        return result

    def place_batch(self, batch: Batch | Placed, program: Program, training: bool) -> Placed:
        """As in `MeshLoops`; a divided batch gets a leading axis of devices."""
        if isinstance(batch, Placed) or not self._divides(program, steps.batch_size(batch), training):
            return super().place_batch(batch, program, training)
        padded = self.padded(program, jax.tree.map(np.asarray, batch), training)
        shares = jax.tree.map(lambda a: a.reshape(self.parts, -1, *a.shape[1:]), padded)
        return Placed(arrays.put(shares, jax.tree.map(lambda leaf: self._sharding(self._rows(True)), shares)), True)


class MirroredStrategy(MeshStrategy):
    """Every device of this process has all weights and trains on a part of each batch, by `jax.pmap`.

    Gradients are averaged over the replicas, losses and metrics are those of the whole batch, and each replica draws random
    numbers of its own. BatchNormalization normalises by the statistics of each replica's own rows and averages its moving
    statistics, as TensorFlow does; with `synchronized=True` it uses those of the whole batch.

    Args:
        devices: names of devices, how many, or None for all of this process.

    Raises:
        ArgumentError: a device is not there.

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

    loops_class: ClassVar[type[MeshLoops]] = ReplicaLoops
    local: ClassVar[bool] = True

    devices: DevicesField = field(default=None, convert=as_names)

    @property
    def batch_axis(self) -> str:
        return AXIS


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Rows in a batch, the number of replicas, and whether rows behind the data are left out."""

    batch: int
    parts: int
    masked: bool

    @property
    def share(self) -> int:
        """Rows of one replica; the last ones may have fewer that count."""
        return -(-self.batch // self.parts)


def share_of(
    data: Batch, order: jax.Array | None, replica: jax.Array, index: ArrayLike, rows: ArrayLike, sizes: Sizes
) -> Batch:
    """The rows of one replica of the batch of that number, in an order or (None) as they lie."""
    place = replica * sizes.share + jnp.arange(sizes.share, dtype=jnp.int32)
    counted = None
    if sizes.masked or sizes.batch % sizes.parts:
        counted = (place < sizes.batch) & (index * sizes.batch + place < rows)
    position = index * sizes.batch + jnp.minimum(place, sizes.batch - 1)
    if order is not None:
        position = order[position]
    else:
        position = jnp.minimum(position, jax.tree.leaves(data)[0].shape[0] - 1)
    batch: Batch = jax.tree.map(lambda a: a.at[position].get(mode="promise_in_bounds"), data)
    return batch if counted is None else dataclasses.replace(batch, valid=counted)


def replicated(step: Step, program: Program, state: TrainState, batch: Batch) -> TrainState:
    """One step of one replica: what comes out is the same in all of them."""
    empty = steps.empty_metrics(program, batch)
    with collectives.sharing(AXIS):
        new = step(program, state.replace(metrics=empty), batch)
        new = new.replace(model_state=collectives.averaged(arrays_of(new).model_state))
        if step is train_custom:  # which may have gradients that were not averaged
            arrays = arrays_of(new)
            new = new.replace(
                params=collectives.averaged(arrays.params), opt_state=collectives.averaged(arrays.opt_state)
            )
    known = steps.metrics_by_name(program)
    before = arrays_of(state).metrics
    after = arrays_of(new).metrics
    metrics = {name: _merged(known.get(name, objectives.MEAN), before[name], added) for name, added in after.items()}
    return new.replace(metrics=metrics)


def _merged(metric: Metric, before: PyTree[Any], added: PyTree[Any]) -> PyTree[Any]:
    """A metric's state with what all replicas add to it."""
    if type(metric).merge is Metric.merge:
        return metric.merge(before, lax.psum(added, AXIS))
    everybody = lax.all_gather(added, AXIS)
    return lax.scan(lambda state, one: (metric.merge(state, one), None), before, everybody)[0]


def _train_steps(
    step: Step,
    program: Program,
    sizes: Sizes,
    replica: jax.Array,
    state: TrainState,
    data: Batch,
    order: jax.Array,
    rows: ArrayLike,
    start: ArrayLike,
    stop: ArrayLike,
) -> Trained:
    def body(index: ArrayLike, state: TrainState) -> TrainState:
        return replicated(step, program, state, share_of(data, order, replica, index, rows, sizes))

    state = lax.fori_loop(start, stop, body, state)
    return state, state.step + 0


def _eval_steps(
    step: Step,
    program: Program,
    sizes: Sizes,
    replica: jax.Array,
    state: TrainState,
    data: Batch,
    rows: ArrayLike,
    start: ArrayLike,
    stop: ArrayLike,
) -> Evaluated:
    def body(index: ArrayLike, carry: Evaluated) -> Evaluated:
        metrics, model_state = carry
        batch = share_of(data, None, replica, index, rows, sizes)
        new = arrays_of(replicated(step, program, with_arrays(state, metrics=metrics, model_state=model_state), batch))
        return new.metrics, new.model_state

    arrays = arrays_of(state)
    result: Evaluated = lax.fori_loop(start, stop, body, (arrays.metrics, arrays.model_state))
    return result


def _train_one(step: Step, program: Program, state: TrainState, batch: Batch) -> Trained:
    state = replicated(step, program, state, batch)
    return state, state.step + 0


def _eval_one(step: Step, program: Program, state: TrainState, batch: Batch) -> Evaluated:
    new = arrays_of(replicated(step, program, state, batch))
    return new.metrics, new.model_state
