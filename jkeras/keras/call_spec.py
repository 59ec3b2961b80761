"""One call of a layer: its arguments by name, the tensors among them, and what outer calls pass on."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import jax

from jkeras import tree
from jkeras.errors import InputError
from jkeras.keras.dtypes import standardize_shape
from jkeras.keras.tensor import KerasTensor

TENSORS = (jax.Array, KerasTensor)


class CallContext:
    """What the outermost call of a layer passes to nested calls: `training`, and arguments that layers registered."""

    def __init__(self, entry_layer: Any):
        self.entry_layer = entry_layer
        self.values: dict[str, Any] = {}

    def get_value(self, name: str, default: Any = None) -> Any:
        """The value from enclosing calls."""
        return self.values.get(name, default)

    def set_value(self, name: str, value: Any) -> None:
        """Sets the value for nested calls."""
        self.values[name] = value


current_call: ContextVar[CallContext | None] = ContextVar("current_call", default=None)


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of a function, including `self` for one from a class."""
    if inspect.ismethod(function):  # cached by the function, so that no object is kept alive
        return _method_signature(function.__func__)
    return _signature(function)


@functools.lru_cache(maxsize=4096)
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def call_signature(layer: Any) -> inspect.Signature:
    """The signature of a layer's `call`."""
    return _signature_of_method(layer.call)


def _signature_of_method(method: Callable[..., Any]) -> inspect.Signature:
    """The same for a method; cached by the function, so that the object is not kept alive."""
    function = getattr(method, "__func__", None)
    return signature_of(method) if function is None else _method_signature(function)


@functools.lru_cache(maxsize=4096)
def _method_signature(function: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def is_tensor(value: Any) -> bool:
    """Whether a value is an array or a symbolic tensor."""
    return isinstance(value, TENSORS)


class CallSpec:
    """The arguments of one call of a layer.

    Args:
        signature: the signature of its `call`.
        context_args: names of arguments that outer calls pass on; they are allowed even if `call` does not take them.
        args: positional arguments.
        kwargs: keyword arguments; context arguments that `call` does not take are removed from them.
    """

    def __init__(
        self, signature: inspect.Signature, context_args: set[str], args: tuple[Any, ...], kwargs: dict[str, Any]
    ):
        handed_down = {
            name: kwargs.pop(name) for name in context_args if name in kwargs and name not in signature.parameters
        }
        bound = signature.bind(*args, **kwargs)
        self.user_arguments_dict = {**handed_down, **bound.arguments}
        bound.apply_defaults()
        self.arguments_dict: dict[str, Any] = bound.arguments
        self.tensor_arguments_dict: dict[str, Any] = {}
        self.nested: set[str] = set()
        for name, value in self.arguments_dict.items():
            if isinstance(value, TENSORS):
                self.tensor_arguments_dict[name] = value
            elif isinstance(value, (list, tuple, dict)) and value:
                self._add_nested(name, value)
        self.first_arg = next(iter(self.arguments_dict.values()), None)
        self.eager = not any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(self.tensor_arguments_dict))

    def _add_nested(self, name: str, value: Any) -> None:
        tensors = [isinstance(leaf, TENSORS) for leaf in tree.flatten(value) if leaf is not None]
        if all(tensors):
            self.tensor_arguments_dict[name] = value
            self.nested.add(name)
        elif any(tensors):
            raise InputError(
                "In a nested call() argument, you cannot mix tensors and non-tensors. Received invalid mixed argument:"
                f" {name}={value}"
            )

    def shapes(self) -> dict[str, Any]:
        """The shapes of the tensors, as `<argument>_shape`, without masks and variadic arguments."""
        return {
            f"{name}_shape": tree.map_structure(shape_of, value) if name in self.nested else shape_of(value)
            for name, value in self.tensor_arguments_dict.items()
            if name not in ("mask", "args", "kwargs")
        }

    def shapes_for(self, method: Callable[..., Any], class_name: str) -> dict[str, Any]:
        """The arguments of `build` or `compute_output_shape`: the first shape, or the ones that it names.

        Raises:
            ValueError: it names a shape for which there is no argument.
        """
        parameters = _signature_of_method(method).parameters.values()
        names = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        shapes = self.shapes()
        if len(names) == 1:
            return {names[0]: next(iter(shapes.values()), None)}
        for name in names:
            argument = name.removesuffix("_shape")
            if not name.endswith("_shape") or argument not in self.arguments_dict:
                why = "does not end in `_shape`" if argument == name else f"has no argument `{argument}` of `call()`"
                method_name = getattr(method, "__name__", "method")
                raise InputError(
                    f"For a `{method_name}()` method with more than one argument, all arguments should have a `_shape` suffix"
                    f" and match an argument from `call()`. E.g. `{method_name}(self, foo_shape, bar_shape)`. For layer"
                    f" '{class_name}', received `{method_name}()` argument `{name}`, which {why}."
                )
        return {name: shapes[name] for name in names if name in shapes}


def shape_of(value: Any) -> Any:
    """The sizes of a tensor, None for None."""
    return None if value is None else standardize_shape(value.shape)
