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
    """Looks into a `.keras` or `.weights.h5` file, changes names and weights, and saves what it has as a new file.

    See `jkeras.saving.KerasFileEditor`, of which this is the form that changes in place.

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
        """Groups by the names of objects, and in them arrays by their numbers."""
        return self._value.groups

    @property
    def config(self) -> Any:
        """The model's configuration; None in a file of weights alone."""
        return self._value.config

    @property
    def metadata(self) -> Any:
        """When and by which version a `.keras` file was written."""
        return self._value.metadata

    def summary(self) -> None:
        """Prints objects and the shapes and types of their weights."""
        self._value.summary()

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Prints and counts what differs between the file and a model; gives "status", "error_count", "match_count"."""
        return self._value.compare(reference_model)

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Gives an object another name."""
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
        """Adds weights to an object, or replaces those of the same names."""
        self._value = self._value.add_weights(object_name, weights)

    def save(self, filepath: PathLike) -> None:
        """Writes the weights to a `.weights.h5` file."""
        self._value.save(filepath)

    resave_weights = save


__all__ = ["KerasFileEditor"]
