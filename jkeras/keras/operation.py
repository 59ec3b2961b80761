"""`Operation`: a callable that records calls on symbolic tensors; the base of layers and of functions in a graph."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any, Self

from jkeras import tree
from jkeras.errors import ArgumentError
from jkeras.keras.history import Node
from jkeras.keras.inference import infer_output_spec
from jkeras.keras.naming import auto_name
from jkeras.keras.tensor import any_symbolic_tensors

_PLAIN = (str, int, float, bool, type(None))


class Operation:
    """A computation that can be a node of a graph.

    Args:
        name: the name; None creates one from the class name: `dense`, `dense_1`, ...

    >>> class Double(Operation):
    ...     def call(self, x):
    ...         return x * 2
    >>> Double()(3)
    6
    """

    # The arguments of the constructor if they can be serialized; see `captured_arguments`.
    _auto_config: Mapping[str, Any] | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        instance = super().__new__(cls)
        vars(instance)["_auto_config"] = captured_arguments(cls, args, kwargs)
        return instance

    def __init__(self, name: str | None = None):
        if name is None:
            name = auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ArgumentError(
                "Argument `name` must be a string and cannot contain character `/`."
                f" Received: name={name} (of type {type(name)})"
            )
        self.name = name
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    # -- calling --------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic_tensors(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs."""
        raise NotImplementedError(f"{type(self).__name__} must define `call`.")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs for symbolic inputs; the call is recorded."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors for the outputs for given inputs, inferred from `call`."""
        try:
            return infer_output_spec(self.call, *args, **kwargs)
        except Exception as error:
            error.add_note(
                f"Could not automatically infer the output shape / dtype of '{self.name}' (of type {type(self).__name__})."
                f" Either `{type(self).__name__}.call()` is incorrect, or the class needs a `compute_output_spec()` or"
                " `compute_output_shape()` method."
            )
            raise

    # -- the graph ------------------------------------------------------------------------------------------------

    @property
    def input(self) -> Any:
        """The symbolic input of the first call, or a list of several."""
        return self._first_call("input")

    @property
    def output(self) -> Any:
        """The symbolic output of the first call, or a list of several."""
        return self._first_call("output")

    def _first_call(self, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"The layer {self.name} has never been called and thus has no defined {what}.")
        node = self._inbound_nodes[0]
        tensors = node.input_tensors if what == "input" else node.output_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    # -- configuration --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values.

        Raises:
            NotImplementedError: they have other types, and the class does not override `get_config`.
        """
        if type(self).get_config is not Operation.get_config:
            return {"name": self.name}
        return written_arguments(self, {"name": self.name})

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Restores an operation from `get_config()`."""
        try:
            return cls(**config)
        except Exception as error:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}' using config={config}.\n\nException encountered: {error}"
            ) from error

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"


@functools.lru_cache(maxsize=4096)
def constructor_signature(cls: type) -> inspect.Signature:
    """The signature of a class's constructor, without `self`."""
    if cls.__init__ is object.__init__:
        return inspect.Signature()
    return inspect.Signature(list(inspect.signature(cls.__init__).parameters.values())[1:])


def captured_arguments(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments of a constructor by name, without `name`; None if they are not plain or have no names."""
    signature = constructor_signature(cls)
    parameters = signature.parameters.values()
    if any(p.kind is p.POSITIONAL_ONLY for p in parameters):
        return None
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return None  # the constructor will raise the error
    bound.apply_defaults()
    values = dict(bound.arguments)
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            values.update(values.pop(parameter.name))
        elif parameter.kind is parameter.VAR_POSITIONAL and values.pop(parameter.name):
            return None
    values.pop("name", None)
    return values if all(isinstance(leaf, _PLAIN) for leaf in tree.flatten(values)) else None


def written_arguments(instance: Operation, base: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an object whose class has no `get_config`: `base` and the constructor's arguments.

    Raises:
        NotImplementedError: the arguments cannot be serialized.
    """
    cls = type(instance)
    if instance._auto_config is None:
        raise NotImplementedError(
            f"Object {cls.__name__} was created by passing non-serializable argument values (or positional-only or variadic"
            f" arguments) in `__init__()`, and therefore the class must override `get_config()`: return"
            f" `{{**super().get_config(), 'argument': self.argument}}`."
        )
    config = {**base, **instance._auto_config}
    parameters = constructor_signature(cls).parameters
    if "name" not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        config.pop("name", None)
    return config
