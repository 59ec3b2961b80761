"""Scopes for code: parts of paths, a compute dtype, symbolic runs; each is a context variable, not a global."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Self

import jax

from jkeras.errors import ArgumentError
from jkeras.keras.dtypes import standardize_dtype

_names: ContextVar[tuple[name_scope, ...]] = ContextVar("names", default=())
_autocast: ContextVar[AutocastScope | None] = ContextVar("autocast", default=None)
_symbolic: ContextVar[bool] = ContextVar("symbolic", default=False)


class _Scope:
    """Base of scopes: `with` sets a value and restores the previous one."""

    _token: Any = None

    def _set(self) -> Any:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._token = self._set()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._token is not None:
            self._token.var.reset(self._token)


class name_scope(_Scope):  # noqa: N801
    """Adds a part to the paths of variables created inside it.

    Args:
        name: the part, without a slash.
        caller: the object that opens the scope; it does not open another one inside its own scope.
        deduplicate: whether to avoid such nested scopes.
        override_parent: the parent path, instead of that of the enclosing scopes.

    >>> with name_scope("encoder"), name_scope("dense"):
    ...     current_path()
    'encoder/dense'
    """

    def __init__(self, name: str, *, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None):
        if not isinstance(name, str) or "/" in name:
            raise ArgumentError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name}"
            )
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate
        self.override_parent = override_parent
        if override_parent is None and deduplicate:
            self.override_parent = getattr(caller, "_parent_path", None)

    def _set(self) -> Any:
        around = _names.get()
        caller = self.caller if self.deduplicate and around else None
        if caller is not None and caller is around[-1].caller and self.name == around[-1].name:
            return None
        return _names.set((*around, self))


def current_path() -> str:
    """The names of the enclosing scopes, joined by slashes."""
    parts: list[str] = []
    for scope in _names.get():
        if scope.override_parent is not None:
            parts = [part for part in scope.override_parent.split("/") if part]
        parts.append(scope.name)
    return "/".join(parts)


class AutocastScope(_Scope):
    """A context in which float variables with `autocast=True` are read in the given dtype; None disables casting."""

    def __init__(self, dtype: Any):
        self.dtype = None if dtype is None else standardize_dtype(dtype)
        if self.dtype is not None and "float" not in self.dtype:
            raise ArgumentError(
                "`AutocastScope` can only be used with a floating-point target dtype, such as 'float16'."
                f" Received: dtype={dtype}"
            )

    def _set(self) -> Any:
        return _autocast.set(self)

    def maybe_cast(self, value: Any) -> Any:
        """Casts a floating-point value to the scope's dtype."""
        if self.dtype is not None and "float" in value.dtype.name and value.dtype.name != self.dtype:
            return value.astype(self.dtype)
        return value


def get_autocast_scope() -> AutocastScope | None:
    """The active scope, if there is one."""
    return _autocast.get()


class SymbolicScope(_Scope):
    """A context in which code runs only for its shapes."""

    def _set(self) -> Any:
        return _symbolic.set(True)


def in_symbolic_scope() -> bool:
    """Whether code runs only for its shapes."""
    return _symbolic.get()


def is_traced(value: Any) -> bool:
    """Whether an array is a tracer."""
    return isinstance(value, jax.core.Tracer)
