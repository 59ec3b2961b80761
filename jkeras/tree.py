"""Nested structures of lists, tuples, dicts and other pytrees, with the names of `keras.tree`.

The functions are those of `jax.tree`, except that None and variables are leaves. Dicts are traversed in the order of their sorted
keys, and results keep the original order.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import jax
from jax.tree_util import DictKey, FlattenedIndexKey

from jkeras.arguments import checked, entries, function
from jkeras.errors import InputError
from jkeras.types import PyTree


class MAP_TO_NONE:  # noqa: N801  (Keras's name)
    """Returned by a function in `traverse` to replace a part by None, because None itself means to continue inside.

    >>> traverse(lambda part: MAP_TO_NONE if part == 2 else None, [1, 2])
    [1, None]
    """


def _is_leaf(value: object) -> bool:
    """None, and objects whose class declares them leaves (`is_tree_leaf`), although JAX would look inside."""
    return value is None or _is_declared_leaf(value)


def _is_declared_leaf(value: object) -> bool:
    return getattr(type(value), "is_tree_leaf", False)


def is_nested(structure: PyTree[Any]) -> bool:
    """Whether `structure` is nested: a list, a tuple, a dict, ...

    Args:
        structure: any value.

    >>> is_nested([1]), is_nested({}), is_nested(3), is_nested(None)
    (True, True, False, False)
    """
    return structure is not None and not jax.tree_util.all_leaves([structure], is_leaf=_is_leaf)


def flatten(structure: PyTree[Any]) -> list[Any]:
    """The leaves from left to right.

    Args:
        structure: a nested structure.

    >>> flatten({"b": [1, None], "a": (2, {})})
    [2, 1, None]
    """
    return jax.tree.leaves(structure, is_leaf=_is_leaf)


def flatten_with_path(structure: PyTree[Any]) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves, each with its path: keys of dicts, and positions in other containers.

    Args:
        structure: a nested structure.

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
    """Applies `func` to the leaves of one structure, or to the corresponding leaves of several.

    Args:
        func: a function with one argument per structure.
        *structures: structures that are nested in the same way.
        none_is_leaf: whether None is a leaf, to which `func` is applied.

    Raises:
        InputError: there are no structures, or they are nested differently.

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
    """Applies `func` to the parts of structures at the positions of `shallow_structure`'s leaves.

    Args:
        shallow_structure: the structure of the result.
        func: a function with one argument per structure.
        *structures: structures that are at least as deep.

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

    Args:
        structure: a nested structure.
        flat_sequence: the new leaves, from left to right.

    Raises:
        InputError: the number of leaves differs from `len(flat_sequence)`.

    >>> pack_sequence_as({"a": 0, "b": [0, 0]}, [1, 2, 3])
    {'a': 1, 'b': [2, 3]}
    """
    definition: Any = jax.tree.structure(structure, is_leaf=_is_leaf)
    leaves = checked("tree.pack_sequence_as", "flat_sequence", flat_sequence, entries)
    if len(leaves) != definition.num_leaves:
        raise InputError(
            f"tree.pack_sequence_as: the structure has {definition.num_leaves} leaves, but there are {len(leaves)} values."
        )
    return _in_order_of(structure, jax.tree.unflatten(definition, leaves))


def assert_same_structure(a: PyTree[Any], b: PyTree[Any], check_types: bool | None = None) -> None:
    """Checks that two structures are nested in the same way.

    Args:
        a: a structure.
        b: another one.
        check_types: has no effect any more, as in Keras; the types of containers must always be equal.

    Raises:
        InputError: they are nested differently.

    >>> assert_same_structure({"x": [1, 2]}, {"x": [3, 4]})
    """
    if check_types is not None:
        warnings.warn(
            "tree.assert_same_structure: `check_types` has no effect any more. `tree.assert_same_paths` takes `list`, `tuple`"
            " and `deque` for the same.",
            DeprecationWarning,
            stacklevel=2,
        )
    _check_alike("assert_same_structure", a, b, is_leaf=_is_leaf)


def assert_same_paths(a: PyTree[Any], b: PyTree[Any]) -> None:
    """Checks that two structures have the same paths, regardless of the types of containers.

    Args:
        a: a structure.
        b: another one.

    Raises:
        InputError: they have different paths; the message lists the differences.

    >>> assert_same_paths({"x": [1, 2]}, {"x": (3, 4)})
    """
    one, other = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if one != other:
        raise InputError(
            f"tree.assert_same_paths: only in `a`: {sorted(one - other)}, only in `b`: {sorted(other - one)}."
        )


def map_shape_structure(func: Callable[[Any], Any], structure: PyTree[Any]) -> PyTree[Any]:
    """Applies `func` to every shape: a list or tuple of sizes.

    Args:
        func: a function of a shape.
        structure: a nested structure of shapes.

    >>> map_shape_structure(len, {"x": (None, 3), "y": [2, 2, 2]})
    {'x': 2, 'y': 3}
    """

    def is_shape(value: object) -> bool:
        sizes = isinstance(value, (list, tuple)) and all(size is None or isinstance(size, int) for size in value)
        return value is None or sizes

    checked("tree.map_shape_structure", "func", func, function)
    return _in_order_of(structure, jax.tree.map(func, structure, is_leaf=is_shape))


def traverse(func: Callable[[Any], Any], structure: PyTree[Any], top_down: bool = True) -> PyTree[Any]:
    """Replaces parts of a structure by the results of `func`.

    Args:
        func: a function of a part: a leaf or a container. If it returns None, the part is kept and its contents are visited;
            `MAP_TO_NONE` replaces the part by None.
        structure: a nested structure.
        top_down: whether to visit a container before its contents.

    >>> traverse(lambda part: tuple(part) if isinstance(part, list) else None, [1, [2]], top_down=False)
    (1, (2,))
    """

    checked("tree.traverse", "func", func, function)

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
    """Converts all lists to tuples.

    Args:
        structure: a nested structure.

    >>> lists_to_tuples({"a": [1, [2]]})
    {'a': (1, (2,))}
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def _in_order_of(structure: PyTree[Any], result: PyTree[Any]) -> PyTree[Any]:
    """Restores the order of keys of `structure` in a result, because JAX sorts them."""
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
            how = "that are at least as deep as the first" if up_to else "that are nested in the same way"
            raise InputError(f"tree.{function}: expected structures {how}, got {expected} and {structure}.")
