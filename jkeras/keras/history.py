"""The history of symbolic tensors: each call of an operation is a `Node`, which tensors and operations refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jkeras import tree
from jkeras.errors import InputError
from jkeras.keras.tensor import KerasTensor, symbolic_leaves

if TYPE_CHECKING:
    from jkeras.keras.operation import Operation


class KerasHistory(NamedTuple):
    """The call that created a tensor: the operation, the number of the call, and the index among the outputs."""

    operation: Operation | None
    node_index: int
    tensor_index: int


class SymbolicArguments:
    """The arguments of a call, including symbolic tensors."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.args = tree.map_structure(lambda leaf: leaf, args)
        self.kwargs = tree.map_structure(lambda leaf: leaf, kwargs)
        self.keras_tensors = symbolic_leaves(self.args, self.kwargs)

    def convert(self, conversion_fn: Callable[[Any], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with every leaf converted."""
        return tree.map_structure(conversion_fn, self.args), tree.map_structure(conversion_fn, self.kwargs)

    def fill_in(self, tensor_dict: Mapping[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with tensors replaced by values, by tensor id; None for tensors without a value."""
        return self.convert(lambda leaf: tensor_dict.get(id(leaf)) if isinstance(leaf, KerasTensor) else leaf)


class Node:
    """One call of an operation.

    Args:
        operation: the operation.
        call_args: its positional arguments.
        call_kwargs: its keyword arguments.
        outputs: the (nested) symbolic tensors that the call returned.
    """

    def __init__(
        self,
        operation: Operation,
        call_args: tuple[Any, ...] = (),
        call_kwargs: Mapping[str, Any] | None = None,
        outputs: Any = None,
    ):
        self.operation = operation
        self.arguments = SymbolicArguments(*call_args, **(call_kwargs or {}))
        self.outputs: list[KerasTensor] = [] if outputs is None else tree.flatten(outputs)
        for output in self.outputs:
            if not isinstance(output, KerasTensor):
                raise InputError(
                    f"All operation outputs must be tensors. Operation {operation} returned a non-tensor: {output}"
                )
        self.is_input = not self.input_tensors
        recorded = all(tensor.record_history for tensor in self.input_tensors)
        for tensor in self.input_tensors:
            if recorded and tensor.history is None:
                tensor.history = KerasHistory(None, 0, 0)
            if tensor.history is not None and tensor.history.operation is not None:
                tensor.history.operation._outbound_nodes.append(self)
        operation._inbound_nodes.append(self)
        if recorded:
            for place, output in enumerate(self.outputs):
                output.history = KerasHistory(operation, len(operation._inbound_nodes) - 1, place)

    @property
    def input_tensors(self) -> list[KerasTensor]:
        """The symbolic tensors among the arguments."""
        return self.arguments.keras_tensors

    @property
    def output_tensors(self) -> list[KerasTensor]:
        """The outputs, flattened."""
        return self.outputs

    @property
    def parent_nodes(self) -> list[Node]:
        """The calls that created the inputs."""
        histories = [tensor.history for tensor in self.input_tensors if tensor.history is not None]
        return [h.operation._inbound_nodes[h.node_index] for h in histories if h.operation is not None]

    def __repr__(self) -> str:
        return f"<Node operation={self.operation.name}, id={id(self)}>"
