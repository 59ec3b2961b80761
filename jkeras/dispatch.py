"""How a function of `jkeras.ops` or `jkeras.activations` is called: symbolic tensors add a layer to their graph.

A *thin* function is one of `jax.numpy` (or a neighbour) under Keras's signature, which is written as text:
`"x axis=None keepdims=False"`. Leading parameters without a default are passed by position, the others by name.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.arguments import shown
from jkeras.errors import InputError, SignatureError
from jkeras.tracebacks import filtered
from jkeras.values.operation_words import completed, documented

Function = TypeVar("Function", bound=Callable[..., Any])

# The names that Keras gives to arrays; lists and tuples given for them become arrays.
ARRAYS = frozenset({"x", "x1", "x2", "y", "a", "b", "array", "q", "indices", "values", "sorted_sequence", "condition"})
SEQUENCES = frozenset({"xs", "operands", "condlist", "choicelist"})


class Symbolic:
    """Base of tensors that have no values yet. What is applied to one becomes a part of its graph: the tensor says how."""

    def apply_layer(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Adds a call of `layer`; this tensor is among the arguments."""
        raise NotImplementedError

    def apply_operation(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Adds a function of `jkeras.ops`, by name; this tensor is among the arguments."""
        raise NotImplementedError


def is_symbolic(value: object) -> bool:
    """Whether a value is a symbolic tensor."""
    return isinstance(value, Symbolic)


def as_array(value: Any) -> Any:  # any value: what is not an array is unchanged
    """A JAX array from a NumPy array or nested list; Python numbers stay what they are, so that they take any type."""
    return jnp.asarray(value) if isinstance(value, (np.ndarray, np.generic, list, tuple)) else value


def parse(signature: str) -> inspect.Signature:
    """`"x axis=None"` as a signature; `*name` takes the remaining positional arguments."""
    parameters: list[inspect.Parameter] = []
    for word in signature.split():
        name, _, default = word.partition("=")
        kind: Any = (
            inspect.Parameter.VAR_POSITIONAL if name.startswith("*") else inspect.Parameter.POSITIONAL_OR_KEYWORD
        )
        if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
            kind = inspect.Parameter.KEYWORD_ONLY
        value = ast.literal_eval(default) if default else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name.lstrip("*"), kind, default=value))
    return inspect.Signature(parameters)


def thin(name: str, signature: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` under Keras's name and signature."""
    spec = parse(signature)

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = spec.bind(*args, **kwargs)
        except TypeError as error:
            raise SignatureError(f"ops.{name}{spec}: {error}.") from None
        bound.apply_defaults()
        positional: list[Any] = []
        keyword: dict[str, Any] = {}
        for parameter in spec.parameters.values():
            value = bound.arguments[parameter.name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional.extend(map(as_array, value))
                continue
            if parameter.name in ARRAYS:
                value = as_array(value)
            elif parameter.name in SEQUENCES and isinstance(value, (list, tuple)):
                value = [as_array(v) for v in value]
            if parameter.default is parameter.empty or parameter.name in ARRAYS:
                positional.append(value)
            else:
                keyword[parameter.name] = value
        return function(*positional, **keyword)

    call.__module__, call.__name__, call.__qualname__ = "jkeras.ops", name, name
    call.__doc__ = documented(name, spec.parameters)
    call.__signature__ = spec  # type: ignore[attr-defined]
    return call


# What JAX and NumPy raise for arguments that do not fit.
_UNSAID = (TypeError, ValueError, IndexError)


def public(name: str, function: Function) -> Function:
    """The function that users call: with a symbolic tensor anywhere among the arguments it extends the graph."""

    label = name if name.startswith("activations.") else f"ops.{name}"

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for leaf in jax.tree.leaves((args, kwargs)):
            if is_symbolic(leaf):
                return leaf.apply_operation(name, args, kwargs)
        try:
            return function(*args, **kwargs)
        except _UNSAID as error:
            operands = (*args, *kwargs.values())
            if type(error) not in _UNSAID or any(map(callable, operands)):
                raise  # one that says more, or that comes from a function of the user's
            text = missing_axis(function, args, kwargs) or str(error).partition("\n")[0]
            raise InputError(f"{label} of {', '.join(map(_described, operands)) or 'nothing'}: {text}") from error

    code = getattr(function, "__code__", None)
    if code is not None and function.__doc__:
        starred = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + starred]
        call.__doc__ = completed(function.__doc__, names, name)
    return found_at(f"jkeras.{label}", filtered(cast(Function, call)))


def missing_axis(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """Which axis the array of a call does not have; JAX says of some functions only that an index is out of range."""
    try:
        arguments = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        return None
    rank = next((len(value.shape) for value in arguments.values() if hasattr(value, "shape")), None)
    axes = arguments.get("axis", arguments.get("axes"))
    for axis in axes if isinstance(axes, (list, tuple)) else [axes]:
        if isinstance(axis, int) and rank is not None and not -rank <= axis < rank:
            return f"axis {axis} is out of bounds for an array with dimension {rank}."
    return None


def axis_error(
    error: IndexError, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Exception:
    """What to raise for an error of a call: one that names the axis that is not there, else the error itself."""
    text = missing_axis(function, args, kwargs)
    return error if text is None else InputError(f"ops.{name}: {text}")


def _described(value: Any) -> str:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return shown(value) if shape is None or dtype is None else f"an array of shape {tuple(shape)} and type {dtype}"


def found_at(place: str, function: Function) -> Function:
    """A function that says where users find it, `"jkeras.ops.image.resize"`; pickles look for it there."""
    function.__module__, _, function.__name__ = place.rpartition(".")
    function.__qualname__ = function.__name__
    return function
