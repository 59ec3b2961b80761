"""Converts the weights of a model to and from the layout of `.keras` and `.weights.h5` files."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jkeras.errors import RestoreError
from jkeras.files.containers.shards import AnyTree
from jkeras.files.keras3_paths import LABEL, Place, places
from jkeras.files.weight_matching import Entry, Found
from jkeras.graph.in_files import in_files
from jkeras.graph.layer import Layer
from jkeras.paths import flatten

if TYPE_CHECKING:
    from jkeras.models.model import Model

# What Keras stores besides the weights: states of random generators, metrics and the optimizer.
BESIDE = re.compile(r"(^|/)(_?seed_generator|_?compile_metrics|metrics|optimizer)(/|$|_\d+)")


def to_store(model: Model, learned: bool = False) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    """Arrays by path, and attributes by path, as Keras writes them.

    Args:
        model: the model.
        learned: whether to write what layers learned from data (arguments in jkeras) as weights, as after Keras's `adapt`; for
            files without a definition.
    """
    values = {"params": flatten(model.params), "state": flatten(model.model_state)}
    arrays: dict[str, np.ndarray] = {}
    attributes: dict[str, dict[str, Any]] = {}
    for place in places(model):
        group = f"{place.paths[0]}/vars" if place.paths[0] else "vars"
        attributes[group] = {"name": place.name}
        own = (*place.weights, *place.left_out)
        weights: Mapping[str, Any] = {info.path[-1]: values[info.collection][info.name] for info in own}
        if place.left_out and place.layer is not None:
            weights = in_files(type(place.layer)).to_file(place.layer, weights)
        before = [values[info.collection][info.name] for info in place.before]
        for i, value in enumerate((*before, *(weights[info.path[-1]] for info in place.weights))):
            arrays[f"{group}/{i}"] = np.asarray(value)
        if learned and place.layer is not None:
            own_arrays = in_files(type(place.layer)).learned(place.layer)
            arrays.update({f"{group}/{i}": array for i, array in enumerate(own_arrays.values())})
    return arrays, attributes


def find(model: Model, tree: AnyTree, ignore: Collection[str] = (), by_name: bool = False) -> Found:
    """What a file has for the weights of a model.

    Args:
        model: the model.
        tree: the file.
        ignore: arrays that have already been used.
        by_name: whether to find layers by name instead of by number among the layers of their class.

    Raises:
        RestoreError: the file is damaged, or contains no layer names.
    """
    if by_name and not has_names(tree):
        raise RestoreError(f"{tree.where} contains no layer names, so layers cannot be found by name.")
    contents, used = Found(tree.where), set(ignore)
    groups = functools.partial(_named_groups, _Labels(tree)) if by_name else _groups
    for place in places(model):
        _find_place(place, groups(place), tree, contents, used)
        if place.left_out and place.layer is not None:
            _find_left_out(model, place, place.layer, contents)
    contents.extra = [_entry(tree, path) for path in tree.shapes if path not in used and not BESIDE.search(path)]
    return contents


def has_names(tree: AnyTree) -> bool:
    """Whether the file contains layer names; files from before Keras 3.3 do not."""
    return any(path.startswith("layers/") and tree.attribute(path, "name") is not None for path in tree.groups)


def _entry(tree: AnyTree, path: str) -> Entry:
    label = tree.attribute(path.rpartition("/")[0], "name")
    shown = f"{path} of {label!r}" if isinstance(label, str) else path
    return Entry(shown, tree.shapes[path], tree.dtype(path), functools.partial(tree.array, path))


def _find_place(place: Place, groups: list[str], tree: AnyTree, contents: Found, used: set[str]) -> None:
    group = next((g for g in groups if tree.children(g)), None)
    if group is None:
        return
    names = sorted(tree.children(group), key=lambda name: (len(name), name))
    arrays = [f"{group}/{name}" for name in names if f"{group}/{name}" in tree.shapes]
    form = in_files(type(place.layer))
    if form.learns and place.layer is not None:
        used.update(arrays)
        contents.learned(place.name, form.learned(place.layer), [tree.array(path) for path in arrays])
        return
    if len(arrays) == len(place.weights) + len(place.before):
        used.update(arrays[: len(place.before)])
        arrays = arrays[len(place.before) :]
    for info, path in zip(place.weights, arrays, strict=False):
        used.add(path)
        contents.entries[info.collection, info.name] = _entry(tree, path)


def _find_left_out(model: Model, place: Place, layer: Layer, contents: Found) -> None:
    """Weights that are part of others in the file, as declared by the layer."""
    values = {"params": flatten(model.params), "state": flatten(model.model_state)}
    own = {info.path[-1]: values[info.collection][info.name] for info in place.left_out}
    after = in_files(type(layer)).from_file(layer, own)
    for info in place.left_out:
        value = np.asarray(after[info.path[-1]])
        contents.entries[info.collection, info.name] = Entry.of(place.name, value)


def _groups(place: Place) -> list[str]:
    return [_vars(path) for path in place.paths]


def _vars(path: str) -> str:
    return f"{path}/vars" if path else "vars"


def _named_groups(labels: _Labels, place: Place) -> list[str]:
    return [_vars(path) for path in map(labels.path, place.named) if path is not None]


class _Labels:
    """Finds layers in a file by their names."""

    def __init__(self, tree: AnyTree):
        self.tree = tree
        self.known: dict[str, Mapping[str, str]] = {}

    def path(self, named: str) -> str | None:
        """The path of a layer in the file; None if it is missing."""
        path = ""
        for segment in named.split("/") if named else ():
            if segment.startswith(LABEL):
                inside = self._inside(path).get(segment.removeprefix(LABEL))
                if inside is None:
                    return None
                segment = inside
            path = f"{path}/{segment}" if path else segment
        return path

    def _inside(self, path: str) -> Mapping[str, str]:
        if path not in self.known:
            labels = {}
            for child in self.tree.children(path):
                label = self.tree.attribute(_vars(f"{path}/{child}"), "name")
                if isinstance(label, str):
                    labels[label] = child
            self.known[path] = labels
        return self.known[path]
