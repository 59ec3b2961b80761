"""Immutable containers, and structures of containers as values.

The contents of a value are frozen when its constructor returns: at any depth, lists become tuples, dicts `FrozenDict`s and
sets frozen sets. Parts of a state become `FrozenDict`s and `FrozenList`s, which compare, slice and serialise like the dicts
and lists that they replace.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Self, TypeVar

import jax
import numpy as np

from jkeras.errors import FrozenError
from jkeras.values.keys import HashedKey, Keyed, key_of

Key = TypeVar("Key")
Value = TypeVar("Value")
Item = TypeVar("Item")

_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes})


class FrozenDict(dict[Key, Value]):
    """A dict that raises `FrozenError` on any change; a pytree with the same leaves as the plain dict.

    >>> d = FrozenDict({"a": 1})
    >>> d["a"], d == {"a": 1}, {**d, "a": 2}
    (1, True, {'a': 2})
    """

    __slots__ = ("advice",)
    advice: str

    def __init__(self, entries: Any = (), advice: str = ""):
        super().__init__(entries)
        object.__setattr__(self, "advice", advice)

    def _refuse(self, what: str) -> NoReturn:
        raise FrozenError(f"This dict is immutable: {what} is not possible. {self.advice or _CHANGED_DICT}")

    def __setitem__(self, key: Key, value: Value) -> NoReturn:
        self._refuse(f"assigning {key!r}")

    def __delitem__(self, key: Key) -> NoReturn:
        self._refuse(f"deleting {key!r}")

    def __ior__(self, other: Any) -> NoReturn:  # type: ignore[misc]
        self._refuse("`|=`")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        self._refuse(f"assigning the attribute {name!r}")

    def clear(self) -> NoReturn:
        self._refuse("`clear`")

    def pop(self, *args: Any) -> NoReturn:
        self._refuse("`pop`")

    def popitem(self) -> NoReturn:
        self._refuse("`popitem`")

    def setdefault(self, *args: Any) -> NoReturn:
        self._refuse("`setdefault`")

    def update(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("`update`")

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def copy(self) -> dict[Key, Value]:
        """A mutable plain dict with the same structure; dicts and lists inside are copied as well."""
        result: dict[Key, Value] = thawed(self)
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self), self.advice)

    def __deepcopy__(self, memo: Any) -> FrozenDict[Key, Value]:
        return FrozenDict(copy.deepcopy(dict(self), memo), self.advice)


class FrozenList(list[Item]):
    """A list that raises `FrozenError` on any change.

    >>> FrozenList([1, 2])[:1] + [3]
    [1, 3]
    """

    __slots__ = ("advice",)
    advice: str

    def __init__(self, items: Iterable[Item] = (), advice: str = ""):
        super().__init__(items)
        object.__setattr__(self, "advice", advice)

    def _refuse(self, what: str) -> NoReturn:
        raise FrozenError(f"This list is immutable: {what} is not possible. {self.advice or _CHANGED_LIST}")

    def __setitem__(self, *args: Any) -> NoReturn:
        self._refuse("assigning an item")

    def __delitem__(self, index: Any) -> NoReturn:
        self._refuse("deleting an item")

    def __iadd__(self, other: Any) -> NoReturn:  # type: ignore[misc]
        self._refuse("`+=`")

    def __imul__(self, other: Any) -> NoReturn:  # type: ignore[misc]
        self._refuse("`*=`")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        self._refuse(f"assigning the attribute {name!r}")

    def append(self, item: Item) -> NoReturn:
        self._refuse("`append`")

    def extend(self, items: Iterable[Item]) -> NoReturn:
        self._refuse("`extend`")

    def insert(self, *args: Any) -> NoReturn:
        self._refuse("`insert`")

    def pop(self, *args: Any) -> NoReturn:
        self._refuse("`pop`")

    def remove(self, item: Item) -> NoReturn:
        self._refuse("`remove`")

    def clear(self) -> NoReturn:
        self._refuse("`clear`")

    def reverse(self) -> NoReturn:
        self._refuse("`reverse`")

    def sort(self, **kwargs: Any) -> NoReturn:
        self._refuse("`sort`")

    def copy(self) -> list[Item]:
        """A mutable plain list with the same items; dicts and lists inside are copied as well."""
        result: list[Item] = thawed(self)
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenList, (list(self), self.advice)

    def __deepcopy__(self, memo: Any) -> FrozenList[Item]:
        return FrozenList(copy.deepcopy(list(self), memo), self.advice)


_CHANGED_DICT = "Make a changed copy: `new = {**old, key: value}`."
_CHANGED_LIST = "Make a changed copy: `new = [*old, item]`."


def frozen(value: Any) -> Any:
    """`value` with immutable containers at any depth; NumPy arrays become read-only copies.

    >>> frozen({"a": [1, {2}]})
    {'a': (1, frozenset({2}))}
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is tuple or isinstance(value, list):
        return tuple([frozen(item) for item in value])
    if isinstance(value, tuple):
        return _mapped_tuple(frozen, value)
    if isinstance(value, dict):
        return FrozenDict({key: frozen(item) for key, item in value.items()})
    if isinstance(value, set):
        return frozenset(value)
    if isinstance(value, bytearray):
        return bytes(value)
    if kind is np.ndarray:
        return _read_only(value)
    return value


