"""Moves what layers learned from data with `adapt` from the weights and assets of Keras files to the configuration.

In jkeras a mean or a vocabulary is an argument of its layer; Keras stores them as weights and in text files. The class of a
layer declares which arguments these are.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from jkeras.files.config_reader import layer_classes
from jkeras.files.containers.hdf5 import Tree
from jkeras.files.keras3_archive import KerasFile
from jkeras.graph.in_files import Beside, in_files
from jkeras.graph.layer import Layer
from jkeras.registry import snake_case
from jkeras.values.config import target_of


def with_learned(
    config: Mapping[str, Any], file: KerasFile, tree: Tree, used: set[str], place: str = ""
) -> dict[str, Any]:
    """A model's configuration in which layers have what they learned as arguments.

    Args:
        config: the configuration of a model.
        file: the file that contains the text files.
        tree: the arrays.
        used: a set to which the paths of the moved arrays are added.
        place: the path of the model's layers in the file.
    """
    inner = config.get("config")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("layers"), list):
        return dict(config)
    counts: dict[str, int] = {}
    new_layers = []
    for entry in inner["layers"]:
        if isinstance(entry, Mapping) and isinstance(entry.get("class_name"), str) and not _is_function(entry):
            name = snake_case(entry["class_name"])
            number = counts.get(name, -1) + 1
            counts[name] = number
            inside = f"{place}layers/{name}_{number}" if number else f"{place}layers/{name}"
            entry = with_learned(with_own_learned(entry, file, tree, used, inside), file, tree, used, inside + "/")
        new_layers.append(entry)
    return {**config, "config": {**inner, "layers": new_layers}}


def _is_function(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("module") or "").startswith(("keras.src.ops", "keras.src.activations"))


def with_own_learned(
    entry: Mapping[str, Any], file: KerasFile, tree: Tree, used: set[str], place: str
) -> Mapping[str, Any]:
    """The configuration of one layer with what it learned; arguments as for `with_learned`."""
    return with_arguments(entry, _Beside(file, tree, used, place))


def with_arguments(entry: Mapping[str, Any], beside: Beside) -> Mapping[str, Any]:
    """The configuration of one layer, completed by its class from the weights and assets."""
    cls, arguments = class_in(entry), entry.get("config")
    beside_arguments = None if cls is None else in_files(cls).arguments
    if beside_arguments is None or not isinstance(arguments, Mapping):
        return entry
    return {**entry, "config": {**arguments, **beside_arguments(cls, arguments, beside)}}


def class_in(entry: Mapping[str, Any]) -> type[Layer] | None:
    """The layer class that a configuration names; None if unknown."""
    cls = target_of(entry, {})
    if cls is None:
        cls = _library().get(str(entry.get("class_name")))
    return cls if isinstance(cls, type) and issubclass(cls, Layer) else None


_library = functools.cache(layer_classes)


class _Beside:
    """The contents of a `.keras` file for a layer."""

    def __init__(self, file: KerasFile, tree: Tree, used: set[str], place: str):
        self._file = file
        self._tree = tree
        self._used = used
        self._place = place

    def array(self, name: str) -> np.ndarray | None:
        path = f"{self._place}/vars/{name}"
        if path not in self._tree.shapes:
            return None
        self._used.add(path)
        return self._tree.array(path)

    def lines(self, name: str) -> list[str] | None:
        return self._file.lines(f"{self._place}/{name}")

    def inside(self, name: str) -> Self:
        return type(self)(self._file, self._tree, self._used, f"{self._place}/{name}")
