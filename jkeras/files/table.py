"""The readers and writers of each file format.

A format is declared in two places: its properties in `files/containers/kinds.py`, its functions here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from jkeras.files import (
    keras2_h5,
    keras3_archive,
    keras_models,
    keras_weights,
    safetensors_weights,
    saved_directory,
)
from jkeras.files.containers import kinds
from jkeras.files.containers.kinds import Kind
from jkeras.files.weight_matching import Found
from jkeras.training.recipe import Recipe

if TYPE_CHECKING:
    from jkeras.models.model import Model


class ModelReader(Protocol):
    """Reads a whole model."""

    def __call__(
        self, path: Path, compile: bool, recipe: Recipe | None, define: Callable[[Mapping[str, Any], str], Model]
    ) -> Model:
        """Reads the model in a file.

        Args:
            path: the file.
            compile: whether to restore the recipe and the optimizer's state.
            recipe: replaces the file's recipe.
            define: creates a model with fresh weights from its definition; its second argument is the file's name, for messages.
        """


@dataclasses.dataclass(frozen=True)
class Format:
    """The functions of a format; None for those that it does not have.

    Attributes:
        write_model: takes a model, a path, and whether to write the recipe and the optimizer's state.
        read_model: see `ModelReader`.
        write_weights: takes a model and a path; for shards also their size.
        read_weights: takes a model, a path, and whether to find layers by name; returns the contents of the file.
    """

    write_model: Callable[[Model, Path, bool], None] | None
    read_model: ModelReader | None
    write_weights: Callable[..., None] | None
    read_weights: Callable[[Model, Path, bool], Found]


FORMATS: Mapping[Kind, Format] = {
    kinds.DIRECTORY: Format(
        saved_directory.save, saved_directory.load, saved_directory.save_weights, saved_directory.find_weights
    ),
    kinds.KERAS: Format(keras3_archive.save, keras_models.load_keras, None, keras_weights.find_in_archive),
    kinds.HDF5: Format(keras2_h5.save, keras_models.load_h5, keras_weights.write_by_layer, keras_weights.find_in_hdf5),
    kinds.WEIGHTS: Format(None, None, keras_weights.write, keras_weights.find_in_hdf5),
    kinds.SHARDS: Format(None, None, keras_weights.write_shards, keras_weights.find_in_shards),
    kinds.SAFETENSORS: Format(None, None, safetensors_weights.write, safetensors_weights.find),
}
