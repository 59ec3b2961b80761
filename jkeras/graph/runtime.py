"""How definitions are described, initialised and applied: the pure functions behind `Layer.init`, `apply` and calls."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras import config
from jkeras.compilation import use_persistent_cache
from jkeras.errors import NotBuiltError
from jkeras.graph import layer as protocol
from jkeras.graph import layer_call, linen, symbolic
from jkeras.graph.layer import Layer, is_symbolic, walk
from jkeras.graph.linen import WeightInfo
from jkeras.graph.linen import guest as guest
from jkeras.graph.linen import run as run
from jkeras.lowering.switch import quick_options
from jkeras.random_keys import as_key as as_key
from jkeras.values.frozen import Template
from jkeras.values.spec import Spec

Variables = dict[str, Any]


class Description(Spec):
    """What can be known of a definition before it has weights.

    Attributes:
        weights: every weight, in Keras's order: own trainable, own non-trainable, then those of sublayers, in order.
    """

    def __init__(self, weights: tuple[WeightInfo, ...], outputs: Any, losses: int):
        self.weights = weights
        self.losses = losses
        self._outputs = Template.of(outputs)

    @property
    def outputs(self) -> Any:
        """The structure of the outputs, with `jax.ShapeDtypeStruct` leaves."""
        return self._outputs.fill()


def describe(layer: Layer, *args: Any, **kwargs: Any) -> Description:
    """Weights and outputs of a definition for inputs of given shapes (`jax.ShapeDtypeStruct` or arrays)."""
    leaves, structure = jax.tree.flatten((args, kwargs), is_leaf=_is_shape)
    return _describe(layer, tuple(map(_leaf_key, leaves)), structure)


def _leaf_key(leaf: Any) -> tuple[Any, Any]:
    """An array's shape and dtype, or a plain Python value (such as `return_attention_scores=True`) and its type."""
    if isinstance(leaf, (bool, int, float, str)):
        return leaf, type(leaf)
    spec = as_spec(leaf)
    return spec.shape, str(spec.dtype)


def _unflatten(structure: Any, leaves: tuple[Any, ...], make: Any) -> Any:
    return jax.tree.unflatten(
        structure, [value if isinstance(dtype, type) else make(value, dtype) for value, dtype in leaves]
    )


@functools.lru_cache(maxsize=256)
def _describe(layer: Layer, leaves: tuple[Any, ...], structure: Any) -> Description:
    found: dict[str, Any] = {}

    def program(arrays: list[Any]) -> Any:
        given = iter(arrays)
        args, kwargs = _unflatten(structure, leaves, lambda shape, dtype: next(given))
        result, _ = linen.run(layer, None, args, kwargs, rng=jax.random.key(0), abstract=True)
        found.update(result.record.weights)
        found["losses"] = len(result.run.losses)
        return result.outputs

    specs = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in leaves if not isinstance(dtype, type)]
    outputs = jax.eval_shape(program, specs)
    losses = found.pop("losses")
    return Description(tuple(_in_keras_order(list(found.values()), layer)), outputs, losses)


def _in_keras_order(weights: list[WeightInfo], layer: Layer) -> list[WeightInfo]:
    """Own trainable weights, own others, then sublayer by sublayer: those it knows in their order, then by appearance."""

    def arrange(members: list[WeightInfo], depth: int, layer: Layer | None) -> list[WeightInfo]:
        own = [w for w in members if len(w.path) == depth + 1]
        inner = {} if layer is None else layer.children()
        groups: dict[str, list[WeightInfo]] = {name: [] for name in inner}
        for weight in members:
            if len(weight.path) > depth + 1:
                groups.setdefault(weight.path[depth], []).append(weight)
        ordered = [w for w in own if w.collection == "params"] + [w for w in own if w.collection != "params"]
        for name, group in groups.items():
            ordered += arrange(group, depth + 1, inner.get(name))
        return ordered

    return arrange(weights, 0, layer)


def as_spec(value: Any) -> jax.ShapeDtypeStruct:
    """Shape and dtype of an array, a symbolic tensor or a shape tuple (float32); unknown sizes count as 1."""
    if _is_shape(value):
        return jax.ShapeDtypeStruct(tuple(1 if size is None else size for size in value), jnp.dtype(config.floatx()))
    if not hasattr(value, "shape"):
        value = np.asarray(value)
    shape = tuple(1 if size is None else size for size in value.shape)
    return jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(value.dtype))


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(v is None or isinstance(v, (int, np.integer)) for v in value)


