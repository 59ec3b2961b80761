"""The hand-written programs that those of jkeras are compared with: training over one device or by `jit` over a mesh,
evaluation, prediction.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

from benchmarks.peers import jax_networks, jax_scan
from benchmarks.workloads import Workload
from jkeras.distribute.planning.step import Step

# Batches in the data on the device, and the type of the numbers of the first of them and of the one after the last.
ROUNDS = 8
COUNTER = jax.ShapeDtypeStruct((), np.int32)
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
    state, train = _training(name, dtype)
    x, y = _rows(work, batch)
    key = jax.eval_shape(lambda: jax.random.key(0))
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


def train_steps(name: str, work: Workload, batch: int, dtype: str) -> Step:
    """The hand-written loop over steps, on rows of data on the device in an order that is given.

    Raises:
        MissingWorkloadError: the network is not written by hand.
    """
    state, train = _training(name, dtype)

    def loop(leaves: list[Any], data: Any, order: Any, key: Any, start: Any, stop: Any) -> Any:
        def body(index: Any, leaves: list[Any]) -> Any:
            rows = lax.dynamic_slice_in_dim(order, index * batch, batch)
            return train(leaves, *(part[rows] for part in data), jax.random.fold_in(key, index))

        return lax.fori_loop(start, stop, body, leaves)

    order = jax.ShapeDtypeStruct((ROUNDS * batch,), np.int32)
    key = jax.eval_shape(lambda: jax.random.key(0))
    arguments = (jax.tree.leaves(state), _rows(work, ROUNDS * batch), order, key, COUNTER, COUNTER)
    return jitted(loop, arguments, (0,), batch)


def eval_steps(name: str, work: Workload, batch: int, dtype: str) -> Step:
    """The hand-written loop that sums losses and hits over data on the device.

    Raises:
        MissingWorkloadError: the network is not written by hand.
    """
    weights, logits = _network(name, dtype)

    def loop(weights: Any, totals: Any, data: Any, start: Any, stop: Any) -> Any:
        def body(index: Any, totals: Any) -> Any:
            x, y = (lax.dynamic_slice_in_dim(part, index * batch, batch) for part in data)
            z = logits(weights, x)
            loss = optax.softmax_cross_entropy_with_integer_labels(z, y).mean()
            return totals[0] + loss, totals[1] + (jnp.argmax(z, -1) == y).sum()

        return lax.fori_loop(start, stop, body, totals)

    totals = jax.ShapeDtypeStruct((), np.float32), COUNTER
    return jitted(loop, (weights, totals, _rows(work, ROUNDS * batch), COUNTER, COUNTER), (), batch)


def predict(name: str, work: Workload, batch: int, dtype: str) -> Step:
    """The hand-written outputs for a batch, after a softmax where the workload has one.

    Raises:
        MissingWorkloadError: the network is not written by hand.
    """
    weights, logits = _network(name, dtype)

    def outputs(weights: Any, x: Any) -> Any:
        z = logits(weights, x)
        return z if work.logits else jax.nn.softmax(z)

    return jitted(outputs, (weights, _rows(work, batch)[0]), (), batch)


def _network(name: str, dtype: str) -> tuple[Any, Any]:
    """Shapes of the weights and averages, and the function from them and inputs to logits in inference."""
    init, logits = jax_networks.network(name, dtype)
    weights = jax.eval_shape(lambda: init(jax.random.key(0)))
    return weights, lambda weights, x: logits(*weights, x, None, training=False)[0]


def _training(name: str, dtype: str) -> tuple[Any, Any]:
    """Shapes of what a step carries, and the step on the leaves of it."""
    jax_networks.network(name)
    steps: list[Any] = []

    def carry() -> Any:
        first, train = jax_scan.stepper(name, dtype)
        steps[:] = [train]
        return first

    state = jax.eval_shape(carry)
    structure = jax.tree.structure(state)

    def train(leaves: list[Any], x: Any, y: Any, key: Any) -> Any:
        return jax.tree.leaves(steps[0](jax.tree.unflatten(structure, leaves), x, y, key))

    return state, train


def _rows(work: Workload, rows: int) -> tuple[jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
    """Inputs and targets."""
    x = jax.ShapeDtypeStruct((rows, *work.shape), np.int32 if work.vocabulary else np.float32)
    return x, jax.ShapeDtypeStruct((rows, *work.targets), np.int32)


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
