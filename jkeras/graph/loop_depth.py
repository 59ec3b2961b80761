"""How deep the loops of a program lie inside of each other."""

from __future__ import annotations

from typing import Any

LOOPS = frozenset({"while", "scan"})


def depth_of_loops(program: Any) -> int:
    """How many loops lie inside of each other in a `Jaxpr` or `ClosedJaxpr`, up to two.

    >>> import jax
    >>> depth_of_loops(jax.make_jaxpr(lambda x: jax.lax.fori_loop(0, x, lambda i, x: x * i, x))(3))
    1
    """
    deepest = 0
    for equation in program.eqns:
        inner = max((depth_of_loops(part) for part in _inner(equation.params)), default=0)
        deepest = max(deepest, inner + (equation.primitive.name in LOOPS))
        if deepest > 1:
            break
    return deepest


def _inner(params: Any) -> list[Any]:
    """The programs in an equation: of a loop, a condition or a call."""
    found = []
    for value in params.values():
        if hasattr(value, "eqns"):
            found.append(value)
        elif isinstance(value, tuple):
            found += [part for part in value if hasattr(part, "eqns")]
    return found
