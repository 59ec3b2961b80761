"""Output shapes of matrix functions, which are known even for unknown sizes because matrices must be square."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jkeras.errors import InputError
from jkeras.keras.dtypes import result_type
from jkeras.keras.tensor import KerasTensor


def _matrices(name: str, x: Any) -> KerasTensor:
    """A symbolic tensor of matrices with the floating-point dtype of the result."""
    shape = tuple(x.shape)
    if len(shape) < 2:
        raise InputError(f"ops.{name}: expected matrices, at least 2 axes; got a tensor of shape {shape}.")
    return KerasTensor(shape, result_type(x.dtype, float))


def _square(name: str, x: Any) -> KerasTensor:
    x = _matrices(name, x)
    if x.shape[-1] != x.shape[-2]:
        raise InputError(f"ops.{name}: expected square matrices; got a tensor of shape {x.shape}.")
    return x


def _det(x: Any) -> KerasTensor:
    x = _square("det", x)
    return KerasTensor(x.shape[:-2], x.dtype)


def _matrix_rank(x: Any, tol: Any = None) -> KerasTensor:
    return KerasTensor(_matrices("matrix_rank", x).shape[:-2], "int32")


def _solution(name: str) -> Callable[..., KerasTensor]:
    def rule(a: Any, b: Any, lower: bool = False) -> KerasTensor:
        a, shape = _square(name, a), tuple(b.shape)
        axis = {len(a.shape): -2, len(a.shape) - 1: -1}.get(len(shape))
        if axis is None or not shape or shape[axis] != a.shape[-1]:
            raise InputError(f"ops.{name}: the shapes {a.shape} of `a` and {shape} of `b` do not match.")
        return KerasTensor(shape, result_type(a.dtype, b.dtype))

    return rule


RULES: dict[str, Callable[..., Any]] = {
    "cholesky_inverse": lambda x, upper=False: _square("cholesky_inverse", x),
    "cholesky": lambda x, upper=False: _square("cholesky", x),
    "det": _det,
    "inv": lambda x: _square("inv", x),
    "matrix_rank": _matrix_rank,
    "solve": _solution("solve"),
    "solve_triangular": _solution("solve_triangular"),
}
