"""Where the arrays of a run live, and how a step over them is compiled.

This is the one module of `training/` that compiles. A `Loop` is a pure function over a step; a layout makes a program of it.
`Layout` is one device; `ManyModels` adds a leading axis of models; strategies have layouts over meshes and over replicas
(`distribute/meshes.py`, `distribute/mirrored.py`), which override what differs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import lax

from jkeras import lowering
from jkeras.training import borrowed_arrays
from jkeras.training.inner_loops import ChosenByLoops
from jkeras.training.recall import Recall, RecalledProgram
from jkeras.training.state import Batch, TrainState
from jkeras.training.step import Step
from jkeras.types import Array, ArrayLike, PyTree

# What is given a state and a batch: a step, perhaps with something around it.
BoundStep = Callable[[TrainState, Batch], TrainState]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Span:
    """Some batches of data that lies on the device whole.

    How many they are is an argument of the compiled program, not part of it: one compilation serves spans of any length.

    Attributes:
        start: the number of the first batch.
        stop: the number of the batch behind the last.
        rows: how many rows the data has.
        batch_size: rows in a batch.
        masked: whether the last batch is filled up with rows that do not count.
    """

    start: ArrayLike
    stop: ArrayLike
    rows: ArrayLike
    batch_size: int = dataclasses.field(metadata={"static": True})
    masked: bool = dataclasses.field(default=False, metadata={"static": True})


class Loop(NamedTuple):
    """A function that a layout compiles: `(layout, step, *arguments) -> results`.

    Attributes:
        name: the name of the compiled program.
        function: see above.
        roles: what each argument is, for layouts that give some a leading axis: "state", "rng", "data", "order", "rows", "span",
            "batch" or "metrics".
        donates: whether the buffers of the first argument are given away.
        results: how many results there are.
        trains: whether it runs training steps in a loop.
    """

    name: str
    function: Callable[..., Any]
    roles: tuple[str, ...]
    donates: bool = False
    results: int = 1
    trains: bool = False


class CompiledProgram(Protocol):
    """What `jax.jit` gives."""

    def __call__(self, *arguments: Any) -> Any: ...
    def lower(self, *arguments: Any) -> Any: ...


class Layout:
    """One device.

    Args:
        options: the options of the compiler; None for those of this platform.
    """

    # Whether signals have to be agreed on by several processes.
    votes: bool = False
    # Whether everything is on one device, so that programs depend on nothing but what they are called with.
    one_device: ClassVar[bool] = True

    def __init__(self, options: Mapping[str, str] | None = None):
        self.options: dict[str, str] = dict(lowering.compiler_options() if options is None else options)
        # Whether a program may be one that another process lowered: a part of a user's own program is no program.
        self.recalls: bool = options is None and self.one_device

    # -- how a loop becomes a program ---------------------------------------------------------------------------------

    def compile(self, loop: Loop) -> CompiledProgram:
        """The program of a loop: a function of a step, or what else is static, and of arrays."""
        return self._compiled(loop, lambda step, *arguments: self._bound(loop, step)(*arguments), arrays_from=1)

    def compile_step(self, loop: Loop, step: Any) -> CompiledProgram:
        """The program of a loop for one step, or what one is made of: a function of arrays alone, which JAX calls faster."""
        return self._compiled(
            loop, lambda *arguments: self._bound(loop, step)(*arguments), arrays_from=0, fixed=(step,)
        )

    def _bound(self, loop: Loop, step: Any) -> Callable[..., Any]:
        return self.over(functools.partial(loop.function, self, step), loop.roles)

    def _compiled(
        self, loop: Loop, program: Callable[..., Any], arrays_from: int, fixed: tuple[Any, ...] = ()
    ) -> CompiledProgram:
        """A function compiled for what its arguments before the arrays are."""
        program.__name__ = loop.name
        static, donated = tuple(range(arrays_from)), (arrays_from,) if loop.donates else ()
        arguments = self.compile_arguments(loop)

        def jitted(function: Callable[..., Any], options: Mapping[str, str] | None) -> Any:
            told = {**arguments, "compiler_options": options} if options else arguments
            return jax.jit(function, static_argnums=static, donate_argnums=donated, **told)

        flat = lowering.options_without_loops() if loop.trains and self.options else {}
        every = (None, {**self.options, **flat}) if flat else (None,)
        traced = [jitted(program, options) for options in every]
        if not self.recalls:
            return ChosenByLoops(traced[0], traced[1]) if flat else traced[0]
        recall = Recall(loop, type(self), program, fixed, arrays_from, _traced)
        recalled = [jitted(recall.program, options) for options in every]
        if not flat:
            return RecalledProgram(recalled[0], traced[0])

        def known(arguments: tuple[Any, ...]) -> Any:
            found = recall.find(arguments)
            return None if found is None else recalled[not found.needs_passes]

        return ChosenByLoops(traced[0], traced[1], known)

    def compile_arguments(self, loop: Loop) -> dict[str, Any]:
        """What `jax.jit` is told beside."""
        return {"compiler_options": self.options or None}

    def over(self, function: Callable[..., Any], roles: tuple[str, ...]) -> Callable[..., Any]:
        """The function for arguments with the axes that this layout gives them."""
        return function

    def around(self, step: Step, training: bool) -> BoundStep:
        """The step as it is traced."""
        return step.__call__

    def around_prediction(self, step: Step) -> Callable[[TrainState, Any], Any]:
        """The forward pass as it is traced."""
        return step.__call__

    @jax.named_scope("batch")
    def picked(self, data: Batch, order: jax.Array, index: Array, span: Span) -> Batch:
        """The batch of a number in an order of rows."""
        size = span.batch_size
        batch: Batch = borrowed_arrays.take(data, lax.dynamic_slice_in_dim(order, index * size, size))
        if not span.masked:
            return batch
        return dataclasses.replace(batch, valid=index * size + jnp.arange(size, dtype=jnp.int32) < span.rows)

    def taken(self, data: Batch, rows: jax.Array) -> Batch:
        """The rows of these numbers."""
        batch: Batch = borrowed_arrays.take(data, rows)
        return batch

    def cut(self, data: Batch, index: Array, span: Span) -> Batch:
        """The batch of a number in the order in which rows lie."""
        size = span.batch_size
        first = jnp.minimum(index * size, borrowed_arrays.row_count(data) - size)
        batch: Batch = borrowed_arrays.cut(data, first, size)
        if not span.masked:
            return batch
        # The last slice starts early so as to stay inside the data; rows seen before do not count again.
        position = first + jnp.arange(size, dtype=jnp.int32)
        return dataclasses.replace(batch, valid=(position >= index * size) & (position < span.rows))

    # -- which layout serves a batch ----------------------------------------------------------------------------------

    @property
    def whole(self) -> Layout:
        """The layout for batches that are not divided."""
        return self

    def for_rows(self, program: Any, rows: int, training: bool) -> Layout:
        """The layout for batches of so many rows: this one, or `whole`."""
        return self

    def accept(self, batch: Any, program: Any, training: bool) -> tuple[Layout, Any]:
        """The layout that serves a batch, placed or not, and the arrays for its program."""
        return self, batch

    # -- where things live --------------------------------------------------------------------------------------------

    def place(self, state: TrainState) -> TrainState:
        """A state, on the devices."""
        return state

    def resident_bytes(self, nbytes: float) -> float:
        """How much of data of so many bytes a device's memory has to hold."""
        return nbytes

    def place_data(self, data: Batch) -> Batch:
        """Data in memory, on the devices."""
        result: Batch = borrowed_arrays.place(data)
        return result

    def place_order(self, order: jax.Array) -> jax.Array:
        """Numbers of rows, on the devices."""
        return order

    def place_batch(self, batch: Batch, program: Any, training: bool) -> Any:
        """A batch from the host, on the devices."""
        return jax.device_put(batch)

    def place_inputs(self, inputs: PyTree[Any], definition: Any) -> Any:
        """Inputs from the host; rows may be added at the end."""
        return inputs

    def release(self, state: TrainState) -> TrainState:
        """A state that other programs can use, of one that these steps gave."""
        return state

    def spread(self, tree: PyTree[Any], state: TrainState) -> Any:
        """A tree of arrays, repeated for each model."""
        return tree

    # -- the same without arrays --------------------------------------------------------------------------------------

    def abstract_state(self, state: TrainState) -> Any:
        """Shapes, types and layouts of a state as `place` gives it."""
        return placed_specs(state)

    def abstract_data(self, data: PyTree[Any]) -> Any:
        """Those of data in memory."""
        return placed_specs(data)

    def abstract_order(self, order: Any) -> Any:
        """Those of an order of rows."""
        return placed_specs(order)

    def abstract_batch(self, batch: Batch) -> Batch:
        """Those of a batch as programs get it."""
        result: Batch = placed_specs(batch)
        return result

    # -- processes ----------------------------------------------------------------------------------------------------

    def guard(self) -> contextlib.AbstractContextManager[None]:
        """What a run happens in."""
        return contextlib.nullcontext()

    def check(self, program: Any, source: Any) -> None:
        """Compares what is to be trained with the devices, before anything is compiled."""

    def steps_per_dispatch(self, requested: Any) -> Any:
        """The number of steps per dispatch for a requested number or "auto"."""
        return requested

    def anywhere(self, flags: list[bool]) -> list[bool]:
        """Which flags are set in at least one process."""
        return flags

    def agreed(self, decision: Any) -> Any:
        """A decision (a number or a bool) that all processes take alike."""
        return decision


