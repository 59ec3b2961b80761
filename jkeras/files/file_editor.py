"""`KerasFileEditor`: inspects a weights file and changes its names and arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from jkeras import allowance, arguments
from jkeras.discarded import check_used
from jkeras.errors import ArgumentError
from jkeras.files import keras3_archive, keras3_weights, untrusted, weight_groups
from jkeras.files.containers import hdf5
from jkeras.files.weight_groups import Entries, Groups
from jkeras.types import PathLike
from jkeras.values.spec import Spec

if TYPE_CHECKING:
    from jkeras.models.model import Model

ARCHIVE, WEIGHTS = ".keras", ".weights.h5"


class KerasFileEditor(Spec):
    """The weights in a `.keras` or `.weights.h5` file, by object.

    Use it to adapt weights that were saved before a model's architecture changed. Files are not trusted: as in `load_model`,
    links, arrays in other files and false sizes are refused.

    An editor is a value: each method that changes something returns a new one, and the file is not changed.

    Args:
        filepath: the file.

    Attributes:
        weights_dict: nested dicts of arrays: groups by object name, and arrays by number.
        config: the model's configuration; None in a weights file.
        metadata: the date and version with which a `.keras` file was written.

    Raises:
        ArgumentError: the path has another suffix.
        RestoreError: the file is damaged or refused.

    Example::

        editor = jk.saving.KerasFileEditor("old.weights.h5")
        editor.summary()
        editor = editor.rename_object("dense_2", "dense_3").delete_object("layers/dropout")
        editor.compare(model)
        editor.save("new.weights.h5")
    """

    keras_module = "keras.saving"

    filepath: str

    weights_dict: Mapping[str, Any]
    config: Mapping[str, Any] | None
    metadata: Mapping[str, Any] | None

    def __init__(self, filepath: PathLike):
        self.filepath = os.fspath(arguments.checked("KerasFileEditor", "filepath", filepath, arguments.path))
        path = Path(self.filepath)
        if not path.name.endswith((ARCHIVE, WEIGHTS)):
            raise ArgumentError(
                f"Invalid filename: expected a `.keras` `.weights.h5` extension. Received: filepath={self.filepath}"
            )
        if not path.exists():
            raise ArgumentError(f"KerasFileEditor({self.filepath!r}): there is no such file.")
        with untrusted.reading(path), allowance.of_file(untrusted.size(path)):
            archive = keras3_archive.KerasFile(path) if path.name.endswith(ARCHIVE) else None
            with hdf5.open_tree(path, str(path)) if archive is None else archive.tree() as tree:
                groups = weight_groups.nested({name: np.array(tree.array(name)) for name in tree.shapes})
                attributes = {group: tree.attribute(group, "name") for group in tree.groups}
        self.config = None if archive is None else archive.config
        self.metadata = None if archive is None else {"keras_version": archive.version}
        self.weights_dict = groups
        own = {path: name for path, name in attributes.items() if path.rpartition("/")[2] == weight_groups.VARIABLES}
        self._names = {_place(path): name for path, name in own.items() if isinstance(name, str)}

    def _with(self, groups: Groups) -> Self:
        return self._evolve(weights_dict=groups)

    @property
    def groups(self) -> Groups:
        """A copy of `weights_dict` in plain dicts, with the same arrays."""
        return _plain(self.weights_dict)

    def summary(self) -> None:
        """Prints objects and the shapes and dtypes of their weights."""
        print("\n".join([f"Weights structure of {self.filepath}", *weight_groups.lines(self.groups, self._names)]))

    def compare(self, reference_model: Model) -> dict[str, Any]:
        """Prints and counts the differences between the file and a model.

        Args:
            reference_model: the model that the weights are intended for.

        Returns:
            `{"status": "success" or "error", "error_count": ..., "match_count": ...}`.
        """
        problems, matching = weight_groups.differences(
            self.groups, weight_groups.nested(self._arrays_of(reference_model))
        )
        print("\n".join([*problems, f"{len(problems)} differences, {matching} weights match."]))
        status = "error" if problems else "success"
        return {"status": status, "error_count": len(problems), "match_count": matching}

    def _arrays_of(self, model: Any) -> dict[str, np.ndarray]:
        """The arrays of a model, by path in a file."""
        arrays, _ = keras3_weights.to_store(model)
        variables = keras3_archive.optimizer_variables(model) if model.recipe is not None else []
        return {**arrays, **{f"optimizer/vars/{i}": value for i, (_, value) in enumerate(variables)}}

    def rename_object(self, object_name: str, new_name: str) -> Self:
        """A copy with an object, such as a layer, renamed.

        Args:
            object_name: its path, such as `"layers/dense_2"`, or its name, if unique.
            new_name: the last part of the new path.

        Raises:
            ArgumentError: there is no such object, or the name is taken.
        """
        changed = self._with(weight_groups.renamed(self.groups, object_name, new_name))
        check_used("rename_object", owner="editor", may_show=True)
        return changed

    def delete_object(self, object_name: str) -> Self:
        """A copy without an object.

        Args:
            object_name: its path or name.

        Raises:
            ArgumentError: there is no such object.
        """
        changed = self._with(weight_groups.without(self.groups, object_name))
        check_used("delete_object", owner="editor", may_show=True)
        return changed

    def add_object(self, object_path: str, weights: Entries) -> Self:
        """A copy with a new object.

        Args:
            object_path: the full path.
            weights: its arrays by name, `{"0": kernel, "1": bias}`.

        Raises:
            ArgumentError: its parent does not exist, or the weights are not arrays of numbers.
        """
        changed = self._with(weight_groups.added(self.groups, object_path, weights))
        check_used("add_object", owner="editor", may_show=True)
        return changed

    def delete_weight(self, object_name: str, weight_name: str) -> Self:
        """A copy without one weight of an object.

        Args:
            object_name: the object's path or name.
            weight_name: the name of the weight, such as `"0"`.

        Raises:
            ArgumentError: there is no such object or weight.
        """
        changed = self._with(weight_groups.without_weight(self.groups, object_name, weight_name))
        check_used("delete_weight", owner="editor", may_show=True)
        return changed

    def add_weights(self, object_name: str, weights: Entries) -> Self:
        """A copy with weights added to an object; existing weights with the same names are replaced.

        Args:
            object_name: the object's path or name.
            weights: arrays by name.

        Raises:
            ArgumentError: there is no such object, or the weights are not arrays of numbers.
        """
        changed = self._with(weight_groups.with_weights(self.groups, object_name, weights))
        check_used("add_weights", owner="editor", may_show=True)
        return changed

    def save(self, filepath: PathLike) -> None:
        """Writes the weights to a `.weights.h5` file, with the names of the remaining objects.

        Raises:
            ArgumentError: the path has another suffix.
        """
        path = Path(os.fspath(filepath))
        if not path.name.endswith(WEIGHTS):
            raise ArgumentError(
                f"Invalid `filepath` argument: expected a `.weights.h5` extension. Received: filepath={filepath}"
            )
        groups = self.groups
        names = {
            _group(place): {"name": self._names[place]}
            for place in weight_groups.objects(groups)
            if place in self._names
        }
        hdf5.write(path, weight_groups.flat(groups), names)

    resave_weights = save


def _group(place: str) -> str:
    """The group of an object's arrays in a file."""
    return f"{place}/{weight_groups.VARIABLES}" if place else weight_groups.VARIABLES


def _place(group: str) -> str:
    """The object that a group of arrays in a file belongs to."""
    return group.removesuffix(weight_groups.VARIABLES).removesuffix("/")


def _plain(groups: Mapping[str, Any]) -> Groups:
    return {name: _plain(entry) if isinstance(entry, Mapping) else entry for name, entry in groups.items()}


__all__ = ["KerasFileEditor"]
