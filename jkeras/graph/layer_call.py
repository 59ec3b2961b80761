"""What happens around every `call` of a layer: the part of the protocol that no layer repeats.

A `Run` is one pass through a model: whether it trains, its random key, the masks of the tensors seen so far, the losses
collected. It lives as long as one trace and is never global.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import zlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import config
from jkeras.errors import InputError, JkerasError, NotBuiltError
from jkeras.graph.layer import InputSpec, Layer
from jkeras.values.spec import Spec


@dataclasses.dataclass
class Run:
    """One pass through a model."""

    training: bool = False
    rng: jax.Array | None = None
    # Keeps each tensor beside its mask, so that an id cannot be reused while the run lasts.
    masks: dict[int, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    losses: list[jax.Array] = dataclasses.field(default_factory=list)
    draws: dict[str, int] = dataclasses.field(default_factory=dict)
    # Which layer first produced a non-finite value: (path, flag) in order of execution, when asked for.
    finite: list[tuple[str, jax.Array]] | None = None

    def mask_of(self, value: Any) -> Any:
        """The mask of a tensor, or a structure of masks; None where there is none."""
        masks = jax.tree.map(lambda leaf: self.masks.get(id(leaf), (None, None))[1], value)
        return masks if any(m is not None for m in jax.tree.leaves(masks)) else None

    def set_mask(self, value: Any, mask: Any) -> None:
        """Attaches a mask (or a structure like `value`) to a tensor or structure of tensors."""
        if mask is None:
            return
        if isinstance(value, (list, tuple)) and isinstance(mask, (list, tuple)) and len(value) == len(mask):
            for one, one_mask in zip(value, mask, strict=True):
                self.set_mask(one, one_mask)
        elif isinstance(value, Mapping) and isinstance(mask, Mapping):
            for key in value:
                self.set_mask(value[key], mask.get(key))
        elif isinstance(value, jax.Array):
            self.masks[id(value)] = (value, mask)

    def make_rng(self, path: str, seed: int | None) -> jax.Array:
        """The run's key folded with a layer's path, its seed and the number of draws it made before."""
        if self.rng is None:
            raise InputError(
                f"{path} draws random numbers, so it needs a key: pass `rng=jax.random.key(0)` along with `training=True`."
            )
        count = self.draws.get(path, 0)
        self.draws[path] = count + 1
        key = jax.random.fold_in(self.rng, zlib.crc32(path.encode()))
        if seed is not None:
            key = jax.random.fold_in(key, seed)
        # Numbers of draws are folded apart from seeds, so that the second draw is not the first one with the seed 1.
        return jax.random.fold_in(jax.random.fold_in(key, zlib.crc32(b"draw")), count) if count else key


class CallSignature:
    """Which arguments a layer's `call` takes."""

    def __init__(self, function: Any):
        self.signature = inspect.signature(function)
        parameters = self.signature.parameters.values()
        self.names = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        self.any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters)

    def takes(self, name: str) -> bool:
        return name in self.names


@functools.lru_cache(maxsize=4096)
def _signature_of(function: Any) -> CallSignature:
    return CallSignature(function)


def call_signature(layer: Layer) -> CallSignature:
    """The signature of `layer.call`, without `self`."""
    bound: Any = layer.call
    return _signature_of(bound) if not hasattr(bound, "__func__") else _method_signature(bound.__func__)


@functools.lru_cache(maxsize=4096)
def _method_signature(function: Any) -> CallSignature:
    return CallSignature(functools.partial(function, None))


