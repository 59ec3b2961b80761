"""Strategies over a mesh: `DataParallel`, `FSDP`, `ModelParallel`."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import jax
import numpy as np
from jax.sharding import AxisType, PartitionSpec

from jkeras import arguments
from jkeras.distribute import devices as devices_
from jkeras.distribute import layouts
from jkeras.distribute.mesh import DeviceMesh, LayoutMap, TensorLayout, check_layout
from jkeras.distribute.meshes import MeshLayout
from jkeras.errors import ArgumentError
from jkeras.graph.scope import WeightInfo
from jkeras.paths import array_name
from jkeras.training.state import TrainState, arrays_of
from jkeras.training.strategy import Strategy
from jkeras.types import ArrayLike, DevicesField, PyTree, Shape
from jkeras.values.fields import field

REPLICATED: PartitionSpec = PartitionSpec()


def _mesh(value: object) -> DeviceMesh | None:
    if value is None or isinstance(value, DeviceMesh):
        return value
    raise ArgumentError("expected a DeviceMesh or None")


_ALL: Any = None


class MeshAttributes:
    """What each strategy declares as a field or a constant (see `jkeras.values.fields`)."""

    device_mesh: DeviceMesh | None = None
    devices: DevicesField = _ALL
    auto_shard_dataset: bool = True


class MeshStrategy(MeshAttributes, Strategy):
    """Base of the strategies that shard arrays over a mesh of devices and leave the rest to the compiler."""

    layout_class: ClassVar[type[MeshLayout]] = MeshLayout
    # Whether a step gathers sharded weights before it computes with them.
    gathers_weights: ClassVar[bool] = False
    # Whether the mesh has only devices of this process.
    local: ClassVar[bool] = False

    # Whether `fit` returns whole weights in each process if they are sharded across several.
    gather: bool = field(default=True, convert=arguments.boolean, kw_only=True)

    def __post_init__(self) -> None:
        if self.device_mesh is not None and self.devices is not None:
            raise ArgumentError(f"{type(self).__name__}: give device_mesh or devices, not both.")
        if self.devices is not None:
            self._resolved()

    def _resolved(self) -> list[jax.Device]:
        return devices_.resolve(self.devices, local=self.local, what=type(self).__name__)

    @property
    def batch_axis(self) -> str:
        """The mesh axis that batches are divided along."""
        return "batch" if self.device_mesh is None else self.device_mesh.axis_names[0]

    def mesh(self) -> jax.sharding.Mesh:
        """JAX's mesh; inside `planned_on` the planned mesh, which has no devices.

        Raises:
            ArgumentError: a device is not there.
        """
        return _planned.get() or _mesh_of(self)

    def build_mesh(self) -> jax.sharding.Mesh:
        if self.device_mesh is not None:
            return self.device_mesh.backend_mesh
        devices = self._resolved()
        return jax.sharding.Mesh(np.array(devices), (self.batch_axis,), axis_types=(AxisType.Auto,))

    def planned_shape(self, present: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The sizes and names of the mesh axes for a given number of devices."""
        if self.device_mesh is not None:
            return self.device_mesh.shape, self.device_mesh.axis_names
        count = len(self.devices) if isinstance(self.devices, tuple) else self.devices
        return (count or present,), (self.batch_axis,)

    @property
    def num_replicas_in_sync(self) -> int:
        """The number of parts that a batch is divided into."""
        return int(self.mesh().shape[self.batch_axis])

    def _grid(self) -> DeviceMesh:
        """The mesh as a description."""
        if self.device_mesh is not None:
            return self.device_mesh
        return DeviceMesh(*self.planned_shape(len(self._resolved())), devices=self.devices)

    def get_data_layout(self, data_shape: Shape) -> TensorLayout:
        """How data of a shape are split: along their first axis."""
        return layouts.of_data(self._grid(), self.batch_axis, data_shape)

    def layout(self) -> MeshLayout:
        return self.layout_class(self)

    def state_specs(self, state: TrainState) -> PyTree[Any]:
        """For each array of a state, the mesh axes that it is split along."""
        return jax.tree.map(lambda leaf: REPLICATED, state)

    def check_weights(self, weights: Iterable[WeightInfo]) -> None:
        """Checks the strategy against the weights of a model.

        Raises:
            ArgumentError: they do not go together.
        """


_planned: contextvars.ContextVar[Any] = contextvars.ContextVar("jkeras_planned_mesh", default=None)


