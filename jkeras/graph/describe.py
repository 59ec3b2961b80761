"""What can be known of a definition before it has weights: its weights, shapes and types, from the code that computes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.dispatch import is_symbolic
from jkeras.errors import InputError
from jkeras.graph.layer_scope import DescribingScope, Record
from jkeras.graph.scope import BoundLayer, Run, WeightInfo
from jkeras.graph.shapes import Shape, as_spec, is_shape, show_shape
from jkeras.values.frozen import Template
from jkeras.values.spec import Spec

# Stand-ins for an unknown size: a size of the result that differs between the two is unknown as well.
STAND_INS = (7, 11)


class Description(Spec):
    """What can be known of a definition before it has weights.

    Attributes:
        weights: every weight, in Keras's order: own trainable, own non-trainable, then those of sublayers, in order.
        losses: how many losses a pass adds.
    """

    def __init__(self, weights: tuple[WeightInfo, ...], outputs: Any, losses: int):
        self.weights = weights
        self.losses = losses
        self._outputs = Template.of(outputs)

    @property
    def outputs(self) -> Any:
        """The structure of the outputs, with `jax.ShapeDtypeStruct` leaves."""
        return self._outputs.fill()


@dataclasses.dataclass(frozen=True)
class Traced:
    """What one abstract pass through a definition showed."""

    outputs: Any
    weights: tuple[WeightInfo, ...]  # in the order in which they were made
    losses: int


def trace(
    layer: BoundLayer, args: tuple[Any, ...], kwargs: Any, is_input: Callable[[Any], bool], parent: Any = None
) -> Traced:
    """Runs a definition on inputs without values.

    Args:
        layer: the definition.
        args: of the call.
        kwargs: of the call.
        is_input: which leaves of the arguments have a shape and a type only; the others are constants.
        parent: a layer from which this one inherits its policy and whether it trains.
    """
    leaves, structure = jax.tree.flatten((args, kwargs))
    positions = [i for i, leaf in enumerate(leaves) if is_input(leaf)]
    run, record = Run(), Record(making=True)

    def program(key: Any, arrays: list[Any]) -> Any:
        run.rng = key
        filled = list(leaves)
        for position, array in zip(positions, arrays, strict=True):
            filled[position] = array
        filled_args, filled_kwargs = jax.tree.unflatten(structure, filled)
        return DescribingScope(layer, run, record, parent=parent).layer(*filled_args, **filled_kwargs)

    outputs = jax.eval_shape(program, _spec_of_key(jax.config.jax_default_prng_impl), [leaves[i] for i in positions])
    return Traced(outputs, tuple(record.weights.values()), len(run.losses))


@functools.lru_cache(maxsize=8)
def _spec_of_key(kind: str) -> Any:
    return jax.eval_shape(lambda: jax.random.key(0, impl=kind))


def has_shape(leaf: Any) -> bool:
    """Whether a leaf of the arguments is an array, or stands for one."""
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


# -- with known sizes -------------------------------------------------------------------------------------------------


def describe(layer: BoundLayer, *args: Any, **kwargs: Any) -> Description:
    """Weights and outputs of a definition for inputs of given shapes (`jax.ShapeDtypeStruct` or arrays)."""
    leaves, structure = jax.tree.flatten((args, kwargs), is_leaf=is_shape)
    return _describe(layer, tuple(map(leaf_key, leaves)), structure)


def leaf_key(leaf: Any) -> tuple[Any, Any]:
    """An array's shape and dtype, or a plain Python value (such as `return_attention_scores=True`) and its type."""
    if isinstance(leaf, (bool, int, float, str)):
        return leaf, type(leaf)
    spec = as_spec(leaf)
    return spec.shape, str(spec.dtype)


def unflatten(structure: Any, leaves: tuple[Any, ...], make: Callable[[Any, Any], Any]) -> Any:
    """The arguments that `leaf_key` took apart, with arrays from `make(shape, dtype)`."""
    values = [value if isinstance(dtype, type) else make(value, dtype) for value, dtype in leaves]
    return jax.tree.unflatten(structure, values)


