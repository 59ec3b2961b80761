"""Keras's mutable objects over descriptions: the common base of losses, metrics, optimizers, initializers and so on.

A description of the core is a frozen value. Its facade is a class with the same name that inherits from the description and
from the base of its family here, `Adam(jkeras.optimizers.Adam, Optimizer)`: constructor, configuration and computation are the
description's, the protocol is the base's. Instances are ordinary objects: assigned attributes take effect immediately, equality
is identity, and classes can be subclassed as in Keras.
"""

from __future__ import annotations

import abc
import inspect
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

import jax

from jkeras.errors import ArgumentError
from jkeras.keras.scopes import is_traced
from jkeras.keras.variables import unwrap
from jkeras.tracebacks import filtered
from jkeras.values.spec import Field, Spec, SpecMeta

Class = TypeVar("Class", bound="type[Mutable]")


class MutableMeta(SpecMeta, abc.ABCMeta):
    """Classes whose instances remain mutable, and whose annotations are not constructor arguments."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> MutableMeta:
        annotations = namespace.get("__annotations__")
        unannotated = {key: value for key, value in namespace.items() if key != "__annotations__"}
        cls = super().__new__(mcls, name, bases, unannotated, **kwargs)
        if annotations is not None:
            cls.__annotations__ = annotations
        return cls

    if not TYPE_CHECKING:  # checkers use the constructors

        @filtered
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return type.__call__(cls, *args, **kwargs)


class Mutable(Spec, metaclass=MutableMeta):
    """Base class of all families."""

    # The class of values that a facade wraps; None for the bases of families.
    description: ClassVar[Any] = None
    # Names of a family's base that take precedence over those of a description.
    overrides: ClassVar[tuple[str, ...]] = ()

    __eq__ = object.__eq__
    __hash__ = object.__hash__
    __repr__ = object.__repr__

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # As it was: what an object holds can change, unlike what a value of the core holds.
        vars(self).update(state)

    @classmethod
    def _convert(cls, name: str, f: Field, value: Any) -> Any:
        return super()._convert(name, f, _number(value))

    def _arguments(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self)._fields}

    def _key(self) -> NoReturn:
        raise ArgumentError(
            f"{type(self).__name__} is a mutable object of `jkeras.keras`; models of jkeras consist of immutable values."
            f" Write `jkeras.{self.keras_module.partition('.')[2]}.{type(self).__name__}(...)` there."
        )

    def to_value(self) -> Any:
        """The description that the attributes make at this moment."""
        return self.description(**{name: value_of(value) for name, value in self._arguments().items()})

    @classmethod
    def is_facade(cls) -> bool:
        """Whether this is a built-in class, not one of a user's."""
        return "description" in vars(cls) and cls.description is not None


def _number(value: Any) -> Any:
    """Converts a scalar variable or array to a number; anything else is unchanged."""
    value = unwrap(value)
    return value.item() if isinstance(value, jax.Array) and not value.ndim and not is_traced(value) else value


def facade(description: type[Spec], base: Class, module: str, **namespace: Any) -> Class:
    """Creates the facade of a class of descriptions.

    Args:
        description: the class of descriptions.
        base: the base of the family, or the facade of the class from which Keras derives this one.
        module: the module that contains the class under the description's name.
        namespace: the attributes of the class.
    """
    overrides = {name: inspect.getattr_static(base, name) for name in base.overrides}
    own = {
        "__module__": module,
        "__qualname__": description.__name__,
        "__doc__": without_examples(vars(description)["__doc__"]),
    }
    namespace = {**own, "description": description, **overrides, **namespace}
    cls = type(base)(description.__name__, (description, base), namespace)
    return _facades.setdefault(description, cls)


def without_examples(doc: str | None) -> str | None:
    """A docstring without examples, which are for immutable values."""
    if doc is None:
        return None
    return "\n\n".join(part for part in re.split(r"\n[ ]*\n", doc) if not part.lstrip().startswith(">>>"))


# The facades by class of descriptions, and functions that create those of a family on demand.
_facades: dict[type, Any] = {}
_makers: dict[type, Callable[[Any], Any]] = {}


def make_facades_of(family: type, make: Callable[[Any], Any]) -> None:
    """Registers `make(description)`, which creates facades of a family's classes on demand."""
    _makers[family] = make


def facade_of(description: type) -> Any:
    """The facade of a class of descriptions, or None."""
    if description not in _facades:
        for family, make in _makers.items():
            if issubclass(description, family):
                return make(description)
    return _facades.get(description)


def facades(table: Mapping[str, Any], base: type[Mutable], module: str) -> dict[str, Any]:
    """A table of names with classes of descriptions replaced by their facades, and functions unchanged."""
    classes = {value: facade(value, base, module) for value in dict.fromkeys(table.values()) if isinstance(value, type)}
    return {name: classes.get(value, value) for name, value in table.items()}


def is_builtin(instance: Any) -> bool:
    """Whether an object runs no user code: its class and those of the objects that it contains are built in."""
    return instance.is_facade() and not holds_users_objects(instance)


def holds_users_objects(owner: Any) -> bool:
    """Whether an attribute is an object of a user's class, such as a schedule or constraint."""
    return any(isinstance(part, Mutable) and not is_builtin(part) for part in vars(owner).values())


def value_of(instance: Any) -> Any:
    """The description with the current attributes of a built-in object; anything else unchanged."""
    return instance.to_value() if isinstance(instance, Mutable) and instance.is_facade() else instance
