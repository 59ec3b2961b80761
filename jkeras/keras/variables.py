"""Values that scripts read and assign in place: weights, states of metrics, the learning rate."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class HostArray(np.ndarray):
    """A NumPy array with the `.numpy()` that scripts written for TensorFlow call."""

    def numpy(self) -> np.ndarray:
        """The same as a plain NumPy array; a scalar as a NumPy scalar."""
        return np.asarray(self)[()]


def on_host(value: Any) -> Any:
    """An array as a `HostArray`; a traced value as it is."""
    if isinstance(value, jax.core.Tracer):
        return value
    return np.asarray(value).view(HostArray)


class Variable:
    """A named value that can be read and assigned; what it means is up to the two functions.

    Works in arithmetic and in the functions of `jax.numpy` and `keras.ops` like the array that it holds.
    """

    def __init__(
        self, read: Callable[[], Any], write: Callable[[Any], None], name: str = "variable", trainable: bool = True
    ):
        self._read = read
        self._write = write
        self.path = name
        self.trainable = trainable

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def value(self) -> Any:
        """The array at this moment."""
        return self._read()

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return tuple(jnp.shape(self.value))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> str:
        """The name of the array's type."""
        return str(self.value.dtype)

    def numpy(self) -> np.ndarray:
        """The array as a NumPy array."""
        return np.asarray(self.value)

    def assign(self, value: Any) -> Variable:
        """Puts another value of the same shape in place."""
        old = self.value
        new = jnp.asarray(unwrap(value), old.dtype)
        self._write(jnp.broadcast_to(new, old.shape) if new.ndim == 0 else _same_shape(new, old, self.path))
        return self

    def assign_add(self, value: Any) -> Variable:
        """Adds to the value in place."""
        return self.assign(self.value + unwrap(value))

    def assign_sub(self, value: Any) -> Variable:
        """Subtracts from the value in place."""
        return self.assign(self.value - unwrap(value))

    def __jax_array__(self) -> Any:
        return jnp.asarray(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.value, dtype)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __format__(self, spec: str) -> str:
        return format(self.numpy()[()], spec)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.value}>"


def _same_shape(new: Any, old: Any, path: str) -> Any:
    if new.shape != old.shape:
        raise ValueError(f"{path} has shape {old.shape}; a value of shape {new.shape} cannot be assigned to it.")
    return new


def unwrap(value: Any) -> Any:
    """The array of a variable; anything else as it is."""
    return value.value if isinstance(value, Variable) else value


def _install_operators() -> None:
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        function = getattr(operator, name)
        setattr(Variable, f"__{name}__", lambda a, b, f=function: f(a.value, unwrap(b)))
        setattr(Variable, f"__r{name}__", lambda a, b, f=function: f(unwrap(b), a.value))
    for name in ("lt", "le", "gt", "ge"):
        function = getattr(operator, name)
        setattr(Variable, f"__{name}__", lambda a, b, f=function: f(a.value, unwrap(b)))
    for name in ("neg", "abs"):
        function = getattr(operator, name)
        setattr(Variable, f"__{name}__", lambda a, f=function: f(a.value))


_install_operators()
