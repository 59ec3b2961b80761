"""Keras's mutable objects over descriptions: what losses, metrics, optimizers, initializers and their like have in common.

A description of the core is a frozen value. Its facade is a class of the same name that inherits from the description and
from the base of its family here, `Adam(jkeras.optimizers.Adam, Optimizer)`: the constructor, the configuration and the
computation are the description's, the protocol is the base's. Instances are ordinary objects: attributes can be assigned and
count at once, equality is identity, and classes can be subclassed in Keras's forms.
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

    if not TYPE_CHECKING:  # checkers look at the constructors

        @filtered
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return type.__call__(cls, *args, **kwargs)


class Mutable(Spec, metaclass=MutableMeta):
    """Base of the families."""

    # The class of values that a facade is of; None for the bases of families.
    description: ClassVar[Any] = None
    # Names of a family's base that are kept where a description has something else under the same name.
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
            f"{type(self).__name__} is an object of `jkeras.keras`, which can change; a model of jkeras is made of values."
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
    """The number of a variable or an array without axes; anything else as it is."""
    value = unwrap(value)
    return value.item() if isinstance(value, jax.Array) and not value.ndim and not is_traced(value) else value


def facade(description: type[Spec], base: Class, module: str, **namespace: Any) -> Class:
    """The class here for a class of descriptions.

    Args:
        description: what it describes.
        base: the base of the family, or the facade of the class that Keras derives this one from.
        module: where the class can be found under the description's name.
        namespace: attributes of the class.
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
    """A docstring without the paragraphs that show a value at work: here there are objects."""
    if doc is None:
        return None
    return "\n\n".join(part for part in re.split(r"\n[ ]*\n", doc) if not part.lstrip().startswith(">>>"))


# The facade of each class of descriptions, and what makes those of a family when they are first needed.
_facades: dict[type, Any] = {}
_makers: dict[type, Callable[[Any], Any]] = {}


def make_facades_of(family: type, make: Callable[[Any], Any]) -> None:
    """Has `make(description)` make facades of a family's classes when they are first asked for."""
    _makers[family] = make


def facade_of(description: type) -> Any:
    """The class here for a class of descriptions, or None."""
    if description not in _facades:
        for family, make in _makers.items():
            if issubclass(description, family):
                return make(description)
    return _facades.get(description)


def facades(table: Mapping[str, Any], base: type[Mutable], module: str) -> dict[str, Any]:
    """A table of names with each class of descriptions replaced by a facade, and each function left."""
    classes = {value: facade(value, base, module) for value in dict.fromkeys(table.values()) if isinstance(value, type)}
    return {name: classes.get(value, value) for name, value in table.items()}


def is_builtin(instance: Any) -> bool:
    """Whether no code of a user runs in an object: its class is built in, and so are those of the objects that it holds."""
    return instance.is_facade() and not holds_users_objects(instance)


def holds_users_objects(owner: Any) -> bool:
    """Whether an attribute is an object of a user's class, such as a schedule or a constraint."""
    return any(isinstance(part, Mutable) and not is_builtin(part) for part in vars(owner).values())


def value_of(instance: Any) -> Any:
    """The description that the attributes of a built-in object make at this moment; anything else as it is."""
    return instance.to_value() if isinstance(instance, Mutable) and instance.is_facade() else instance
