"""The arguments of a class, declared once as annotated fields, and the signature derived from them.

What a type checker sees (mypy and pyright, through `typing.dataclass_transform` on `SpecMeta`):

- `units: int = field(convert=arguments.positive_int)` is a required argument `units: int`, and an attribute of this type.
- `field(default=...)`: checkers see a default only when it is passed by keyword.
- `kernel_size: Converted[int | Sequence[int], tuple[int, ...]]`: the constructor accepts one or more integers, the
  attribute is a tuple. To checkers the annotation is a descriptor, which both understand; at run time it does nothing.
  (pyright supports `converter=`, mypy does not; that is why the argument is called `convert` here.)
- `kw_only=True` arguments come last, by keyword. A `trailing` argument of a base class comes after the arguments of
  its subclasses; checkers have no such concept and treat it as keyword-only (`kw_only=True, trailing=True`).
- For checkers, a redeclared field always keeps the position of its first declaration. So if subclasses determine the
  position of an argument, the base class does not declare it as a field to checkers: it *annotates* the attribute in a
  plain class beside it, and has the argument under an alias, which such subclasses turn off::

      class LossAttributes:
          name: str | None

      class Loss(LossAttributes, Spec):
          if TYPE_CHECKING:
              _name: str | None = field(default=None, alias="name", kw_only=True)

      class Huber(Loss):
          if TYPE_CHECKING:
              _name: str | None = field(init=False)
          delta: float = 1.0
          name: str | None = "huber_loss"
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

MISSING: Any = dataclasses.MISSING

Given_contra = TypeVar("Given_contra", contravariant=True)
Stored_co = TypeVar("Stored_co", covariant=True)


class Converted(Generic[Given_contra, Stored_co]):
    """Annotates a field whose constructor argument has a different type (`Given`) from its attribute (`Stored`)."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> Stored_co: ...
        def __get__(self, instance: object, owner: type) -> Self | Stored_co: ...
        def __set__(self, instance: object, value: Given_contra) -> None: ...


@dataclasses.dataclass(frozen=True)
class Field:
    """One constructor argument: its default, its conversion, and whether it is part of the configuration."""

    default: Any = MISSING
    convert: Callable[[Any], Any] | None = None
    kw_only: bool = False
    in_config: bool = True
    trailing: bool = False


def field(
    *,
    default: Any = MISSING,
    convert: Callable[[Any], Any] | None = None,
    kw_only: bool = False,
    in_config: bool = True,
    trailing: bool = False,
    init: bool = True,
    alias: str | None = None,
) -> Any:
    """Declares a constructor argument; `convert` checks and normalises it (see `jkeras.arguments`).

    A field that is redeclared without `convert` keeps that of the base class.
    A `trailing` argument of a base class comes after the arguments of its subclasses. Only type checkers read `init`
    and `alias`.
    """
    return Field(default, convert, kw_only and not trailing, in_config, trailing)


def declared_fields(cls: type) -> dict[str, Field]:
    """The fields that the body of `cls` declares; their defaults remain as class attributes."""
    fields = {}
    for name, annotation in inspect.get_annotations(cls).items():
        if name.startswith("_") or "ClassVar" in str(annotation):
            continue
        value = cls.__dict__.get(name, MISSING)
        if not isinstance(value, Field):
            value = Field(value)
        shadows_property = any(isinstance(base.__dict__.get(name), property) for base in cls.__mro__[1:])
        if name in cls.__dict__ and (value.default is MISSING or shadows_property):
            delattr(cls, name)
        elif value.default is not MISSING:
            setattr(cls, name, value.default)
        fields[name] = value
    return fields


def signature_of(fields: Mapping[str, Field]) -> inspect.Signature:
    """The signature of a constructor with the arguments `fields`."""
    ordered = sorted(fields.items(), key=lambda item: item[1].kw_only)
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY if f.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if f.default is MISSING else f.default,
            )
            for name, f in ordered
        ],
        __validate_parameters__=False,
    )


def captured_arguments(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a hand-written constructor by name, with `**kwargs` flattened."""
    signature = inspect.signature(cls.__init__)  # type: ignore[misc]
    bound = signature.bind(None, *args, **kwargs)
    bound.apply_defaults()
    captured: dict[str, Any] = {}
    for parameter in list(signature.parameters.values())[1:]:
        value = bound.arguments[parameter.name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            captured.update(value)
        elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
            captured[parameter.name] = value
    return captured
