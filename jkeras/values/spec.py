"""Frozen values described by their constructor.

Layers, losses, metrics, optimizers and initializers are *descriptions*. A description is complete when its constructor
returns and never changes afterwards. Two descriptions with the same contents are equal and have the same hash, so models
that are defined the same way share one compiled training step.

A class declares its arguments once, as annotated fields, from which the constructor, the configuration, the repr and
equality are derived::

    class MaxNorm(Constraint):
        max_value: float = field(default=2, convert=arguments.number)
        axis: int = 0

A class with its own `__init__`, in Keras's style, works as well: the attributes that it sets are the value, and the
arguments of the call are the configuration. It is frozen when the outermost constructor returns.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

from jkeras.discarded import check_used
from jkeras.errors import ArgumentError, FrozenError, SignatureError, UnknownNameError, suggestion
from jkeras.tracebacks import filtered
from jkeras.values.config import Configured, serialize
from jkeras.values.docstrings import completed
from jkeras.values.fields import MISSING, Field, captured_arguments, declared_fields, field, signature_of
from jkeras.values.frozen import frozen, kept, thawed
from jkeras.values.keys import HashedKey, Keyed, key_of

# The attributes of every value that are derived from the rest.
MEMOS = ("_spec_key",)


@dataclass_transform(field_specifiers=(field,))
class SpecMeta(type):
    """Collects the fields of a class and freezes its instances."""

    _fields: dict[str, Field]
    _handwritten: bool
    _signature: inspect.Signature | None

    if not TYPE_CHECKING:  # computed when read; checkers and editors see the docstring of the class itself

        @property
        def __doc__(cls):
            return completed(cls)

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        own_arguments: bool = False,
        **kwargs: Any,
    ) -> SpecMeta:
        """With `own_arguments`, a class declares all its positional arguments itself and inherits none."""
        cls = super().__new__(mcls, name, bases, namespace, **kwargs)
        fields: dict[str, Field] = {}
        for base in reversed(bases):
            inherited = base._fields if isinstance(base, SpecMeta) else {}
            fields = {**inherited, **{k: v for k, v in fields.items() if k not in inherited}}
        if own_arguments:
            fields = {k: v for k, v in fields.items() if v.kw_only}
        handwritten = _has_own_constructor(cls)
        own = {} if handwritten else declared_fields(cls)
        for key, value in own.items():
            if key in fields and value.convert is None:  # inherit the base class's conversion
                value = dataclasses.replace(value, convert=fields[key].convert)
            if key in fields and (fields[key].kw_only, fields[key].trailing) > (value.kw_only, value.trailing):
                del fields[key]  # a keyword-only or trailing base argument moves to the position of its redeclaration
            fields[key] = value
        fields = dict(sorted(fields.items(), key=lambda item: item[1].trailing))
        cls._fields = fields
        cls._handwritten = handwritten
        cls._signature = None
        return cls

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's signature; computed when read, because importing jkeras creates hundreds of classes."""
        if cls._signature is None:
            if cls._handwritten:
                parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
                cls._signature = inspect.Signature(parameters)
            else:
                cls._signature = signature_of(cls._fields)
        return cls._signature

    if not TYPE_CHECKING:  # checkers derive the constructor from the fields

        @filtered
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            instance = super().__call__(*args, **kwargs)
            if isinstance(instance, cls):
                cls._end_construction(instance, args, kwargs)
            return instance


def _has_own_constructor(cls: type) -> bool:
    """Whether `cls` or one of its bases below `Spec` has a hand-written `__init__`."""
    return any(
        "__init__" in base.__dict__ for base in cls.__mro__ if any(isinstance(b, SpecMeta) for b in base.__bases__)
    )


