"""The names of `keras.distribution`: strategies over meshes, and setting one for a whole script."""

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
    """The active strategy: that of the innermost `scope()`, or of `set_distribution`.

    >>> with DataParallel(devices=1).scope():
    ...     distribution()
    DataParallel(devices=1)
    """
    return strategy.current()


def set_distribution(value: Distribution | None) -> None:
    """Sets the strategy of all models that are compiled from now on; None removes it.

    Args:
        value: a strategy, or None.

    Raises:
        ArgumentError: it is not a strategy.

    >>> set_distribution(DataParallel(devices=1))
    >>> distribution()
    DataParallel(devices=1)
    >>> set_distribution(None)
    """
    strategy.make_current(value)
