"""Every function of `jkeras.tree` against Keras's, on structures of all kinds."""

import collections

import jax
import keras
import pytest

from jkeras import tree
from jkeras.errors import InputError

Point = collections.namedtuple("Point", "x y")
STRUCTURES = [
    3,
    None,
    [],
    {},
    [1, (2, [3, {"b": 4, "a": 5}])],
    {"z": [1, None], "a": {"k": (2,)}},
    (Point(1, [2, 3]), collections.OrderedDict([("b", 1), ("a", (2, None))])),
    [{"x": 1}, {"x": 2}],
]


def add(*values):
    return sum(0 if v is None else v for v in values) + 1


def negative(part):
    return -part if isinstance(part, int) else None


def shortened(part):
    return part[:1] if isinstance(part, list) else None


CASES = {
    "is_nested": lambda tree, s: tree.is_nested(s),
    "flatten": lambda tree, s: tree.flatten(s),
    "flatten_with_path": lambda tree, s: tree.flatten_with_path(s),
    "map_structure": lambda tree, s: [tree.map_structure(add, s), tree.map_structure(add, s, s)],
    "map_structure_up_to": lambda tree, s: tree.map_structure_up_to([0, 0], str, [s, s]),
    "pack_sequence_as": lambda tree, s: tree.pack_sequence_as(s, [str(leaf) for leaf in tree.flatten(s)]),
    "lists_to_tuples": lambda tree, s: tree.lists_to_tuples(s),
    "map_shape_structure": lambda tree, s: tree.map_shape_structure(str, {"x": (None, 3), "y": [[2], (2, 2)]}),
    "traverse": lambda tree, s: [
        *(tree.traverse(function, s, top_down=down) for function in (negative, shortened) for down in (True, False)),
        tree.traverse(lambda part: tree.MAP_TO_NONE if part == 2 else None, s),
    ],
    "assert_same_structure": lambda tree, s: tree.assert_same_structure(s, s),
    "assert_same_paths": lambda tree, s: tree.assert_same_paths(s, s),
}


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.tree.{name}" for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_equals_keras(name):
    for structure in STRUCTURES:
        ours, theirs = CASES[name](tree, structure), CASES[name](keras.tree, structure)
        assert ours == theirs, structure
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("map_structure", (add,)),
        ("map_structure", (add, [1], [1, 2])),
        ("map_structure", (add, [1], [[1]])),
        ("map_structure_up_to", ([0, [0]], add)),
        ("map_structure_up_to", ([0, [0]], add, [1, 2])),
        ("pack_sequence_as", ([1, 2], [1])),
        ("assert_same_structure", ([1], (1,))),
        ("assert_same_structure", ([1], [{}])),
        ("assert_same_paths", ([1], [1, 2])),
    ],
)
def test_what_keras_refuses_is_refused(name, arguments):
    with pytest.raises(ValueError):
        getattr(keras.tree, name)(*arguments)
    with pytest.raises(InputError, match=f"tree.{name}"):
        getattr(tree, name)(*arguments)
