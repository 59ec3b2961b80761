"""Facades of built-in layers: ordinary classes, generated from the descriptions of the core.

The drop-in's `Dense` inherits from the core's `Dense` and then from `Layer`: constructor, `build`, `call`, `compute_mask` and
configuration are the description's, everything about objects is `Layer`'s. The core's `call` runs on a view (see `views.py`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax

from jkeras.errors import ArgumentError
from jkeras.graph import layer as graph_layer
from jkeras.keras import mutable
from jkeras.keras.builtin import BuiltinLayer
from jkeras.keras.inner_steps import check_steps
from jkeras.keras.layer import Layer, legacy_input_shape
from jkeras.keras.layer_builds import LayerBuilds
from jkeras.keras.layer_calls import LayerCalls
from jkeras.keras.layer_state import LayerState
from jkeras.keras.operation import Operation
from jkeras.keras.recorded import FunctionCall
from jkeras.keras.tensor import any_symbolic_tensors
from jkeras.keras.variables import unwrap
from jkeras.keras.views import view_of
from jkeras.values.spec import MISSING

# Attributes of the description that take precedence over those of `Layer`.
_DESCRIBED = frozenset(
    """__init__ __doc__ __module__ __post_init__ build call compute_mask get_config from_config input_spec supports_masking
    _bind _arguments _fields _handwritten""".split()
)
_OPTIONAL = {"use_bias": "bias", "center": "beta", "bias_axes": "bias"}


def layer_facade(description: Any, base: Any = BuiltinLayer, module: str = "jkeras.keras.layers", **extras: Any) -> Any:
    """The facade of a layer class of the core.

    Args:
        description: the core's class.
        base: the facade of the class from which Keras derives this one.
        module: the module that contains the class.
        extras: attributes that replace the generated ones.
    """
    namespace: dict[str, Any] = {"__init__": _constructor(description), **_protocol(description)}
    # Attributes of the base facade are not generated again, because it may have its own instead.
    above = base.description or graph_layer.Layer
    for name, make in {"build": _copy, "call": on_view, "compute_mask": _compute_mask}.items():
        function = getattr(description, name)
        if function is not getattr(above, name):
            namespace[name] = make(function)
    # Weights that a layer may be without.
    namespace.update({weight: None for switch, weight in _OPTIONAL.items() if switch in description._fields})
    namespace["input_spec"] = _input_spec(inspect.getattr_static(description, "input_spec", None))
    cls = mutable.facade(description, base, module, **{**namespace, **extras})
    # Only this class's, not merged with those of the base facade.
    cls._fields = description._fields
    return cls


def _protocol(description: type) -> dict[str, Any]:
    """Names that both `Layer` and a description define."""
    described: set[str] = set()
    for cls in description.__mro__[: description.__mro__.index(graph_layer.Layer)]:
        described.update(vars(cls))
    spaces = [vars(cls) for cls in (Operation, LayerBuilds, LayerCalls, LayerState, Layer, BuiltinLayer)]
    return {
        name: space[name] for space in spaces for name in described - _DESCRIBED if name in space and name in dir(Layer)
    }


def _constructor(description: Any) -> Callable[..., None]:
    fields = description._fields

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  (of the class that is made of it)
        input_shape = legacy_input_shape(kwargs, fields)
        known = {*type(self)._fields, *self._old_arguments}
        unknown = {name: value for name, value in kwargs.items() if name not in known}
        if unknown:
            raise ArgumentError(f"Unrecognized keyword arguments passed to {type(self).__name__}: {unknown}")
        kept = {name: kwargs[name] for name in self._kept_arguments if name in kwargs}
        # Not by the description, because the core supports fewer dtypes.
        dtype = kwargs.pop("dtype", None)
        self._begin_construction(type(self)._bind(args, kwargs), dtype, input_shape)
        vars(self).update(kept)
        self.__post_init__()
        self._finish_construction()

    __init__.__signature__ = _signature(fields)  # type: ignore[attr-defined]
    __init__.__qualname__ = f"{description.__name__}.__init__"
    return __init__


def _signature(fields: Mapping[str, Any]) -> inspect.Signature:
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for name, one in sorted(fields.items(), key=lambda item: item[1].kw_only):
        kind = inspect.Parameter.KEYWORD_ONLY if one.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
        default = inspect.Parameter.empty if one.default is MISSING else one.default
        parameters.append(inspect.Parameter(name, kind, default=default))
    return inspect.Signature(parameters, __validate_parameters__=False)


def _copy(function: Callable[..., Any]) -> Callable[..., Any]:
    """A copy of a function, so that wrapping it does not affect the description's."""

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        check_steps(type(self), "build")
        function(self, *args, **kwargs)
        self._fix_sizes(*args, **kwargs)

    return method


def on_view(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the core that runs on a view of the object."""

    @functools.wraps(function)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        check_steps(type(self), "call")
        return function(view_of(self), *args, **kwargs)

    call.runs_on_view = True  # type: ignore[attr-defined]
    return call


def _compute_mask(function: Callable[..., Any]) -> Callable[..., Any]:
    def compute_mask(self: Any, inputs: Any, mask: Any = None, *, previous_mask: Any = None) -> Any:
        """The mask of the output."""
        previous_mask = jax.tree.map(unwrap, mask if previous_mask is None else previous_mask)
        try:
            return function(self, inputs, previous_mask)
        except (TypeError, ValueError):  # symbolic tensors have no values: the mask becomes part of the graph
            if not any_symbolic_tensors((inputs, previous_mask)):
                raise
            return FunctionCall(lambda i, m: function(self, i, m))(inputs, previous_mask)

    return compute_mask


def _input_spec(described: Any) -> property:
    """The assigned value, or else the description's."""

    def get(self: Any) -> Any:
        own = vars(self).get("_input_spec")
        if own is not None:
            return own
        return described.__get__(self, type(self)) if isinstance(described, property) else described

    def put(self: Any, value: Any) -> None:
        vars(self)["_input_spec"] = value

    return property(get, put)
