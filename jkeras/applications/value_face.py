"""The networks as immutable models of `jkeras`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from jkeras import layers
from jkeras.applications.application import Application, function
from jkeras.applications.face import Face
from jkeras.files.adapted_numbers import normalization_numbers
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.models.model import Model
from jkeras.models.sequential import Sequential
from jkeras.utils.sources import get_source_inputs


def _sources(tensor: SymbolicTensor) -> Any:
    """The input or inputs from which a tensor is computed."""
    sources = get_source_inputs(tensor)
    return sources[0] if len(sources) == 1 else sources


def _normalization(channels: int, path: str | os.PathLike[str] | None) -> dict[str, Any]:
    """The statistics as arguments, because here they are not weights that are loaded."""
    mean, variance = (path and normalization_numbers(Path(path))) or ([0.0] * channels, [1.0] * channels)
    return {"mean": mean, "variance": variance}


VALUES = Face(
    name="jkeras",
    layers=layers,
    model=Model,
    sequential=Sequential,
    is_symbolic=lambda tensor: isinstance(tensor, SymbolicTensor),
    source_inputs=_sources,
    layer_class=lambda cls: cls,
    load=lambda model, path: model.load_weights(path),
    normalization=_normalization,
    names_at_creation=False,
    name_scope=contextlib.nullcontext,
)


def of_values(application: Application, module: str) -> Any:
    """The function that creates immutable models of a network; its type is the network's `protocol`."""
    return function(application, VALUES, module)
