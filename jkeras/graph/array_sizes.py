"""How large the arrays are that a program makes of its inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import jax


def largest_array(program: Any, constants: int = 0) -> int:
    """The bytes of the largest array that a program computes from its inputs, or gets as an input.

    Args:
        program: a `ClosedJaxpr` or `Jaxpr`.
        constants: how many of the first arguments are not inputs, and what is computed from them alone does not count.

    >>> program = jax.make_jaxpr(lambda key, x: (x[:, None] * x).sum() + key)(1.0, jax.numpy.ones(8))
    >>> largest_array(program, constants=1)
    256
    """
    inputs = getattr(program, "jaxpr", program).invars[constants:]
    return max([*map(_nbytes, inputs), _largest_result(program, inputs)], default=0)


def _largest_result(program: Any, inputs: list[Any] | None = None) -> int:
    """The bytes of the largest result of an equation that an input goes into; without `inputs`, of any equation."""
    known = set(map(id, inputs or ()))
    largest = 0
    for equation in getattr(program, "jaxpr", program).eqns:
        if inputs is None or any(id(variable) in known for variable in equation.invars):
            known.update(map(id, equation.outvars))
            largest = max([largest, *map(_nbytes, equation.outvars), *map(_largest_result, _inner(equation.params))])
    return largest


def _inner(params: Any) -> Iterator[Any]:
    """The programs in an equation: of a loop, a condition or a call."""
    for value in jax.tree.leaves(list(params.values()), is_leaf=lambda leaf: hasattr(leaf, "eqns")):
        if hasattr(value, "eqns"):
            yield value


def _nbytes(variable: Any) -> int:
    aval = variable.aval
    return math.prod(aval.shape) * aval.dtype.itemsize if hasattr(aval, "shape") else 0
