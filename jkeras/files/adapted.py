"""What preprocessing layers learned from data, moved from where Keras files keep it into the configuration.

Here a mean, a vocabulary is an argument of its layer; Keras keeps what `adapt` found as weights and in text files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jkeras.files.containers.hdf5 import Tree
from jkeras.files.keras_file import KerasFile
from jkeras.registry import snake_case

LOOKUPS = ("IntegerLookup", "StringLookup")


def with_learned(
    config: Mapping[str, Any], file: KerasFile, tree: Tree, used: set[str], place: str = ""
) -> dict[str, Any]:
    """A model's configuration in which its layers know what they learned.

    Args:
        config: the configuration of a model.
        file: where the text files are.
        tree: the arrays.
        used: the paths of the arrays that were moved are added.
        place: where the model's layers are in the file.
    """
    inner = config.get("config")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("layers"), list):
        return dict(config)
    counts: dict[str, int] = {}
    written = []
    for entry in inner["layers"]:
        if isinstance(entry, Mapping) and isinstance(entry.get("class_name"), str) and not _is_function(entry):
            name = snake_case(entry["class_name"])
            number = counts.get(name, -1) + 1
            counts[name] = number
            inside = f"{place}layers/{name}_{number}" if number else f"{place}layers/{name}"
            entry = with_learned(with_own_learned(entry, file, tree, used, inside), file, tree, used, inside + "/")
        written.append(entry)
    return {**config, "config": {**inner, "layers": written}}


def _is_function(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("module") or "").startswith(("keras.src.ops", "keras.src.activations"))


def with_own_learned(
    entry: Mapping[str, Any], file: KerasFile, tree: Tree, used: set[str], place: str
) -> Mapping[str, Any]:
    """The configuration of one layer that knows what it learned; the arguments are those of `with_learned`."""
    arguments = entry.get("config")
    if not isinstance(arguments, Mapping):
        return entry
    if entry["class_name"] == "Normalization" and arguments.get("mean") is None:
        paths = [f"{place}/vars/{i}" for i in range(3)]
        if paths[0] in tree.shapes and paths[1] in tree.shapes:
            used.update(paths)
            mean, variance = (tree.array(path).tolist() for path in paths[:2])
            return {**entry, "config": {**arguments, "mean": mean, "variance": variance}}
    if entry["class_name"] in (*LOOKUPS, "TextVectorization") and arguments.get("vocabulary") is None:
        inner = place + "/_lookup_layer" if entry["class_name"] == "TextVectorization" else place
        terms: list[Any] | None = file.vocabulary(inner)
        if terms:
            if entry["class_name"] == "IntegerLookup":
                terms = [int(term) for term in terms]
            learned: dict[str, Any] = {"vocabulary": terms}
            weights = f"{inner}/vars/idf_weights"
            if weights in tree.shapes:
                used.add(weights)
                learned["idf_weights"] = tree.array(weights).tolist()
            return {**entry, "config": {**arguments, **learned}}
    return entry
