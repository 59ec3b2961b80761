"""What a strategy says of the layouts of data, weights and other arrays, as Keras's distributions do."""

from __future__ import annotations

from typing import Any, Protocol

from jkeras.distribute.mesh import DeviceMesh, LayoutMap, TensorLayout
from jkeras.types import Shape


class WithPath(Protocol):
    """A variable: its shape, and its path in the model."""

    @property
    def shape(self) -> Any:
        """The sizes."""

    @property
    def path(self) -> str:
        """`"dense/kernel"`."""


def of_data(mesh: DeviceMesh, batch_axis: str, shape: Shape) -> TensorLayout:
    """The layout of an array whose first axis is the batch.

    >>> import jax
    >>> of_data(DeviceMesh((jax.device_count(),), ["batch"]), "batch", (8, 3)).axes
    ('batch', None)
    """
    return TensorLayout((batch_axis, *(None for _ in shape[1:])), mesh)


def of_variable(mesh: DeviceMesh, variable: WithPath, rules: LayoutMap | None = None) -> TensorLayout:
    """The layout of a weight: that of its path, else a copy on every device."""
    layout: TensorLayout | None = None if rules is None else rules[variable.path]
    return TensorLayout((None,) * len(variable.shape), mesh) if layout is None else layout
