"""`get`, `serialize` and `deserialize` for Keras's families of objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from jkeras.errors import ArgumentError, UnknownNameError
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.registration import get_registered_object
from jkeras.keras.serialization import serialize_keras_object


class Family:
    """The names of a family.

    Args:
        kind: the kind of object, such as "loss", for messages.
        table: objects by name.
        base: the class of the family's objects.
        functions: whether functions are accepted unchanged.

    >>> Family("number", {"one": int}, int).get("one")
    0
    """

    def __init__(self, kind: str, table: Mapping[str, Any], base: type, functions: bool = True):
        self.kind = kind
        self.table = table
        self.base = base
        self.functions = functions

    def get(self, identifier: Any) -> Any:
        """The object that `identifier` means: None (returned as None), a name, a configuration, an object, a class or a function.

        Raises:
            UnknownNameError: the name or class name is unknown.
            ArgumentError: it is none of the above.
        """
        if identifier is None or isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, Mapping):
            resolved = self.deserialize(identifier)
        elif isinstance(identifier, str):
            resolved = self._named(identifier)
        else:
            resolved = identifier
        if isinstance(resolved, type):
            resolved = resolved()
        if isinstance(resolved, self.base) or (self.functions and callable(resolved)):
            return resolved
        raise ArgumentError(f"Could not interpret {self.kind} identifier: {identifier!r}")

    def _named(self, name: str) -> Any:
        registered = get_registered_object(name, module_objects=self.table)
        if registered is None:
            unknown = UnknownNameError(self.kind, name, (key for key in self.table if key == key.lower()))
            raise unknown.of(f"Could not interpret {self.kind} identifier")  # Keras's text, which libraries look for
        return registered

    def serializer(self, argument: str) -> Callable[..., Any]:
        """`serialize` with Keras's name of the argument.

        >>> inspect.signature(Family("number", {}, int).serializer("number"))
        <Signature (number)>
        """
        signature = inspect.Signature([inspect.Parameter(argument, inspect.Parameter.POSITIONAL_OR_KEYWORD)])

        def serialize(*args: Any, **kwargs: Any) -> Any:
            return self.serialize(signature.bind(*args, **kwargs).arguments[argument])

        serialize.__doc__ = self.serialize.__doc__
        serialize.__signature__ = signature  # type: ignore[attr-defined]
        return serialize

    def serialize(self, value: Any) -> Any:
        """The JSON-able form of an object or a function."""
        return serialize_keras_object(value)

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Restores an object from the output of `serialize`; `custom_objects` are names known during this call."""
        return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=self.table)