@functools.lru_cache(maxsize=256)
def _describe(layer: BoundLayer, leaves: tuple[Any, ...], structure: Any) -> Description:
    args, kwargs = unflatten(structure, leaves, jax.ShapeDtypeStruct)
    traced = trace(layer, args, kwargs, has_shape)
    return Description(tuple(in_keras_order(traced.weights, layer)), traced.outputs, traced.losses)


def in_keras_order(weights: tuple[WeightInfo, ...], layer: BoundLayer | None, depth: int = 0) -> list[WeightInfo]:
    """Own trainable weights, own state, then those of the layers inside in their order."""
    own = [w for w in weights if len(w.path) == depth + 1]
    inner = {} if layer is None else layer.children()
    groups: dict[str, list[WeightInfo]] = {name: [] for name in inner}
    for weight in weights:
        if len(weight.path) > depth + 1:
            groups.setdefault(weight.path[depth], []).append(weight)
    ordered = [w for w in own if w.collection == "params"] + [w for w in own if w.collection != "params"]
    for name, group in groups.items():
        ordered += in_keras_order(tuple(group), inner.get(name), depth + 1)
    return ordered


# -- with unknown sizes -----------------------------------------------------------------------------------------------


def output_spec(layer: BoundLayer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Shapes and types of a layer's outputs, from the code that computes them.

    Args:
        layer: the description.
        args: arguments of `call`, with symbolic tensors; or shape tuples (float32), arrays and the like.
        kwargs: likewise.

    Returns:
        The structure of the outputs with `Shape` leaves; a size that is unknown is None.
    """
    if not any(map(is_symbolic, jax.tree.leaves((args, kwargs)))):
        args, kwargs = jax.tree.map(_as_shape, (args, kwargs), is_leaf=is_shape)
    inputs = [leaf for leaf in jax.tree.leaves((args, kwargs)) if _is_input(leaf)]
    unknown = any(size is None for tensor in inputs for size in tensor.shape)
    try:
        results = [_outputs(layer, args, kwargs, stand_in) for stand_in in (STAND_INS if unknown else STAND_INS[:1])]
    except Exception as error:
        if isinstance(error, InputError):
            error.args = (_without_stand_ins(str(error), inputs),)
        if hasattr(error, "__notes__"):
            error.__notes__ = [_without_stand_ins(note, inputs) for note in error.__notes__]
        raise
    if len(results) == 1:
        return jax.tree.map(lambda leaf: Shape(leaf.shape, leaf.dtype), results[0])
    return jax.tree.map(_merge, *results)


def _as_shape(value: Any) -> Any:
    if is_shape(value):
        return Shape(value, "float32")
    return Shape(value.shape, str(value.dtype)) if has_shape(value) else value


def _is_input(leaf: Any) -> bool:
    return isinstance(leaf, Shape) or is_symbolic(leaf)


def _outputs(layer: BoundLayer, args: tuple[Any, ...], kwargs: dict[str, Any], stand_in: int) -> Any:
    def known(leaf: Any) -> Any:
        if not _is_input(leaf):
            return leaf
        sizes = tuple(stand_in if size is None else size for size in leaf.shape)
        return jax.ShapeDtypeStruct(sizes, jnp.dtype(leaf.dtype))

    args, kwargs = jax.tree.map(known, (args, kwargs))
    return trace(layer, args, kwargs, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct)).outputs


def _merge(first: Any, second: Any) -> Shape:
    sizes = tuple(a if a == b else None for a, b in zip(first.shape, second.shape, strict=True))
    return Shape(sizes, first.dtype)


def _without_stand_ins(message: str, tensors: list[Any]) -> str:
    """An error's message with the shapes of the inputs as the user knows them."""
    for tensor in tensors:
        for stand_in in STAND_INS:
            filled = tuple(stand_in if size is None else size for size in tensor.shape)
            message = message.replace(show_shape(filled), show_shape(tensor.shape))
    return message
