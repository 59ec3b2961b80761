"""Weights in files of their own: one table from a path's suffix to what writes and what reads it."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from jkeras import arguments
from jkeras.errors import ArgumentError, RestoreError
from jkeras.files import keras_file, legacy_file, stored_weights, untrusted, weight_matching
from jkeras.files.containers import directory, hdf5, safetensors
from jkeras.files.weight_matching import Entry, Found
from jkeras.graph.scope import WeightInfo
from jkeras.paths import flatten, merge
from jkeras.types import PathLike

if TYPE_CHECKING:
    from jkeras.models.model import Model

DIRECTORY = ""
COLLECTIONS = ("params", "state")


@dataclasses.dataclass(frozen=True)
class Format:
    """One way to keep weights.

    Attributes:
        read: takes a model, a path, and whether layers are to be found by their names; returns what the file has.
        write: takes a model and a path; None where weights alone cannot be written.
    """

    read: Callable[[Any, Path, bool], Found]
    write: Callable[[Any, Path], None] | None = None


def save_weights(model: Model, path: PathLike, overwrite: bool = True) -> None:
    """Writes the weights of a model; see `Persistent.save_weights`."""
    path = arguments.checked("save_weights", "filepath", path, arguments.path)
    suffix, kind = format_of(path)
    if kind.write is None:
        raise ArgumentError(f"save_weights({str(path)!r}): a {suffix!r} file holds a whole model: `model.save(path)`.")
    if suffix == DIRECTORY:
        directory.check_name(path, "save_weights", sorted(filter(None, FORMATS)))
    elif path.is_dir():
        raise FileExistsError(f"{path} is a directory.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; pass overwrite=True to replace it.")
    kind.write(model, path)


def load_weights(
    model: Model,
    path: PathLike,
    only: str | Collection[str] | None = None,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> Any:
    """The model with the weights in a file; see `Persistent.load_weights`."""
    path = arguments.checked("load_weights", "filepath", path, arguments.path)
    _, kind = format_of(path)
    if not path.exists() and kind is not FORMATS[DIRECTORY]:
        raise RestoreError(f"There is no file {path}.")
    patterns = [only] if isinstance(only, str) else list(only or ())
    infos = model.description.weights
    with untrusted.reading(path):
        found = kind.read(model, path, by_name or bool(patterns))
        values, skipped = weight_matching.chosen_values(infos, found, patterns, by_name, skip_mismatch)
    if skipped:
        # The level is that of the caller of the method.
        warnings.warn(weight_matching.warning(str(path), len(values), skipped), stacklevel=4)
    flat = weight_matching.as_arrays(infos, values)
    state = model.state
    return model.with_state(
        state.replace(params=merge(state.params, flat["params"]), model_state=merge(state.model_state, flat["state"]))
    )


def format_of(path: Path) -> tuple[str, Format]:
    """The suffix that decides, the longest that the name ends with, and its format.

    Raises:
        ArgumentError: the suffix is not known.
    """
    name = path.name.lower()
    for suffix in sorted(FORMATS, key=len, reverse=True):
        if suffix and name.endswith(suffix):
            return suffix, FORMATS[suffix]
    if path.is_file():
        known = ", ".join(sorted(filter(None, FORMATS)))
        raise ArgumentError(f"{path} has no suffix of a file of weights; known: {known}, or a directory.")
    return DIRECTORY, FORMATS[DIRECTORY]


def by_names(model: Model) -> dict[str, Any]:
    """The weights of a model by name, such as `dense/kernel`."""
    values = {collection: flatten(model.variables[collection]) for collection in COLLECTIONS}
    return {info.name: values[info.collection][info.name] for info in model.description.weights}


# -- `.weights.h5` and `.keras` ------------------------------------------------------------------------------------


def _write_keras(model: Model, path: Path) -> None:
    hdf5.write(path, *stored_weights.to_store(model, learned=True))


def _read_keras(model: Model, path: Path, by_name: bool) -> Found:
    with hdf5.open_tree(path, str(path)) as tree:
        if tree.attribute("", "layer_names") is not None or "model_weights" in tree.groups:  # Keras 2's, of that suffix
            return legacy_file.find(model, legacy_file.LegacyFile(tree, str(path)), by_name)
        return _in_memory(stored_weights.find(model, tree, by_name=by_name and stored_weights.has_names(tree)))


def _read_whole(model: Model, path: Path, by_name: bool) -> Found:
    with keras_file.KerasFile(path).tree() as tree:
        return _in_memory(stored_weights.find(model, tree, by_name=by_name and stored_weights.has_names(tree)))


def _in_memory(found: Found) -> Found:
    """The same with the arrays read, since the file is about to be closed."""
    return dataclasses.replace(found, entries={k: _loaded(entry) for k, entry in found.entries.items()})


def _loaded(entry: Entry) -> Entry:
    return Entry.of(entry.place, entry.read())


# -- `.h5` ---------------------------------------------------------------------------------------------------------


def _write_legacy(model: Model, path: Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    attributes: dict[str, dict[str, Any]] = {}
    legacy_file.weights_to(model, arrays, attributes, "", learned=True)
    hdf5.write(path, arrays, attributes)


def _read_legacy(model: Model, path: Path, by_name: bool) -> Found:
    with hdf5.open_tree(path, str(path)) as tree:
        return legacy_file.find(model, legacy_file.LegacyFile(tree, str(path)), by_name)


# -- directories ---------------------------------------------------------------------------------------------------


def _write_directory(model: Model, path: Path) -> None:
    values = {
        f"{info.collection}/{info.name}": value
        for info, value in zip(model.description.weights, by_names(model).values(), strict=True)
    }
    directory.save(path, {"weights": True}, values)


def _read_directory(model: Model, path: Path, by_name: bool) -> Found:
    """Weights lie under their names anyway, in a directory of weights and in one of a whole model."""
    folder = directory.find(path)
    kept = directory.read_config(folder)["arrays"]
    arrays = directory.read_arrays(folder, kept)
    found = Found(str(path))
    infos: Mapping[str, WeightInfo] = {f"{info.collection}/{info.name}": info for info in model.description.weights}
    for name, array in arrays.items():
        entry = Entry(name, tuple(array.shape), jnp.dtype(array.dtype).name, functools.partial(jnp.asarray, array))
        if name in infos:
            found.entries[infos[name].collection, infos[name].name] = entry
        elif name.startswith(COLLECTIONS):
            found.extra.append(entry)
    return found


# -- `.safetensors` ------------------------------------------------------------------------------------------------


def _write_safetensors(model: Model, path: Path) -> None:
    safetensors.write(path, by_names(model), {"format": "np"})


def _read_safetensors(model: Model, path: Path, by_name: bool) -> Found:
    found = Found(str(path))
    infos = {info.name: info for info in model.description.weights}
    for name, array in safetensors.read(path).items():
        entry = Entry(name, array.shape, array.dtype.name, functools.partial(jnp.asarray, array))
        if name in infos:
            found.entries[infos[name].collection, name] = entry
        else:
            found.extra.append(entry)
    return found


FORMATS: Mapping[str, Format] = {
    ".weights.h5": Format(_read_keras, _write_keras),
    ".h5": Format(_read_legacy, _write_legacy),
    ".hdf5": Format(_read_legacy, _write_legacy),
    ".keras": Format(_read_whole),
    ".safetensors": Format(_read_safetensors, _write_safetensors),
    DIRECTORY: Format(_read_directory, _write_directory),
}
