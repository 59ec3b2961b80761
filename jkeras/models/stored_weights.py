"""The weights of a model in the layout of `.keras` and `.weights.h5` files, and back."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from jkeras.errors import RestoreError
from jkeras.models.keras_layout import Place, places
from jkeras.saving.hdf5 import Tree
from jkeras.training.state import flatten

# What Keras keeps beside the weights: states of random generators, of metrics, of the optimizer.
BESIDE = re.compile(r"(^|/)(_?seed_generator|_?compile_metrics|metrics|optimizer|_layer_checkpoint_dependencies)(/|$|_\d+)")


def to_store(model: Any) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    """Arrays by path, and attributes by path, as Keras writes them."""
    values = {"params": flatten(model.params), "state": flatten(model.model_state)}
    arrays: dict[str, np.ndarray] = {}
    attributes: dict[str, dict[str, Any]] = {}
    for place in places(model):
        group = f"{place.paths[0]}/vars" if place.paths[0] else "vars"
        attributes[group] = {"name": place.name}
        for i, info in enumerate((*place.before, *place.weights)):
            arrays[f"{group}/{i}"] = np.asarray(values[info.collection][info.name])
    return arrays, attributes


class Match:
    """What a file has for the weights of a model.

    Attributes:
        found: the path of an array in the file by (collection, name) of the weight.
        problems: everything that does not fit, by the name of the weight or the path in the file.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], str] = {}
        self.problems: dict[str, str] = {}


def match(model: Any, tree: Tree, ignore: Collection[str] = ()) -> Match:
    """Compares the weights of a model with those of a file, by place."""
    result = Match()
    used = set(ignore)
    for place in places(model):
        _match_place(place, tree, result, used)
    for path in tree.shapes:
        if path not in used and not BESIDE.search(path):
            result.problems[path] = f"in the file with {list(tree.shapes[path])}, unknown to the model"
    return result


def _match_place(place: Place, tree: Tree, result: Match, used: set[str]) -> None:
    groups = [_group(path, tree) for path in place.paths]
    group = next((g for g in groups if tree.children(g)), groups[0])
    names = sorted(tree.children(group), key=lambda name: (len(name), name))
    arrays = [f"{group}/{name}" for name in names]
    used.update(arrays)
    if len(arrays) == len(place.weights) + len(place.before):
        arrays = arrays[len(place.before) :]
    for i, info in enumerate(place.weights):
        if i >= len(arrays):
            result.problems[info.name] = f"missing in the file, the model needs {list(info.shape)}"
        elif arrays[i] not in tree.shapes:
            result.problems[info.name] = f"{arrays[i]!r} in the file is no array"
        elif tree.shapes[arrays[i]] != info.shape:
            shape = list(tree.shapes[arrays[i]])
            result.problems[info.name] = f"{shape} in the file ({arrays[i]}), {list(info.shape)} in the model"
        else:
            result.found[info.collection, info.name] = arrays[i]
    for path in arrays[len(place.weights) :]:
        result.problems[path] = f"in the file, but the model's layer {place.name!r} has {len(place.weights)} weights"


def _group(path: str, tree: Tree) -> str:
    group = f"{path}/vars" if path else "vars"
    if group not in tree.groups:  # the name of `layers` in Keras 2.13
        older = group.replace("layers", "_layer_checkpoint_dependencies")
        return older if older in tree.groups else group
    return group


def read(model: Any, tree: Tree, ignore: Collection[str] = ()) -> dict[tuple[str, str], np.ndarray]:
    """The weights of a model from a file, by (collection, name).

    Raises:
        RestoreError: the file does not fit the model; every difference is listed.
    """
    matched = match(model, tree, ignore)
    infos = {(info.collection, info.name): info for info in model.description.weights}
    values: dict[tuple[str, str], np.ndarray] = {}
    for key, path in matched.found.items():
        values[key] = tree.array(path)
        if values[key].dtype.name != infos[key].dtype:
            matched.problems[infos[key].name] = (
                f"{values[key].dtype.name}{list(values[key].shape)} in the file ({path}),"
                f" {infos[key].dtype}{list(infos[key].shape)} in the model"
            )
    if matched.problems:
        raise misfit(tree.where, matched.problems)
    return values


def misfit(where: str, problems: Mapping[str, str]) -> RestoreError:
    """The error that lists every difference."""
    return RestoreError(f"{where} does not fit the model:\n" + "\n".join(f"  {k}: {v}" for k, v in problems.items()))
