"""What a run asks of its callbacks."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from jkeras.files.containers.checkpoints import Snapshot
from jkeras.training.save_schedule import Schedule


class Stateful(Protocol):
    """A callback that checkpoints hold the state of."""

    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: Mapping[str, Any]) -> None: ...


class Hooks(Protocol):
    """Several callbacks, called in order; `callbacks.CallbackList` implements it."""

    @property
    def callbacks(self) -> Sequence[object]: ...
    @property
    def params(self) -> Mapping[str, object]: ...

    def wants(self, *hooks: str) -> bool: ...
    def call(self, hook: str, *args: Any) -> None: ...
    def stateful(self) -> dict[str, Stateful]: ...


class SnapshotStore(abc.ABC):
    """A callback that a run gives its snapshots to; `callbacks.checkpoint_callback` has the base of those that write them."""

    schedule: Schedule

    @property
    @abc.abstractmethod
    def reads_logs(self) -> bool:
        """Whether `accepts` looks at the logs."""

    @abc.abstractmethod
    def latest(self) -> tuple[Path, dict[str, Any]] | None:
        """The checkpoint to go on from and its configuration, or None to begin at the beginning."""

    @abc.abstractmethod
    def start(self, step: int) -> None:
        """Called when a run begins at the beginning, at this step of the model."""

    @abc.abstractmethod
    def accepts(self, epoch: int, logs: dict[str, Any]) -> bool:
        """Whether a save that is due is wanted."""

    @abc.abstractmethod
    def save(self, snapshot: Snapshot) -> None:
        """Saves."""

    @abc.abstractmethod
    def wait(self) -> None:
        """Returns when everything is written. Raises what went wrong."""

    @abc.abstractmethod
    def finish(self) -> None:
        """Called when `fit` came to its end."""
