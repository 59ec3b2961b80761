"""One run of `fit`: where it is, and who is told of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from jkeras.buffers import owned_copy
from jkeras.console.progress import COMPILING, ProgressBar
from jkeras.training.hooks import Hooks
from jkeras.training.state import TrainState, arrays_of
from jkeras.training.task import Options, Task

if TYPE_CHECKING:
    from jkeras.training.checkpointing import RunCheckpointer


class Live(Protocol):
    """The handle that callbacks see as `self.model`; `models/handle.py` implements it."""

    stop_training: bool

    def offer(self, state: Callable[[], TrainState]) -> None: ...
    def take(self) -> TrainState | None: ...


class FitRun:
    """One run of `fit`: the current state, and what happened so far."""

    def __init__(self, task: Task, state: TrainState, options: Options, callbacks: Hooks, live: Live):
        self.task = task
        self.state: Any = state
        self.options = options
        self.callbacks = callbacks
        self.live = live
        self.interrupted: threading.Event = threading.Event()
        # Of several processes: signals that came to this one, and the flags that they raise once all have agreed.
        self.signals: list[tuple[threading.Event, threading.Event]] = []
        self.keeping: RunCheckpointer | None = None
        self.history: dict[str, list[float]] = {}
        self.epochs: list[int] = []
        # The bar of this epoch, until it has said that the step is being compiled.
        self.bar: ProgressBar | None = None

    def compiling(self) -> contextlib.AbstractContextManager[None]:
        """Goes around every dispatch; during the first one the bar's line says that the step is being compiled."""
        bar, self.bar = self.bar, None
        return contextlib.nullcontext() if bar is None else bar.waiting(COMPILING.format("train"))

    @property
    def stopping(self) -> bool:
        """Whether training should end at the next opportunity."""
        return self.live.stop_training or self.interrupted.is_set() or self.preempted

    @property
    def preempted(self) -> bool:
        """Whether the program was told to end, and what it has is to be saved."""
        return self.keeping is not None and self.keeping.preempted.is_set()

    @property
    def keeps(self) -> bool:
        """Whether somebody may ask where in the data the run is."""
        return self.keeping is not None and bool(self.keeping.keepers)

    @property
    def most_steps(self) -> int | None:
        """How many steps the next dispatch may have at most, None for any number."""
        return None if self.keeping is None else self.keeping.most_steps()

    @property
    def checks_finite(self) -> bool:
        """Whether somebody wants to know when and where a loss stops being finite."""
        return self.options.check_finite or self.callbacks.wants("on_non_finite")

    def raised_by_signal(self, flag: threading.Event) -> threading.Event:
        """What a signal sets to raise a flag: the flag itself, unless several processes have to raise it together."""
        if not self.task.layout.votes:
            return flag
        signalled = threading.Event()
        self.signals.append((signalled, flag))
        return signalled

    def vote(self) -> None:
        """Raises, in all processes, the flags for which a signal came to one of them."""
        if self.signals:
            came = self.task.layout.anywhere([signalled.is_set() for signalled, _ in self.signals])
            for told, (_, flag) in zip(came, self.signals, strict=True):
                if told:
                    flag.set()

    def call(self, hook: str, *args: Any) -> None:
        """Calls a hook of the callbacks, with the live model up to date before and its changes taken over after."""
        if not self.callbacks.callbacks:
            return
        self.live.offer(lambda: self.task.layout.release(self.state))
        self.callbacks.call(hook, *args)
        changed = self.live.take()
        if changed is not None:
            metrics = arrays_of(self.state).metrics
            self.state = owned_copy(changed.replace(metrics=None)).replace(metrics=metrics)
