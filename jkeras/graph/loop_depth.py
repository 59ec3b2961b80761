"""The loops of a program: how deep they lie inside each other, and what they leave as it is."""

from __future__ import annotations

from typing import Any

LOOPS = frozenset({"while", "scan"})


def depth_of_loops(program: Any) -> int:
    """How many loops lie inside each other in a `Jaxpr` or `ClosedJaxpr`, up to two.

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


def unchanged_arrays(program: Any, least: int) -> int:
    """How many arrays of at least `least` elements the outermost `while` loops of a program read and do not change.

    >>> import jax
    >>> def scaled(times, x, y):
    ...     return jax.lax.fori_loop(0, times, lambda i, x: x * y, x)
    >>> unchanged_arrays(jax.make_jaxpr(scaled)(4, jax.numpy.ones(3), jax.numpy.ones(3)), least=2)
    1
    """
    count = 0
    for equation in program.eqns:
        if equation.primitive.name == "while":
            body, constants = equation.params["body_jaxpr"].jaxpr, equation.params["body_nconsts"]
            kept = [old for old, new in zip(body.invars[constants:], body.outvars, strict=True) if old is new]
            count += sum(variable.aval.size >= least for variable in (*body.invars[:constants], *kept))
        else:
            count += sum(unchanged_arrays(part, least) for part in _inner(equation.params))
    return count


def _inner(params: Any) -> list[Any]:
    """The programs in an equation: of a loop, a condition or a call."""
    found = []
    for value in params.values():
        if hasattr(value, "eqns"):
            found.append(value)
        elif isinstance(value, tuple):
            found += [part for part in value if hasattr(part, "eqns")]
    return found
