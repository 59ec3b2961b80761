"""Where a symbolic tensor comes from."""

from __future__ import annotations

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.graph.symbolic import SymbolicTensor


def get_source_inputs(tensor: SymbolicTensor) -> list[SymbolicTensor]:
    """The symbolic inputs from which a tensor is computed.

    Args:
        tensor: a symbolic tensor.

    Returns:
        A list of symbolic tensors, each once, in the order of the layers' arguments.

    Raises:
        ArgumentError: `tensor` is not symbolic.

    >>> from jkeras import layers
    >>> a, b = layers.Input((2,)), layers.Input((2,))
    >>> sources = get_source_inputs(layers.Add()([layers.Dense(2)(b), a]))
    >>> [tensor is source for tensor, source in zip(sources, [b, a])]
    [True, True]
    """
    if not isinstance(tensor, SymbolicTensor):
        raise ArgumentError(f"get_source_inputs(tensor={arguments.shown(tensor)}): expected a symbolic tensor.")
    sources: dict[int, SymbolicTensor] = {}
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.node.parents:
            waiting += reversed(one.node.parents)
        else:
            sources.update({id(result): result for result in one.node.results})
    return list(sources.values())
