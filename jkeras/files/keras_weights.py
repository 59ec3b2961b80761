"""Weights in Keras's formats: `.weights.h5`, the same in shards, `.h5` layer by layer, and from files of whole models.

The contents of an HDF5 file, not its name, determine which of the two layouts it has.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jkeras.errors import ArgumentError
from jkeras.files import keras2_h5, keras3_archive, keras3_weights
from jkeras.files.containers import hdf5, shards
from jkeras.files.dialects import weight_paths
from jkeras.files.weight_matching import Entry, Found

if TYPE_CHECKING:
    from jkeras.models.model import Model

# In GB, as in Keras.
SHARD_SIZE = 5.0


def write(model: Model, path: Path) -> None:
    """Writes a `.weights.h5` file."""
    hdf5.write(path, *keras3_weights.to_store(model, learned=True))


def write_shards(model: Model, path: Path, max_shard_size: float | None = None) -> None:
    """Writes a `.weights.json` index and its files; see `Model.save_weights`."""
    size = SHARD_SIZE if max_shard_size is None else max_shard_size
    if isinstance(size, bool) or not isinstance(size, (int, float)) or not 0 < size < 1e6:
        raise ArgumentError(f"save_weights(max_shard_size={max_shard_size!r}): expected a number of GB above 0.")
    shards.write(path, *keras3_weights.to_store(model, learned=True), limit=int(size * 2**30))


def write_by_layer(model: Model, path: Path) -> None:
    """Writes a `.h5` file."""
    arrays: dict[str, np.ndarray] = {}
    attributes: dict[str, dict[str, Any]] = {}
    keras2_h5.weights_to(model, arrays, attributes, "", learned=True)
    hdf5.write(path, arrays, attributes)


def find_in_hdf5(model: Model, path: Path, by_name: bool) -> Found:
    """The contents of an HDF5 file of either layout."""
    with hdf5.open_tree(path, str(path)) as tree:
        if keras2_h5.is_by_layer(tree):
            return keras2_h5.find(model, keras2_h5.LegacyFile(tree, str(path)), by_name)
        return _found(model, weight_paths.tree_of_today(tree), by_name)


def find_in_shards(model: Model, path: Path, by_name: bool) -> Found:
    """The contents of the files of an index."""
    with shards.opened(path) as tree:
        return _found(model, tree, by_name)


def find_in_archive(model: Model, path: Path, by_name: bool) -> Found:
    """The contents of a file of a whole model."""
    with keras3_archive.KerasFile(path).tree() as tree:
        return _found(model, tree, by_name)


def _found(model: Model, tree: shards.AnyTree, by_name: bool) -> Found:
    weights = keras3_weights.find(model, tree, by_name=by_name and keras3_weights.has_names(tree))
    # In memory, because the file is about to be closed.
    return dataclasses.replace(weights, entries={k: Entry.of(e.place, e.read()) for k, e in weights.entries.items()})
