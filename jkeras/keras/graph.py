"""The part of a graph of operations between given symbolic tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jkeras.errors import InputError
from jkeras.keras.history import Node
from jkeras.keras.operation import Operation
from jkeras.keras.tensor import KerasTensor


class Graph:
    """The calls and operations between inputs and outputs, in Keras's order.

    The depth of a call is the length of the longest path from it to an output; calls of the same operation have the same depth.
    Operations are sorted by descending depth, then in the order in which a search from the outputs finds them.

    Attributes:
        nodes: the calls, in a computable order.
        operations: the operations that are called.

    Raises:
        InputError: a tensor depends on something that is not an input, names are used twice, or there is a cycle.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]):
        self._inputs = {id(tensor) for tensor in inputs}
        self._found: dict[Operation, int] = {}
        self._sorted: list[Node] = []
        self._search(outputs)
        node_depths, operation_depths = self._depths()
        for tensor in inputs:  # inputs that no output depends on
            node = made_by(tensor)
            if node is not None and node.operation not in operation_depths and node.is_input:
                operation_depths[node.operation] = node_depths[node] = 0
                self._found[node.operation] = -1
        self.operations = sorted(operation_depths, key=lambda op: (-operation_depths[op], self._found[op]))
        self.nodes = sorted(node_depths, key=lambda node: -node_depths[node])
        self.nodes_by_depth: dict[int, list[Node]] = {}
        for node in self.nodes:
            self.nodes_by_depth.setdefault(node_depths[node], []).append(node)
        self._check(inputs)

    def _search(self, outputs: Sequence[KerasTensor]) -> None:
        """Sorts calls topologically; without recursion, because graphs can be deep."""
        finished: set[Node] = set()
        open_: set[Node] = set()
        stack: list[tuple[Node, bool]] = [(node, False) for node in map(made_by, reversed(outputs)) if node is not None]
        boundary = {id(node) for node in map(made_by, outputs) if node is not None and self._is_boundary(node, outputs)}
        while stack:
            node, is_exit = stack.pop()
            if is_exit:
                open_.discard(node)
                finished.add(node)
                self._sorted.append(node)
                continue
            if node in finished or id(node) in boundary:
                continue
            if node in open_:
                raise InputError(f"A tensor from operation '{node.operation.name}' is part of a cycle.")
            self._found.setdefault(node.operation, len(self._found))
            open_.add(node)
            stack.append((node, True))
            for tensor in reversed(node.input_tensors):
                parent = made_by(tensor)
                if parent is None or (id(tensor) in self._inputs and not parent.is_input):
                    continue
                if parent not in finished:
                    stack.append((parent, False))

    def _is_boundary(self, node: Node, outputs: Sequence[KerasTensor]) -> bool:
        """Whether an output is itself an input that an operation outside the graph created."""
        own = [tensor for tensor in outputs if made_by(tensor) is node]
        return not node.is_input and all(id(tensor) in self._inputs for tensor in own)

    def _depths(self) -> tuple[dict[Node, int], dict[Operation, int]]:
        inside = set(self._sorted)
        nodes: dict[Node, int] = {}
        operations: dict[Operation, int] = {}
        for node in reversed(self._sorted):
            depth = max(nodes.get(node, 0), operations.get(node.operation, 0))
            operations[node.operation] = nodes[node] = depth
            for parent in node.parent_nodes:
                if parent in inside:
                    nodes[parent] = max(depth + 1, nodes.get(parent, 0))
        return nodes, operations

    def _check(self, inputs: Sequence[KerasTensor]) -> None:
        computable = {id(tensor) for tensor in inputs}
        passed: list[str] = []
        for node in self.nodes:
            for tensor in node.input_tensors:
                if id(tensor) not in computable:
                    raise InputError(
                        f"Graph disconnected: cannot find parent for tensor {tensor} at operation '{node.operation}'."
                        f" The following previous operations were accessed without issue: {passed}"
                    )
            passed.append(node.operation.name)
            computable.update(id(tensor) for tensor in node.outputs)
        for name, uses in Counter(operation.name for operation in self.operations).items():
            if uses > 1:
                raise InputError(
                    f'The name "{name}" is used {uses} times in the model. All operation names should be unique.'
                )


def made_by(tensor: KerasTensor) -> Node | None:
    """The call that created a tensor; None for a tensor at the beginning of a graph."""
    history = tensor.history
    if history is None or history.operation is None:
        return None
    return history.operation._inbound_nodes[history.node_index]


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The symbolic inputs that a tensor depends on.

    >>> x = KerasTensor((2,))
    >>> get_source_inputs(x * 2 + x)[0] is x
    True
    """
    sources: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        current = stack.pop()
        node = made_by(current)
        if node is None or node.is_input:
            sources.setdefault(id(current), current)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.extend(reversed(node.input_tensors))
    return list(sources.values())
