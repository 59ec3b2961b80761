"""Checkpoints of a run: what is in them, when they are taken, and how a run goes on from one.

A snapshot is taken between two dispatches, after all callbacks were called, so it holds everything that decides the rest of
the run. To go on, the hooks that lead up to that place are called again (`on_train_begin`, in the middle of an epoch also
`on_epoch_begin`) and then everything is put in place, so that what they did does not count twice.
"""

from __future__ import annotations

import dataclasses
import itertools
import signal
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras.buffers import owned_copy
from jkeras.errors import JkerasError, RestoreError
from jkeras.files.containers import directory, json_arrays
from jkeras.files.containers.checkpoints import Snapshot
from jkeras.paths import filled_tree, named_leaves
from jkeras.training.array_source import ArraySource
from jkeras.training.hooks import SnapshotStore
from jkeras.training.state import TrainState, arrays_of, filled, named_arrays
from jkeras.training.stream_source import StreamSource
from jkeras.types import PyTree

if TYPE_CHECKING:
    from jkeras.training.feeds import Feed
    from jkeras.training.run import FitRun

METRICS = "run/metrics"


@dataclasses.dataclass
class Position:
    """A place in a run.

    Attributes:
        epoch: the number of the epoch.
        batch: how many of its batches are done.
        begun: whether `on_epoch_begin` was called for it.
        stopped: whether the run was stopped before its last epoch.
        logs: of the epoch before.
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


class RunCheckpointer:
    """The keepers among the callbacks of a run, and what they need to know of it.

    Args:
        run: the run.
        feed: what brings the data.
        sources: the data to train and to validate with.
        first: the number of the first epoch.
    """

    def __init__(self, run: FitRun, feed: Feed, sources: tuple[Any, Any], first: int):
        self.run = run
        self.feed = feed
        self.sources = sources
        self.keepers: list[SnapshotStore] = [c for c in run.callbacks.callbacks if isinstance(c, SnapshotStore)]
        self.position = Position(first)
        self.steps = 0
        self.epochs = 0
        self.preempted: threading.Event = threading.Event()
        self.restored: tuple[TrainState, dict[str, Any]] | None = None
        handle: Any = run.live
        self.definition = handle.written_definition() if self.keepers else {}

    def __enter__(self) -> RunCheckpointer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Preempted):
            self.preempt()
        elif error is None:
            self.wait()
        else:
            self._finish_writing()

    def _finish_writing(self) -> None:
        """Waits where something went wrong already, which is what the user is to see."""
        for keeper in self.keepers:
            try:
                keeper.wait()
            except Exception as error:
                warnings.warn(f"The last checkpoint could not be written: {error!r}", stacklevel=2)

    # -- when --------------------------------------------------------------------------------------------------------

    def most_steps(self) -> int | None:
        """How many steps the next dispatch may have at most, None for any number."""
        left = (keeper.schedule.steps_left(self.steps) for keeper in self.keepers)
        return min((count for count in left if count is not None), default=None)

    def begin_epoch(self, epoch: int) -> None:
        """Notes that `on_epoch_begin` was called; puts everything in place where that was called for the second time."""
        if self.position.begun:
            self.put_in_place()
        elif self.keepers:
            self.position = dataclasses.replace(self.position, epoch=epoch, batch=0, begun=True)

    def after_steps(self, done: int) -> None:
        """Called after each dispatch; `done` batches of the epoch are done."""
        if not self.keepers:
            return
        self.steps += done - self.position.batch
        self.position.batch = done
        self._save(
            [keeper for keeper in self.keepers if keeper.schedule.due_after_step(self.steps)], self._running_logs
        )

    def after_epoch(self, logs: dict[str, Any]) -> None:
        """Called after an epoch that was not cut off, its callbacks and its place in the history."""
        if not self.keepers:
            return
        self.epochs += 1
        stopped = self.run.live.stop_training
        self.position = Position(self.position.epoch + 1, logs=dict(logs), stopped=stopped)
        self._save([keeper for keeper in self.keepers if keeper.schedule.due_after_epoch(self.epochs)], lambda: logs)

    def preempt(self) -> None:
        """Saves at once, because the program is about to end."""
        for keeper in self.keepers:
            keeper.keep(self._snapshot())
        self.wait()

    def wait(self) -> None:
        """Returns when everything is written. Raises what went wrong."""
        for keeper in self.keepers:
            keeper.wait()

    def completed(self) -> None:
        """Called when the run came to its end."""
        self.wait()
        for keeper in self.keepers:
            keeper.completed()

    def _save(self, due: list[SnapshotStore], logs: PyTree[Any]) -> None:
        if not due:
            return
        values = logs() if any(keeper.reads_logs for keeper in due) else {}
        # All decide before the snapshot is taken, since it holds what they decided.
        wanted = [keeper for keeper in due if keeper.accepts(self.position.epoch - (not self.position.begun), values)]
        if wanted:
            snapshot = self._snapshot()
            for keeper in wanted:
                keeper.keep(snapshot)

    def _running_logs(self) -> dict[str, Any]:
        values = jax.device_get(self.run.task.logs(self.run.task.train, arrays_of(self.run.state).metrics))
        return {name: float(value) for name, value in values.items() if np.ndim(value) == 0}

    # -- what --------------------------------------------------------------------------------------------------------

    def _snapshot(self) -> Snapshot:
        """Everything, in buffers of its own: the next step gives those of the state away."""
        run, position = self.run, self.position
        state = run.task.layout.release(run.state)
        state = owned_copy(state if position.begun else state.replace(metrics=None))
        record = {
            "position": dataclasses.asdict(dataclasses.replace(position, stopped=bool(run.live.stop_training))),
            "steps": self.steps,
            "epochs": self.epochs,
            "data": self._data(),
            "feed": self.feed.get_state(),
            "validation": self.sources[1].get_state() if isinstance(self.sources[1], StreamSource) else None,
            "callbacks": self._callback_states(),
            "history": run.history,
            "epoch numbers": run.epochs,
        }
        text, extra = json_arrays.pack(record, "run")
        # Copies: it is written while the run goes on.
        params = dict(run.callbacks.params)
        history = {"logs": _plain(run.history), "epoch": list(run.epochs), "params": params}
        arrays = {**named_arrays(state), **named_leaves(METRICS, arrays_of(state).metrics), **extra}
        return Snapshot(state.step, {**self.definition, "history": history, "run": text}, arrays)

    def _data(self) -> dict[str, Any]:
        source = self.sources[0]
        size = {"rows": source.rows, "batch_size": source.batch_size} if isinstance(source, ArraySource) else {}
        return {**size, "batches in an epoch": source.steps, "shuffle": self.run.options.shuffle}

    def _callback_states(self) -> dict[str, Any]:
        return {name: callback.get_state() for name, callback in self.run.callbacks.stateful().items()}

    # -- going on ----------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Reads the checkpoint to go on from, if a keeper has one; for before `on_train_begin`.

        Raises:
            RestoreError: it is damaged, or of another model, recipe or data; all differences are listed.
        """
        for keeper in self.keepers:
            found = keeper.found()
            if found is not None:
                self._read(*found)
                return
        for keeper in self.keepers:
            keeper.begins(int(np.max(jax.device_get(self.run.state.step))))

    def _read(self, folder: Path, config: Mapping[str, Any]) -> None:
        run, where = self.run, f"The checkpoint in {folder}"
        if "run" not in config:
            raise RestoreError(f"{where} holds a model, but not the run that it is from; `jk.load_model` reads it.")
        found = config["arrays"]
        own = {name: value for name, value in found.items() if not name.startswith("run/")}
        problems = definition_differences(self.definition, config)
        problems += directory.differences(named_arrays(run.state), own)
        empty = run.task.layout.spread(self.feed.empty_metrics(), run.state)
        metrics = {name: value for name, value in found.items() if name.startswith(METRICS + "/")}
        if metrics:
            problems += directory.differences(named_leaves(METRICS, empty), metrics)
        directory.refuse(problems, where)
        arrays = directory.read_arrays(folder, found)
        record = json_arrays.unpack(config["run"], arrays)
        problems = _differences(self._data(), record["data"], "  data")
        ours, theirs = set(self.run.callbacks.stateful()), set(record["callbacks"])
        problems += [f"  callbacks/{name}: in the checkpoint, not here" for name in sorted(theirs - ours)]
        problems += [f"  callbacks/{name}: here, not in the checkpoint" for name in sorted(ours - theirs)]
        directory.refuse(problems, where)
        state = filled(run.state, arrays, config["key"])
        state = state.replace(metrics=filled_tree(METRICS, empty, arrays) if metrics else None)
        self.position = Position(**record["position"])
        self.steps, self.epochs = record["steps"], record["epochs"]
        run.history, run.epochs = record["history"], record["epoch numbers"]
        run.state = owned_copy(state)
        self.restored = state, record["callbacks"]
        self.feed.set_state(record["feed"])
        if record["validation"] is not None and isinstance(self.sources[1], StreamSource):
            self.sources[1].set_state(record["validation"])

    def put_in_place(self) -> None:
        """Gives model and callbacks what the checkpoint holds, whatever hooks did meanwhile."""
        if self.restored is None:
            return
        state, callbacks = self.restored
        self.run.state = owned_copy(state)
        self.run.live.stop_training = self.position.stopped
        for name, callback in self.run.callbacks.stateful().items():
            callback.set_state(callbacks[name])


