"""Arrays onto meshes, also onto those whose devices belong to several processes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding

from jkeras.training import steps
from jkeras.training.state import Batch
from jkeras.types import ArrayLike, PyTree

Tree = TypeVar("Tree")


def put(tree: Tree, shardings: PyTree[Any]) -> Tree:
    """A tree of arrays laid out as a tree of shardings says; arrays that are so already stay.

    In a mesh of several processes each of them has the whole array and keeps its part.
    """
    return cast(Tree, jax.tree.map(_put, tree, shardings))


def _put(value: ArrayLike, sharding: NamedSharding) -> jax.Array:
    if isinstance(value, jax.Array) and value.sharding == sharding:
        return value
    if sharding.is_fully_addressable:
        placed: jax.Array = jax.device_put(value, sharding)
        return placed
    if isinstance(value, jax.Array) and not value.is_fully_addressable and not value.is_fully_replicated:
        return _jitted(lambda x: x, sharding)(value)
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        data = _put(jax.random.key_data(value), sharding)
        kind = jax.random.key_impl(value)
        return _jitted(lambda x: jax.random.wrap_key_data(x, impl=kind), sharding)(data)
    host = np.asarray(value)
    host = host.astype(jax.dtypes.canonicalize_dtype(host.dtype))
    return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])


def _jitted(function: Callable[[jax.Array], jax.Array], sharding: NamedSharding) -> Callable[[jax.Array], jax.Array]:
    compiled: Callable[[jax.Array], jax.Array] = jax.jit(function, out_shardings=sharding)
    return compiled


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def whole(value: jax.Array, parts: NamedSharding, everywhere: NamedSharding) -> jax.Array:
    """An array that is kept in parts, put together; its gradient is kept in parts again."""
    constrained: jax.Array = jax.lax.with_sharding_constraint(value, everywhere)
    return constrained


def _whole_forward(value: jax.Array, parts: NamedSharding, everywhere: NamedSharding) -> tuple[jax.Array, None]:
    return whole(value, parts, everywhere), None


def _whole_backward(parts: NamedSharding, everywhere: NamedSharding, _: None, gradient: jax.Array) -> tuple[jax.Array]:
    return (jax.lax.with_sharding_constraint(gradient, parts),)


whole.defvjp(_whole_forward, _whole_backward)


def local(tree: Tree) -> Tree:
    """A tree whose arrays that are copied to every device are on one device of this process; others stay."""

    def one(value: ArrayLike) -> ArrayLike:
        if isinstance(value, jax.Array) and value.is_fully_replicated and len(value.sharding.device_set) > 1:
            return value.addressable_data(0)
        return value

    return cast(Tree, jax.tree.map(one, tree))


def all_copied(tree: PyTree[Any]) -> bool:
    """Whether every array is whole on every device that it is on."""
    return all(leaf.is_fully_replicated for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array))


def gathered(tree: Tree) -> Tree:
    """A tree of arrays that are whole in this process; a collective operation where processes share them."""

    def one(value: ArrayLike) -> ArrayLike:
        if not isinstance(value, jax.Array) or value.is_fully_replicated or value.is_fully_addressable:
            return value
        everywhere = NamedSharding(value.sharding.mesh, jax.sharding.PartitionSpec())  # type: ignore[attr-defined]
        return _jitted(lambda x: x, everywhere)(value)

    return cast(Tree, local(jax.tree.map(one, tree)))


def with_rows(array: jax.Array | np.ndarray, multiple: int, numpy: ModuleType = np) -> jax.Array | np.ndarray:
    """An array with rows added, which repeat the first, up to a multiple of their number."""
    extra = -array.shape[0] % multiple
    if not extra:
        return array
    longer: jax.Array | np.ndarray = numpy.concatenate(
        [array, numpy.broadcast_to(array[:1], (extra, *array.shape[1:]))]
    )
    return longer


def spec_with_rows(spec: jax.ShapeDtypeStruct, multiple: int) -> jax.ShapeDtypeStruct:
    """The shape and type of what `with_rows` gives."""
    return jax.ShapeDtypeStruct((spec.shape[0] + -spec.shape[0] % multiple, *spec.shape[1:]), spec.dtype)


def pad_rows(batch: Batch, multiple: int, numpy: ModuleType = jnp) -> Batch:
    """A batch with rows added that do not count, up to a multiple of their number; they repeat the first row."""
    rows = steps.batch_size(batch)
    extra = -rows % multiple
    if not extra:
        return batch
    counted = numpy.ones(rows, bool) if batch.valid is None else batch.valid
    rest = dataclasses.replace(batch, valid=None)
    filled: Batch = jax.tree.map(lambda leaf: with_rows(leaf, multiple, numpy), rest)
    return dataclasses.replace(filled, valid=numpy.concatenate([counted, numpy.zeros(extra, bool)]))
