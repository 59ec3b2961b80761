"""`Function`: the computation between symbolic tensors, which can be called on other tensors and on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jkeras import tree
from jkeras.errors import InputError
from jkeras.keras.graph import Graph
from jkeras.keras.history import Node
from jkeras.keras.operation import Operation
from jkeras.keras.tensor import KerasTensor


class Function(Operation):
    """The operations between symbolic inputs and outputs, as one operation.

    Args:
        inputs: symbolic tensors, possibly nested.
        outputs: symbolic tensors computed from them, possibly nested.
        name: the name; None creates one.

    Raises:
        InputError: there are no inputs or outputs, or an output depends on something else.

    >>> x = KerasTensor((None, 2))
    >>> double = Function(x, x * 2)
    >>> double.compute_output_shape((5, 2))
    (5, 2)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self._inputs_struct = tree.map_structure(lambda tensor: tensor, inputs)
        self._outputs_struct = tree.map_structure(lambda tensor: tensor, outputs)
        self._inputs = tree.flatten(inputs)
        self._outputs = tree.flatten(outputs)
        for argument, tensors in (("inputs", self._inputs), ("outputs", self._outputs)):
            if not tensors:
                raise InputError(
                    f"`{argument}` argument cannot be empty. Received:\ninputs={inputs}\noutputs={outputs}"
                )
        self._graph = Graph(self._inputs, self._outputs)
        self._run_through_graph([None] * len(self._inputs), call_fn=_nothing)

    @property
    def operations(self) -> list[Operation]:
        """The operations between inputs and outputs, starting from the inputs."""
        return list(self._graph.operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flattened."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flattened."""
        return self._outputs

    @property
    def _operations(self) -> list[Operation]:
        return self._graph.operations

    @property
    def _nodes_by_depth(self) -> dict[int, list[Node]]:
        return self._graph.nodes_by_depth

    @property
    def _nodes(self) -> list[Node]:
        return self._graph.nodes

    def compute_output_spec(self, inputs: Any) -> Any:
        self._assert_input_compatibility(inputs)
        pairs = zip(tree.flatten(inputs), self._inputs, strict=False)
        if all(argument is not None and argument.shape == own.shape for argument, own in pairs):
            return tree.map_structure(lambda own: KerasTensor(own.shape, own.dtype), self._outputs_struct)
        return self._run_through_graph(inputs, operation_fn=lambda operation: operation.compute_output_spec)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for given shapes of the inputs."""
        shapes: list[Any] = []
        tree.map_shape_structure(shapes.append, input_shape)
        tensors = [KerasTensor(s, own.dtype, own.sparse) for s, own in zip(shapes, self._inputs, strict=False)]
        marks = tree.map_shape_structure(lambda shape: 0, input_shape)
        specs = self.compute_output_spec(tree.pack_sequence_as(marks, tensors))
        return tree.map_structure(lambda spec: spec.shape, specs)

    def call(self, inputs: Any) -> Any:
        """The outputs for given inputs."""
        self._assert_input_compatibility(inputs)
        return self._run_through_graph(inputs)

    def _run_through_graph(
        self,
        inputs: Any,
        operation_fn: Callable[[Operation], Any] = lambda operation: operation,
        call_fn: Callable[..., Any] | None = None,
    ) -> Any:
        """Runs the operations in order.

        Args:
            inputs: values for the inputs.
            operation_fn: a function from an operation to its replacement.
            call_fn: a function `call_fn(operation, *args, **kwargs)` that calls an operation; None calls it directly.
        """
        values = dict(zip(map(id, self._inputs), tree.flatten(inputs), strict=False))
        for node in self._graph.nodes:
            if node.is_input or any(id(tensor) not in values for tensor in node.input_tensors):
                continue
            args, kwargs = node.arguments.fill_in(values)
            operation = operation_fn(node.operation)
            results = operation(*args, **kwargs) if call_fn is None else call_fn(operation, *args, **kwargs)
            values.update(zip(map(id, node.outputs), tree.flatten(results), strict=False))
        for place, tensor in enumerate(self._outputs):
            if id(tensor) not in values:
                path = ".".join(map(str, tree.flatten_with_path(self._outputs_struct)[place][0]))
                raise InputError(f"Output with path `{path}` is not connected to `inputs`")
        return tree.pack_sequence_as(self._outputs_struct, [values[id(tensor)] for tensor in self._outputs])

    def _assert_input_compatibility(self, inputs: Any) -> None:
        try:
            tree.assert_same_structure(inputs, self._inputs_struct)
        except ValueError:
            raise InputError(
                "Function was called with an invalid input structure. Expected input structure:"
                f" {self._inputs_struct}\nReceived input structure: {inputs}"
            ) from None
        for argument, own in zip(tree.flatten(inputs), self._inputs, strict=True):
            known = [(a, b) for a, b in zip(argument.shape, own.shape, strict=False) if a is not None and b is not None]
            if len(argument.shape) != len(own.shape) or any(a != b for a, b in known):
                raise InputError(
                    f"{type(self).__name__} was passed incompatible inputs. For input '{own.name}', expected shape"
                    f" {own.shape}, but received instead a tensor with shape {argument.shape}."
                )


def _nothing(operation: Any, *args: Any, **kwargs: Any) -> list[None]:
    return [None] * len(tree.flatten(operation.output))