def _read_only(array: np.ndarray) -> np.ndarray:
    if isinstance(array.base, bytes):
        return array
    if array.dtype.hasobject:
        array = array.copy()
        array.flags.writeable = False
        return array
    # A view of bytes, which cannot be made writeable again.
    return np.ndarray(array.shape, array.dtype, array.tobytes())


def frozen_tree(tree: Any, advice: str = "") -> Any:
    """The structure of `tree` with immutable dicts and lists, around the same leaves."""
    if isinstance(tree, dict):
        return FrozenDict({key: frozen_tree(item, advice) for key, item in tree.items()}, advice)
    if isinstance(tree, list):
        return FrozenList([frozen_tree(item, advice) for item in tree], advice)
    return _mapped_tuple(lambda item: frozen_tree(item, advice), tree)


def thawed(tree: Any, leaf: Callable[[Any], Any] = lambda value: value) -> Any:
    """A copy of the structure of `tree` with plain dicts and lists, around the same (or changed) leaves."""
    if isinstance(tree, dict):
        return {key: thawed(item, leaf) for key, item in tree.items()}
    if isinstance(tree, list):
        return [thawed(item, leaf) for item in tree]
    if isinstance(tree, tuple):
        return _mapped_tuple(lambda item: thawed(item, leaf), tree)
    return leaf(tree)


def kept(value: Any) -> Any:
    """A copy of the structure of `value` that shares nothing with it, including NumPy arrays."""
    return thawed(value, lambda leaf: _read_only(leaf) if type(leaf) is np.ndarray else leaf)


def _mapped_tuple(change: Callable[[Any], Any], value: Any) -> Any:
    """A tuple with changed items; an unchanged named tuple is returned itself, since some are compared by identity."""
    if type(value) is tuple:
        return tuple([change(item) for item in value])
    make = getattr(type(value), "_make", None) if isinstance(value, tuple) else None  # a named tuple
    if make is None:
        return value
    items = [change(item) for item in value]
    return value if all(old is new for old, new in zip(value, items, strict=True)) else make(items)


class Template(Keyed):
    """A structure of dicts, lists and tuples as an immutable value that remembers the type of each container.

    >>> Template.of({"a": [1, 2]}).fill(lambda leaf: 10 * leaf)
    {'a': [10, 20]}
    """

    __slots__ = ("leaves", "structure")

    leaves: tuple[Any, ...]
    structure: jax.tree_util.PyTreeDef

    def __init__(self, leaves: tuple[Any, ...], structure: jax.tree_util.PyTreeDef):
        object.__setattr__(self, "leaves", tuple(leaves))
        object.__setattr__(self, "structure", structure)

    @classmethod
    def of(cls, value: Any, is_leaf: Callable[[Any], bool] | None = None) -> Self:
        """The template of `value`, with its leaves."""
        leaves, structure = jax.tree.flatten(value, is_leaf=is_leaf)
        return cls(kept(tuple(leaves)), structure)

    def fill(self, replace: Callable[[Any], Any] = lambda leaf: leaf) -> Any:
        """Containers of the original types around changed leaves."""
        return jax.tree.unflatten(self.structure, [replace(leaf) for leaf in self.leaves])

    def map(self, replace: Callable[[Any], Any]) -> Template:
        """The same structure around changed leaves."""
        return Template(tuple(replace(leaf) for leaf in self.leaves), self.structure)

    def _key(self) -> HashedKey:
        return HashedKey((Template, self.structure, key_of(self.leaves)))

    def __reduce__(self) -> tuple[Any, ...]:
        # JAX's tree structures cannot be pickled; a tree with numbers as leaves is equivalent.
        return _template, (self.leaves, jax.tree.unflatten(self.structure, range(len(self.leaves))))

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenError(f"A Template is immutable; `{name}` cannot be assigned.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Template({self.fill()!r})"


def _template(leaves: tuple[Any, ...], numbered: Any) -> Template:
    return Template(leaves, jax.tree.structure(numbered))


def _dict_children(tree: FrozenDict[Any, Any]) -> tuple[tuple[Any, ...], Any]:
    keys = tuple(sorted(tree))  # the order in which JAX flattens a dict
    return tuple([tree[key] for key in keys]), keys


def _dict_children_with_keys(tree: FrozenDict[Any, Any]) -> tuple[tuple[tuple[Any, Any], ...], Any]:
    keys = tuple(sorted(tree))
    return tuple([(jax.tree_util.DictKey(key), tree[key]) for key in keys]), keys


def _list_children_with_keys(tree: FrozenList[Any]) -> tuple[tuple[tuple[Any, Any], ...], Any]:
    return tuple([(jax.tree_util.SequenceKey(i), item) for i, item in enumerate(tree)]), None


jax.tree_util.register_pytree_with_keys(
    FrozenDict,
    _dict_children_with_keys,
    lambda keys, children: FrozenDict(zip(keys, children, strict=True)),
    _dict_children,
)
jax.tree_util.register_pytree_with_keys(
    FrozenList, _list_children_with_keys, lambda _, items: FrozenList(items), lambda tree: (tuple(tree), None)
)
