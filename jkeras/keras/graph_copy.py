"""Copies the calls between symbolic tensors, so that a model can begin in the middle of a graph."""

from __future__ import annotations

from typing import Any

from jkeras import tree
from jkeras.keras.graph import Graph, made_by
from jkeras.keras.history import Node
from jkeras.keras.input import Input, InputLayer
from jkeras.keras.tensor import KerasTensor


def copy_graph(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """New symbolic inputs and outputs with the same operations between them.

    Args:
        inputs: nested symbolic tensors; those that were not created by `Input` are replaced by new inputs.
        outputs: nested symbolic tensors computed from them.
    """
    graph = Graph(tree.flatten(inputs), tree.flatten(outputs))
    copies: dict[int, KerasTensor] = {}
    for tensor in tree.flatten(inputs):
        node = made_by(tensor)
        if node is not None and node.is_input:
            copies[id(tensor)] = tensor
        else:
            copies[id(tensor)] = Input(
                batch_shape=tensor.shape, dtype=tensor.dtype, sparse=tensor.sparse, name=f"{tensor.name}CLONE"
            )

    def copied(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        if id(leaf) not in copies:
            copies[id(leaf)] = KerasTensor(leaf.shape, leaf.dtype, leaf.sparse, name=f"{leaf.name}_clone")
        return copies[id(leaf)]

    for node in graph.nodes:
        if not isinstance(node.operation, InputLayer):
            args, kwargs = node.arguments.convert(copied)
            Node(node.operation, args, kwargs, [copied(output) for output in node.outputs])
    return tree.map_structure(copied, inputs), tree.map_structure(copied, outputs)
