"""Copies of the memory of arrays."""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import SingleDeviceSharding

# Of addresses of memory that JAX takes over as it is, on CPUs.
ALIGNMENT = 64
# Compiling a copy of many arrays takes as long as this many copies that compile nothing.
COPIES_BEFORE_COMPILING = 8
# A program that copies a group of equal arrays takes as long to compile as copying this many, five times.
MANY_EQUAL = 64
GROUP = 16


def owned_copy(tree: Any, alike: Hashable = None) -> Any:
    """New buffers with the same contents, for the training loop to donate.

    Compiles nothing at first; what is copied again and again, as in a loop of short calls, by a compiled program. Equal
    arrays, of which deep networks have many, share a small one from the second copy on until then.

    Args:
        tree: arrays.
        alike: is equal for trees of one structure that have the same shapes and types; those themselves if None.
    """
    leaves, structure = jax.tree.flatten(tree)
    if len(leaves) < 2 or not _are_on_one_device(leaves):
        return put_together(tree, _is_put, jnp.array, may_alias=False)
    earlier = next(_copies(structure, _kinds(leaves) if alike is None else alike))
    if earlier >= COPIES_BEFORE_COMPILING:
        return jax.tree.unflatten(structure, _compiled_copy(leaves))
    rest, groups = _groups(_kinds(leaves)) if earlier else (range(len(leaves)), ())
    for places in groups:
        _replace(leaves, places, _compiled_copy([leaves[i] for i in places]))
    _replace(leaves, rest, put_together([leaves[i] for i in rest], _is_put, jnp.array, may_alias=False))
    return jax.tree.unflatten(structure, leaves)


def put_together(
    tree: Any, is_put: Callable[[Any], bool], otherwise: Callable[[Any], Any], may_alias: bool | None = None
) -> Any:
    """The tree with some leaves handed to `jax.device_put` in one call, which takes a third of the time of many.

    Args:
        tree: arrays.
        is_put: which of them are.
        otherwise: makes of each other one what stands in its place.
        may_alias: as in `jax.device_put`.
    """
    leaves, structure = jax.tree.flatten(tree)
    is_chosen = [is_put(leaf) for leaf in leaves]
    arrays = iter(
        jax.device_put([leaf for leaf, is_one in zip(leaves, is_chosen, strict=True) if is_one], may_alias=may_alias)
    )
    placed = [next(arrays) if is_one else otherwise(leaf) for leaf, is_one in zip(leaves, is_chosen, strict=True)]
    return jax.tree.unflatten(structure, placed)


def taken(arrays: list[jax.Array]) -> list[jax.Array]:
    """The arrays of a list that nobody else refers to, and copies of the others; for the training loop to donate."""
    # Of two references one is the list's, the other that of the question.
    shared = [i for i in range(len(arrays)) if sys.getrefcount(arrays[i]) > 2]
    if not shared:
        return list(arrays)
    copies = dict(zip(shared, owned_copy([arrays[i] for i in shared]), strict=True))
    return [copies.get(i, array) for i, array in enumerate(arrays)]


Kinds = tuple[tuple[tuple[int, ...], Any], ...]


def _kinds(leaves: list[Any]) -> Kinds:
    return tuple([(leaf.shape, leaf.dtype) for leaf in leaves])


@functools.lru_cache(maxsize=512)
def _copies(_structure: Any, _alike: Hashable) -> itertools.count[int]:
    """Counts the copies of trees of one structure with arrays of the same shapes and types."""
    return itertools.count()


@functools.lru_cache(maxsize=512)
def _groups(kinds: Kinds) -> tuple[list[int], list[list[int]]]:
    """Where arrays are that are copied one by one, and where those of each group of equal ones."""
    places: dict[Any, list[int]] = {}
    for place, kind in enumerate(kinds):
        places.setdefault(kind, []).append(place)
    equal = [alike for alike in places.values() if len(alike) >= MANY_EQUAL]
    groups = [alike[i : i + GROUP] for alike in equal for i in range(0, len(alike) - GROUP + 1, GROUP)]
    grouped = {place for group in groups for place in group}
    return [place for place in range(len(kinds)) if place not in grouped], groups


def _replace(leaves: list[Any], places: Iterable[int], copies: list[Any]) -> None:
    for place, copied in zip(places, copies, strict=True):
        leaves[place] = copied


_compiled_copy = jax.jit(lambda arrays: [jnp.copy(array) for array in arrays])


def is_deleted(leaf: Any) -> bool:
    """Whether a leaf is an array whose memory was given away."""
    return isinstance(leaf, jax.Array) and not isinstance(leaf, jax.core.Tracer) and leaf.is_deleted()


def _are_on_one_device(leaves: list[Any]) -> bool:
    """Whether a program for one device takes the leaves: arrays there, or of the host."""
    # Class by class, of which there are few, while deep networks have hundreds of arrays.
    kinds = set(map(type, leaves))
    return all(_is_one_device(kind, [leaf for leaf in leaves if type(leaf) is kind]) for kind in kinds)


def _is_one_device(kind: type, leaves: list[Any]) -> bool:
    """The same for leaves of one class."""
    if issubclass(kind, np.ndarray):
        return True
    if not issubclass(kind, jax.Array) or issubclass(kind, jax.core.Tracer):
        return False
    if jnp.issubdtype(leaves[0].dtype, jax.dtypes.prng_key):  # whose sharding is made anew whenever it is asked for
        return all(len(leaf.devices()) == 1 for leaf in leaves)
    return set(map(type, map(attrgetter("sharding"), leaves))) == {SingleDeviceSharding}


def _is_put(leaf: Any) -> bool:
    """Whether `jax.device_put` copies the leaf where it is, or from the host."""
    if isinstance(leaf, np.ndarray):
        return True
    if isinstance(leaf, jax.core.Tracer) or not isinstance(leaf, jax.Array) or not leaf.is_fully_addressable:
        return False
    # Keys on several devices keep their buffers, whatever `may_alias` says.
    return len(leaf.sharding.device_set) == 1 or not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
