"""Going back to a checkpoint, and what checkpoints say of a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from jkeras.models.discarded import check_used
from jkeras.models.history import History
from jkeras.models.persistence import written_definition, written_without_definition
from jkeras.saving import checkpoints, directory
from jkeras.tracebacks import filtered_methods
from jkeras.training.keeping import definition_differences
from jkeras.training.state import filled, named_arrays


@filtered_methods("restore")
class Checkpointed:
    """The methods of `Model` for checkpoints."""

    if TYPE_CHECKING:  # what `Model` has
        recipe: Any
        state: Any
        with_optimizer_state: Any
        _with: Any

    def restore(self, directory: Any, step: int | None = None) -> Self:
        """The model as it was at a checkpoint: weights, states, optimizer, step, key and history.

        Strict: the checkpoint must be of a model with this definition and, if this one is compiled, this recipe.
        `jk.load_model(directory)` needs no model; to go on with the run itself see `callbacks.BackupAndRestore`.

        Args:
            directory: of `OrbaxCheckpoint` or `BackupAndRestore`, or one that `model.save` wrote.
            step: the optimizer's step at the checkpoint; the latest if None.

        Raises:
            RestoreError: there is none, it is damaged, or it does not fit; all differences are listed.
        """
        check_used("restore")
        return restored(self, Path(directory), step)

    def written_definition(self) -> dict[str, Any]:
        """What a checkpoint says of the model beside its arrays; without its definition where that cannot be written."""
        try:
            return json.loads(json.dumps(written_definition(self)))
        except (TypeError, ValueError, NotImplementedError):
            return written_without_definition(self)


def restored(model: Any, folder: Path, step: int | None) -> Any:
    """See `Checkpointed.restore`."""
    if step is not None or checkpoints.steps(folder):
        folder = checkpoints.find(folder, step)
    folder = directory.find(folder)
    config = directory.read_config(folder)
    found = {name: entry for name, entry in config["arrays"].items() if not name.startswith("run/")}
    has_optimizer = any(name.startswith("opt_state/") for name in found)
    template = model.state.replace(opt_state=None)
    if has_optimizer:
        if model.recipe is not None:
            template = model.with_optimizer_state().state
        else:
            found = {name: entry for name, entry in found.items() if not name.startswith("opt_state/")}
    problems = definition_differences(model.written_definition(), config)
    problems += directory.differences(named_arrays(template), found)
    directory.refuse(problems, f"The checkpoint in {folder}")
    state = filled(template, directory.read_arrays(folder, config["arrays"]), config["key"])
    kept = config.get("history") or {}
    return model._with(_spec_state=state, _spec_history=History(kept.get("logs"), kept.get("epoch", ()), kept.get("params")))
