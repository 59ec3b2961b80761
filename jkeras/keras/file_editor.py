"""`KerasFileEditor` as an object: its methods change it."""

from __future__ import annotations

from typing import Any

import numpy as np

from jkeras.files import file_editor
from jkeras.files.weight_groups import Entries
from jkeras.keras.stores import ArrayStore
from jkeras.keras.walk import save_state
from jkeras.types import PathLike


class _OfObjects(file_editor.KerasFileEditor):
    """The value, for models that are objects."""

    def _arrays_of(self, model: Any) -> dict[str, np.ndarray]:
        store = ArrayStore()
        save_state(model, store, None)
        return {path: np.asarray(array) for path, array in store.arrays.items()}


class KerasFileEditor:
    """Inspects a `.keras` or `.weights.h5` file, changes names and weights, and saves the result as a new file.

    This is the mutable form of `jkeras.saving.KerasFileEditor`.

    Args:
        filepath: the file.

    Raises:
        ValueError: the path has another suffix, or the file is damaged or refused.
    """

    def __init__(self, filepath: PathLike):
        self._value = _OfObjects(filepath)
        self.filepath = self._value.filepath

    @property
    def weights_dict(self) -> dict[str, Any]:
        """Nested dicts of arrays: groups by object name, and arrays by number."""
        return self._value.groups

    @property
    def config(self) -> Any:
        """The model's configuration; None in a weights file."""
        return self._value.config

    @property
    def metadata(self) -> Any:
        """The date and version with which a `.keras` file was written."""
        return self._value.metadata

    def summary(self) -> None:
        """Prints objects and the shapes and dtypes of their weights."""
        self._value.summary()

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Prints and counts the differences between the file and a model; returns "status", "error_count", "match_count"."""
        return self._value.compare(reference_model)

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Renames an object."""
        self._value = self._value.rename_object(object_name, new_name)

    def delete_object(self, object_name: str) -> None:
        """Removes an object."""
        self._value = self._value.delete_object(object_name)

    def add_object(self, object_path: str, weights: Entries) -> None:
        """Adds an object with its weights by name."""
        self._value = self._value.add_object(object_path, weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Removes one weight of an object."""
        self._value = self._value.delete_weight(object_name, weight_name)

    def add_weights(self, object_name: str, weights: Entries) -> None:
        """Adds weights to an object, or replaces those with the same names."""
        self._value = self._value.add_weights(object_name, weights)

    def save(self, filepath: PathLike) -> None:
        """Writes the weights to a `.weights.h5` file."""
        self._value.save(filepath)

    resave_weights = save


__all__ = ["KerasFileEditor"]
