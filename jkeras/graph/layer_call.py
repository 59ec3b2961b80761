"""The steps around every `call` of a layer, which no layer has to repeat.

In this order: training flag, masks, compute type, input checks, `build`, `call`, output masks, activity regularisation.
"""

from __future__ import annotations

import functools
import inspect
import types
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import activations
from jkeras.errors import InputError, JkerasError
from jkeras.graph.input_spec import check_inputs
from jkeras.graph.scope import BoundLayer, Run, Scope
from jkeras.graph.shapes import shape_of, show_tensors
from jkeras.types import PyTree


class CallSignature:
    """The arguments that a method of a layer accepts."""

    def __init__(self, function: Callable[..., Any]):
        self.signature: inspect.Signature = inspect.signature(function)
        parameters = self.signature.parameters.values()
        self.names: list[str] = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        self.all_names: list[str] = list(self.signature.parameters)
        self.any_keyword: bool = any(p.kind is p.VAR_KEYWORD for p in parameters)

    def takes(self, name: str) -> bool:
        return name in self.names


@functools.lru_cache(maxsize=4096)
def _signature_of(function: Callable[..., Any]) -> CallSignature:
    return CallSignature(function)


@functools.lru_cache(maxsize=4096)
def _method_signature(function: Callable[..., Any]) -> CallSignature:
    return CallSignature(functools.partial(function, None))


def method_signature(method: Callable[..., Any]) -> CallSignature:
    """The signature of a bound method, without `self`."""
    return _method_signature(method.__func__) if isinstance(method, types.MethodType) else _signature_of(method)


