"""Weights as `.safetensors` files, under the weights' paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jkeras.files.containers import safetensors
from jkeras.files.weight_matching import Entry, Found, of_names, values_by_name

if TYPE_CHECKING:
    from jkeras.models.model import Model


def write(model: Model, path: Path) -> None:
    """Writes the weights, and what a reader of the header may want to know, in the words of model cards."""
    facts = {"library_name": "jkeras", "model": model.name or model._base_name, "weights": f"{model.count_params():,}"}
    safetensors.write(path, values_by_name(model), {"format": "np", **facts})


def find(model: Model, path: Path, by_name: bool) -> Found:
    """What a file has; weights lie under their names anyway."""
    entries = {name: Entry.of(name, array) for name, array in safetensors.read(path).items()}
    return of_names(model.description.weights, entries, str(path))
