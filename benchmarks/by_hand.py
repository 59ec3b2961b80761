"""The hand-written training steps that the programs of jkeras are compared with: one device, or `jit` over a mesh."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

from benchmarks.peers import jax_networks, jax_scan
from benchmarks.workloads import Workload
from jkeras.distribute.planning.step import Step

# A weight is split from so many elements on, as by `jk.distribute.FSDP`.
SMALLEST = 256
# Megatron's layout of attention and dense blocks (Shoeybi et al., 2019), by parts of a weight's path.
MEGATRON = {
    ("query", "kernel"): (None, "model"),
    ("key", "kernel"): (None, "model"),
    ("value", "kernel"): (None, "model"),
    ("outputs", "kernel"): ("model", None),
    ("up", "kernel"): (None, "model"),
    ("down", "kernel"): ("model", None),
    ("last", "kernel"): (None, "model"),
    ("table",): ("model", None),
}


def jitted(function: Any, arguments: tuple[Any, ...], donated: tuple[int, ...], batch: int, **options: Any) -> Step:
    """A function of flat arrays on one device, or over a mesh: `mesh=`, `out_shardings=`."""
    mesh = options.pop("mesh", None)
    function = jax.jit(function, donate_argnums=donated, **options)
    return Step(
        function, arguments, donated, {"batch": 1} if mesh is None else dict(mesh.shape), batch, {}, "", "float32"
    )


def step(name: str, work: Workload, batch: int, dtype: str, layout: str, devices: int) -> Step:
    """The hand-written step of a network, its weights laid out as a strategy of that name does; `layout=""` for one device.

    Raises:
        MissingWorkloadError: the network is not written by hand.
    """
    jax_networks.network(name)
    steps: list[Any] = []

    def carry() -> Any:
        first, train = jax_scan.stepper(name, dtype)
        steps[:] = [train]
        return first

    state = jax.eval_shape(carry)
    x = jax.ShapeDtypeStruct((batch, *work.shape), np.int32 if work.vocabulary else np.float32)
    y = jax.ShapeDtypeStruct((batch, *work.targets), np.int32)
    key = jax.eval_shape(lambda: jax.random.key(0))
    structure = jax.tree.structure(state)

    def train(leaves: list[Any], x: Any, y: Any, key: Any) -> Any:
        return jax.tree.leaves(steps[0](jax.tree.unflatten(structure, leaves), x, y, key))

    if not layout:
        return jitted(train, (jax.tree.leaves(state), x, y, key), (0,), batch)
    sizes = {"batch": devices // 2, "model": 2} if layout == "ModelParallel" else {"batch": devices}
    mesh = AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes))
    specs = [_spec(layout, path, leaf.shape, devices) for path, leaf in jax.tree.leaves_with_path(state)]
    shardings = [NamedSharding(mesh, spec) for spec in specs]
    x, y = (_placed(leaf, NamedSharding(mesh, PartitionSpec("batch"))) for leaf in (x, y))
    leaves = [_placed(*pair) for pair in zip(jax.tree.leaves(state), shardings, strict=True)]
    key = _placed(key, NamedSharding(mesh, PartitionSpec()))
    return jitted(train, (leaves, x, y, key), (0,), batch, mesh=mesh, out_shardings=shardings)


def _spec(layout: str, path: Any, shape: tuple[int, ...], devices: int) -> PartitionSpec:
    """How a weight, or what the optimizer keeps of it, is split."""
    names = tuple(str(getattr(part, "key", "")) for part in path)
    if layout == "ModelParallel":
        fitting = [spec for ends, spec in MEGATRON.items() if names[-len(ends) :] == ends]
        return PartitionSpec(*fitting[0]) if fitting else PartitionSpec()
    axes = [axis for axis, size in enumerate(shape) if size and size % devices == 0]
    if layout != "FSDP" or math.prod(shape) < SMALLEST or not axes:
        return PartitionSpec()
    longest = max(axes, key=lambda axis: shape[axis])
    return PartitionSpec(*("batch" if axis == longest else None for axis in range(longest + 1)))


def _placed(leaf: Any, sharding: NamedSharding) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)
