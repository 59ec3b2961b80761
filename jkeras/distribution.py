"""The names of `keras.distribution`: strategies over meshes, and putting one in force for a whole script."""

from __future__ import annotations

from jkeras.distribute.devices import get_device_count as get_device_count
from jkeras.distribute.devices import list_devices as list_devices
from jkeras.distribute.mesh import DeviceMesh as DeviceMesh
from jkeras.distribute.mesh import LayoutMap as LayoutMap
from jkeras.distribute.mesh import TensorLayout as TensorLayout
from jkeras.distribute.mesh import distribute_tensor as distribute_tensor
from jkeras.distribute.processes import initialize as initialize
from jkeras.distribute.sharded import DataParallel as DataParallel
from jkeras.distribute.sharded import ModelParallel as ModelParallel
from jkeras.training import strategy
from jkeras.training.strategy import Strategy as Distribution


def distribution() -> Distribution | None:
    """The strategy in force: that of the innermost `scope()`, or of `set_distribution`."""
    return strategy.current()


def set_distribution(value: Distribution | None) -> None:
    """Puts a strategy in force for all models that are compiled from now on; None puts none in force.

    Raises:
        ArgumentError: it is not a strategy.
    """
    strategy.make_current(value)
