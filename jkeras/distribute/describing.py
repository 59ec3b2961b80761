"""Where the arrays of a model are placed, and how many bytes each device holds."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, cast

import jax
import numpy as np

from jkeras import arguments
from jkeras.console.tables import aligned
from jkeras.distribute.devices import name_of
from jkeras.distribute.sharded import MeshStrategy
from jkeras.errors import ArgumentError
from jkeras.graph.layer import Layer
from jkeras.training.state import TrainState, named_arrays
from jkeras.training.strategy import Strategy, as_strategy

if TYPE_CHECKING:
    from jkeras.models.model import Model


@dataclasses.dataclass(frozen=True)
class Line:
    """One array: its name, shape, the axes it is split along (a string), its bytes, and its bytes on one device."""

    name: str
    shape: tuple[int, ...]
    layout: str
    nbytes: int
    nbytes_per_device: int


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where a model's weights and optimizer state are placed.

    Attributes:
        strategy: the strategy that places them; None for one device.
        lines: one entry per array.
        devices: the names of the devices.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2)]).compile("sgd", "mse").init(0)
    >>> placement = jk.distribute.describe(model)
    one device: 1 device (cpu:0)
    array                    shape  split  bytes  per device
    params/dense/bias        2      -          8           8
    params/dense/kernel      4 x 2  -         32          32
    opt_state/iterations     -      -          4           4
    opt_state/learning_rate  -      -          4           4
    all                                       48          48
    >>> placement.nbytes == placement.bytes_per_device, len(placement.devices)
    (True, 1)
    """

    strategy: Strategy | None
    lines: tuple[Line, ...]
    devices: tuple[str, ...]

    @property
    def bytes_per_device(self) -> int:
        """The bytes that one device holds."""
        return sum(line.nbytes_per_device for line in self.lines)

    @property
    def nbytes(self) -> int:
        """The bytes that one device would hold if every array were copied to it."""
        return sum(line.nbytes for line in self.lines)

    def __str__(self) -> str:
        rows = [("array", "shape", "split", "bytes", "per device")]
        rows += [
            (
                line.name,
                " x ".join(map(str, line.shape)) or "-",
                line.layout,
                f"{line.nbytes:,}",
                f"{line.nbytes_per_device:,}",
            )
            for line in self.lines
        ]
        rows.append(("all", "", "", f"{self.nbytes:,}", f"{self.bytes_per_device:,}"))
        count = len(self.devices)
        shown = ", ".join(self.devices[:8]) + (", ..." if count > 8 else "")
        title = "one device" if self.strategy is None else repr(self.strategy)
        heading = f"{title}: {count} device{'s' * (count != 1)} ({shown})"
        return "\n".join([heading, *aligned(rows, numbers={3, 4})])


def describe(model: Model, strategy: Strategy | None = None, *, verbose: bool = True) -> Placement:
    """Prints where a model's strategy places each weight and each array of the optimizer's state.

    Nothing is moved or computed.

    Args:
        model: a built model; if it is compiled, the optimizer's state is included.
        strategy: the strategy to use instead of the one that the model was compiled with.
        verbose: whether to print.

    Returns:
        The same information as a value: `.lines`, `.bytes_per_device`, `.nbytes`.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(8)])
    >>> placement = describe(model, jk.distribute.DataParallel(devices=1))
    DataParallel(devices=1): 1 device (cpu:0)
    array                shape  split  bytes  per device
    params/dense/bias    8      -         32          32
    params/dense/kernel  4 x 8  -        128         128
    all                                  160         160
    """
    arguments.checked("describe", "model", model, _model)
    arguments.checked("describe", "strategy", strategy, as_strategy)
    arguments.flags("describe", verbose=verbose)
    strategy = strategy or (None if model.recipe is None else model.recipe.distribute)
    state = _state(model)
    names = [
        (name, leaf) for name, leaf in named_arrays(state.replace(metrics=None)).items() if name not in ("step", "rng")
    ]
    if isinstance(strategy, MeshStrategy):
        strategy.check_weights(model.description.weights)
        mesh = strategy.mesh()
        specs = strategy.state_specs(state)
        arrays = named_arrays(specs.replace(rng=jax.random.key(0)))
        layouts = [tuple(arrays[name]) for name, _ in names]
        devices = [name_of(device) for device in mesh.devices.flat]
        sizes = dict(mesh.shape)
    else:
        layouts, devices, sizes = [()] * len(names), [name_of(jax.local_devices()[0])], {}
    lines = []
    for (name, leaf), layout in zip(names, layouts, strict=True):
        nbytes = math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize
        parts = math.prod(sizes[axis] for axis in layout if axis is not None)
        shown = ", ".join("-" if axis is None else str(axis) for axis in layout) or "-"
        lines.append(Line(name, tuple(leaf.shape), shown, nbytes, nbytes // parts))
    placement = Placement(strategy, tuple(lines), tuple(devices))
    if verbose:
        print(placement)
    return placement


def _model(value: object) -> Model:
    if not (isinstance(value, Layer) and hasattr(value, "recipe")):
        raise ArgumentError("expected a model")
    return cast("Model", value)


def _state(model: Model) -> TrainState:
    """The shapes of a model's state, including the optimizer's state if the model is compiled."""
    whole = model if model.recipe is None else None
    state: TrainState = jax.eval_shape(lambda: (whole or model.with_optimizer_state()).state)
    return state
