"""What code is inside of: named parts of paths, a compute type, a symbolic run; each a context variable, none a global."""

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
    """What `with` sets and puts back."""

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
    """A part of the paths of the variables made inside.

    Args:
        name: the part, without a slash.
        caller: the object whose scope this is: inside of its own scope it opens none again.
        deduplicate: whether that is so.
        override_parent: the path above, in place of that of the scopes around.

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
        if self.deduplicate and around and self.caller is not None:
            if self.caller is around[-1].caller and self.name == around[-1].name:
                return None
        return _names.set((*around, self))


def current_path() -> str:
    """The names of the scopes around, joined by slashes."""
    parts: list[str] = []
    for scope in _names.get():
        if scope.override_parent is not None:
            parts = [part for part in scope.override_parent.split("/") if part]
        parts.append(scope.name)
    return "/".join(parts)


class AutocastScope(_Scope):
    """Inside it, variables of floats that were made with `autocast=True` come in the given type; None leaves them alone."""

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
        """The value in the scope's type if it is one of floats."""
        if self.dtype is not None and "float" in value.dtype.name and value.dtype.name != self.dtype:
            return value.astype(self.dtype)
        return value


def get_autocast_scope() -> AutocastScope | None:
    """The scope that decides, if there is one."""
    return _autocast.get()


class SymbolicScope(_Scope):
    """Inside it, code runs for its shapes alone."""

    def _set(self) -> Any:
        return _symbolic.set(True)


def in_symbolic_scope() -> bool:
    """Whether code runs for its shapes alone."""
    return _symbolic.get()


def is_traced(value: Any) -> bool:
    """Whether an array stands for one that a program being traced will compute."""
    return isinstance(value, jax.core.Tracer)
