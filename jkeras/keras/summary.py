"""`model.summary()`: the layers of a model as a table."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np

from jkeras import config, tree
from jkeras.arguments import checked, entries, function, optional, positive_int
from jkeras.console.messages import print_msg
from jkeras.errors import ArgumentError
from jkeras.models.summary import show_bytes


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints the table; arguments as in `Model.summary`.

    Raises:
        ValueError: the lines are too short, or `layer_range` does not match any layers.
    """
    import rich.console
    import rich.table

    if print_fn is None and not config.interactive_logging:
        print_fn = print_msg
    checked("summary", "line_length", line_length, optional(positive_int))
    checked("summary", "positions", positions, optional(entries))
    checked("summary", "print_fn", print_fn, optional(function))
    checked("summary", "layer_range", layer_range, optional(entries))
    nodes = _relevant_nodes(model)
    header = {"Layer (type)": "left", "Output Shape": "left", "Param #": "right"}
    positions = list(positions or ([0.45, 0.80, 1.0] if nodes is None else [0.3, 0.56, 0.74, 1.0]))
    width = 88 if nodes is None else 108
    if nodes is not None:
        header["Connected to"] = "left"
    if show_trainable:
        header["Trainable"] = "center"
        width += 12
        positions = [position * 0.9 for position in positions] + [1.0]
    width = line_length or min(width, shutil.get_terminal_size().columns - 4)
    ends = [int(position * width) for position in positions]
    table = rich.table.Table(width=width, show_lines=True)
    for (title, side), begin, end in zip(header.items(), [0, *ends], ends, strict=False):
        if end - begin < 4:
            raise ArgumentError("Insufficient console width to print summary.")
        table.add_column(title, justify=side, width=end - begin)  # type: ignore[arg-type]
    layers = model.operations if _is_graph(model) else model.layers
    first, last = layer_bounds(layers, layer_range)
    for layer in layers[first:last]:
        for row in _rows(layer, nodes, expand_nested, show_trainable, 0):
            table.add_row(*row)

    console = rich.console.Console(highlight=False)
    if print_fn is not None:
        console = rich.console.Console(highlight=False, force_terminal=False, color_system=None)
        console.begin_capture()
    console.print(f'[bold]Model: "{_escape(model.name)}"[/]')
    console.print(table)
    for title, weights in _totals(model).items():
        count = _highlight(f"{_count(weights):,}")
        console.print(f"[bold] {title} params: [/]{count} ({show_bytes(_memory(weights))})")
    if print_fn is not None:
        print_fn(console.end_capture())


def _escape(text: str) -> str:
    import rich.markup

    return rich.markup.escape(text)


def _highlight(text: Any) -> str:
    return f"[color(34)]{text}[/]"


def _is_graph(model: Any) -> bool:
    from jkeras.keras.functional import Functional
    from jkeras.keras.sequential import Sequential

    return isinstance(model, Functional) and not isinstance(model, Sequential)


def _relevant_nodes(model: Any) -> list[Any] | None:
    """The calls in a model whose layers are no chain; None for a chain and for models that are no graph."""
    if not _is_graph(model):
        return None
    by_depth = list(model._nodes_by_depth.values())
    nodes = [node for level in by_depth for node in level]
    called = [id(node.operation) for node in nodes]
    chain = all(len(level) == 1 and len(tree.flatten(level[0].input_tensors)) <= 1 for level in by_depth)
    return None if chain and len(called) == len(set(called)) else nodes


def _rows(layer: Any, nodes: list[Any] | None, expand: bool, show_trainable: bool, depth: int) -> list[list[str]]:
    indent = "   " * depth + "└ " if depth else ""
    if not hasattr(layer, "built"):
        count = _highlight(0)
    elif not layer.built:
        count = f"{_highlight(0)} (unbuilt)"
    else:
        count = _highlight(f"{layer.count_params():,}")
    row = [f"{_escape(indent + layer.name)} ([color(33)]{_escape(type(layer).__name__)}[/])", _shape(layer), count]
    if nodes is not None:
        row.append(_connections(layer, nodes))
    if show_trainable:
        has_weights = bool(getattr(layer, "weights", []))
        row.append(
            ("[bold][color(34)]Y[/][/]" if layer.trainable else "[bold][color(9)]N[/][/]") if has_weights else "-"
        )
    rows = [row]
    if expand:
        for inner in getattr(layer, "layers", None) or ():
            rows += _rows(inner, nodes, expand, show_trainable, depth + 1)
    return rows


def _shape(layer: Any) -> str:
    """The shape of the outputs of the last call, or for the shapes passed to `build`."""
    if layer._inbound_nodes:
        shapes = [tensor.shape for tensor in tree.flatten(layer._inbound_nodes[-1].outputs)]
    elif getattr(layer, "_build_shapes_dict", None):
        try:
            output_shape = layer.compute_output_shape(**layer._build_shapes_dict)
        except Exception:
            return "?"
        shapes = jax.tree.leaves(output_shape, is_leaf=lambda value: isinstance(value, tuple))
    else:
        return "?"
    texts = [f"({', '.join(_highlight(size) for size in shape)})" for shape in shapes]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]".replace("[(", "\\[(")


def _connections(layer: Any, nodes: list[Any]) -> str:
    relevant = {id(node) for node in nodes}
    tensors = [t for node in layer._inbound_nodes if id(node) in relevant for t in tree.flatten(node.input_tensors)]
    histories = [tensor._keras_history for tensor in tensors]
    return ", ".join(f"{h.operation.name}\\[{h.node_index}]\\[{h.tensor_index}]" for h in histories) or "-"


def _totals(model: Any) -> dict[str, list[Any]]:
    trainable, others = model.trainable_weights, model.non_trainable_weights
    built = model.compiled and model.optimizer is not None and model.optimizer.built
    slots = list(model.optimizer.variables) if built else []
    return {
        "Total": [*trainable, *others, *slots],
        "Trainable": trainable,
        "Non-trainable": others,
        **({"Optimizer": slots} if built else {}),
    }


def _count(weights: Iterable[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _memory(weights: Iterable[Any]) -> int:
    return sum(math.prod(weight.shape) * np.dtype(weight.dtype).itemsize for weight in weights)


def layer_bounds(layers: Sequence[Any], layer_range: Sequence[str] | None) -> tuple[int, int]:
    """The half-open range of the layers between two layers whose names match two patterns.

    Raises:
        ValueError: there are not exactly two patterns, or one matches nothing.
    """
    if layer_range is None:
        return 0, len(layers)
    if len(layer_range) != 2:
        raise ArgumentError(
            f"layer_range must be a list or tuple of length 2. Received: layer_range = {layer_range} of length"
            f" {len(layer_range)}"
        )
    if not all(isinstance(pattern, str) for pattern in layer_range):
        raise ArgumentError(f"layer_range should contain string type only. Received: {layer_range}")
    first, last = ([i for i, layer in enumerate(layers) if re.match(pattern, layer.name)] for pattern in layer_range)
    if not first or not last:
        raise ArgumentError(f"Passed layer_names do not match the layer names in the model. Received: {layer_range}")
    if min(first) > max(last):
        first, last = last, first
    return min(first), max(last) + 1
