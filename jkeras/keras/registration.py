"""Users' classes and functions by name, for reading configurations that use them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

from jkeras import arguments, registry
from jkeras.errors import ArgumentError

# The live tables: objects by `package>name`, and the names of objects.
GLOBAL_CUSTOM_OBJECTS = registry.get_custom_objects()
GLOBAL_CUSTOM_NAMES: dict[Any, str] = {}


class CustomObjectScope:
    """Makes classes and functions known by name inside a `with` block.

    Args:
        custom_objects: the objects by name.

    Raises:
        ArgumentError: they are no dict with strings as keys.

    >>> with CustomObjectScope({"double": lambda x: 2 * x}):
    ...     get_registered_object("double")(2)
    4
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None):
        table = arguments.optional(arguments.table)
        self.custom_objects = dict(
            arguments.checked("CustomObjectScope", "custom_objects", custom_objects, table) or {}
        )
        self._scope: Any = None

    def __enter__(self) -> Self:
        self._scope = registry.custom_object_scope(self.custom_objects)
        self._scope.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._scope.__exit__(*exception)


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """The live table of registered objects; objects added to it are registered."""
    return GLOBAL_CUSTOM_OBJECTS


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorator that registers a class or function as `package>name` for reading configurations.

    Raises:
        ArgumentError: a class has no `get_config`, or the package or name is no string.
    """
    place = "register_keras_serializable"
    arguments.checked(place, "package", package, arguments.text)
    arguments.checked(place, "name", name, arguments.optional(arguments.text))

    def decorate(target: Any) -> Any:
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ArgumentError("Cannot register a class that does not have a get_config() method.")
        arguments.checked(place, "target", target, arguments.named)
        registered_name = f"{package}>{target.__name__ if name is None else name}"
        GLOBAL_CUSTOM_OBJECTS[registered_name] = target
        GLOBAL_CUSTOM_NAMES[target] = registered_name
        return target

    return decorate


def get_registered_name(obj: Any) -> str:
    """The name that a class or function was registered under, or its own.

    Raises:
        ArgumentError: it has no name.
    """
    arguments.checked("get_registered_name", "obj", obj, arguments.named)
    return GLOBAL_CUSTOM_NAMES.get(obj) or registry.registered_name(obj) or obj.__name__


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any | None:
    """The object with this name: from enclosing scopes, the registered objects, or one of the two tables; else None.

    Raises:
        ArgumentError: the name is no string, or a table no dict.
    """
    place = "get_registered_object"
    arguments.checked(place, "name", name, arguments.text)
    arguments.checked(place, "custom_objects", custom_objects, arguments.optional(arguments.table))
    arguments.checked(place, "module_objects", module_objects, arguments.optional(arguments.table))
    for table in (registry.scoped_objects(), GLOBAL_CUSTOM_OBJECTS, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None