def _traced(function: Callable[..., Any], specs: Sequence[Any]) -> Any:
    return jax.jit(function, keep_unused=True).trace(*specs)


def placed_specs(tree: PyTree[Any], shardings: PyTree[Any] | None = None) -> Any:
    """Shapes and types of arrays, with how they are laid out where that is said."""

    def spec(leaf: Any, sharding: Any = None) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

    return jax.tree.map(spec, tree) if shardings is None else jax.tree.map(spec, tree, shardings)


class ManyModels(Layout):
    """Many models on one device: states, orders and metrics have a leading axis of models; data has none."""

    OWN: ClassVar[frozenset[str]] = frozenset({"state", "rng", "order", "rows", "metrics"})

    def over(self, function: Callable[..., Any], roles: tuple[str, ...]) -> Callable[..., Any]:
        own = [role in self.OWN for role in roles]
        mapped = jax.vmap(function, in_axes=tuple(0 if leads else None for leads in own))

        def program(*arguments: Any) -> Any:
            count = next(jax.tree.leaves(a)[0].shape[0] for a, leads in zip(arguments, own, strict=True) if leads)
            if count > 1:
                return mapped(*arguments)
            # Of one model nothing is mapped: XLA's convolutions with a leading axis of models are slower, even if it is 1.
            single = (
                jax.tree.map(lambda leaf: leaf[0], a) if leads else a for a, leads in zip(arguments, own, strict=True)
            )
            return jax.tree.map(lambda leaf: leaf[None], function(*single))

        return program

    def spread(self, tree: PyTree[Any], state: TrainState) -> Any:
        count = state.step.shape[0]
        return jax.tree.map(lambda a: jnp.broadcast_to(a, (count, *a.shape)), tree)
