"""Nested structures of lists, tuples, dicts and what JAX knows as a pytree, with the names of `keras.tree`.

They are `jax.tree` with the difference that None is a leaf, and so is a variable. Dicts are gone through in the order of
their sorted keys, and come back in the order that they had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import jax
from jax.tree_util import DictKey, FlattenedIndexKey

from jkeras.errors import InputError
from jkeras.types import PyTree


class MAP_TO_NONE:  # noqa: N801  (Keras's name)
    """What a function given to `traverse` returns for None, since None itself says to go on."""


def _is_leaf(value: object) -> bool:
    """None, and what a class declares to be one although JAX looks inside of it (`is_tree_leaf`)."""
    return value is None or _is_declared_leaf(value)


def _is_declared_leaf(value: object) -> bool:
    return getattr(type(value), "is_tree_leaf", False)


def is_nested(structure: PyTree[Any]) -> bool:
    """Whether `structure` holds others: a list, a tuple, a dict, ...

    >>> is_nested([1]), is_nested({}), is_nested(3), is_nested(None)
    (True, True, False, False)
    """
    return structure is not None and not jax.tree_util.all_leaves([structure], is_leaf=_is_leaf)


def flatten(structure: PyTree[Any]) -> list[Any]:
    """The leaves from left to right.

    >>> flatten({"b": [1, None], "a": (2, {})})
    [2, 1, None]
    """
    return jax.tree.leaves(structure, is_leaf=_is_leaf)


def flatten_with_path(structure: PyTree[Any]) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves, each with its path: keys of dicts, positions in all else.

    >>> flatten_with_path({"a": [1, 2]})
    [(('a', 0), 1), (('a', 1), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    pairs = []
    for place, (path, part) in enumerate(jax.tree_util.tree_leaves_with_path(structure, lambda v: v is not structure)):
        step = path[0].key if isinstance(path[0], (DictKey, FlattenedIndexKey)) else place
        pairs += [((step, *rest), leaf) for rest, leaf in flatten_with_path(part)]
    return pairs


def map_structure(func: Callable[..., Any], *structures: PyTree[Any], none_is_leaf: bool = True) -> PyTree[Any]:
    """A structure of the results of `func` for the leaves of one structure, or of several side by side.

    Raises:
        InputError: the structures are nested differently.

    >>> map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]})
    {'x': [11, 22]}
    """
    if not structures:
        raise InputError("tree.map_structure(func, *structures): expected at least one structure.")
    is_leaf = _is_leaf if none_is_leaf else _is_declared_leaf
    if len(structures) > 1:
        _check_alike("map_structure", *structures, is_leaf=is_leaf)
    return _in_order_of(structures[0], jax.tree.map(func, *structures, is_leaf=is_leaf))


def map_structure_up_to(
    shallow_structure: PyTree[Any], func: Callable[..., Any], *structures: PyTree[Any]
) -> PyTree[Any]:
    """The results of `func` for the parts of structures that stand where `shallow_structure` has its leaves.

    Raises:
        InputError: a structure ends before `shallow_structure` does.

    >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
    [2, 1]
    """
    if not structures:
        raise InputError(
            "tree.map_structure_up_to(shallow_structure, func, *structures): expected at least one structure."
        )
    try:
        result = jax.tree.map(lambda _, *parts: func(*parts), shallow_structure, *structures, is_leaf=_is_leaf)
        return _in_order_of(shallow_structure, result)
    except ValueError as error:
        _check_alike("map_structure_up_to", shallow_structure, *structures, is_leaf=_is_leaf, up_to=True)
        raise error


def pack_sequence_as(structure: PyTree[Any], flat_sequence: Iterable[Any]) -> PyTree[Any]:
    """A structure like `structure` with other leaves.

    Raises:
        InputError: the number of leaves differs from `len(flat_sequence)`.

    >>> pack_sequence_as({"a": 0, "b": [0, 0]}, [1, 2, 3])
    {'a': 1, 'b': [2, 3]}
    """
    definition: Any = jax.tree.structure(structure, is_leaf=_is_leaf)
    leaves = list(flat_sequence)
    if len(leaves) != definition.num_leaves:
        raise InputError(
            f"tree.pack_sequence_as: the structure has {definition.num_leaves} leaves, and {len(leaves)} values were given."
        )
    return _in_order_of(structure, jax.tree.unflatten(definition, leaves))


def assert_same_structure(a: PyTree[Any], b: PyTree[Any], check_types: bool | None = None) -> None:
    """Checks that two structures are nested alike; `check_types` is accepted for compatibility with Keras.

    Raises:
        InputError: they are not.
    """
    _check_alike("assert_same_structure", a, b, is_leaf=_is_leaf)


def assert_same_paths(a: PyTree[Any], b: PyTree[Any]) -> None:
    """Checks that two structures have the same paths, whatever the types of their parts.

    Raises:
        InputError: they have not; it lists those of either.
    """
    one, other = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if one != other:
        raise InputError(
            f"tree.assert_same_paths: only in `a`: {sorted(one - other)}, only in `b`: {sorted(other - one)}."
        )


def map_shape_structure(func: Callable[[Any], Any], structure: PyTree[Any]) -> PyTree[Any]:
    """A structure of the results of `func` for each shape, a list or tuple of sizes.

    >>> map_shape_structure(len, {"x": (None, 3), "y": [2, 2, 2]})
    {'x': 2, 'y': 3}
    """

    def is_shape(value: object) -> bool:
        sizes = isinstance(value, (list, tuple)) and all(size is None or isinstance(size, int) for size in value)
        return value is None or sizes

    return _in_order_of(structure, jax.tree.map(func, structure, is_leaf=is_shape))


def traverse(func: Callable[[Any], Any], structure: PyTree[Any], top_down: bool = True) -> PyTree[Any]:
    """A structure with parts replaced: what `func` returns for a part takes its place, unless it is None.

    Args:
        func: gets every part, leaves and what holds them. None goes on inside; `MAP_TO_NONE` stands for None.
        structure: what to go through.
        top_down: whether a part comes before what is in it.

    >>> traverse(lambda part: tuple(part) if isinstance(part, list) else None, [1, [2]], top_down=False)
    (1, (2,))
    """

    def inside(part: PyTree[Any]) -> PyTree[Any]:
        if not is_nested(part):
            return part
        parts, definition = jax.tree.flatten(part, is_leaf=lambda value: value is not part)
        rebuilt = jax.tree.unflatten(definition, [traverse(func, inner, top_down) for inner in parts])
        return {key: rebuilt[key] for key in part} if type(part) is dict else rebuilt

    below = structure if top_down else inside(structure)
    result = func(below)
    if result is None:
        return inside(structure) if top_down else below
    return None if result is MAP_TO_NONE else result


def lists_to_tuples(structure: PyTree[Any]) -> PyTree[Any]:
    """The structure with every list made a tuple.

    >>> lists_to_tuples({"a": [1, [2]]})
    {'a': (1, (2,))}
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def _in_order_of(structure: PyTree[Any], result: PyTree[Any]) -> PyTree[Any]:
    """A result nested like `structure`, with the keys of its dicts in the same order; JAX sorts them."""
    if type(structure) is dict and type(result) is dict:
        return {key: _in_order_of(part, result[key]) for key, part in structure.items()}
    if type(structure) in (list, tuple) and type(result) is type(structure):
        return type(structure)(_in_order_of(*parts) for parts in zip(structure, result, strict=True))
    return result


def _check_alike(
    function: str, first: PyTree[Any], *others: PyTree[Any], is_leaf: Callable[[Any], bool] | None, up_to: bool = False
) -> None:
    expected: Any = jax.tree.structure(first, is_leaf=is_leaf)
    for other in others:
        structure: Any = jax.tree.structure(other, is_leaf=is_leaf)
        if structure != expected:
            how = "that go at least as deep as the first" if up_to else "that are nested alike"
            raise InputError(f"tree.{function}: expected structures {how}, got {expected} and {structure}.")
