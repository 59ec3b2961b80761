"""Restoring checkpoints, and their description of a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jkeras.files.containers import checkpoints, directory
from jkeras.files.device_arrays import on_device
from jkeras.files.saved_directory import written_definition, written_without_definition
from jkeras.models.history import History
from jkeras.training.checkpointing import definition_differences
from jkeras.training.state import filled, named_arrays

if TYPE_CHECKING:
    from jkeras.models.model import Model


def restored(model: Model, folder: Path, step: int | None) -> Any:
    """See `Model.restore`."""
    if step is not None or checkpoints.steps(folder):
        folder = checkpoints.find(folder, step)
    folder = directory.find(folder)
    config = directory.read_config(folder)
    entries = {name: entry for name, entry in config["arrays"].items() if not name.startswith("run/")}
    has_optimizer = any(name.startswith("opt_state/") for name in entries)
    template = model.state.replace(opt_state=None)
    if has_optimizer:
        if model.recipe is not None:
            template = model.with_optimizer_state().state
        else:
            entries = {name: entry for name, entry in entries.items() if not name.startswith("opt_state/")}
    problems = definition_differences(writable_definition(model), config)
    problems += directory.differences(named_arrays(template), entries)
    directory.refuse(problems, f"The checkpoint in {folder}")
    arrays = directory.read_arrays(folder, config["arrays"])
    own = {name: array for name, array in arrays.items() if name in entries}
    state = filled(template, on_device(own, {name: array.dtype for name, array in own.items()}), config["key"])
    history = config.get("history") or {}
    return model._evolve(
        state=state, history=History(history.get("logs"), history.get("epoch", ()), history.get("params"))
    )


def writable_definition(model: Model) -> dict[str, Any]:
    """A checkpoint's description of the model, without the definition if that cannot be serialized."""
    try:
        result: dict[str, Any] = json.loads(json.dumps(written_definition(model)))
        return result
    except (TypeError, ValueError, NotImplementedError):
        return written_without_definition(model)
