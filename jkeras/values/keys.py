"""Keys under which compiled programs are cached.

A key is hashable and equal for equal values, so two models that are defined the same way share one compiled program.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np


class Keyed:
    """A value that computes its own key."""

    # The key, once computed.
    _spec_key: HashedKey | None = None

    def _key(self) -> HashedKey:
        raise NotImplementedError


class HashedKey:
    """A nested tuple that computes its hash once."""

    __slots__ = ("parts", "hash")

    def __init__(self, parts: Any):
        self.parts: Any = parts
        self.hash: int = hash(parts)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HashedKey) and self.hash == other.hash and self.parts == other.parts


class Identity:
    """Represents in a key a value that can only be compared by identity; keeps the value alive."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value: Any = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.value is other.value


def key_of(value: Any) -> Any:
    """A hashable key that is equal for equal values.

    Containers compare by content, arrays by dtype, shape and bytes, functions by their code, defaults, closure and the
    plain globals they name (so the same source line evaluated twice gives equal keys), and anything unhashable by identity.

    >>> key_of([1, {"a": 2}]) == key_of([1, {"a": 2}])
    True
    >>> key_of(1) == key_of(1.0)
    False
    """
    if isinstance(value, Keyed):
        return value._key()  # noqa: SLF001  (`key` may be an attribute of a user's layer)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        # In Python 1, 1.0 and True are equal, and NaN does not equal itself; both would mislead a cache.
        return (type(value), repr(value) if isinstance(value, (float, complex)) else value)
    if isinstance(value, (tuple, list)):
        return (type(value), tuple(key_of(v) for v in value))
    if isinstance(value, Mapping):
        return (dict, tuple((k, key_of(value[k])) for k in value))
    if isinstance(value, (set, frozenset)):
        return (set, frozenset(key_of(v) for v in value))
    if isinstance(value, (np.ndarray, np.generic)) or (
        isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer)
    ):
        array = np.asarray(value)
        contents = tuple(array.ravel().tolist()) if array.dtype == object else array.tobytes()
        return (np.ndarray, str(array.dtype), array.shape, contents)
    if isinstance(value, slice):
        return (slice, key_of(value.start), key_of(value.stop), key_of(value.step))
    if isinstance(value, types.MethodType):
        return (types.MethodType, key_of(value.__func__), key_of(value.__self__))
    if isinstance(value, types.FunctionType):
        return _key_of_function(value)
    try:
        hash(value)
    except TypeError:
        return Identity(value)
    return value


def _key_of_function(function: types.FunctionType) -> Any:
    if getattr(function, "__wrapped__", None) is not None:
        return Identity(function)
    code = function.__code__
    plain_globals = tuple(
        (name, _key_of_global(function.__globals__[name]))
        for name in sorted(_names(code))
        if name in function.__globals__
    )
    try:
        cells = tuple(_key_of_cell(function, cell.cell_contents) for cell in function.__closure__ or ())
    except ValueError:  # an empty cell: the function refers to a name that is defined later
        return Identity(function)
    return (
        types.FunctionType,
        function.__module__,
        code,
        key_of(function.__defaults__),
        key_of(function.__kwdefaults__),
        cells,
        plain_globals,
    )


def _key_of_cell(function: types.FunctionType, value: Any) -> Any:
    return Identity(function) if value is function else key_of(value)


def _key_of_global(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return key_of(value)
    return Identity(value)


def _names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names
