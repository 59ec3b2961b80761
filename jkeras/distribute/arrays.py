"""Placing arrays on meshes, including meshes whose devices belong to several processes."""

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
Arrays = tuple[jax.Array, ...]


def put(tree: Tree, shardings: PyTree[Any]) -> Tree:
    """Places a tree of arrays according to a tree of shardings; arrays that are already placed so are not copied.

    If the mesh spans several processes, each process passes the whole array and keeps its shard.
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
    """Gathers a sharded array; its gradient is sharded again."""
    constrained: jax.Array = jax.lax.with_sharding_constraint(value, everywhere)
    return constrained


def _whole_forward(value: jax.Array, parts: NamedSharding, everywhere: NamedSharding) -> tuple[jax.Array, None]:
    return whole(value, parts, everywhere), None


def _whole_backward(parts: NamedSharding, everywhere: NamedSharding, _: None, gradient: jax.Array) -> tuple[jax.Array]:
    return (jax.lax.with_sharding_constraint(gradient, parts),)


whole.defvjp(_whole_forward, _whole_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def gathered_together(values: Arrays, count: int, parts: NamedSharding, everywhere: NamedSharding) -> Arrays:
    """Small weights that every device has; their gradients, which may be computed in parts, are put together at once.

    Args:
        values: arrays of one dtype whose first sizes are multiples of the number of parts.
        count: the number of parts.
        parts: the layout of a matrix with a row for each part.
        everywhere: the layout of an array that every device has.
    """
    return values


def _together_forward(
    values: Arrays, count: int, parts: NamedSharding, everywhere: NamedSharding
) -> tuple[Arrays, None]:
    return values, None


def _together_backward(
    count: int, parts: NamedSharding, everywhere: NamedSharding, _: None, gradients: Arrays
) -> tuple[Arrays]:
    constrain: Callable[..., jax.Array] = jax.lax.with_sharding_constraint
    rows = [constrain(gradient.reshape(count, -1), parts) for gradient in gradients]
    ends = np.cumsum([row.shape[1] for row in rows])[:-1]
    joined = constrain(constrain(jnp.concatenate(rows, axis=1), parts), everywhere)
    split = jnp.split(joined, ends, axis=1)
    return (tuple(row.reshape(like.shape) for row, like in zip(split, gradients, strict=True)),)


gathered_together.defvjp(_together_forward, _together_backward)


def local(tree: Tree) -> Tree:
    """Moves arrays that are replicated on every device to one device of this process; other arrays are unchanged."""

    def one(value: ArrayLike) -> ArrayLike:
        if isinstance(value, jax.Array) and value.is_fully_replicated and len(value.sharding.device_set) > 1:
            return value.addressable_data(0)
        return value

    return cast(Tree, jax.tree.map(one, tree))


def all_copied(tree: PyTree[Any]) -> bool:
    """Whether every array is replicated on all its devices."""
    return all(leaf.is_fully_replicated for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array))


def gathered(tree: Tree) -> Tree:
    """A tree of arrays that are whole in this process; a collective operation if processes share them."""

    def one(value: ArrayLike) -> ArrayLike:
        if not isinstance(value, jax.Array) or value.is_fully_replicated or value.is_fully_addressable:
            return value
        everywhere = NamedSharding(value.sharding.mesh, jax.sharding.PartitionSpec())  # type: ignore[attr-defined]
        return _jitted(lambda x: x, everywhere)(value)

    return cast(Tree, local(jax.tree.map(one, tree)))


def with_rows(array: jax.Array | np.ndarray, multiple: int, numpy: ModuleType = np) -> jax.Array | np.ndarray:
    """Pads an array with copies of its first row, up to a multiple of `parts` rows."""
    extra = -array.shape[0] % multiple
    if not extra:
        return array
    longer: jax.Array | np.ndarray = numpy.concatenate(
        [array, numpy.broadcast_to(array[:1], (extra, *array.shape[1:]))]
    )
    return longer


def spec_with_rows(spec: jax.ShapeDtypeStruct, multiple: int) -> jax.ShapeDtypeStruct:
    """The shape and dtype of the result of `with_rows`."""
    return jax.ShapeDtypeStruct((spec.shape[0] + -spec.shape[0] % multiple, *spec.shape[1:]), spec.dtype)


def pad_rows(batch: Batch, multiple: int, numpy: ModuleType = jnp) -> Batch:
    """Pads a batch with copies of the first row that do not count, up to a multiple of `parts` rows."""
    rows = steps.batch_size(batch)
    extra = -rows % multiple
    if not extra:
        return batch
    counted = numpy.ones(rows, bool) if batch.valid is None else batch.valid
    rest = dataclasses.replace(batch, valid=None)
    filled: Batch = jax.tree.map(lambda leaf: with_rows(leaf, multiple, numpy), rest)
    return dataclasses.replace(filled, valid=numpy.concatenate([counted, numpy.zeros(extra, bool)]))