class Spec(Keyed, Configured, metaclass=SpecMeta):
    """Base of every description. See the module's docstring."""

    # The name in messages, for classes that users do not construct themselves.
    _called: ClassVar[str] = ""
    # Whether the constructor is written by hand; of the metaclass.
    _handwritten: ClassVar[bool]

    if not TYPE_CHECKING:

        def __init__(self, *args: Any, **kwargs: Any):
            # Directly into the instance, because a base class may have a property with the name of an argument.
            vars(self).update(self._bind(args, kwargs))
            self.__post_init__()

    def __post_init__(self) -> None:
        """Checks that need several arguments at once; may still assign."""

    @classmethod
    def _bind(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        fields = cls._fields
        positional = [name for name, f in fields.items() if not f.kw_only]
        if len(args) > len(positional):
            raise SignatureError(
                f"{cls.__name__}() takes at most {len(positional)} positional arguments, got {len(args)}."
                f" The arguments are: {', '.join(fields)}."
            )
        arguments = dict(zip(positional, args, strict=False))
        for name, value in kwargs.items():
            if name not in fields:
                raise SignatureError(f"{cls.__name__}() has no argument {name!r}.{suggestion(name, fields)}")
            if name in arguments:
                raise SignatureError(f"{cls.__name__}() got argument {name!r} twice.")
            arguments[name] = value
        values = {}
        for name, f in fields.items():
            value = arguments.get(name, f.default)
            if value is MISSING:
                raise SignatureError(f"{cls.__name__}() needs the argument {name!r}.")
            values[name] = cls._convert(name, f, value)
        return values

    @classmethod
    def _convert(cls, name: str, f: Field, value: Any) -> Any:
        if f.convert is None:
            return tuple(value) if isinstance(value, list) else value
        try:
            return f.convert(value)
        except ArgumentError as error:
            if str(error).startswith("expected "):
                raise ArgumentError(f"{cls._called or cls.__name__}({name}={value!r}): {error}") from None
            if isinstance(error, UnknownNameError):
                shown_value = repr(value) if isinstance(value, str) else "..."
                raise error.of(f"{cls._called or cls.__name__}({name}={shown_value})") from None
            raise

    # -- immutability ---------------------------------------------------------------------------------------------

    # Cached attributes, which are derived from the rest; changed copies start without them.
    _memos: ClassVar[tuple[str, ...]] = MEMOS

    @classmethod
    def _end_construction(cls, instance: Spec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not instance._is_frozen:
            instance._freeze(captured_arguments(cls, args, kwargs) if cls._handwritten else None)

    @property
    def _parts_of_value(self) -> type[Spec] | tuple[type[Spec], ...]:
        """The types of descriptions inside this value that must already be frozen."""
        return ()

    @property
    def _is_frozen(self) -> bool:
        return "_spec_arguments" in vars(self)

    def _freeze(self, arguments: dict[str, Any] | None) -> None:
        """Ends construction: makes the contents of the value and the value itself immutable.

        Args:
            arguments: the arguments of a hand-written constructor.
        """
        own = vars(self)
        for value in own.values():
            for part in value if isinstance(value, (tuple, list)) else (value,):
                if isinstance(part, self._parts_of_value):
                    self._check_part(part)
        own.update({name: frozen(value) for name, value in own.items() if not name.startswith("_spec_")})
        own["_spec_arguments"] = None if arguments is None else kept(arguments)

    def _check_part(self, part: Spec) -> None:
        if not part._is_frozen:
            part._key()  # raises an error for a mutable object, which has no key

    def _evolve(self, **attributes: Any) -> Self:
        """A copy with attributes changed; all copies of values are made here."""
        clone = object.__new__(type(self))
        # Attributes that begin with `_spec_` are not part of the value, so the key does not change.
        same = all(name.startswith("_spec_") for name in attributes)
        dropped = tuple(name for name in self._memos if not (same and name == "_spec_key"))
        own = vars(clone)
        own.update({name: value for name, value in vars(self).items() if name not in dropped})
        own.update({n: value if n.startswith("_spec_") else frozen(value) for n, value in attributes.items()})
        return clone

    def __getstate__(self) -> dict[str, Any]:
        # Hashes differ between processes, and unpickled objects are not identical with those in the keys.
        return {name: value for name, value in vars(self).items() if name not in self._memos}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update({n: value if n.startswith("_spec_") else frozen(value) for n, value in state.items()})

    def __setattr__(self, name: str, value: Any) -> None:
        if self._is_frozen:
            raise FrozenError(self._frozen_message(name))
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if self._is_frozen:
            raise FrozenError(self._frozen_message(name))
        super().__delattr__(name)

    def _frozen_message(self, name: str) -> str:
        return (
            f"{type(self).__name__} is immutable; `{name}` cannot be assigned."
            f" Make a changed copy instead: `new = old.replace({name}=...)`."
        )

    def replace(self, **changes: Any) -> Self:
        """A copy with some arguments changed.

        Raises:
            SignatureError: a name is not an argument of the constructor.
        """
        arguments = self._arguments()
        for name in changes:
            if name not in arguments and name not in type(self).__signature__.parameters and not takes_any(type(self)):
                raise SignatureError(f"{type(self).__name__} has no argument {name!r}.{suggestion(name, arguments)}")
        changed = type(self)(**{**arguments, **changes})
        check_used("replace", owner="value", may_show=True)
        return changed

    def _arguments(self) -> dict[str, Any]:
        """The constructor's arguments, by name, as attributes of this value."""
        captured = self._spec_arguments
        return {name: vars(self)[name] for name in type(self)._fields} if captured is None else thawed(captured)

    # -- configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain JSON-able values, with Keras's keys."""
        from_fields = self._spec_arguments is None
        return {
            name: serialize(value)
            for name, value in self._arguments().items()
            if not (from_fields and not type(self)._fields[name].in_config)
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Creates a value from the result of `get_config`."""
        if not isinstance(config, Mapping):
            raise ArgumentError(f"{cls.__name__}.from_config: expected a configuration, got {config!r}.")
        return cls(**config)

    # -- equality -------------------------------------------------------------------------------------------------

    def _key(self) -> HashedKey:
        cached = self._spec_key
        if cached is None:
            cached = HashedKey((type(self), key_of(dict(sorted(self._state().items())))))
            if self._is_frozen:
                vars(self)["_spec_key"] = cached
        return cached

    def _state(self) -> dict[str, Any]:
        """The attributes that make this value what it is."""
        return {k: v for k, v in vars(self).items() if not k.startswith("_spec_")}

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return (self._spec_key or self._key()).hash

    def __repr__(self) -> str:
        parts = []
        positional = True
        for name, value in self._arguments().items():
            parameter = type(self).__signature__.parameters.get(name)
            default = parameter.default if parameter is not None else MISSING
            if default is not inspect.Parameter.empty and self._is_default(name, value, default):
                positional = False
                continue
            shown = _show(value)
            parts.append(shown if positional and default is inspect.Parameter.empty else f"{name}={shown}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def _is_default(self, name: str, value: Any, default: Any) -> bool:
        f = type(self)._fields.get(name)
        if f is not None and f.convert is not None and default is not MISSING:
            try:
                default = f.convert(default)
            except ArgumentError:
                return False
        result: bool = key_of(value) == key_of(default)
        return result


def takes_any(cls: SpecMeta) -> bool:
    """Whether the constructor of a class takes arguments of any name."""
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in cls.__signature__.parameters.values())


def _show(value: Any) -> str:
    if isinstance(value, types.FunctionType):
        return repr(value.__name__) if value.__module__.startswith("jkeras.") else value.__name__
    return repr(value)
