"""The arrays of a Keras 3 file as nested dicts: groups by object name, and arrays by number.

The array at `layers/dense/vars/0` is `groups["layers"]["dense"]["0"]`. All functions return new dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from jkeras.errors import ArgumentError, suggestion
from jkeras.graph.shapes import show_shape
from jkeras.types import ArrayLike

Groups: TypeAlias = "dict[str, np.ndarray | Groups]"
Entries: TypeAlias = Mapping[str, ArrayLike]
# A change of a group: a function of the group and the name of one of its entries.
Change: TypeAlias = Callable[[Groups, str], Groups]

VARIABLES = "vars"


def nested(arrays: Mapping[str, np.ndarray]) -> Groups:
    """Converts arrays by path in a file to groups.

    >>> nested({"layers/dense/vars/0": np.zeros(2)})
    {'layers': {'dense': {'0': array([0., 0.])}}}
    """
    groups: Groups = {}
    for path, array in arrays.items():
        *outer, name = path.split("/")
        group = groups
        for part in outer[:-1] if outer and outer[-1] == VARIABLES else outer:
            inner = group.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ArgumentError(f"{path!r} is inside an array.")
            group = inner
        group[name] = array
    return groups


def flat(groups: Groups, path: str = "") -> dict[str, np.ndarray]:
    """Converts groups to arrays by path in a file."""
    arrays: dict[str, np.ndarray] = {}
    for name, entry in groups.items():
        inner = f"{path}/{name}" if path else name
        if isinstance(entry, dict):
            arrays.update(flat(entry, inner))
        else:
            arrays[f"{path}/{VARIABLES}/{name}" if path else f"{VARIABLES}/{name}"] = np.asarray(entry)
    return arrays


def objects(groups: Groups, path: str = "") -> Iterator[str]:
    """The paths of all groups, starting with the empty path of the root."""
    yield path
    for name, entry in groups.items():
        if isinstance(entry, dict):
            yield from objects(entry, f"{path}/{name}" if path else name)


def lines(groups: Groups, names: Mapping[str, str], path: str = "", indent: str = "") -> Iterator[str]:
    """The groups as lines of text, each followed by its contents.

    Args:
        groups: the groups to show.
        names: the names of objects, by path of their group.
        path: the path of `groups`.
        indent: the indentation of lines.
    """
    for number, (name, entry) in enumerate(groups.items()):
        inner, last = f"{path}/{name}" if path else name, number == len(groups) - 1
        start = f"{indent}{'└─' if last else '├─'} {name}"
        if isinstance(entry, dict):
            yield start + (f" ({names[inner]!r})" if inner in names else "")
            yield from lines(entry, names, inner, indent + ("   " if last else "│  "))
        else:
            yield f"{start}: {np.asarray(entry).dtype.name}{show_shape(np.shape(entry))}"


def differences(file: Groups, model: Groups, path: str = "") -> tuple[list[str], int]:
    """The differences between the groups of a file and those of a model, and the number of matching arrays."""
    problems, matching = [], 0
    for name in {**model, **file}:
        inner, there, expected = f"{path}/{name}" if path else name, file.get(name), model.get(name)
        if there is None or expected is None:
            what = "object" if isinstance(expected if there is None else there, dict) else "weight"
            problems.append(f"the {what} {inner!r} is {'not in the file' if there is None else 'in the file alone'}")
        elif isinstance(there, dict) and isinstance(expected, dict):
            more, count = differences(there, expected, inner)
            problems, matching = problems + more, matching + count
        elif isinstance(there, dict) or isinstance(expected, dict):
            kinds = ["an object" if isinstance(one, dict) else "a weight" for one in (there, expected)]
            problems.append(f"{inner!r} is {kinds[0]} in the file and {kinds[1]} in the model")
        elif np.shape(there) != np.shape(expected):
            shapes = f"{show_shape(np.shape(there))} in the file and {show_shape(np.shape(expected))} in the model"
            problems.append(f"the weight {inner!r} has the shape {shapes}")
        else:
            matching += 1
    return problems, matching


def changed(groups: Groups, place: str, change: Change) -> Groups:
    """A copy of the groups with one of them changed.

    Args:
        groups: all groups.
        place: the path of an object or weight, or its name, if unique.
        change: a function from the parent group and the entry's name to the new parent group.

    Raises:
        ArgumentError: there is no such object, or there are several.
    """
    if "/" in place:
        return _at(groups, place.split("/"), place, change)
    matches = [path for path in _paths(groups) if path[-1] == place]
    if len(matches) > 1:
        known = ", ".join(repr("/".join(path)) for path in matches)
        raise ArgumentError(f"Name {place!r} occurs more than once in the model; give a path: {known}.")
    if not matches:
        raise ArgumentError(
            f"Source name {place!r} does not appear in the model.{suggestion(place, dict.fromkeys(_owners(groups)))}"
        )
    return _at(groups, list(matches[0]), place, change)


def _paths(groups: Groups, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, entry in groups.items():
        yield (*path, name)
        if isinstance(entry, dict):
            yield from _paths(entry, (*path, name))


def _owners(groups: Groups) -> Iterator[str]:
    """The names of the objects that have weights of their own, which are those that people mean."""
    for name, entry in groups.items():
        if isinstance(entry, dict):
            if not all(isinstance(inner, dict) for inner in entry.values()):
                yield name
            yield from _owners(entry)


def _at(groups: Groups, path: list[str], place: str, change: Change) -> Groups:
    name, *rest = path
    if not rest and name in groups:
        return change(groups, name)
    inner = groups.get(name)
    if not rest or not isinstance(inner, dict):
        raise ArgumentError(f"Path {place!r} not found in model.{suggestion(name, groups)}")
    return {**groups, name: _at(inner, rest, place, change)}


def renamed(groups: Groups, place: str, name: str) -> Groups:
    """A copy with an object renamed."""
    if "/" in name or not name:
        raise ArgumentError(f"Expected a name, not a path. Received: target_name={name!r}.")

    def change(group: Groups, old: str) -> Groups:
        if name in group and name != old:
            raise ArgumentError(
                f"Cannot rename {place!r}: there is already an object {name!r} next to it. Delete that one first."
            )
        return {name if each == old else each: entry for each, entry in group.items()}

    return changed(groups, place, change)


def without(groups: Groups, place: str) -> Groups:
    """Without an object."""
    return changed(groups, place, lambda group, name: {each: entry for each, entry in group.items() if each != name})


def added(groups: Groups, path: str, weights: Entries) -> Groups:
    """With a new object.

    Args:
        groups: all groups.
        path: the path of the object, whose parent must exist.
        weights: its arrays by name.
    """
    entries, (*above, name) = _entries(weights), path.split("/")

    def put(group: Groups) -> Groups:
        return {**group, name: entries}

    if not above:
        return put(groups)
    return _at(groups, above, path, lambda group, outer: {**group, outer: put(_object(group, outer))})


def with_weights(groups: Groups, place: str, weights: Entries) -> Groups:
    """A copy with arrays added to or replaced in an object."""
    entries = _entries(weights)
    return changed(groups, place, lambda group, name: {**group, name: {**_object(group, name), **entries}})


def without_weight(groups: Groups, place: str, weight: str) -> Groups:
    """A copy without one of an object's arrays."""

    def change(group: Groups, name: str) -> Groups:
        entries = _object(group, name)
        if weight not in entries:
            raise ArgumentError(f"Weight {weight} not found in object {place}. Weights found: {list(entries)}.")
        return {**group, name: {each: entry for each, entry in entries.items() if each != weight}}

    return changed(groups, place, change)


def _object(group: Groups, name: str) -> Groups:
    entry = group[name]
    if not isinstance(entry, dict):
        raise ArgumentError(f"{name!r} is a weight, not an object with weights.")
    return entry


def _entries(weights: Entries) -> Groups:
    if not isinstance(weights, Mapping):
        raise ArgumentError(
            "Argument `weights` should be a dict where keys are weight names (usually '0', '1', etc.) and values are NumPy"
            f" arrays. Received: type(weights)={type(weights)}."
        )
    wrong = [name for name in weights if not isinstance(name, str) or "/" in name or not name]
    if wrong:
        raise ArgumentError(f"Expected names of weights such as '0'; got {wrong[0]!r}.")
    arrays: Groups = {name: np.asarray(value) for name, value in weights.items()}
    for name, array in arrays.items():
        if isinstance(array, np.ndarray) and array.dtype.kind not in "fiubV":
            raise ArgumentError(f"The weight {name!r} is not an array of numbers: {weights[name]!r:.100}.")
    return arrays