def initialize(layer: Layer, key: Any, *args: Any, **kwargs: Any) -> Variables:
    """Fresh variables, with those that layers of the definition carry (pretrained models) put in place."""
    return _initialized(layer, as_key(key), None, args, kwargs)


def initialize_stream(layer: Layer, root: jax.Array, number: int, *args: Any) -> Variables:
    """The same from `jax.random.fold_in(root, number)`, which is not compiled on its own."""
    return _initialized(layer, root, number, args, {})


def _initialized(layer: Layer, key: jax.Array, number: int | None, args: Any, kwargs: Any) -> Variables:
    use_persistent_cache()
    leaves, structure = jax.tree.flatten((args, kwargs), is_leaf=_is_shape)
    # Options of the compiler belong to the outermost program; inside of a user's own there is one already.
    make = _initialize if isinstance(jnp.zeros(()), jax.core.Tracer) else _initializer()
    variables = make(layer, tuple(map(_leaf_key, leaves)), structure, key, number)
    return overlay_carried(layer, variables)


@functools.lru_cache(maxsize=1)
def _initializer() -> Any:
    # Made late, since options depend on the platform, which importing does not start.
    return jax.jit(_initialize, static_argnums=(0, 1, 2, 4), compiler_options=quick_options())


def _initialize(layer: Layer, leaves: tuple[Any, ...], structure: Any, key: Any, number: int | None) -> Variables:
    key = key if number is None else jax.random.fold_in(key, number)
    args, kwargs = _unflatten(structure, leaves, jnp.zeros)
    _, variables = linen.run(layer, None, args, kwargs, rng=jax.random.key(0), key=key)
    return variables


def overlay_carried(layer: Layer, variables: Variables) -> Variables:
    """`variables` with the weights that layers inside the definition carry in place of the fresh ones."""
    for path, inner in walk(layer):
        carried = inner.carried() if path else None
        for collection, tree in (carried or {}).items():
            variables = {**variables, collection: _put(variables[collection], path, tree)}
    return variables


def _put(tree: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    if not path:
        return value
    if not value and path[0] not in tree:
        return dict(tree)
    return {**tree, path[0]: _put(tree.get(path[0], {}), path[1:], value)}


def symbolic_call(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """See `graph/symbolic.py`."""
    return symbolic.symbolic_call(layer, args, kwargs)


def eager_call(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Computes a layer on arrays: with the weights it carries, or without any."""
    carried = layer.carried()
    if carried is None:
        return layer_call.call_weightless(layer, args, dict(kwargs))
    return apply(layer, carried, args, kwargs)


def init(layer: Layer, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Variables:
    """See `Layer.init`."""
    return initialize(layer, key, *args, **kwargs)


def apply(layer: Layer, variables: Mapping[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """See `Layer.apply`."""
    if not isinstance(variables, Mapping) or not set(variables) <= {"params", "state"}:
        raise NotBuiltError(
            f"{type(layer).__name__}.apply(variables, ...) takes what `init` returns: a dict with 'params' and 'state'."
        )
    kwargs = dict(kwargs)
    rng, return_state = kwargs.pop("rng", None), kwargs.pop("return_state", False)
    training = bool(kwargs.pop("training", False) or False)
    result, _ = linen.run(
        layer, variables, args, kwargs, training=training, rng=None if rng is None else as_key(rng)
    )
    return (result.outputs, result.state) if return_state else result.outputs


def output_spec(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Shapes and dtypes of the outputs for symbolic tensors or shapes."""

    def to_symbolic(value: Any) -> Any:
        if is_symbolic(value):
            return value
        shape = value if _is_shape(value) else tuple(value.shape)
        dtype = "float32" if _is_shape(value) else str(value.dtype)
        return symbolic.placeholder(shape, dtype)

    args, kwargs = jax.tree.map(to_symbolic, (args, kwargs), is_leaf=_is_shape)
    return symbolic.infer(layer, args, kwargs)


protocol.install_runtime(sys.modules[__name__])  # type: ignore[arg-type]