def call_bound(layer: BoundLayer, scope: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs one bound layer: training flag, masks, compute type, checks, `build`, `call`, output masks, losses."""
    spec, run = method_signature(layer.call), scope.run
    try:
        arguments = dict(spec.signature.bind_partial(*args, **kwargs).arguments)
    except TypeError as error:
        for name in ("training", "mask"):
            if not spec.takes(name) and name in kwargs:
                return call_bound(layer, scope, args, {k: v for k, v in kwargs.items() if k != name})
        raise InputError(f"{layer.path}: {type(layer).__name__}.call() {error}") from None
    outer_training = run.training
    if arguments.get("training") is not None and spec.takes("training"):
        run.training = arguments["training"]
    try:
        tensors = {name: value for name, value in arguments.items() if name not in ("training", "mask")}
        first = next(iter(tensors.values()), None)
        mask = _fill_masks(spec, run, arguments, tensors)
        if spec.takes("training"):
            arguments["training"] = run.training
        cast = caster(layer)
        for name in tensors:
            arguments[name] = cast(arguments[name])
        _check_complete(layer, spec, arguments)
        prepare(layer, scope, {name: arguments[name] for name in tensors})
        if run.observed is not None and layer.path in run.observed:
            run.observed[layer.path].append(next(arguments[name] for name in tensors))
        outputs = _call(layer, spec, arguments)
        if outputs is None:
            raise InputError(no_output(layer, layer.path))
        _warn_of_one_class(layer, outputs)
        _finish(layer, run, first, outputs, mask)
        return outputs
    except Exception as error:
        shown = {name: value for name, value in arguments.items() if name not in ("training", "mask")}
        note_place(error, f"the {type(layer).__name__} layer", layer.path, shown)
        raise
    finally:
        run.training = outer_training


def no_output(layer: object, path: str) -> str:
    """The error message for a layer whose `call` returns nothing."""
    return f"{path}: {type(layer).__name__}.call() gave None. End it with `return ...`."


def one_class(where: str, shape: tuple[int | None, ...]) -> str:
    """The warning about a softmax over a single value, which is always 1."""
    return (
        f"{where}: softmax over an axis of size 1, in an output of shape {('batch', *shape[1:])}, always gives 1, so nothing"
        f" can be learned. For two classes write a sigmoid and binary_crossentropy, or give the layer 2 units."
    ).replace("'batch'", "batch")


def _warn_of_one_class(layer: BoundLayer, outputs: PyTree[Any]) -> None:
    one = isinstance(outputs, jax.Array) and outputs.shape[-1:] == (1,)
    if one and any(value is activations.softmax for value in vars(layer).values()):
        warnings.warn(one_class(f"{layer.path} ({type(layer).__name__})", outputs.shape), stacklevel=2)


def prepare(layer: BoundLayer, scope: Scope, tensors: Mapping[str, Any]) -> None:
    """Checks the inputs and builds the layer if it is not built."""
    check_inputs(layer.input_spec, next(iter(tensors.values()), None), f"{layer.path} ({type(layer).__name__})")
    if not scope.built:
        layer.build(**_shapes(type(layer).build, tensors))


def _check_complete(layer: BoundLayer, spec: CallSignature, arguments: Mapping[str, Any]) -> None:
    for parameter in spec.signature.parameters.values():
        needed = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        )
        if needed and parameter.name not in arguments:
            raise InputError(f"{layer.path}: {type(layer).__name__}.call() needs the argument {parameter.name!r}.")


def note_place(error: Exception, what: str, path: str, inputs_by_name: Mapping[str, Any]) -> None:
    """Notes where an exception arose, and on what, unless an inner place is noted or jkeras's own message names this one."""
    named = isinstance(error, JkerasError) and path in str(error)
    if not named and not any(note.startswith("In ") for note in getattr(error, "__notes__", ())):
        inputs = ", ".join(f"{name}: {show_tensors(value)}" for name, value in inputs_by_name.items())
        error.add_note(f"In {what} {path!r}, called with {inputs or 'nothing'}.")


def _call(layer: BoundLayer, spec: CallSignature, arguments: dict[str, Any]) -> Any:
    positional: list[Any] = []
    keyword: dict[str, Any] = {}
    in_order = True
    for parameter in spec.signature.parameters.values():
        if parameter.name not in arguments:
            in_order = in_order and parameter.kind is not parameter.POSITIONAL_OR_KEYWORD
            continue
        value = arguments[parameter.name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            keyword.update(value)
        elif parameter.kind is parameter.KEYWORD_ONLY or not in_order:
            keyword[parameter.name] = value
        else:
            positional.append(value)
    return layer.call(*positional, **keyword)


def _fill_masks(spec: CallSignature, run: Run, arguments: dict[str, Any], inputs_by_name: dict[str, Any]) -> Any:
    """Fills in each missing `mask` and `<argument>_mask` with the mask of its tensor."""
    first_mask = arguments.get("mask")
    for position, (name, value) in enumerate(inputs_by_name.items()):
        if value is None:
            continue
        own = f"{name}_mask"
        mask = run.mask_of(value)
        if position == 0 and first_mask is None:
            first_mask = mask
            if spec.takes("mask") and arguments.get("mask") is None:
                arguments["mask"] = mask
        if spec.takes(own) and arguments.get(own) is None and mask is not None:
            arguments[own] = mask
    return first_mask


def caster(layer: BoundLayer) -> Callable[[Any], Any]:
    """Converts an argument of `call` to JAX arrays, and floating-point arrays to the compute dtype."""
    compute_dtype = jnp.dtype(layer.compute_dtype) if layer.autocast and layer.compute_dtype != "string" else None

    def cast(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc":
            leaf = jnp.asarray(leaf)
        if (
            compute_dtype is not None
            and isinstance(leaf, jax.Array)
            and leaf.dtype != compute_dtype
            and jnp.issubdtype(leaf.dtype, jnp.floating)
        ):
            return leaf.astype(compute_dtype)
        return leaf

    return lambda value: jax.tree.map(cast, value)


def _shapes(build: Callable[..., Any], tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `build`: one shape, or `<argument>_shape` for each parameter that has such a name."""
    names = _method_signature(build).all_names
    shapes = {f"{name}_shape": shape_of(value) for name, value in tensors.items() if value is not None}
    if len(names) == 1 and names[0] not in shapes:
        return {names[0]: next(iter(shapes.values()), None)}
    return {name: shapes[name] for name in names if name in shapes}


def _finish(layer: BoundLayer, run: Run, inputs: PyTree[Any], outputs: PyTree[Any], mask: Any) -> None:
    run.set_mask(outputs, layer.compute_mask(inputs, mask))
    if layer.activity_regularizer is not None:
        for output in jax.tree.leaves(outputs):
            run.losses.append(layer.activity_regularizer(output) / output.shape[0])
    if run.finite is not None and not layer.children():
        leaves = [leaf for leaf in jax.tree.leaves(outputs) if jnp.issubdtype(leaf.dtype, jnp.floating)]
        flags = [jnp.all(jnp.isfinite(leaf)) for leaf in leaves]
        if flags:
            run.finite.append((layer.path, functools.reduce(jnp.logical_and, flags)))
