"""`model.summary()`: the layers as a table, in Keras's shape."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras import arguments
from jkeras.console.lines import visible
from jkeras.errors import ArgumentError, suggestion
from jkeras.graph.layer import Layer
from jkeras.graph.network import is_ref
from jkeras.graph.shapes import show_shape
from jkeras.models.base import ModelValue
from jkeras.models.cost import layer_costs, show_count, step_cost

if TYPE_CHECKING:
    from jkeras.models.model import Model


def _count(weights: list[Any]) -> int:
    return sum(int(np.prod(info.shape)) for info in weights)


def _size(weights: list[Any]) -> str:
    count = sum(int(np.prod(info.shape)) * np.dtype(info.dtype).itemsize for info in weights)
    return show_bytes(count)


def show_bytes(count: float) -> str:
    """A number of bytes as Keras prints it.

    >>> show_bytes(1536)
    '1.50 KB'
    """
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if count < 1024 or unit == "TB":
            return f"{count:.2f} {unit}"
        count /= 1024
    return ""


def _rows(
    model: ModelValue, path: tuple[str, ...], expand: bool, depth: int
) -> list[tuple[str, Layer, tuple[str, ...], int]]:
    """Name, layer, path of weights and nesting depth of each line."""
    network = model._network
    members = model.children() if model.is_chain or network is None else network.layers
    rows = []
    for name, layer in members.items():
        rows.append((name, layer, (*path, name), depth))
        if expand and isinstance(layer, ModelValue):
            rows += _rows(layer, (*path, name), expand, depth + 1)
    return rows


def _output_shape(model: Model, name: str) -> str:
    network = model._network
    if network is None or name not in network.layers:
        return "?"
    shapes = [show_shape(tensor.shape) for tensor in network.outputs_of(name)]
    return ", ".join(dict.fromkeys(shapes))


def _connected_to(model: Model, name: str) -> str:
    network = model._network
    if network is None:
        return "-"
    makers = {result: (op.layer, i) for op in network.ops for i, result in enumerate(op.results)}
    makers.update({info.ref: (info.name, 0) for info in network.input_infos})
    sources = []
    for op in network.ops:
        if op.layer == name:
            refs = [leaf for leaf in (*op.args.leaves, *op.kwargs.leaves) if is_ref(leaf)]
            sources += [f"{makers[ref.index][0]}[{makers[ref.index][1]}]" for ref in refs]
    return ", ".join(sources) or "-"


class Contents:
    """The contents of a summary, independent of its presentation; arguments as in `Model.summary`.

    Attributes:
        title: the line above the table.
        footer: the lines below it.
    """

    def __init__(
        self,
        model: Model,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: tuple[str, str] | None = None,
        show_cost: bool = False,
    ):
        self.model = model
        self._expand, self._trainable, self._range, self._cost = expand_nested, show_trainable, layer_range, show_cost
        self._infos = list(model.description.weights) if model.built else []
        self._costs = layer_costs(model) if show_cost else {}
        self.title: str = f'Model: "{model.name or model.default_name}"'
        self.footer: list[str] = [*_footer(model, self._infos), *(_costs(model, self._costs) if show_cost else [])]

    def table(self) -> tuple[list[tuple[str, dict[str, Any]]], list[list[str]]]:
        """The columns, each with options for a table of rich, and the cells of each row."""
        network = self.model._network
        branching = network is not None and not self.model.is_chain and any(len(op.args.leaves) for op in network.ops)
        columns: list[tuple[str, dict[str, Any]]] = [
            ("Layer (type)", {"overflow": "fold"}),
            ("Output Shape", {"overflow": "fold"}),
            ("Param #", {"justify": "right"}),
        ]
        columns += [("Trainable", {"justify": "center"})] if self._trainable else []
        columns += [("Operations", {"justify": "right"}), ("Output", {"justify": "right"})] if self._cost else []
        columns += [("Connected to", {"overflow": "fold"})] if branching else []
        rows = _rows(self.model, (), self._expand, 0)
        if self._range:
            names = [row[0] for row in rows]
            for name in self._range:
                if name not in names:
                    raise ArgumentError(
                        f"summary(layer_range={self._range!r}): no layer {name!r}.{suggestion(name, names)}"
                    )
            rows = rows[names.index(self._range[0]) : names.index(self._range[1]) + 1]
        return columns, [self._cells(*row, branching) for row in rows]

    def _cells(self, name: str, layer: Layer, path: tuple[str, ...], depth: int, branching: bool) -> list[str]:
        weights = [info for info in self._infos if info.path[: len(path)] == path]
        shape = _output_shape(self.model, name) if depth == 0 else "-"
        count = f"{_count(weights):,}" if self._infos else "?"
        cells = [f"{'  ' * depth}{name} ({type(layer).__name__})", shape, count]
        if self._trainable:
            params = [info for info in weights if info.collection == "params"]
            # One trainable weight is enough: under LoRA only the kernel is frozen.
            trainable = not params or any(info.trainable for info in params)
            cells.append(("Y" if trainable else "N") if weights else "-")
        if self._cost:
            operations, size = self._costs.get(name, (float("nan"), 0)) if depth == 0 else (float("nan"), 0)
            cells += [show_count(operations), show_bytes(size) if size else "?"]
        if branching:
            cells.append(_connected_to(self.model, name) if depth == 0 else "-")
        return cells


def _fractions(value: object) -> list[float]:
    try:
        return [arguments.number(position) for position in arguments.entries(value)]
    except ArgumentError:
        raise ArgumentError("expected a list of numbers") from None


def summary(
    model: Model,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: tuple[str, str] | None = None,
    show_cost: bool = False,
) -> None:
    """Prints the table; see `Model.summary`."""
    arguments.checked("summary", "line_length", line_length, arguments.optional(arguments.positive_int))
    positions = arguments.checked("summary", "positions", positions, arguments.optional(_fractions))
    arguments.checked("summary", "print_fn", print_fn, arguments.optional(arguments.function))
    arguments.checked("summary", "layer_range", layer_range, arguments.optional(arguments.texts))
    arguments.flags("summary", expand_nested=expand_nested, show_trainable=show_trainable, show_cost=show_cost)
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    contents = Contents(model, expand_nested, show_trainable, layer_range, show_cost)
    columns, rows = contents.table()
    # Prints text in notebooks too, in one piece; the value of a cell is shown as an HTML table.
    console = Console(width=line_length or (None if print_fn is None else 98), force_jupyter=False)
    table = Table(show_lines=True, header_style="bold", title=None)
    widths = [None] * len(columns) if positions is None else _widths(positions, len(columns), console.width)
    for (name, options), size in zip(columns, widths, strict=True):
        table.add_column(name, **options, width=size)
    for cells in rows:
        table.add_row(*map(escape, cells))

    with console.capture() as capture:
        console.print(f"[bold]{escape(contents.title)}[/bold]", highlight=False)
        console.print(table)
        for line in contents.footer:
            console.print(line, highlight=False)
    if print_fn is None:
        sys.stdout.write(capture.get())
    else:
        print_fn(visible(capture.get()))


def _widths(positions: Sequence[float], columns: int, width: int) -> list[int]:
    """The room for text in columns that end at some fractions of a width."""
    ends = [round(position * width) for position in positions]
    sizes = [end - begin - 3 for begin, end in zip([0, *ends], ends, strict=False)]
    if len(sizes) != columns or min(sizes) < 1 or ends[-1] > width:
        raise ArgumentError(
            f"summary(positions={arguments.shown(positions)}): expected {columns} increasing fractions of the width of {width}"
            " characters, where the columns end; each needs 4 characters or more."
        )
    return sizes


def _costs(model: Model, costs: dict[str, tuple[float, int]]) -> list[str]:
    lines = []
    if costs:
        operations, nbytes = (sum(cost[i] for cost in costs.values()) for i in (0, 1))
        lines.append(f" One sample forward: {show_count(operations)} operations, {show_bytes(nbytes)} of outputs")
    step = step_cost(model)
    if "flops" in step:
        moved = f", {show_bytes(step['bytes'])} moved" if "bytes" in step else ""
        lines.append(f" One training step of 32 samples: {show_count(step['flops'])} operations{moved} (XLA)")
    return lines


def _footer(model: Model, infos: list[Any]) -> list[str]:
    if not infos and not model.built:
        return [" Not built yet: the number of weights is known after `model.build(input_shape)` or the first data."]
    trainable = [info for info in infos if info.trainable]
    frozen = [info for info in infos if not info.trainable]
    lines = [
        f" Total params: {_count(infos):,} ({_size(infos)})",
        f" Trainable params: {_count(trainable):,} ({_size(trainable)})",
        f" Non-trainable params: {_count(frozen):,} ({_size(frozen)})",
    ]
    if model.opt_state is not None:
        leaves = [leaf for leaf in jax.tree.leaves(model.opt_state) if isinstance(leaf, (jax.Array, np.ndarray))]
        count = sum(leaf.size for leaf in leaves)
        lines.append(f" Optimizer params: {count:,} ({show_bytes(sum(leaf.nbytes for leaf in leaves))})")
    return lines
