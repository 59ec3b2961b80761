"""What is known about a definition before it has weights: weights, shapes and dtypes, from tracing its code.

The code runs without values (`jax.eval_shape`). `describe` answers for inputs of known sizes. For symbolic tensors, whose
sizes may be unknown, see `graph/inference.py`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jkeras.garbage import collector_paused
from jkeras.graph.array_sizes import largest_array
from jkeras.graph.layer_scope import DescribingScope, Record
from jkeras.graph.scope import BoundLayer, Path, Run, WeightInfo
from jkeras.graph.shapes import as_spec, has_shape, has_unknown_sizes, is_shape
from jkeras.types import PyTree
from jkeras.values.frozen import Template


@dataclasses.dataclass(frozen=True)
class Traced:
    """The results of tracing a definition once.

    Attributes:
        outputs: the structure of the outputs, with `jax.ShapeDtypeStruct` leaves.
        weights: in the order in which they were made.
        losses: how many losses the pass added.
        masked: whether a tensor got a mask.
        masks_outputs: whether an output got one.
        keeps_state: whether the pass gives no weight of the state a new value, in inference mode.
        largest: the bytes of the largest array that the pass makes of the inputs.
        definitions: the layer and every one inside, with the policy in force, by the paths of their weights, those made in
            `build` among them.
    """

    outputs: Any
    weights: tuple[WeightInfo, ...]
    losses: int
    masked: bool
    masks_outputs: bool = False
    keeps_state: bool = True
    largest: int = 0
    definitions: Mapping[Path, tuple[Any, Any]] = dataclasses.field(default_factory=dict)


@collector_paused()
def trace(
    layer: BoundLayer, args: tuple[Any, ...], kwargs: Any, is_input: Callable[[Any], bool], parent: Any = None
) -> Traced:
    """Runs a definition on inputs without values.

    Args:
        layer: the definition.
        args: the positional arguments of the call.
        kwargs: the keyword arguments of the call.
        is_input: which leaves of the arguments have a shape and a type only; the others are constants.
        parent: a layer from which this one inherits its policy and whether it trains.
    """
    leaves, structure = jax.tree.flatten((args, kwargs))
    positions = [i for i, leaf in enumerate(leaves) if is_input(leaf)]
    traces: list[Any] = []
    definitions: dict[Path, tuple[Any, Any]] = {}

    def program(key: Any, arrays: list[Any]) -> Any:
        # Made in here, so that none of the trace's values outlives it.
        run, record = Run(rng=key), Record(making=True)
        filled = list(leaves)
        for position, array in zip(positions, arrays, strict=True):
            filled[position] = array
        filled_args, filled_kwargs = jax.tree.unflatten(structure, filled)
        bound = DescribingScope(layer, run, record, parent=parent).layer
        outputs = bound(*filled_args, **filled_kwargs)
        masked = run.mask_of(outputs) is not None
        traces[:] = tuple(record.weights.values()), len(run.losses), bool(run.masks), masked, not record.assigned
        definitions.update({(): (layer, bound.dtype), **record.definitions})
        return outputs

    kind = jax.config.jax_default_prng_impl  # type: ignore[attr-defined]
    jaxpr, outputs = jax.make_jaxpr(program, return_shape=True)(_spec_of_key(kind), [leaves[i] for i in positions])
    traced = Traced(outputs, *traces)
    return dataclasses.replace(traced, largest=largest_array(jaxpr, constants=1), definitions=definitions)


@functools.lru_cache(maxsize=8)
def _spec_of_key(kind: str) -> Any:
    return jax.eval_shape(lambda: jax.random.key(0, impl=kind))


@functools.lru_cache(maxsize=2048)
def has_rule(cls: type, rule: str) -> bool:
    """Whether a class's rule was written for the `build` and `call` that it has, which a subclass may have replaced."""

    def rank(name: str) -> int:
        return next(i for i, base in enumerate(cls.__mro__) if name in base.__dict__)

    return rank(rule) <= min(rank("build"), rank("call"))


