"""How an identifier (a string, a configuration, an instance, a function) becomes an object.

Each family (activations, losses, layers ...) keeps one table from name to object and resolves identifiers through
`resolve`. Classes that a user registers for saving, or makes known for the length of a `with` block, are found first.
"""

from __future__ import annotations

import contextlib
import contextvars
import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from jkeras.errors import ArgumentError, UnknownNameError
from jkeras.values.spec import Spec

Named = TypeVar("Named", bound=type | Callable[..., Any])

_scope: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("jkeras_custom_objects")
_registered: dict[str, Any] = {}
_NOTHING: Mapping[str, Any] = types.MappingProxyType({})


def snake_case(name: str) -> str:
    """Keras's name for a class: `Conv2D` is `conv2d`, `ReLU` is `re_lu`.

    >>> [snake_case(n) for n in ("Dense", "Conv2D", "ReLU", "LeakyReLU", "LSTM", "MaxPooling2D")]
    ['dense', 'conv2d', 're_lu', 'leaky_re_lu', 'lstm', 'max_pooling2d']
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def register(package: str = "Custom", name: str | None = None) -> Callable[[Named], Named]:
    """Decorator that makes a class or function known under `package>name`, for loading files that use it.

    >>> @register(package="demo")
    ... class Known(Spec):
    ...     size: int = 1
    >>> custom_object("demo>Known") is Known
    True
    """

    def decorate(target: Named) -> Named:
        _registered[f"{package}>{name or target.__name__}"] = target
        return target

    return decorate


def registered_name(target: object) -> str | None:
    """The name that `target` was registered under, or None."""
    return next((name for name, value in _registered.items() if value is target), None)


@contextlib.contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Makes names known while the block runs."""
    token = _scope.set({**_scope.get(_NOTHING), **custom_objects})
    try:
        yield
    finally:
        _scope.reset(token)


def scoped_objects() -> Mapping[str, Any]:
    """What the `custom_object_scope`s around make known."""
    return _scope.get(_NOTHING)


def custom_object(name: str) -> Any | None:
    """The custom object of that name, with or without its package, or None."""
    found = _scope.get(_NOTHING).get(name, _registered.get(name))
    if found is None and ">" not in name:
        found = next((v for k, v in _registered.items() if k.partition(">")[2] == name), None)
    return found


def get_custom_objects() -> dict[str, Any]:
    """The table of everything that is registered, by `package>name`; what is added to it is known from then on."""
    return _registered


def custom_modules() -> set[str]:
    """The modules of all custom objects that are known at the moment."""
    targets = [*_registered.values(), *_scope.get(_NOTHING).values()]
    names = {getattr(target, "__module__", None) for target in targets}
    return {name for name in names if isinstance(name, str) and not name.startswith("jkeras.")}


def get_registered_name(obj: type | Callable[..., Any]) -> str:
    """The name that a class or function was registered under, or its own."""
    return registered_name(obj) or obj.__name__


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any | None:
    """The custom object of that name, looked for among those made known, then in the two tables; or None."""
    found = custom_object(name)
    for table in (custom_objects, module_objects):
        found = (table or {}).get(name) if found is None else found
    return found


def named_table(*objects: Named, **aliases: Named) -> dict[str, Named]:
    """A table with every object under its own name, its snake-case name, and the aliases."""
    table: dict[str, Named] = {}
    for target in objects:
        table[target.__name__] = target
        table[snake_case(target.__name__)] = target
    return {**table, **aliases}


def resolve(kind: str, table: Mapping[str, Any], identifier: object, base: type | None = None) -> Any:
    """The object that `identifier` means.

    Args:
        kind: what is looked for, as in "loss"; for error messages.
        table: known names.
        identifier: None, a name, a configuration dict, a class, an instance of `base`, or a function.
        base: the class whose instances and subclasses are accepted.

    Raises:
        UnknownNameError: a name is not in the table; the nearest one is given.
        ArgumentError: the identifier is none of the above.
    """
    if identifier is None or (base is not None and isinstance(identifier, base)):
        return identifier
    if isinstance(identifier, str):
        target = custom_object(identifier) or table.get(identifier)
        if target is None:
            raise UnknownNameError(kind, identifier, (k for k, v in table.items() if k == k.lower()))
        return target() if isinstance(target, type) else target
    if isinstance(identifier, Mapping):
        return _from_config(kind, table, identifier)
    if isinstance(identifier, type) and (base is None or issubclass(identifier, base)):
        return identifier()
    if callable(identifier):
        return identifier
    raise ArgumentError(f"expected a {kind}: a name, a configuration, an instance or a function")


def _from_config(kind: str, table: Mapping[str, Any], identifier: Mapping[str, Any]) -> Any:
    if "class_name" not in identifier:
        raise ArgumentError(f"expected a {kind} configuration with the keys 'class_name' and 'config'")
    name, config = identifier["class_name"], identifier.get("config", {})
    if name == "function":
        return resolve(kind, table, config)
    registered = identifier.get("registered_name")
    target = (registered and custom_object(registered)) or custom_object(name) or table.get(name)
    if target is None:
        raise UnknownNameError(kind, name, (k for k, v in table.items() if isinstance(v, type) and k != k.lower()))
    if not (isinstance(target, type) and issubclass(target, Spec)):
        return target
    return target.from_config(known_arguments(target, config))


def known_arguments(cls: type[Spec], config: Mapping[str, Any], ignored: Collection[str] = ()) -> dict[str, Any]:
    """A configuration without the entries of other versions that say nothing: options that are None or False.

    >>> class Known(Spec):
    ...     size: int = 1
    >>> known_arguments(Known, {"size": 2, "later_option": None})
    {'size': 2}
    """
    parameters = cls.__signature__.parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if takes_any or not cls.__module__.startswith("jkeras."):
        return dict(config)
    return {
        key: value
        for key, value in config.items()
        if key in parameters or not (value is None or value is False or key in ignored)
    }
