"""The training step of a model as a function of flat arrays, over devices that need not be there."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding, PartitionSpec

from jkeras import lowering
from jkeras.distribute import meshes, mirrored
from jkeras.distribute.mirrored import MirroredStrategy
from jkeras.distribute.planning.chips import Topology
from jkeras.distribute.sharded import MeshStrategy, planned_on
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.describe import describe
from jkeras.graph.shapes import as_spec
from jkeras.losses import SparseCategoricalCrossentropy
from jkeras.training import batches, steps
from jkeras.training.program import build_program, call_arguments, init_optimizer, trainable_parts
from jkeras.training.recipe import Recipe
from jkeras.training.sources import as_source
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.strategy import Strategy
from jkeras.training.task import Task, recipe_of, task_for
from jkeras.types import PyTree

if TYPE_CHECKING:
    from jkeras.models.model import Model


# In the place of a layout: the array goes where JAX puts it.
ANYWHERE = ""


@dataclasses.dataclass(frozen=True)
class Step:
    """A training step, ready to be compiled.

    Attributes:
        function: jitted; takes and gives flat lists of arrays, the state's first.
        arguments: their shapes, types and layouts.
        donated: which arguments it may overwrite.
        mesh: names and sizes of the axes of the devices that it runs on.
        batch_size: rows of all devices together.
        sizes: bytes on one device of `weights`, `optimizer`, `other state` and `batch`.
        device_kind: where the devices are here.
        dtype: that the model computes in.
    """

    function: Any
    arguments: tuple[Any, ...]
    donated: tuple[int, ...]
    mesh: dict[str, int]
    batch_size: int
    sizes: dict[str, float]
    device_kind: str
    dtype: str

    @property
    def devices(self) -> int:
        """How many devices it runs on."""
        return math.prod(self.mesh.values())


def as_batch(model: Model, recipe: Recipe, batch: Any) -> Batch:
    """Shapes and types of a batch that was given as a number of rows, or as arrays or their shapes.

    Raises:
        ArgumentError: it is neither.
        InputError: a number was given, and the model does not know its inputs.
    """
    if isinstance(batch, (int, np.integer)) and not isinstance(batch, bool):
        if batch < 1:
            raise ArgumentError(f"plan(batch={batch}): expected a number of rows of at least 1, or arrays (x, y).")
        if not model.built:
            raise InputError(
                f"plan(batch={batch}): the model does not know its inputs yet. Give arrays or shapes,"
                f" `batch=(jax.ShapeDtypeStruct((32, 28, 28, 1), 'float32'), ...)`, or begin it with `layers.Input`."
            )
        x = jax.tree.map(
            lambda spec: jax.ShapeDtypeStruct((int(batch), *spec.shape[1:]), spec.dtype), model.input_specs
        )
        return Batch(x, _targets(model, recipe, x))
    if isinstance(batch, (str, bool)) or batch is None:
        raise ArgumentError(f"plan(batch={batch!r}): expected a number of rows, or arrays (x, y) or their shapes.")
    parts = steps.as_batch(batch)
    if all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(parts)):
        return parts
    source = as_source(parts.x, parts.y, parts.sample_weight, batches.row_count(Batch(batches.to_arrays(parts.x, "x"))))
    specs: Batch = jax.tree.map(as_spec, source.data)  # type: ignore[union-attr]
    return specs


def _targets(model: Model, recipe: Recipe, x: PyTree[Any]) -> Any:
    """Targets as the losses take them: class numbers for sparse ones, else like the outputs."""
    outputs = describe(model.definition, *call_arguments(x)).outputs
    program = build_program(model.definition, recipe, Batch(x, jax.tree.map(as_spec, outputs)))
    terms = {term.output: term.loss for term in program.objective.losses}

    def target(number: int, output: Any) -> jax.ShapeDtypeStruct:
        spec = as_spec(output)
        if isinstance(terms.get(number), SparseCategoricalCrossentropy):
            return jax.ShapeDtypeStruct(spec.shape[:-1], np.int32)
        return jax.ShapeDtypeStruct(spec.shape, np.float32)

    leaves, structure = jax.tree.flatten(outputs)
    return jax.tree.unflatten(structure, [target(*pair) for pair in enumerate(leaves)])


def step_of(model: Model, batch: Any, topology: Topology, strategy: Strategy | None) -> Step:
    """The step of a compiled model for a topology.

    Raises:
        NotCompiledError: the model was not compiled.
        ArgumentError: the strategy asks for other devices than the topology has.
        InputError: the batch does not match the model, or cannot be divided.
    """
    recipe = recipe_of(model, "plan").replace(distribute=None)
    specs = as_batch(model, recipe, batch)
    model = model.build_for(specs.x)
    alone = model.with_recipe(recipe)
    abstract: TrainState = jax.eval_shape(functools.partial(first_state, alone, recipe), specs.x)
    task = task_for(alone, specs, abstract)
    abstract = jax.eval_shape(lambda s: s.replace(metrics=steps.empty_metrics(task.train.program, specs)), abstract)
    sharing = _mesh_of(topology, strategy) if isinstance(strategy, MeshStrategy) else None
    if strategy is not None and sharing is None:
        raise ArgumentError(
            f"plan(strategy={strategy!r}): expected one of the strategies of jkeras.distribute, or None."
        )
    around = contextlib.nullcontext() if sharing is None else planned_on(sharing)
    with around:
        return _laid_out(model, task, abstract, specs, strategy, sharing)


def first_state(model: Model, recipe: Recipe, x: PyTree[Any]) -> TrainState:
    """The state that training starts from; traced, so that nothing is drawn."""
    key = jax.random.key(0)
    variables = model.init(key, x)
    frozen, _ = trainable_parts(describe(model.definition, *call_arguments(x)))
    opt_state = init_optimizer(recipe.optimizer, variables["params"], frozen)
    return TrainState(variables["params"], variables["state"], opt_state, jnp.zeros((), jnp.int32), key)


def _mesh_of(topology: Topology, strategy: MeshStrategy) -> Mesh | AbstractMesh:
    if topology.platform == "here":
        return strategy.mesh()
    shape, axes = strategy.planned_shape(topology.size)
    if math.prod(shape) > topology.size:
        raise ArgumentError(
            f"plan(topology={topology.name!r}): {type(strategy).__name__} asks for {math.prod(shape)} devices, but the topology"
            f" has {topology.size}."
        )
    return AbstractMesh(shape, axes, axis_types=(AxisType.Auto,) * len(axes))


def _laid_out(
    model: Model, task: Task, state: TrainState, batch: Batch, strategy: Any, mesh: Mesh | AbstractMesh | None
) -> Step:
    step: Callable[[TrainState, Batch], TrainState]
    layouts, rows = jax.tree.map(lambda leaf: ANYWHERE, (state, batch))
    if mesh is None:
        step = task.train.__call__
    else:
        layout = meshes.MeshLayout(strategy, mesh)  # type: ignore[arg-type]
        meshes.check_batch(task.train.program, steps.batch_size(batch), layout.parts, strategy, True)
        strategy.check_weights(describe(task.train.program.definition, *call_arguments(batch.x)).weights)
        step = layout.around(task.train, True)
        if isinstance(strategy, MirroredStrategy):
            mirrored.check_stateless(task.train.program)
            step = functools.partial(mirrored.mapped_step, task.train, mesh)
        layouts = layout.shardings(state)
        divided = steps.batch_size(batch) % layout.parts == 0
        spec = PartitionSpec(layout.axis) if divided else PartitionSpec()
        rows = jax.tree.map(lambda leaf: NamedSharding(mesh, spec), batch)
    return _flat(step, state, batch, layouts, rows, mesh, str(model.dtype_policy.compute_dtype))


def _flat(
    step: Callable[[TrainState, Batch], TrainState],
    state: TrainState,
    batch: Batch,
    layouts: PyTree[Any],
    rows: PyTree[Any],
    mesh: Mesh | AbstractMesh | None,
    dtype: str,
) -> Step:
    structure = jax.tree.structure(state), jax.tree.structure(batch)

    def train(state: list[jax.Array], batch: list[jax.Array]) -> list[jax.Array]:
        # This is traced when it is compiled, and layouts depend on the mesh there, too.
        with planned_on(mesh):
            new = step(jax.tree.unflatten(structure[0], state), jax.tree.unflatten(structure[1], batch))
        return jax.tree.leaves(new)

    single = mesh is None or mesh.size == 1
    options = lowering.compiler_options() if single else {}
    arrays = arrays_of(state)
    parts: dict[str, Any] = {
        "weights": (arrays.params, arrays_of(layouts).params),
        "optimizer": (arrays.opt_state, arrays_of(layouts).opt_state),
        "other state": (
            (arrays.model_state, arrays.metrics, arrays.step, arrays.rng),
            (lambda a: (a.model_state, a.metrics, a.step, a.rng))(arrays_of(layouts)),
        ),
        "batch": (batch, rows),
    }
    kind = "" if not isinstance(mesh, Mesh) else mesh.devices.flat[0].device_kind
    return Step(
        jax.jit(train, donate_argnums=0, compiler_options=options),
        (_specs(state, layouts), _specs(batch, rows)),
        (0,),
        {"batch": 1} if mesh is None else dict(mesh.shape),
        steps.batch_size(batch),
        {name: sum(map(_device_bytes, *map(jax.tree.leaves, pair))) for name, pair in parts.items()},
        kind or jax.devices()[0].device_kind,
        dtype,
    )


def _specs(tree: PyTree[Any], layouts: PyTree[Any]) -> list[jax.ShapeDtypeStruct]:
    pairs = zip(jax.tree.leaves(tree), jax.tree.leaves(layouts), strict=True)
    return [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=layout or None) for leaf, layout in pairs]


def _device_bytes(leaf: Any, layout: Any) -> float:
    shape = layout.shard_shape(leaf.shape) if layout else leaf.shape
    is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    width: int = 8 if is_key else np.dtype(leaf.dtype).itemsize
    return float(math.prod(shape) * width)
