"""Every walk of a tree by path: nested dicts of weights, and pytrees of any kind, seen as named leaves.

A path is text, `dense/kernel`, or the tuple of its names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

Flat = dict[str, Any]


# -- nested dicts -----------------------------------------------------------------------------------------------------


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


def nested(flat: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Nested dicts of leaves by path, a tuple of names.

    >>> nested({("dense", "kernel"): 1, ("dense", "bias"): 2})
    {'dense': {'kernel': 1, 'bias': 2}}
    """
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        inner = tree
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return tree


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


def value_at(tree: Mapping[str, Any], path: Sequence[str]) -> Any:
    """What nested dicts hold at a path.

    >>> value_at({"dense": {"kernel": 1}}, ("dense", "kernel"))
    1
    """
    value: Any = tree
    for name in path:
        value = value[name]
    return value


def with_value_at(tree: Mapping[str, Any], path: Sequence[str], value: Any) -> Any:
    """Nested dicts with another value at a path; an empty value makes no new entry.

    >>> with_value_at({"dense": {"kernel": 1}}, ("dense", "bias"), 2)
    {'dense': {'kernel': 1, 'bias': 2}}
    """
    if not path:
        return value
    if isinstance(value, Mapping) and not value and path[0] not in tree:
        return dict(tree)
    return {**tree, path[0]: with_value_at(tree.get(path[0], {}), path[1:], value)}


# -- any pytree -------------------------------------------------------------------------------------------------------


def path_text(path: Sequence[Any], separator: str = "/") -> str:
    """JAX's path of a leaf as text.

    >>> [path_text(path) for path, _ in jax.tree_util.tree_leaves_with_path({"a": [1, {"b": 2}]})]
    ['a/0', 'a/1/b']
    """
    return jax.tree_util.keystr(tuple(path), simple=True, separator=separator)


def paths(tree: Any) -> list[str]:
    """The path of every leaf, in the order of `jax.tree.leaves`.

    >>> paths({"dense": {"kernel": 1.0, "bias": 2.0}, "dense_1/kernel": 3.0})
    ['dense/bias', 'dense/kernel', 'dense_1/kernel']
    """
    return list(by_path(tree))


def by_path(tree: Any) -> Flat:
    """The leaves in a flat dict, by path.

    >>> by_path({"dense": {"kernel": 1.0}})
    {'dense/kernel': 1.0}
    """
    return {path_text(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def with_leaves(tree: Any, leaves: Mapping[str, Any]) -> Any:
    """`tree` with the leaves of `by_path`; those that are not given stay.

    >>> with_leaves({"a": {"b": 1.0, "c": 2.0}}, {"a/b": 5.0})
    {'a': {'b': 5.0, 'c': 2.0}}
    """
    return jax.tree_util.tree_map_with_path(lambda path, leaf: leaves.get(path_text(path), leaf), tree)


def named_leaves(part: str, tree: Any) -> Flat:
    """The leaves of any pytree by name, which begins with `part`."""
    return {array_name(part, path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def array_name(part: str, path: Sequence[Any]) -> str:
    """The name of one leaf of a part of a state: `params/dense/kernel`."""
    return f"{part}/{path_text(path)}" if path else part


def filled_tree(part: str, tree: Any, arrays: Mapping[str, Any]) -> Any:
    """Any pytree with leaves by the names that `named_leaves` gives."""
    return jax.tree_util.tree_map_with_path(lambda path, _: jnp.asarray(arrays[array_name(part, path)]), tree)
