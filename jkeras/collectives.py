"""Sums and means over the replicas of a step, for the code that a replica runs.

`jkeras.distribute.MirroredStrategy` runs one pure step on several devices at once, each with its share of the batch. While
the step is traced, `sharing` names the axis of the replicas; what has to agree everywhere asks for it here. Without
replicas every function gives back what it gets.

A loss is the mean over the replicas of what each of them returns, and so are gradients. A loss that is divided by the
number of values in the whole batch is the same on each of them, its mean included.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.types import PyTree

Tree = TypeVar("Tree")

_axis: contextvars.ContextVar[str | None] = contextvars.ContextVar("jkeras_replicas", default=None)


def axis() -> str | None:
    """The name of the axis of replicas, None without any."""
    return _axis.get()


@contextlib.contextmanager
def sharing(name: str | None) -> Iterator[None]:
    """While the block is traced, replicas along the axis of that name share their sums."""
    before = _axis.set(name)
    try:
        yield
    finally:
        _axis.reset(before)


_gather: contextvars.ContextVar[Callable[[PyTree[Any]], PyTree[Any]] | None] = contextvars.ContextVar(
    "jkeras_gather", default=None
)


@contextlib.contextmanager
def gathering(function: Callable[[PyTree[Any]], PyTree[Any]] | None) -> Iterator[None]:
    """While the block is traced, models compute with what the function makes of their params: weights that are kept in parts
    are put together there."""
    before = _gather.set(function)
    try:
        yield
    finally:
        _gather.reset(before)


def in_use(params: Tree) -> Tree:
    """Params as a model computes with them."""
    function = _gather.get()
    return params if function is None else cast(Tree, function(params))


def psum(tree: Tree) -> Tree:
    """The sum over all replicas."""
    name = axis()
    return tree if name is None else cast(Tree, lax.psum(tree, name))


def pmean(tree: Tree) -> Tree:
    """The mean over all replicas."""
    name = axis()
    return tree if name is None else cast(Tree, lax.pmean(tree, name))


def own_key(key: jax.Array) -> jax.Array:
    """A random key of this replica's own."""
    name = axis()
    return key if name is None else jax.random.fold_in(key, lax.axis_index(name))


def averaged(tree: Tree) -> Tree:
    """The mean over all replicas of floats; other values are the same everywhere and stay."""
    return cast(Tree, jax.tree.map(lambda a: pmean(a) if jnp.issubdtype(a.dtype, jnp.inexact) else a, tree))
