"""`StackedRNNCells`: a stack of cells as one cell."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from jkeras.errors import ArgumentError
from jkeras.graph.layer import Layer
from jkeras.layers.recurrent import fields
from jkeras.layers.recurrent.cells import RecurrentCell
from jkeras.types import Array, PyTree
from jkeras.values.fields import field


@runtime_checkable
class Beginning(Protocol):
    """A cell that creates its initial states itself."""

    def get_initial_state(self, batch_size: int | None = None) -> Any: ...


@runtime_checkable
class Sized(Protocol):
    """A cell that declares the size of its output, if that differs from the first state."""

    @property
    def output_size(self) -> Any: ...


def call_cell(cell: Any, inputs: PyTree[Array], states: list[Any]) -> tuple[Any, Any]:
    """One step of any cell."""
    result: tuple[Any, Any] = cell(inputs, states) if callable(cell) else cell.call(inputs, states)
    return result


def initial_states(cell: Any, batch_size: int, dtype: str) -> list[Any]:
    """The states of a cell before the first step: the cell's own initial states, else zeros."""
    if isinstance(cell, Beginning):
        states = cell.get_initial_state(batch_size=batch_size)
    else:
        size = cell.state_size
        sizes = size if isinstance(size, (list, tuple)) else [size]
        states = [jnp.zeros((batch_size, n), cell.compute_dtype if isinstance(cell, Layer) else dtype) for n in sizes]
    return list(states) if isinstance(states, (list, tuple)) else [states]


def _cells(values: object) -> tuple[Any, ...]:
    if not isinstance(values, (list, tuple)) or not values:
        raise ArgumentError("expected a list of cells")
    return tuple(fields.cell(value) for value in values)


class StackedRNNCells(Layer):
    """Stacks cells: the output of each is the input of the next.

    The states are a list with one list of states per cell.

    Shapes: `(batch, features)` to the output of the last cell; the states are those of all cells.

    Args:
        cells: the cells, from the input to the output.

    >>> from jkeras import layers
    >>> layers.RNN(StackedRNNCells([layers.LSTMCell(4), layers.GRUCell(3)])).compute_output_shape((None, 7, 2))
    (None, 3)
    """

    mixes_samples: ClassVar[bool | None] = False

    cells: Any = field(convert=_cells)

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of every cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The output size of the last cell."""
        last = self.cells[-1]
        if isinstance(last, Sized) and last.output_size is not None:
            return last.output_size
        return last.state_size[0] if isinstance(last.state_size, (list, tuple)) else last.state_size

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The states before the first step, for every cell."""
        return [initial_states(cell, batch_size or 1, self.compute_dtype) for cell in self.cells]

    def call(
        self, inputs: PyTree[Array], states: PyTree[Array], training: bool | None = False
    ) -> tuple[Any, list[Any]]:
        after = []
        for cell, own in zip(self.cells, states, strict=True):
            nested = isinstance(own, (list, tuple))
            inputs, new = call_cell(cell, inputs, list(own) if nested else [own])
            after.append(new)
        return inputs, after

    @property
    def can_run(self) -> bool:
        """Whether all cells are built in, so that each can process the whole sequence before the next."""
        return all(isinstance(cell, RecurrentCell) and cell.can_run for cell in self.cells)

    def run(
        self,
        inputs: jax.Array,
        states: list[Any],
        seen: jax.Array | None,
        *,
        backwards: bool = False,
        keep_all: bool = True,
        zero_masked: bool = False,
    ) -> tuple[jax.Array | None, jax.Array, list[Any]]:
        """All steps of a sequence, cell by cell, with the same results as step by step. See `RecurrentCell.run`."""
        after: list[Any] = []
        outputs: jax.Array | None = inputs
        for cell, own in zip(self.cells, states, strict=True):
            top = len(after) == len(self.cells) - 1
            outputs, last, new = cell.run(
                outputs,
                own,
                seen,
                backwards=backwards,
                keep_all=keep_all or not top,
                zero_masked=zero_masked and top,
            )
            after.append(new)
            if backwards:  # outputs are in the order of processing
                backwards, seen = False, None if seen is None else jnp.flip(seen, 0)
        return outputs, last, after


__all__ = ["StackedRNNCells"]
