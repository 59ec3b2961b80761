"""Device meshes and layouts: which axis of an array is split along which axis of the mesh."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jkeras import arguments
from jkeras.distribute import devices as devices_
from jkeras.errors import ArgumentError, FrozenError
from jkeras.types import ArrayLike, Converted, DevicesField
from jkeras.values.fields import field
from jkeras.values.spec import Spec


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
        raise ArgumentError("expected a name for each axis, such as ['batch', 'model']")
    if len(set(value)) < len(value):
        raise ArgumentError("expected distinct names")
    return tuple(value)


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise ArgumentError("expected a size for each axis, such as (4, 2)")
    return tuple(arguments.positive_int(size) for size in value)


def _flat_devices(value: object) -> tuple[str, ...] | int | None:
    return devices_.as_names(value.reshape(-1).tolist() if isinstance(value, np.ndarray) else value)


class DeviceMesh(Spec):
    """A grid of devices with named axes.

    Args:
        shape: the size of each axis, `(8,)` or `(4, 2)`.
        axis_names: the name of each axis, `["batch", "model"]`.
        devices: the names of the devices; None takes all devices, whose number must equal the size of the grid.

    Raises:
        ArgumentError: the numbers of axes, names and devices do not match.

    >>> mesh = DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    >>> mesh.size, mesh.axis_size("model")
    (1, 1)
    """

    shape: Converted[Sequence[int], tuple[int, ...]] = field(convert=_shape)
    axis_names: Converted[Sequence[str], tuple[str, ...]] = field(convert=_names)
    devices: DevicesField = field(default=None, convert=_flat_devices)

    def __post_init__(self) -> None:
        if len(self.shape) != len(self.axis_names):
            raise ArgumentError(
                f"DeviceMesh(shape={self.shape}, axis_names={list(self.axis_names)}): {len(self.shape)} sizes, but"
                f" {len(self.axis_names)} names."
            )
        devices = self.devices if isinstance(self.devices, tuple) else devices_.list_devices()
        present = self.devices if isinstance(self.devices, int) else len(devices)
        if math.prod(self.shape) != present:
            shown = " x ".join(map(str, self.shape))
            raise ArgumentError(
                f"DeviceMesh(shape={self.shape}) has {shown} = {math.prod(self.shape)} places, but there are {present}"
                f" devices{'' if self.devices is None else ' in `devices`'}: {', '.join(devices[:8])}."
            )

    @property
    def size(self) -> int:
        """The number of devices."""
        return math.prod(self.shape)

    def axis_size(self, name: str) -> int:
        """The size of the axis with this name."""
        return self.shape[self.axis_names.index(name)]

    @property
    def backend_mesh(self) -> jax.sharding.Mesh:
        """JAX's mesh.

        Raises:
            ArgumentError: a device is not present.
        """
        devices = devices_.resolve(self.devices, local=False, what=f"DeviceMesh(shape={self.shape})")
        return jax.make_mesh(
            self.shape, self.axis_names, axis_types=(AxisType.Auto,) * len(self.shape), devices=devices
        )


def _axes(value: object) -> tuple[str | None, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise ArgumentError(
            "expected an axis of the mesh, or None, for each axis of the array, such as [None, 'model']"
        )
    named = [axis for axis in value if axis is not None]
    if not all(isinstance(axis, str) for axis in named) or len(set(named)) < len(named):
        raise ArgumentError("expected names of mesh axes, each at most once, or None")
    return tuple(value)


def _mesh(value: object) -> DeviceMesh:
    if not isinstance(value, DeviceMesh):
        raise ArgumentError("expected a `DeviceMesh`, or None")
    return value


class TensorLayout(Spec):
    """How an array is split: for each of its axes an axis of the mesh, or None if it is not split.

    Args:
        axes: `[None, "model"]` splits the columns of a matrix along the mesh's axis "model".
        device_mesh: the mesh; a `LayoutMap` inserts its own.

    Raises:
        ArgumentError: the mesh has no axis with this name.

    >>> TensorLayout([None, "model"]).axes
    (None, 'model')
    """

    axes: Converted[Sequence[str | None], tuple[str | None, ...]] = field(convert=_axes)
    device_mesh: DeviceMesh | None = field(default=None, convert=arguments.optional(_mesh))

    def __post_init__(self) -> None:
        if self.device_mesh is not None:
            unknown = [axis for axis in self.axes if axis is not None and axis not in self.device_mesh.axis_names]
            if unknown:
                raise ArgumentError(
                    f"TensorLayout({list(self.axes)}): the mesh has no axis {unknown[0]!r}; its axes are"
                    f" {list(self.device_mesh.axis_names)}."
                )

    @property
    def backend_layout(self) -> NamedSharding:
        """JAX's sharding.

        Raises:
            ArgumentError: there is no mesh.
        """
        if self.device_mesh is None:
            raise ArgumentError(f"TensorLayout({list(self.axes)}) needs a `device_mesh`.")
        return NamedSharding(self.device_mesh.backend_mesh, PartitionSpec(*self.axes))


# A layout, or its `axes`.
LayoutLike: TypeAlias = TensorLayout | Sequence[str | None]


class LayoutMap(MutableMapping[str, TensorLayout]):
    """Layouts by path: a key is the path of a weight, `"dense/kernel"`, or a regular expression to search for in it.

    Weights that match no key are copied to every device. `frozen` returns the immutable copy that a strategy holds.

    Args:
        device_mesh: the mesh of all layouts.
        rules: initial layouts by key; as in assignments, `axes` may replace a layout.
        frozen: whether the map is immutable.

    Raises:
        ArgumentError: `device_mesh` is not a mesh, or a key or layout is invalid.

    >>> import jax
    >>> layouts = LayoutMap(DeviceMesh((1, jax.device_count()), ["batch", "model"]))
    >>> layouts["dense.*kernel"] = (None, "model")
    >>> layouts["dense_1/kernel"].axes
    (None, 'model')
    >>> layouts["dense_1/bias"] is None
    True
    """

    def __init__(self, device_mesh: DeviceMesh, rules: Mapping[str, LayoutLike] | None = None, frozen: bool = False):
        if not isinstance(device_mesh, DeviceMesh):
            raise ArgumentError(f"LayoutMap(device_mesh={device_mesh!r}): expected a DeviceMesh.")
        self._device_mesh = device_mesh
        self._rules: dict[str, TensorLayout] = {}
        self._frozen = False
        for key, layout in (rules or {}).items():
            self[key] = layout
        self._frozen = frozen

    @property
    def device_mesh(self) -> DeviceMesh:
        """The mesh of all layouts."""
        return self._device_mesh

    def frozen(self) -> LayoutMap:
        """An immutable copy."""
        return LayoutMap(self._device_mesh, self._rules, frozen=True)

    def __getitem__(self, path: str) -> Any:  # a layout or None, which a MutableMapping of layouts cannot declare
        """The layout of a weight; None if no key matches.

        Raises:
            ArgumentError: several keys match.
        """
        if path in self._rules:
            return self._rules[path]
        fitting = [key for key in self._rules if re.search(key, path)]
        if len(fitting) > 1:
            raise ArgumentError(
                f"The layout of {path!r} is ambiguous: the keys {fitting} of the LayoutMap all match it."
            )
        return self._rules[fitting[0]] if fitting else None

    def __setitem__(self, key: str, layout: LayoutLike) -> None:
        if self._frozen:
            raise FrozenError(
                "The LayoutMap of a strategy cannot be changed. Create another LayoutMap and another strategy."
            )
        if key in self._rules:
            raise ArgumentError(f"The LayoutMap already has a layout for {key!r}, {self._rules[key]}; delete it first.")
        try:
            re.compile(key)
        except (re.error, TypeError) as error:
            raise ArgumentError(f"LayoutMap[{key!r}]: expected a path or a regular expression ({error}).") from None
        axes = layout.axes if isinstance(layout, TensorLayout) else layout
        if isinstance(layout, TensorLayout) and layout.device_mesh not in (None, self._device_mesh):
            raise ArgumentError(f"LayoutMap[{key!r}]: the mesh of the layout is not that of the LayoutMap.")
        self._rules[key] = TensorLayout(axes, self._device_mesh)

    def __delitem__(self, key: str) -> None:
        if self._frozen:
            raise FrozenError("The LayoutMap of a strategy cannot be changed.")
        del self._rules[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LayoutMap):
            return NotImplemented
        return self._device_mesh == other._device_mesh and self._rules == other._rules

    def __hash__(self) -> int:
        if not self._frozen:
            raise TypeError("unhashable: this LayoutMap is mutable; `frozen()` returns a hashable copy")
        return hash((self._device_mesh, tuple(self._rules.items())))

    def __repr__(self) -> str:
        return f"LayoutMap({self._device_mesh!r}, {self._rules!r})"


def process_count(mesh: jax.sharding.Mesh | jax.sharding.AbstractMesh) -> int:
    """The number of processes that own the devices of a mesh; 1 for a planned mesh."""
    if isinstance(mesh, jax.sharding.AbstractMesh):
        return 1
    return len({device.process_index for device in mesh.devices.flat})


def distribute_tensor(tensor: ArrayLike, layout: TensorLayout | jax.sharding.Sharding) -> jax.Array:
    """Places an array on devices according to a layout.

    Inside a compiled function, it constrains the sharding of the array.

    Args:
        tensor: an array.
        layout: a `TensorLayout` or a JAX sharding.

    Raises:
        ArgumentError: the layout has a different number of axes, or does not divide the array evenly.

    >>> mesh = DeviceMesh((1,), ["batch"], ["cpu:0"])
    >>> distribute_tensor(np.array([[1.0, 2.0]]), TensorLayout(["batch", None], mesh)).tolist()
    [[1.0, 2.0]]
    """
    if not isinstance(layout, (TensorLayout, jax.sharding.Sharding)):
        raise ArgumentError(
            f"distribute_tensor(layout={arguments.shown(layout)}): expected a `TensorLayout` or a `jax.sharding.Sharding`."
        )
    if not isinstance(tensor, jax.Array):
        tensor = arguments.checked("distribute_tensor", "tensor", tensor, arguments.array)
    sharding = layout.backend_layout if isinstance(layout, TensorLayout) else layout
    if isinstance(layout, TensorLayout):
        check_layout("The tensor", np.shape(tensor), layout)
    if isinstance(tensor, jax.core.Tracer):
        placed: jax.Array = jax.lax.with_sharding_constraint(tensor, sharding)
    else:
        placed = jax.device_put(tensor, sharding)
    return placed


def check_layout(what: str, shape: tuple[int, ...], layout: TensorLayout) -> None:
    """Checks a layout against a shape.

    Raises:
        ArgumentError: it has a different number of axes, or does not divide the array evenly.
    """
    mesh = layout.device_mesh
    if len(layout.axes) != len(shape):
        raise ArgumentError(
            f"{what} has shape {tuple(shape)}, which is {len(shape)} axes; its layout {list(layout.axes)} is for"
            f" {len(layout.axes)}."
        )
    for size, axis in zip(shape, layout.axes, strict=True):
        if axis is not None and mesh is not None and size % mesh.axis_size(axis):
            raise ArgumentError(
                f"{what} has shape {tuple(shape)}; its layout {list(layout.axes)} splits an axis of size {size} along"
                f" {axis!r}, which has {mesh.axis_size(axis)} devices and does not divide it."
            )