def _plain(history: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: [value.tolist() if np.ndim(value) else value for value in values] for name, values in history.items()}


# -- comparing -------------------------------------------------------------------------------------------------------


def definition_differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """How the definition and the recipe in a checkpoint differ from those of a model, a line each."""
    parts = [
        part
        for part in ("model", "recipe", "members")
        if expected.get(part) is not None and found.get(part) is not None
    ]
    return [line for part in parts for line in _differences(expected[part], found[part], f"  {part}")]


_ABSENT = object()


def _differences(ours: Any, theirs: Any, path: str) -> list[str]:
    """How nested dicts and lists differ; what one side lacks, or has of another class, is one line."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping) and ours.get("class_name") == theirs.get("class_name"):
        return [
            line
            for key in sorted(set(ours) | set(theirs))
            for line in _differences(ours.get(key, _ABSENT), theirs.get(key, _ABSENT), f"{path}/{key}")
        ]
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        pairs = enumerate(itertools.zip_longest(ours, theirs, fillvalue=_ABSENT))
        return [line for i, pair in pairs for line in _differences(*pair, f"{path}/{i}")]
    return [] if ours == theirs else [f"{path}: {_shown(theirs)} in the checkpoint, {_shown(ours)} here"]


def _shown(value: object) -> str:
    if isinstance(value, Mapping) and isinstance(value.get("class_name"), str):
        result: str = value["class_name"]
        return result
    return "nothing" if value is _ABSENT else repr(value)[:100]


# -- preemption ------------------------------------------------------------------------------------------------------


class Preempted(JkerasError):
    """The program was told to end, and everything is saved; caught by the loop."""


@dataclasses.dataclass
class terminable:
    """Turns SIGTERM into a flag, where there is one: nothing is installed for None, or outside of the main thread.

    A handler of the user's is called when everything is saved; without one the program ends.
    """

    flag: threading.Event | None
    previous: Any = None

    def __enter__(self) -> None:
        if self.flag is not None and threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGTERM)
            if previous is not signal.SIG_IGN:
                self.previous = previous
                signal.signal(signal.SIGTERM, lambda number, frame: self.flag.set())  # type: ignore[union-attr]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self.previous is None:
            return False
        signal.signal(signal.SIGTERM, self.previous)
        if not isinstance(error, Preempted) and not (error is None and self.flag is not None and self.flag.is_set()):
            return False
        if callable(self.previous):
            signal.raise_signal(signal.SIGTERM)
            return True
        raise SystemExit(128 + signal.SIGTERM) from None
