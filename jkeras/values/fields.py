"""The arguments of a class, declared once as annotated fields, and the signature that follows from them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

MISSING: Any = dataclasses.MISSING


@dataclasses.dataclass(frozen=True)
class Field:
    """One constructor argument: its default, how it is normalised, whether it is part of the configuration."""

    default: Any = MISSING
    converter: Callable[[Any], Any] | None = None
    kw_only: bool = False
    in_config: bool = True
    trailing: bool = False


def field(
    default: Any = MISSING,
    *,
    converter: Callable[[Any], Any] | None = None,
    kw_only: bool = False,
    in_config: bool = True,
    trailing: bool = False,
) -> Any:
    """Declares a constructor argument; `converter` checks and normalises it (see `jkeras.arguments`).

    A `trailing` argument of a base class comes after the arguments of its subclasses.
    """
    return Field(default, converter, kw_only, in_config, trailing)


def declared_fields(cls: type) -> dict[str, Field]:
    """The fields that the body of `cls` declares; their defaults stay as class attributes."""
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
    """The signature of a constructor that takes `fields`."""
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
    """The arguments of a hand-written constructor by name, `**kwargs` flattened."""
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