def call_bound(layer: Layer, run: Run, built: set[int], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs one bound layer: training flag, masks, compute type, checks, `build`, `call`, output masks, losses."""
    spec = call_signature(layer)
    try:
        arguments = dict(spec.signature.bind_partial(*args, **kwargs).arguments)
    except TypeError as error:
        if not spec.takes("training") and "training" in kwargs:
            return call_bound(layer, run, built, args, {k: v for k, v in kwargs.items() if k != "training"})
        if not spec.takes("mask") and "mask" in kwargs:
            return call_bound(layer, run, built, args, {k: v for k, v in kwargs.items() if k != "mask"})
        raise InputError(f"{layer.path}: {type(layer).__name__}.call() {error}") from None
    outer_training = run.training
    if arguments.get("training") is not None and spec.takes("training"):
        run.training = arguments["training"]
    try:
        given = {name: value for name, value in arguments.items() if name not in ("training", "mask")}
        first = next(iter(given.values()), None)
        mask = _fill_masks(spec, run, arguments, given)
        if spec.takes("training"):
            arguments["training"] = run.training
        arguments = {name: _cast(layer, value) if name in given else value for name, value in arguments.items()}
        first_cast = next((arguments[name] for name in given), None)
        _check_complete(layer, spec, arguments)
        check_inputs(layer, first_cast)
        if id(layer) not in built:
            built.add(id(layer))
            layer.build(**_shapes(layer, {name: arguments[name] for name in given}))
        outputs = _call(layer, spec, arguments)
        _finish(layer, run, first, outputs, mask)
        return outputs
    except Exception as error:
        shown = {name: value for name, value in arguments.items() if name not in ("training", "mask")}
        note_place(error, f"the {type(layer).__name__} layer", layer.path, shown)
        raise
    finally:
        run.training = outer_training


def _check_complete(layer: Layer, spec: CallSignature, arguments: Mapping[str, Any]) -> None:
    for parameter in spec.signature.parameters.values():
        needed = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        )
        if needed and parameter.name not in arguments:
            raise InputError(f"{layer.path}: {type(layer).__name__}.call() needs the argument {parameter.name!r}.")


def note_place(error: Exception, what: str, path: str, given: Mapping[str, Any]) -> None:
    """Notes where an exception arose, and on what, unless an inner place is noted or jkeras's own message names this one."""
    named = isinstance(error, JkerasError) and path in str(error)
    if not named and not any(note.startswith("In ") for note in getattr(error, "__notes__", ())):
        inputs = ", ".join(f"{name}: {describe(value)}" for name, value in given.items())
        error.add_note(f"In {what} {path!r}, called with {inputs or 'nothing'}.")


def describe(value: Any) -> str:
    """Shape and type of a tensor, likewise for those in a structure; other values as they are.

    >>> describe([np.zeros((2, 3), "float32"), 1])
    '[(2, 3) float32, 1]'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {describe(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(describe, value)) + "]"
    return f"{show_shape(value.shape)} {value.dtype}" if hasattr(value, "shape") else repr(value)


def _call(layer: Layer, spec: CallSignature, arguments: dict[str, Any]) -> Any:
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


def _fill_masks(spec: CallSignature, run: Run, arguments: dict[str, Any], given: dict[str, Any]) -> Any:
    """Gives each `mask` and `<argument>_mask` parameter that was left out the mask that came with its tensor."""
    first_mask = arguments.get("mask")
    for position, (name, value) in enumerate(given.items()):
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


def _cast(layer: Layer, value: Any) -> Any:
    compute_dtype = jnp.dtype(layer.compute_dtype) if layer.compute_dtype != "string" else None

    def cast(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc":
            leaf = jnp.asarray(leaf)
        if (
            layer.autocast
            and isinstance(leaf, jax.Array)
            and jnp.issubdtype(leaf.dtype, jnp.floating)
            and compute_dtype is not None
            and leaf.dtype != compute_dtype
        ):
            return leaf.astype(compute_dtype)
        return leaf

    return jax.tree.map(cast, value)


def shape_of(value: Any) -> Any:
    """The shape of a tensor, or a structure of shapes."""
    if isinstance(value, Mapping):
        return {k: shape_of(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [shape_of(v) for v in value]
    return tuple(value.shape) if hasattr(value, "shape") else None


def _shapes(layer: Layer, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `build`: one shape, or `<argument>_shape` for each parameter that has such a name."""
    names = list(inspect.signature(layer.build).parameters)
    shapes = {f"{name}_shape": shape_of(value) for name, value in given.items() if value is not None}
    if len(names) == 1 and names[0] not in shapes:
        return {names[0]: next(iter(shapes.values()), None)}
    return {name: shapes.get(name) for name in names if name in shapes} if names else {}


def check_inputs(layer: Layer, inputs: Any) -> None:
    """Compares inputs with the layer's `input_spec`.

    Raises:
        InputError: with the layer's path, the shape given, the shape expected and what to write.
    """
    specs = layer.input_spec
    if specs is None:
        return
    tensors = jax.tree.leaves(inputs)
    for spec, tensor in zip(specs if isinstance(specs, (list, tuple)) else [specs], tensors, strict=False):
        if isinstance(spec, InputSpec) and hasattr(tensor, "shape"):
            _check_one(layer, spec, tensor)


def _check_one(layer: Layer, spec: InputSpec, tensor: Any) -> None:
    shape, problem = tuple(tensor.shape), None
    if spec.ndim is not None and len(shape) != spec.ndim:
        problem = f"an input with {spec.ndim} axes"
    elif spec.min_ndim is not None and len(shape) < spec.min_ndim:
        problem = f"an input with at least {spec.min_ndim} axes"
    elif spec.max_ndim is not None and len(shape) > spec.max_ndim:
        problem = f"an input with at most {spec.max_ndim} axes"
    else:
        for axis, size in (spec.axes or {}).items():
            if size is not None and -len(shape) <= axis < len(shape) and shape[axis] not in (size, None):
                problem = f"size {size} on axis {axis}"
    if problem:
        raise InputError(
            f"{layer.path} ({type(layer).__name__}) got an input of shape {show_shape(shape)}, batch axis first;"
            f" it expects {problem}.{_advice(layer, spec, shape)}"
        )


def _advice(layer: Layer, spec: InputSpec, shape: tuple[int, ...]) -> str:
    if spec.ndim is not None and len(shape) == spec.ndim - 1:
        channels = "x[..., None]" if spec.ndim >= 3 else "x[:, None]"
        return f" Add the missing axis, for example `{channels}` for a single channel or feature."
    if spec.ndim is not None and len(shape) > spec.ndim:
        return " Put a `Flatten()` or `Reshape(...)` before it."
    if spec.ndim is not None and len(shape) < spec.ndim:
        return f" Put a `Reshape(...)` to {spec.ndim - 1} axes beside the batch before it."
    if spec.min_ndim is not None and len(shape) < spec.min_ndim:
        return " Did you forget the batch axis or a feature axis (`x[:, None]`)?"
    return " Check the data's last axis, or build the model for this size."


def show_shape(shape: tuple[int | None, ...]) -> str:
    """A shape as text."""
    return (
        "("
        + ", ".join("None" if size is None else str(size) for size in shape)
        + ("," if len(shape) == 1 else "")
        + ")"
    )


def _finish(layer: Layer, run: Run, inputs: Any, outputs: Any, mask: Any) -> None:
    if mask is not None or type(layer).compute_mask is not Layer.compute_mask:
        run.set_mask(outputs, layer.compute_mask(inputs, mask))
    if layer.activity_regularizer is not None:
        for output in jax.tree.leaves(outputs):
            run.losses.append(layer.activity_regularizer(output) / output.shape[0])
    if run.finite is not None and not layer.children():
        leaves = [leaf for leaf in jax.tree.leaves(outputs) if jnp.issubdtype(leaf.dtype, jnp.floating)]
        flags = [jnp.all(jnp.isfinite(leaf)) for leaf in leaves]
        if flags:
            run.finite.append((layer.path, functools.reduce(jnp.logical_and, flags)))


class WeightlessScope:
    """Runs a layer that has no weights on plain arrays, outside of any model."""

    def __init__(self, path: str, run: Run, owner: Layer):
        self.path = path
        self.run = run
        self.owner = owner
        self.built: set[int] = set()

    def weight(self, name: str | None, shape: tuple[int, ...], dtype: str, options: Mapping[str, Any]) -> jax.Array:
        raise NotBuiltError(
            f"{self.owner!r} was called on arrays, but it has weights and belongs to no model, so there is nothing to use."
            f" Write `model = Sequential([layer])` and call the model, or keep the weights yourself:"
            f" `variables = layer.init(jax.random.key(0), x); y = layer.apply(variables, x)`."
        )

    def assign(self, name: str, value: jax.Array) -> None:
        raise NotBuiltError(f"{self.owner!r} has no state outside of a model.")

    def name_of(self, value: Any) -> str | None:
        return None

    def child(self, name: str, layer: Layer) -> Layer:
        return bind(layer, WeightlessScope(f"{self.path}/{name}", self.run, self.owner))

    def call(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return call_bound(layer, self.run, self.built, args, kwargs)

    def make_rng(self, seed: int | None) -> jax.Array:
        return self.run.make_rng(self.path, seed)

    def add_loss(self, value: jax.Array) -> None:
        pass

    def variables(self) -> Mapping[str, Any]:
        return {}


def bind(layer: Layer, scope: Any) -> Layer:
    """A copy of `layer` that runs in `scope`, with the layers inside it bound too."""
    clone = layer.bound_copy(scope)
    clone.bind_children(scope.child)
    return clone


def call_weightless(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Computes a layer without weights on plain arrays."""
    rng = kwargs.pop("rng", None)
    rng = jax.random.key(config.default_seed) if rng is None else rng
    scope = WeightlessScope(layer.name or type(layer).__name__, Run(rng=rng), layer)
    return bind(layer, scope)(*args, **kwargs)


__all__ = [
    "Run",
    "Spec",
    "WeightlessScope",
    "bind",
    "call_bound",
    "call_signature",
    "call_weightless",
    "shape_of",
    "show_shape",
]
