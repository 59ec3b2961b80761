"""Weights as `.safetensors` files, by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jkeras.files.containers import safetensors
from jkeras.files.weight_matching import Entry, Found, of_names, values_by_name

if TYPE_CHECKING:
    from jkeras.models.model import Model


def write(model: Model, path: Path) -> None:
    """Writes the weights, with metadata in the header that uses the names of model cards."""
    facts = {
        "library_name": "jkeras",
        "model": model.name or model.default_name,
        "weights": f"{model.count_params():,}",
    }
    safetensors.write(path, values_by_name(model), {"format": "np", **facts})


def find(model: Model, path: Path, by_name: bool) -> Found:
    """The contents of a file; arrays have the names of weights."""
    entries = {name: Entry.of(name, array) for name, array in safetensors.read(path).items()}
    return of_names(model.description.weights, entries, str(path))
