"""Arithmetic and conversions for objects that hold an array."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import lowering
from jkeras.dispatch import is_symbolic
from jkeras.keras.dtypes import standardize_dtype


class HoldsArray:
    """Behaves in arithmetic and in `jax.numpy` like its `value`."""

    # NumPy arrays defer to such objects in arithmetic.
    __array_priority__ = 100

    shape: tuple[int, ...]
    value: Any

    def __jax_array__(self) -> Any:
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.value, dtype)

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __len__(self) -> int:
        return len(self.value)

    def __int__(self) -> int:
        return int(self._scalar())

    def __float__(self) -> float:
        return float(self._scalar())

    def __index__(self) -> int:
        return operator.index(self._scalar())

    def __bool__(self) -> bool:
        raise TypeError("A Keras Variable cannot be used as a boolean.")

    def __format__(self, spec: str) -> str:
        return format(self._scalar(), spec) if spec else str(self)

    def _scalar(self) -> Any:
        if self.shape:
            raise TypeError(f"Only scalar arrays can be converted to Python scalars. Got: shape={self.shape}")
        return self.value

    def __pos__(self) -> Any:
        return self.value

    def __round__(self, ndigits: int | None = None) -> Any:
        return jnp.round(self.value, ndigits or 0)


def as_array(value: Any, dtype: Any = None) -> jax.Array:
    """Converts a variable, an array, a number or nested lists to an array; Python floats and NumPy's float64 become the
    default float type.

    >>> as_array(1.5).dtype.name
    'float32'
    """
    if isinstance(value, HoldsArray):
        value = value.value
    if dtype is not None:
        return lowering.as_array(value, standardize_dtype(dtype))
    if isinstance(value, jax.Array):
        return value
    if isinstance(value, np.ndarray):
        return jnp.asarray(value)
    array = np.asarray(value)
    return jnp.asarray(array, standardize_dtype(None) if array.dtype == np.float64 else None)


def unwrap(value: Any) -> Any:
    """The array of a variable; anything else unchanged."""
    return value.value if isinstance(value, HoldsArray) else value


def _operand(value: Any) -> Any:
    if isinstance(value, HoldsArray):
        return value.value
    return as_array(value) if isinstance(value, (list, tuple, np.ndarray)) else value


def _unary(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda self: function(self.value)


def _install_operators() -> None:
    def binary(function: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
        def forward(self: HoldsArray, other: Any) -> Any:
            return NotImplemented if is_symbolic(other) else function(self.value, _operand(other))

        def reflected(self: HoldsArray, other: Any) -> Any:
            return NotImplemented if is_symbolic(other) else function(_operand(other), self.value)

        return forward, reflected

    logical = {"and": jnp.logical_and, "or": jnp.logical_or, "xor": jnp.logical_xor}
    arithmetic = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
    for name, function in {**{name: getattr(operator, name) for name in arithmetic}, **logical}.items():
        forward, reflected = binary(function)
        setattr(HoldsArray, f"__{name}__", forward)
        setattr(HoldsArray, f"__r{name}__", reflected)
    comparisons = {"eq": jnp.equal, "ne": jnp.not_equal, "lt": jnp.less, "le": jnp.less_equal,
                   "gt": jnp.greater, "ge": jnp.greater_equal}  # fmt: skip
    for name, function in comparisons.items():
        setattr(HoldsArray, f"__{name}__", binary(function)[0])
    for name in ("neg", "abs", "invert"):
        setattr(HoldsArray, f"__{name}__", _unary(getattr(operator, name)))


_install_operators()
