"""Checkpoints of a run: what is in them, when they are taken, and how a run goes on from one.

A snapshot is taken between two dispatches, after all callbacks were called, so it holds everything that decides the rest of
the run. To go on, the hooks that lead up to that place are called again (`on_train_begin`, in the middle of an epoch also
`on_epoch_begin`) and then everything is put in place, so that what they did does not count twice.
"""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import numpy as np

from jkeras.buffers import owned_copy
from jkeras.errors import RestoreError
from jkeras.files.containers import directory, json_arrays
from jkeras.files.containers.checkpoints import Snapshot
from jkeras.paths import filled_tree, named_leaves
from jkeras.training.hooks import SnapshotStore, Stateful
from jkeras.training.run import FitRun
from jkeras.training.signals import PreemptedError
from jkeras.training.state import TrainState, arrays_of, filled, named_arrays

METRICS = "run/metrics"


class RunCheckpointer:
    """Takes snapshots of a run where a callback wants them, and lets a run go on from one.

    As a context it waits at its end until everything is written.

    Args:
        run: is read, and restored.
        data: what knows its place in the data, by the name that it has in a checkpoint; None for what has no place.
    """

    def __init__(self, run: FitRun, data: Mapping[str, Stateful | None]):
        self.run = run
        self.data = data
        self.restored: tuple[TrainState, dict[str, Any]] | None = None
        self.definition: dict[str, Any] = run.live.written_definition() if run.stores else {}

    def __enter__(self) -> RunCheckpointer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, PreemptedError):
            self.preempt()
        elif error is None:
            self.wait()
        else:
            self._finish_writing()

    def _finish_writing(self) -> None:
        """Waits where something went wrong already, which is what the user is to see."""
        for store in self.run.stores:
            try:
                store.wait()
            except Exception as error:
                warnings.warn(f"The last checkpoint could not be written: {error!r}", stacklevel=2)

    # -- when --------------------------------------------------------------------------------------------------------

    def after_steps(self) -> None:
        """Called after each dispatch of the run."""
        run = self.run
        if run.stores:
            self._save([s for s in run.stores if s.schedule.due_after_step(run.steps)], self._running_logs)

    def after_epoch(self, logs: dict[str, Any]) -> None:
        """Called after an epoch that was not cut off, its callbacks and its place in the history."""
        run = self.run
        if run.stores:
            self._save([s for s in run.stores if s.schedule.due_after_epoch(run.epochs_done)], lambda: logs)

    def preempt(self) -> None:
        """Saves at once, because the program is about to end."""
        for store in self.run.stores:
            store.save(self._snapshot())
        self.wait()

    def wait(self) -> None:
        """Returns when everything is written. Raises what went wrong."""
        for store in self.run.stores:
            store.wait()

    def finish(self) -> None:
        """Called when the run came to its end."""
        self.wait()
        for store in self.run.stores:
            store.finish()

    def _save(self, due: list[SnapshotStore], logs: Callable[[], dict[str, Any]]) -> None:
        if not due:
            return
        position = self.run.position
        values = logs() if any(store.reads_logs for store in due) else {}
        # All decide before the snapshot is taken, since it holds what they decided.
        accepting = [store for store in due if store.accepts(position.epoch - (not position.begun), values)]
        if accepting:
            snapshot = self._snapshot()
            for store in accepting:
                store.save(snapshot)

    def _running_logs(self) -> dict[str, Any]:
        values = jax.device_get(self.run.logs())
        return {name: float(value) for name, value in values.items() if np.ndim(value) == 0}

    # -- what --------------------------------------------------------------------------------------------------------

    def _snapshot(self) -> Snapshot:
        """Everything, in buffers of its own: the next step gives those of the state away."""
        run, position = self.run, self.run.position
        state = run.task.layout.release(run.state)
        state = owned_copy(state if position.begun else state.replace(metrics=None))
        record = {
            "position": dataclasses.asdict(dataclasses.replace(position, stopped=bool(run.live.stop_training))),
            "steps": run.steps,
            "epochs": run.epochs_done,
            "data": self._facts(),
            **{name: None if part is None else part.get_state() for name, part in self.data.items()},
            "callbacks": {name: callback.get_state() for name, callback in run.callbacks.stateful().items()},
            "history": run.history,
            "epoch numbers": run.epochs,
        }
        text, extra = json_arrays.pack(record, "run")
        # Copies: it is written while the run goes on.
        params = dict(run.callbacks.params)
        history = {"logs": _plain(run.history), "epoch": list(run.epochs), "params": params}
        arrays = {**named_arrays(state), **named_leaves(METRICS, arrays_of(state).metrics), **extra}
        return Snapshot(state.step, {**self.definition, "history": history, "run": text}, arrays)

    def _facts(self) -> dict[str, Any]:
        """What must be the same of the data when the run goes on."""
        return {**self.run.task.source.facts(), "shuffle": self.run.options.shuffle}

    # -- going on ----------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Reads the checkpoint to go on from, if a callback has one; for before `on_train_begin`.

        Raises:
            RestoreError: it is damaged, or of another model, recipe or data; all differences are listed.
        """
        for store in self.run.stores:
            latest = store.latest()
            if latest is not None:
                self._read(*latest)
                return
        for store in self.run.stores:
            store.start(int(np.max(jax.device_get(self.run.state.step))))

    def _read(self, folder: Path, config: Mapping[str, Any]) -> None:
        run, where = self.run, f"The checkpoint in {folder}"
        if "run" not in config:
            raise RestoreError(f"{where} holds a model, but not the run that it is from; `jk.load_model` reads it.")
        stored = config["arrays"]
        own = {name: value for name, value in stored.items() if not name.startswith("run/")}
        problems = definition_differences(self.definition, config)
        problems += directory.differences(named_arrays(run.state), own)
        empty = run.empty_metrics()
        metrics = {name: value for name, value in stored.items() if name.startswith(METRICS + "/")}
        if metrics:
            problems += directory.differences(named_leaves(METRICS, empty), metrics)
        directory.refuse(problems, where)
        arrays = directory.read_arrays(folder, stored)
        record = json_arrays.unpack(config["run"], arrays)
        problems = _differences(self._facts(), record["data"], "  data")
        ours, theirs = set(run.callbacks.stateful()), set(record["callbacks"])
        problems += [f"  callbacks/{name}: in the checkpoint, not here" for name in sorted(theirs - ours)]
        problems += [f"  callbacks/{name}: here, not in the checkpoint" for name in sorted(ours - theirs)]
        directory.refuse(problems, where)
        state = filled(run.state, arrays, config["key"])
        state = state.replace(metrics=filled_tree(METRICS, empty, arrays) if metrics else None)
        run.restore(state, record)
        self.restored = state, record["callbacks"]
        for name, part in self.data.items():
            if part is not None and record[name] is not None:
                part.set_state(record[name])

    def put_in_place(self) -> None:
        """Restores model and callbacks from the checkpoint, discarding anything that hooks changed since."""
        if self.restored is None:
            return
        run = self.run
        state, callbacks = self.restored
        run.put(owned_copy(state))
        run.live.stop_training = run.position.stopped
        for name, callback in run.callbacks.stateful().items():
            callback.set_state(callbacks[name])


def _plain(history: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: [value.tolist() if np.ndim(value) else value for value in values] for name, values in history.items()}


# -- comparing -------------------------------------------------------------------------------------------------------


def definition_differences(expected: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """How the definition and the recipe in a checkpoint differ from those of a model, a line each."""
    parts = [
        part
        for part in ("model", "recipe", "members")
        if expected.get(part) is not None and stored.get(part) is not None
    ]
    return [line for part in parts for line in _differences(expected[part], stored[part], f"  {part}")]


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