@contextlib.contextmanager
def planned_on(mesh: jax.sharding.Mesh | jax.sharding.AbstractMesh | None) -> Iterator[None]:
    """A block in which strategies use this mesh, whose devices need not be present, or their own for None."""
    before = _planned.set(mesh)
    try:
        yield
    finally:
        _planned.reset(before)


@functools.lru_cache(maxsize=16)
def _mesh_of(strategy: MeshStrategy) -> jax.sharding.Mesh:
    return strategy.build_mesh()


class _OverDevices(MeshStrategy):
    """Base of the strategies that take a mesh or devices."""

    device_mesh: DeviceMesh | None = field(default=None, convert=_mesh)
    devices: DevicesField = field(default=None, convert=devices_.as_names)
    auto_shard_dataset: bool = field(default=True, convert=arguments.boolean)


class DataParallel(_OverDevices):
    """Every device has all weights and a part of each batch.

    Gradients are summed over the devices; batch statistics, losses and metrics are those of the whole batch.

    Args:
        device_mesh: a mesh; batches are divided along its first axis.
        devices: instead of a mesh, names of devices, a number, or None for all.
        auto_shard_dataset: with several processes, whether each is passed all data and takes its rows; False if each
            passes only its own rows, which together are the batch.
        gather: no effect here, because weights are never split.

    Raises:
        ArgumentError: a device is not present.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)])
    >>> model = model.compile("sgd", "mse", distribute=DataParallel(devices=1))
    >>> model.recipe.distribute
    DataParallel(devices=1)
    """

    def get_variable_layout(self, variable: layouts.WithPath) -> TensorLayout:
        """The layout of a weight: not split."""
        return layouts.of_variable(self._grid(), variable)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout of an array between layers: None, so that the compiler decides."""
        return None


class FSDP(_OverDevices):
    """Every device has a part of each batch, of the weights and of the optimizer's state.

    A step gathers each weight where it is used, keeps it until the backward pass no longer needs it, and reduces its gradient
    to the shards. A weight is split along an axis that is divisible by the number of devices: the one whose parts take the
    least memory on a TPU, which keeps arrays in tiles of 8 x 128 numbers, and of several the longest.

    Args:
        device_mesh: a mesh; batches and weights are divided along its first axis.
        devices: instead of a mesh, names of devices, a number, or None for all.
        auto_shard_dataset: as in `DataParallel`.
        min_size: weights with fewer elements are copied to every device.
        gather: with several processes, whether `fit` returns, and callbacks see, whole weights in each process.
            Use False for models that are too large for one device.

    Raises:
        ArgumentError: a device is not present.

    Source: Rajbhandari et al. 2020 (ZeRO); fully sharded data parallel in PyTorch.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)])
    >>> model.compile("sgd", "mse", distribute=FSDP(devices=1)).recipe.distribute
    FSDP(devices=1)
    """

    gathers_weights: ClassVar[bool] = True

    min_size: int = field(default=256, convert=arguments.at_least(0))

    def state_specs(self, state: TrainState) -> PyTree[Any]:
        parts = self.num_replicas_in_sync

        def spec(leaf: ArrayLike) -> PartitionSpec:
            shape = np.shape(leaf)
            fitting = [i for i, size in enumerate(shape) if size % parts == 0]
            if math.prod(shape) < max(self.min_size, 1) or not fitting:
                return REPLICATED
            split = min(fitting, key=lambda i: (_tiles([*shape[:i], shape[i] // parts, *shape[i + 1 :]]), -shape[i]))
            return PartitionSpec(*(self.batch_axis if i == split else None for i in range(split + 1)))

        copied = jax.tree.map(lambda leaf: REPLICATED, state)
        arrays = arrays_of(state)
        return copied.replace(params=jax.tree.map(spec, arrays.params), opt_state=jax.tree.map(spec, arrays.opt_state))


def _tiles(sizes: list[int]) -> int:
    """How many tiles of 8 x 128 numbers an array takes, with the two axes in them that make it fewest.

    >>> _tiles([32, 4, 32]), _tiles([128, 4, 8]), _tiles([2000, 128])
    (16, 4, 250)
    """
    elements = math.prod(sizes)
    pairs = itertools.permutations([1, *sizes], 2)
    return min(elements // (rows * columns) * -(-rows // 8) * -(-columns // 128) for rows, columns in pairs)


def _frozen(value: object) -> LayoutMap:
    if not isinstance(value, LayoutMap):
        raise ArgumentError(
            "expected a LayoutMap: `layouts = LayoutMap(mesh); layouts['dense.*kernel'] = (None, 'model')`"
        )
    return value.frozen()


def _axis_name(value: object) -> str | None:
    return None if value is None else arguments.text(value)


class ModelParallel(MeshStrategy):
    """Weights are split according to a `LayoutMap`, batches along one axis of its mesh.

    The optimizer's state is split like the weights that it belongs to. Weights without a layout are copied to every device.

    Args:
        layout_map: layouts by path; its mesh is the strategy's.
        batch_dim_name: the mesh axis that batches are divided along, by default the first.
        auto_shard_dataset: as in `DataParallel`.
        gather: as in `FSDP`.

    Raises:
        ArgumentError: the mesh has no such axis. In `fit`: a key of the map matches no weight, several keys match one
            weight, or a layout does not match a weight's shape.

    >>> import jax
    >>> import jkeras as jk
    >>> from jkeras.distribute import DeviceMesh, LayoutMap
    >>> layouts = LayoutMap(DeviceMesh((1, jax.device_count()), ["batch", "model"]))
    >>> layouts["dense/kernel"] = (None, "model")
    >>> strategy = ModelParallel(layout_map=layouts)
    >>> strategy.batch_axis, strategy.num_replicas_in_sync
    ('batch', 1)
    """

    layout_map: LayoutMap = field(convert=_frozen, kw_only=True)
    batch_dim_name: str | None = field(default=None, convert=_axis_name, kw_only=True)
    auto_shard_dataset: bool = field(default=True, convert=arguments.boolean, kw_only=True)

    def __post_init__(self) -> None:
        names = self.layout_map.device_mesh.axis_names
        if self.batch_dim_name is not None and self.batch_dim_name not in names:
            raise ArgumentError(
                f"ModelParallel(batch_dim_name={self.batch_dim_name!r}): the mesh has no such axis; its axes are {list(names)}."
            )

    @property
    def batch_axis(self) -> str:
        return self.batch_dim_name or self.layout_map.device_mesh.axis_names[0]

    def _grid(self) -> DeviceMesh:
        return self.layout_map.device_mesh

    def get_variable_layout(self, variable: layouts.WithPath) -> TensorLayout:
        """How a weight is split: as the map says of its path."""
        return layouts.of_variable(self._grid(), variable, self.layout_map)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """How an array between layers is split, where the map has its path."""
        layout: TensorLayout | None = self.layout_map[path]
        return layout

    def build_mesh(self) -> jax.sharding.Mesh:
        return self.layout_map.device_mesh.backend_mesh

    def planned_shape(self, present: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
        return self.layout_map.device_mesh.shape, self.layout_map.device_mesh.axis_names

    def state_specs(self, state: TrainState) -> PyTree[Any]:
        layouts = {}
        arrays = arrays_of(state)
        for part in (arrays.params, arrays.model_state):
            for path, leaf in jax.tree_util.tree_leaves_with_path(part):
                name = array_name("", path)[1:]
                layouts[name] = (leaf.shape, self._spec(name))

        def of(part: str, tree: PyTree[Any]) -> PyTree[Any]:
            return jax.tree_util.tree_map_with_path(
                lambda path, leaf: _belonging(array_name(part, path), leaf, layouts), tree
            )

        copied = jax.tree.map(lambda leaf: REPLICATED, state)
        return copied.replace(
            params=of("params", arrays.params),
            model_state=of("state", arrays.model_state),
            opt_state=of("opt", arrays.opt_state),
        )

    def _spec(self, path: str) -> PartitionSpec:
        layout = self.layout_map[path]
        return REPLICATED if layout is None else PartitionSpec(*layout.axes)

    def check_weights(self, weights: Iterable[WeightInfo]) -> None:
        shapes = {weight.name: tuple(weight.shape) for weight in weights}
        layouts: dict[str, TensorLayout] = {}
        for path, shape in shapes.items():
            layout = self.layout_map[path]
            if layout is not None:
                check_layout(f"The weight {path!r}", shape, layout)
                layouts[path] = layout
        for key in self.layout_map:
            if not any(self.layout_map[path] is self.layout_map[key] for path in layouts):
                raise ArgumentError(
                    f"The key {key!r} of the LayoutMap matches no weight of the model. Its weights are {', '.join(shapes)}."
                )


def _belonging(name: str, leaf: ArrayLike, layouts: dict[str, tuple[Shape, PartitionSpec]]) -> PartitionSpec:
    """The layout of the weight that an array of the state corresponds to by path and shape."""
    shape = np.shape(leaf)
    parts = name.split("/")
    for i in range(1, len(parts)):
        known = layouts.get("/".join(parts[i:]))
        if known is not None and known[0] == shape:
            return known[1]
    return REPLICATED