class Description:
    """What is known about a definition before it has weights; it is traced on demand."""

    def __init__(self, layer: BoundLayer, leaves: tuple[Any, ...], structure: PyTree[Any]):
        self._layer = layer
        self._leaves = leaves
        self._structure = structure

    @functools.cached_property
    def weights(self) -> tuple[WeightInfo, ...]:
        """Every weight, in Keras's order: own trainable, own non-trainable, then those of sublayers, in order."""
        args, kwargs = unflatten(self._structure, self._leaves, jax.ShapeDtypeStruct)
        known = self._layer.known_weights(*args, **kwargs) if has_rule(type(self._layer), "known_weights") else None
        return tuple(in_keras_order(self._traced.weights, self._layer)) if known is None else known

    @functools.cached_property
    def _traced(self) -> Traced:
        args, kwargs = unflatten(self._structure, self._leaves, jax.ShapeDtypeStruct)
        traced = trace(self._layer, args, kwargs, has_shape)
        # This is cached, so it must not hold layers with traced values.
        return dataclasses.replace(traced, outputs=Template.of(traced.outputs), definitions={})

    @property
    def outputs(self) -> Any:
        """The structure of the outputs, with `jax.ShapeDtypeStruct` leaves."""
        return self._traced.outputs.fill()

    @property
    def losses(self) -> int:
        """The number of losses that a pass adds."""
        return self._traced.losses

    @property
    def traced(self) -> Traced:
        """The other results of a pass in inference mode."""
        return self._traced


def describe(layer: BoundLayer, *args: Any, **kwargs: Any) -> Description:
    """Weights and outputs of a definition for inputs of given shapes (`jax.ShapeDtypeStruct` or arrays)."""
    return _describe(layer, *shape_key((args, kwargs)))


def definitions(layer: BoundLayer, *args: Any) -> Mapping[Path, tuple[Any, Any]]:
    """A definition and every layer inside, with the policy in force, by the paths of their weights, for inputs of given shapes.

    Those that a layer makes in its `build` are among them, which `graph.scope.walk` cannot know.
    """
    return trace(layer, args, {}, has_shape).definitions


@functools.lru_cache(maxsize=256)
def _describe(layer: BoundLayer, leaves: tuple[Any, ...], structure: PyTree[Any]) -> Description:
    return Description(layer, leaves, structure)


# What unknown sizes count as: the first for which the windows of all layers fit into their inputs.
_STAND_INS = (1, 16, 128, 1024, 8192)


def known_sizes(layer: BoundLayer, shapes: PyTree[Any]) -> Any:
    """Shapes (tensors or tuples, None for what is unknown) with sizes for which a definition can be described.

    Raises:
        InputError: it can be described for none; or another error of the user's own code.
    """
    first = jax.tree.map(as_spec, shapes, is_leaf=is_shape)
    if not any(map(has_unknown_sizes, jax.tree.leaves(shapes, is_leaf=is_shape))):
        return first
    problems: list[Exception] = []
    for stand_in in _STAND_INS:
        specs = jax.tree.map(functools.partial(as_spec, unknown=stand_in), shapes, is_leaf=is_shape)
        try:
            describe(layer, specs).outputs  # noqa: B018 - kept by `describe`, and asked for next
        except (TypeError, ValueError) as error:
            problems.append(error)
        else:
            return specs
    raise problems[0]


def shape_key(tree: PyTree[Any]) -> tuple[tuple[Any, ...], Any]:
    """A cache key for a tree of arrays, shapes and plain values: its leaves and its structure. See `unflatten`."""
    leaves, structure = jax.tree.flatten(tree, is_leaf=is_shape)
    return tuple(map(_leaf_key, leaves)), structure


def _leaf_key(leaf: Any) -> tuple[Any, Any]:
    """An array's shape and dtype, or a plain Python value (such as `return_attention_scores=True`) and its type."""
    if isinstance(leaf, (bool, int, float, str)):
        return leaf, type(leaf)
    if isinstance(leaf, (np.ndarray, jax.ShapeDtypeStruct)):
        return leaf.shape, jax.dtypes.canonicalize_dtype(leaf.dtype)
    spec = leaf if isinstance(leaf, jax.Array) else as_spec(leaf)
    return spec.shape, spec.dtype


def unflatten(structure: PyTree[Any], leaves: tuple[Any, ...], make: Callable[[Any, Any], Any]) -> Any:
    """The tree that `shape_key` took apart, with arrays from `make(shape, dtype)`."""
    values = [value if isinstance(dtype, type) else make(value, dtype) for value, dtype in leaves]
    return jax.tree.unflatten(structure, values)


def in_keras_order(weights: tuple[WeightInfo, ...], layer: BoundLayer | None, depth: int = 0) -> list[WeightInfo]:
    """Own trainable weights, own state, then those of the layers inside in their order."""
    own = [w for w in weights if len(w.path) == depth + 1]
    inner = {} if layer is None else layer.children()
    groups: dict[str, list[WeightInfo]] = {name: [] for name in inner}
    for weight in weights:
        if len(weight.path) > depth + 1:
            groups.setdefault(weight.path[depth], []).append(weight)
    in_order = [w for w in own if w.collection == "params"] + [w for w in own if w.collection != "params"]
    for name, group in groups.items():
        in_order += in_keras_order(tuple(group), inner.get(name), depth + 1)
    return in_order
