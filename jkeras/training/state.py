"""Everything that training changes, as one immutable pytree."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Self

import jax
import jax.numpy as jnp

Flat = dict[str, Any]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """The arrays of a model in training.

    Attributes:
        params: trainable weights, nested by layer, as Flax has them.
        model_state: non-trainable weights (moving averages, states of stateful layers), nested alike.
        opt_state: the optimizer's state; None before `compile`.
        step: the number of optimizer steps taken, an int32 scalar.
        rng: the root key; every random number is drawn from it folded with a stream's name and the step.
        metrics: running metric states inside an epoch, by name.
    """

    params: dict[str, Any]
    model_state: dict[str, Any]
    opt_state: Any
    step: jax.Array
    rng: jax.Array
    metrics: Any = None

    def replace(self, **changes: Any) -> Self:
        """A copy with some parts changed."""
        return dataclasses.replace(self, **changes)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """One batch of data.

    Attributes:
        x: inputs: an array, or a list, tuple or dict of arrays, batch axis first.
        y: targets, likewise, or None.
        sample_weight: weights per sample (or per time step), or None.
        valid: `(batch,)` booleans, False where a row only fills up a ragged last batch; None when all rows are data.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    valid: Any = None


def items(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested dicts with their paths, `dense/kernel`."""
    for name, value in tree.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from items(value, path + "/")
        else:
            yield path, value


def flatten(tree: Mapping[str, Any]) -> Flat:
    """Nested dicts as one dict by path.

    >>> flatten({"dense": {"kernel": 1, "bias": 2}})
    {'dense/kernel': 1, 'dense/bias': 2}
    """
    return dict(items(tree))


def merge(tree: Mapping[str, Any], flat: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts with the leaves that `flat` names replaced.

    >>> merge({"dense": {"kernel": 1, "bias": 2}}, {"dense/bias": 3})
    {'dense': {'kernel': 1, 'bias': 3}}
    """
    return {
        name: merge(value, flat, f"{prefix}{name}/")
        if isinstance(value, Mapping)
        else flat.get(f"{prefix}{name}", value)
        for name, value in tree.items()
    }


KEY_KINDS = ("threefry2x32", "rbg", "unsafe_rbg")


def named_arrays(state: TrainState) -> Flat:
    """The arrays of a state by name: `params/dense/kernel`, `opt_state/...`, `step`, `rng`."""
    parts = {"params": state.params, "state": state.model_state, "opt_state": state.opt_state, "step": state.step}
    named: Flat = {}
    for part, tree in parts.items():
        named.update(named_leaves(part, tree))
    is_spec = isinstance(state.rng, jax.ShapeDtypeStruct)
    named["rng"] = jax.eval_shape(jax.random.key_data, state.rng) if is_spec else jax.random.key_data(state.rng)
    return named


def named_leaves(part: str, tree: Any) -> Flat:
    """The leaves of any pytree by name, which begins with `part`."""
    return {array_name(part, path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def array_name(part: str, path: Any) -> str:
    """The name of one leaf of a part of the state."""
    keys = [str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))) for key in path]
    return "/".join([part, *keys])


def filled(template: TrainState, arrays: Mapping[str, Any], key_kind: str) -> TrainState:
    """A state of the structure of `template` with arrays by the names that `named_arrays` gives."""
    return TrainState(
        params=filled_tree("params", template.params, arrays),
        model_state=filled_tree("state", template.model_state, arrays),
        opt_state=filled_tree("opt_state", template.opt_state, arrays),
        step=filled_tree("step", template.step, arrays),
        rng=jax.random.wrap_key_data(arrays["rng"], impl=key_impl(key_kind)),
    )


def filled_tree(part: str, tree: Any, arrays: Mapping[str, Any]) -> Any:
    """Any pytree with leaves by the names that `named_leaves` gives."""
    return jax.tree_util.tree_map_with_path(lambda path, _: jnp.asarray(arrays[array_name(part, path)]), tree)


def key_impl(name: str) -> str:
    """JAX's name for the kind of random keys that is written down as `name`."""
    return next((kind for kind in sorted(KEY_KINDS, key=len, reverse=True) if kind in name), KEY_KINDS[0])


def owned_copy(tree: Any) -> Any:
    """New buffers with the same contents, for the training loop to donate. Compiles nothing."""
    leaves, structure = jax.tree.flatten(tree)
    together = [i for i, leaf in enumerate(leaves) if _is_put(leaf)]
    # One call for all of them, which takes a third of the time.
    copied = dict(zip(together, jax.device_put([leaves[i] for i in together], may_alias=False), strict=True))
    fresh = [copied[i] if i in copied else jnp.array(leaf) for i, leaf in enumerate(leaves)]
    return jax.tree.unflatten(structure, fresh)


def _is_put(leaf: Any) -> bool:
    """Whether `jax.device_put` copies the leaf where it is."""
    if isinstance(leaf, jax.core.Tracer) or not isinstance(leaf, jax.Array) or not leaf.is_fully_addressable:
        return False
    # Keys on several devices keep their buffers, whatever `may_alias` says.
    return len(leaf.sharding.device_set) == 1 or not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
