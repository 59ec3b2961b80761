"""Where a symbolic tensor comes from."""

from __future__ import annotations

from typing import Any


def get_source_inputs(tensor: Any) -> list[Any]:
    """The symbolic inputs that `tensor` is computed from, each once, in the order of the layers' arguments.

    >>> from jkeras import layers
    >>> a, b = layers.Input((2,)), layers.Input((2,))
    >>> found = get_source_inputs(layers.Add()([layers.Dense(2)(b), a]))
    >>> [tensor is source for tensor, source in zip(found, [b, a])]
    [True, True]
    """
    found: dict[int, Any] = {}
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
            found.update({id(result): result for result in one.node.results})
    return list(found.values())
