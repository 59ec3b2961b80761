"""Weights by path: any pytree of arrays seen as a list of named leaves."""

from __future__ import annotations

from typing import Any

import jax

from jkeras.types import PyTree


def paths(tree: PyTree[Any]) -> list[str]:
    """The path of every leaf, keys joined with "/", in the order of `jax.tree.leaves`.

    >>> paths({"dense": {"kernel": 1.0, "bias": 2.0}, "dense_1/kernel": 3.0})
    ['dense/bias', 'dense/kernel', 'dense_1/kernel']
    """
    return [_text(path) for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]]


def by_path(tree: PyTree[Any]) -> dict[str, Any]:
    """The leaves in a flat dict, by path.

    >>> by_path({"dense": {"kernel": 1.0}})
    {'dense/kernel': 1.0}
    """
    return {_text(path): leaf for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]}


def with_leaves(tree: PyTree[Any], leaves: dict[str, Any]) -> Any:
    """`tree` with the leaves of `by_path`; those that are not given stay.

    >>> with_leaves({"a": {"b": 1.0, "c": 2.0}}, {"a/b": 5.0})
    {'a': {'b': 5.0, 'c': 2.0}}
    """
    return jax.tree_util.tree_map_with_path(lambda path, leaf: leaves.get(_text(path), leaf), tree)


def _text(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")
