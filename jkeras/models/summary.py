"""`model.summary()`: the layers as a table, in Keras's shape."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras.graph.layer import Layer
from jkeras.graph.network import is_ref
from jkeras.graph.shapes import show_shape
from jkeras.models.base import ModelValue
from jkeras.models.cost import layer_costs, show_count, step_cost
from jkeras.training.state import arrays_of

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
    members = model.children() if model._is_chain or network is None else network.layers
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
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    network = model._network
    branching = network is not None and not model._is_chain and any(len(op.args.leaves) for op in network.ops)
    infos = list(model.description.weights) if model.built else []
    table = Table(show_lines=True, header_style="bold", title=None)
    table.add_column("Layer (type)", overflow="fold")
    table.add_column("Output Shape", overflow="fold")
    table.add_column("Param #", justify="right")
    if show_trainable:
        table.add_column("Trainable", justify="center")
    costs = layer_costs(model) if show_cost else {}
    if show_cost:
        table.add_column("Operations", justify="right")
        table.add_column("Output", justify="right")
    if branching:
        table.add_column("Connected to", overflow="fold")
    rows = _rows(model, (), expand_nested, 0)
    if layer_range:
        names = [row[0] for row in rows]
        rows = rows[names.index(layer_range[0]) : names.index(layer_range[1]) + 1]
    for name, layer, path, depth in rows:
        weights = [info for info in infos if info.path[: len(path)] == path]
        shape = _output_shape(model, name) if depth == 0 else "-"
        cells = [f"{'  ' * depth}{name} ({type(layer).__name__})", shape, f"{_count(weights):,}" if infos else "?"]
        if show_trainable:
            trainable = all(info.trainable for info in weights if info.collection == "params")
            cells.append(("Y" if trainable else "N") if weights else "-")
        if show_cost:
            operations, held = costs.get(name, (float("nan"), 0)) if depth == 0 else (float("nan"), 0)
            cells += [show_count(operations), show_bytes(held) if held else "?"]
        if branching:
            cells.append(_connected_to(model, name) if depth == 0 else "-")
        table.add_row(*map(escape, cells))

    stream = io.StringIO()
    width = line_length or (None if print_fn is None else 98)
    console = Console(file=stream, width=width) if print_fn is not None else Console(width=width)
    title = f'Model: "{model.name or model._base_name}"'
    console.print(f"[bold]{escape(title)}[/bold]", highlight=False)
    console.print(table)
    for line in [*_footer(model, infos), *(_costs(model, costs) if show_cost else [])]:
        console.print(line, highlight=False)
    if print_fn is not None:
        print_fn(stream.getvalue())


def _costs(model: Model, costs: dict[str, tuple[float, int]]) -> list[str]:
    lines = []
    if costs:
        operations, held = (sum(cost[i] for cost in costs.values()) for i in (0, 1))
        lines.append(f" One sample forward: {show_count(operations)} operations, {show_bytes(held)} of outputs")
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
    state = model._spec_contents.state
    if state is not None and arrays_of(state).opt_state is not None:
        leaves = [leaf for leaf in jax.tree.leaves(state.opt_state) if isinstance(leaf, (jax.Array, np.ndarray))]
        count = sum(leaf.size for leaf in leaves)
        lines.append(f" Optimizer params: {count:,} ({show_bytes(sum(leaf.nbytes for leaf in leaves))})")
    return lines
