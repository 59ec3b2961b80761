"""How an identifier (a string, a configuration, an instance, a function) becomes an object.

Each family (activations, losses, layers ...) keeps one table from name to object and resolves identifiers through
`resolve`. Classes that a user registers for saving, or makes known for the length of a `with` block, are found first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from jkeras.arguments import whose
from jkeras.errors import ArgumentError, UnknownNameError
from jkeras.values.config import target_of
from jkeras.values.custom_objects import custom_modules as custom_modules
from jkeras.values.custom_objects import custom_object as custom_object
from jkeras.values.custom_objects import custom_object_scope as custom_object_scope
from jkeras.values.custom_objects import get_custom_objects as get_custom_objects
from jkeras.values.custom_objects import get_registered_name as get_registered_name
from jkeras.values.custom_objects import get_registered_object as get_registered_object
from jkeras.values.custom_objects import register as register
from jkeras.values.custom_objects import registered_name as registered_name
from jkeras.values.custom_objects import scoped_objects as scoped_objects
from jkeras.values.spec import Spec

Named = TypeVar("Named", bound=type | Callable[..., Any])

# The names of `keras.saving`.
CustomObjectScope = custom_object_scope
register_keras_serializable = register


def snake_case(name: str) -> str:
    """Keras's name for a class: `Conv2D` is `conv2d`, `ReLU` is `re_lu`.

    >>> [snake_case(n) for n in ("Dense", "Conv2D", "ReLU", "LeakyReLU", "LSTM", "MaxPooling2D")]
    ['dense', 'conv2d', 're_lu', 'leaky_re_lu', 'lstm', 'max_pooling2d']
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


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
    raise ArgumentError(f"expected a {kind}: a name, a configuration, an instance or a function.{whose(identifier)}")


def _from_config(kind: str, table: Mapping[str, Any], identifier: Mapping[str, Any]) -> Any:
    if "class_name" not in identifier:
        raise ArgumentError(f"expected a {kind} configuration with the keys 'class_name' and 'config'")
    name, config = identifier["class_name"], identifier.get("config", {})
    if name == "function":
        return resolve(kind, table, config)
    target = target_of(identifier, table)
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
