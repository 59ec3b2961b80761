"""Checkpoints of models that train together: each group of members is a run with its own folder.

A group is not known to be over before all are: what one that ended has kept stays until then, so that a run that is cut off
later does not train it again.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jkeras.callbacks.callback import Callback
from jkeras.callbacks.checkpoint_callback import CheckpointCallback
from jkeras.errors import ArgumentError, RestoreError
from jkeras.files.containers.checkpoints import Snapshot
from jkeras.files.restoring import writable_definition
from jkeras.training.hooks import SnapshotStore

if TYPE_CHECKING:
    from jkeras.models.model import Model

PREFIX = "members-"


class GroupStore(Callback, SnapshotStore):
    """Stores the snapshots of one group in a folder inside that of the user's callback."""

    def __init__(self, whole: CheckpointCallback, folder: Path):
        super().__init__()
        self.store: CheckpointCallback = copy.copy(whole)
        self.store.move_to(folder)
        self.schedule = self.store.schedule

    @property
    def reads_logs(self) -> bool:
        """Never: the logs are those of many models."""
        return False

    def latest(self) -> tuple[Path, dict[str, Any]] | None:
        """The checkpoint to resume from, and its configuration."""
        return self.store.latest()

    def start(self, step: int) -> None:
        """Called when a run starts from scratch."""
        self.store.start(step)

    def accepts(self, epoch: int, logs: dict[str, Any]) -> bool:
        """Always."""
        return True

    def save(self, snapshot: Snapshot) -> None:
        """Saves."""
        self.store.save(snapshot)

    def wait(self) -> None:
        """Returns when everything is written."""
        self.store.wait()

    def finish(self) -> None:
        """Nothing yet: other groups may still train."""


def stores(callbacks: Iterable[Any], possible: bool) -> list[CheckpointCallback]:
    """The callbacks that keep checkpoints.

    Raises:
        ArgumentError: one of them depends on the logs, or this kind of run cannot be resumed.
    """
    checkpoints = [callback for callback in callbacks if isinstance(callback, CheckpointCallback)]
    for store in checkpoints:
        if not possible:
            raise ArgumentError(
                f"callbacks: {type(store).__name__} keeps checkpoints, from which only `fit` of a model, an `Ensemble` or a"
                f" sweep goes on."
            )
        if store.reads_logs:
            raise ArgumentError(
                f"callbacks: {type(store).__name__} keeps the best by its logs; of models that train together each has"
                f" logs of its own. Keep all of them, without `save_best_only`."
            )
    return checkpoints


def stored_size(checkpoints: Sequence[CheckpointCallback], count: int) -> int | None:
    """The size of the groups in which `count` members trained in the run that goes on; None if there is none.

    Every group has a folder from the beginning, so that the first one's name says the size.
    """
    for store in checkpoints:
        names = {path.name for path in _folders(store)} if store.resumes else set()
        for size in range(1, count + 1):
            if f"{PREFIX}0-{size - 1}" in names:
                return size
    return None


def parts(checkpoints: Sequence[CheckpointCallback], ranges: Sequence[range]) -> list[list[GroupStore]]:
    """The stores of all groups for each callback; creates their folders.

    Raises:
        RestoreError: the folder has checkpoints of other groups.
    """
    names = [f"{PREFIX}{span.start}-{span.stop - 1}" for span in ranges]
    for store in checkpoints:
        others = sorted(path.name for path in _folders(store) if path.name not in names and not _removed(path))
        if others and store.resumes:
            raise RestoreError(
                f"{store.folder} holds checkpoints of groups of other members, {', '.join(others)}; here they are"
                f" {', '.join(names)}. Pass the same number of members, and `group=` with the size of those groups, or"
                f" no `group=`."
            )
        for name in names:
            (store.folder / name).mkdir(parents=True, exist_ok=True)
    return [[GroupStore(store, store.folder / name) for name in names] for store in checkpoints]


def _folders(store: CheckpointCallback) -> list[Path]:
    return sorted(store.folder.glob(PREFIX + "*"))


def _removed(folder: Path) -> bool:
    """Whether a folder was empty, as that of a group that was not saved before its run ended; removes it."""
    if any(folder.iterdir()):
        return False
    folder.rmdir()
    return True


def finish(checkpoints: Sequence[CheckpointCallback], several: Sequence[Sequence[GroupStore]]) -> None:
    """Called when all groups have finished."""
    for whole, own in zip(checkpoints, several, strict=True):
        for part in own:
            part.store.finish()
        whole.finish()


def written_definition(model: Model, settings: Sequence[Any]) -> dict[str, Any]:
    """What a checkpoint of several members stores besides their arrays."""
    definition = writable_definition(model)
    return {**definition, "model": None, "members": {"model": definition["model"], "settings": list(settings)}}
