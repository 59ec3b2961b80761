"""One run of `fit`: its state, where it is, what happened so far, and who is told of it.

A run knows neither how batches come (`feeds.py`) nor what checkpoints hold (`checkpointing.py`); both read it.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from jkeras.buffers import owned_copy
from jkeras.console.progress import ProgressBar
from jkeras.training.hooks import Hooks, SnapshotStore
from jkeras.training.lazy_logs import LazyLogs
from jkeras.training.signals import Signals
from jkeras.training.state import TrainState, arrays_of
from jkeras.training.task import Options, Task


class Live(Protocol):
    """The handle that callbacks see as `self.model`; `models/handle.py` implements it."""

    stop_training: bool

    def offer(self, state: Callable[[], TrainState]) -> None: ...
    def take(self) -> TrainState | None: ...
    def written_definition(self) -> dict[str, Any]: ...


@dataclasses.dataclass
class Position:
    """A place in a run.

    Attributes:
        epoch: the number of the epoch.
        batch: how many of its batches are done.
        begun: whether `on_epoch_begin` was called for it.
        stopped: whether the run was stopped before its last epoch.
        logs: the logs of the epoch before.
    """

    epoch: int
    batch: int = 0
    begun: bool = False
    stopped: bool = False
    logs: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether no epoch follows."""
        return self.stopped and not self.begun


class FitRun:
    """One run of `fit`.

    Args:
        task: what is trained.
        state: the arrays to begin with; their buffers are the run's from now on.
        options: how it runs.
        callbacks: are told what happens.
        live: what callbacks see as the model.

    Attributes:
        position: where it is.
        steps, epochs_done: how many steps and whole epochs it did, earlier parts of a resumed run included.
        history: the logs of each epoch, by name.
        epochs: the numbers of these epochs.
        signals: the flags that signals raise.
        stores: the callbacks that want snapshots.
    """

    def __init__(self, task: Task, state: TrainState, options: Options, callbacks: Hooks, live: Live):
        self.task = task
        self.state: Any = state
        self.options = options
        self.callbacks = callbacks
        self.live = live
        self.signals: Signals = Signals(task.layout)
        self.stores: list[SnapshotStore] = [c for c in callbacks.callbacks if isinstance(c, SnapshotStore)]
        self.position: Position = Position(options.initial_epoch)
        self.steps: int = 0
        self.epochs_done: int = 0
        self.history: dict[str, list[float]] = {}
        self.epochs: list[int] = []
        # What the last dispatch gave of them, as long as nothing else made metrics.
        self.latest_logs: dict[str, Any] | None = None
        # The bar of this epoch, until it has said that the step is being compiled.
        self.bar: ProgressBar | None = None

    # -- what decides how it goes on ----------------------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """Whether training should end at the next opportunity."""
        return self.live.stop_training or self.signals.interrupted.is_set() or self.signals.preempted.is_set()

    @property
    def most_steps(self) -> int | None:
        """How many steps the next dispatch may have at most, None for any number: a snapshot may be due behind it."""
        if not self.stores:
            return None
        left = (store.schedule.steps_left(self.steps) for store in self.stores)
        return min((count for count in left if count is not None), default=None)

    @property
    def checks_finite(self) -> bool:
        """Whether somebody wants to know when and where a loss stops being finite."""
        return self.options.check_finite or self.callbacks.wants("on_non_finite")

    # -- what happens -------------------------------------------------------------------------------------------------

    def call(self, hook: str, *args: Any) -> None:
        """Calls a hook of the callbacks, after syncing the live model; takes over what the hook changed."""
        if not self.callbacks.callbacks:
            return
        self.live.offer(lambda: self.task.layout.release(self.state))
        self.callbacks.call(hook, *args)
        changed = self.live.take()
        if changed is not None:
            metrics = arrays_of(self.state).metrics
            self.state = owned_copy(changed.replace(metrics=None)).replace(metrics=metrics)

    def compiling(self) -> contextlib.AbstractContextManager[None]:
        """Goes around every dispatch; during the first one the bar's line says that the step is being compiled."""
        bar, self.bar = self.bar, None
        return contextlib.nullcontext() if bar is None else bar.compiling("train")

    def take(self, trained: tuple[Any, Any, dict[str, Any]]) -> Any:
        """Goes on from what a dispatch gave; what to wait for."""
        self.state, counter, self.latest_logs = trained
        return counter

    def put(self, state: Any) -> None:
        """Goes on from another state, with metrics of its own."""
        self.state, self.latest_logs = state, None

    def empty_metrics(self) -> Any:
        """Metric states before the first batch of an epoch."""
        task = self.task
        return task.layout.spread(task.empty_metrics(task.train, task.source.example()), self.state)

    def logs(self) -> dict[str, Any]:
        """The values of the metrics so far, on the device."""
        if self.latest_logs is not None:
            return self.latest_logs
        return self.task.logs(self.task.train, arrays_of(self.state).metrics)

    def batch_logs(self) -> LazyLogs:
        """The same for the callbacks: numbers, once somebody reads them."""
        return LazyLogs(self.logs())

    # -- where it is --------------------------------------------------------------------------------------------------

    def begin_epoch(self, epoch: int) -> None:
        """Notes that `on_epoch_begin` was called."""
        self.position = dataclasses.replace(self.position, epoch=epoch, batch=0, begun=True)

    def after_steps(self, done: int) -> None:
        """Notes that so many batches of the epoch are done."""
        self.steps += done - self.position.batch
        self.position.batch = done

    def record(self, epoch: int, logs: dict[str, Any]) -> None:
        """Adds the logs of an epoch to the history."""
        self.epochs.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    def end_epoch(self, logs: dict[str, Any]) -> None:
        """Notes that an epoch came to its end, and was not cut off."""
        self.epochs_done += 1
        self.position = Position(self.position.epoch + 1, logs=dict(logs), stopped=self.live.stop_training)

    def restore(self, state: TrainState, record: Mapping[str, Any]) -> None:
        """Goes on from what a checkpoint holds.

        Args:
            state: the arrays.
            record: `position`, `steps`, `epochs`, `history` and `epoch numbers`.
        """
        self.put(owned_copy(state))
        self.position = Position(**record["position"])
        self.steps, self.epochs_done = record["steps"], record["epochs"]
        self.history, self.epochs = record["history"], record["epoch numbers"]
