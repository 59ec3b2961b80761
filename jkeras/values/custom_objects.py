"""Users' classes and functions: registered for files, or known during a `with` block."""

from __future__ import annotations

import contextlib
import contextvars
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from jkeras import arguments

Named = TypeVar("Named", bound=type | Callable[..., Any])

_scope: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("jkeras_custom_objects")
_registered: dict[str, Any] = {}
_NOTHING: Mapping[str, Any] = types.MappingProxyType({})


def register(package: str = "Custom", name: str | None = None) -> Callable[[Named], Named]:
    """Decorator that registers a class or function as `package>name`, so that files that use it can be loaded.

    Args:
        package: the first part of the registered name.
        name: the second part; by default the name of the class or function.

    Raises:
        ArgumentError: `package` or `name` is no string, or what is registered has no name.

    >>> @register(package="demo")
    ... class Known:
    ...     size: int = 1
    >>> custom_object("demo>Known") is Known
    True
    """

    place = "register_keras_serializable"
    arguments.checked(place, "package", package, arguments.text)
    arguments.checked(place, "name", name, arguments.optional(arguments.text))

    def decorate(target: Named) -> Named:
        arguments.checked(place, "target", target, arguments.named)
        _registered[f"{package}>{name or target.__name__}"] = target
        return target

    return decorate


def registered_name(target: object) -> str | None:
    """The name that `target` was registered under, or None."""
    return next((name for name, value in _registered.items() if value is target), None)


@contextlib.contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Makes names known inside a `with` block.

    Args:
        custom_objects: classes and functions by name.

    Raises:
        ArgumentError: they are no dict with strings as keys.

    >>> with custom_object_scope({"double": lambda x: 2 * x}):
    ...     get_registered_object("double")(3)
    6
    """
    arguments.checked("custom_object_scope", "custom_objects", custom_objects, arguments.table)
    token = _scope.set({**_scope.get(_NOTHING), **custom_objects})
    try:
        yield
    finally:
        _scope.reset(token)


def scoped_objects() -> Mapping[str, Any]:
    """The names that the enclosing `custom_object_scope`s make known."""
    return _scope.get(_NOTHING)


def custom_object(name: str) -> Any | None:
    """The custom object with this name, with or without its package, or None."""
    registered = _scope.get(_NOTHING).get(name, _registered.get(name))
    if registered is None and ">" not in name:
        registered = next((v for k, v in _registered.items() if k.partition(">")[2] == name), None)
    return registered


def get_custom_objects() -> dict[str, Any]:
    """The table of registered objects, by `package>name`; objects added to it are registered.

    >>> halve = register("mine", "halve")(lambda x: x / 2)
    >>> get_custom_objects().pop("mine>halve")(3)
    1.5
    """
    return _registered


def custom_modules(own: Iterable[Any] = ()) -> set[str]:
    """The modules of all custom objects that are currently known, and of the given ones."""
    targets = [*_registered.values(), *_scope.get(_NOTHING).values(), *own]
    names = {getattr(target, "__module__", None) for target in targets}
    return {name for name in names if isinstance(name, str) and not name.startswith("jkeras.")}


def get_registered_name(obj: type | Callable[..., Any]) -> str:
    """The name that a class or function was registered under, or its own.

    Args:
        obj: a class or function.

    Raises:
        ArgumentError: it has no name.

    >>> get_registered_name(len)
    'len'
    """
    return registered_name(obj) or arguments.checked("get_registered_name", "obj", obj, arguments.named).__name__


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any | None:
    """The custom object with this name among those known, else in one of the two tables, else None.

    Args:
        name: the name, with or without its package.
        custom_objects: a table to search next.
        module_objects: a table to search last.

    Raises:
        ArgumentError: the name is no string, or a table no dict.

    >>> get_registered_object("size", {"size": len})([1, 2])
    2
    """
    place = "get_registered_object"
    registered = custom_object(arguments.checked(place, "name", name, arguments.text))
    arguments.checked(place, "custom_objects", custom_objects, arguments.optional(arguments.table))
    arguments.checked(place, "module_objects", module_objects, arguments.optional(arguments.table))
    for table in (custom_objects, module_objects):
        registered = (table or {}).get(name) if registered is None else registered
    return registered
