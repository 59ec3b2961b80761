"""Functions of `keras.ops` as operations, one class per function, with Keras's names and arguments.

Keras divides the arguments of a function: some configure the operation; it is applied to the others, mostly tensors.
`Mean(axis=1)(x)` is `ops.mean(x, axis=1)`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from jkeras import tree
from jkeras.dispatch import missing_axis, public
from jkeras.errors import InputError, SignatureError, suggestion
from jkeras.files import operations
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.inference import infer_function_spec
from jkeras.keras.operation import Operation
from jkeras.keras.shape_rules import RULES
from jkeras.keras.tensor import KerasTensor
from jkeras.ops.table import FUNCTIONS


class FunctionOperation(Operation):
    """Base of the classes of functions."""

    # The name of the function in `jkeras.ops`.
    function: ClassVar[str]
    # The function itself; with symbolic tensors of the core, it extends their graph.
    _compute: ClassVar[Callable[..., Any]]

    def __init__(self, *args: Any, name: str | None = None, **kwargs: Any):
        super().__init__(name=name)
        self.configured = _configured(type(self), args, kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = self.joined(args, kwargs)
        return self._compute(*args, **kwargs)

    def joined(self, args: Any, kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """All arguments of the function, for one application of the operation."""
        return operations.join(self.function, FUNCTIONS[self.function], self.configured, args, kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = self.joined(args, kwargs)
        if self.function in RULES:
            return RULES[self.function](*args, **kwargs)
        try:
            return infer_function_spec(FUNCTIONS[self.function], *args, **kwargs)
        except (TypeError, IndexError) as error:  # what JAX raises for shapes and axes that do not fit
            text = missing_axis(FUNCTIONS[self.function], tuple(args), kwargs) or error
            raise InputError(f"ops.{self.function}: {text}") from error

    def get_config(self) -> dict[str, Any]:
        return {**self.configured, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        return cls(**deserialize_keras_object(dict(config)))

    def __getattr__(self, name: str) -> Any:
        configured = vars(self).get("configured", {})
        if name in configured:
            return configured[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")


def _configured(cls: type[FunctionOperation], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    parameters = operations.configurable(cls.function, FUNCTIONS[cls.function])
    if len(args) > len(parameters):
        raise SignatureError(f"{cls.__name__}() takes the arguments {parameters}, got {len(args)} positional ones.")
    call_arguments = {**dict(zip(parameters, args, strict=False)), **kwargs}
    unknown = [
        key for key in call_arguments if key not in parameters and not (key == "dtype" and call_arguments[key] is None)
    ]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(FUNCTIONS[cls.function]).parameters.values())
    if unknown and not takes_any:
        raise SignatureError(f"{cls.__name__}() has no argument {unknown[0]!r}.{suggestion(unknown[0], parameters)}")
    return call_arguments


@functools.cache
def operation_class(function: str, class_name: str | None = None) -> type[FunctionOperation]:
    """The class of a function of `jkeras.ops`."""
    module, name = operations.place(function, {})
    name = class_name or name
    compute = staticmethod(public(function, FUNCTIONS[function]))
    namespace = {"function": function, "_compute": compute, "__module__": module, "__qualname__": name}
    return type(name, (FunctionOperation,), namespace)


def named_class(class_name: str, module: str = "") -> type[FunctionOperation]:
    """The class with a given name in Keras, such as in `keras.src.ops.numpy`.

    Raises:
        UnknownNameError: there is no such class.
    """
    return operation_class(operations.name_of({"class_name": class_name, "module": module}, FUNCTIONS), class_name)


def record(function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Adds a function, by name, to the graph of the symbolic tensors among its arguments."""
    configured, applied, named = operations.part(function, FUNCTIONS[function], args, kwargs)
    for key in [key for key, value in configured.items() if _is_symbolic(value)]:
        named[key] = configured.pop(key)
    return operation_class(function)(**configured).symbolic_call(*applied, **named)


def _is_symbolic(value: Any) -> bool:
    return any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(value))
