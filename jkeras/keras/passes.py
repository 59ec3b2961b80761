"""Evaluation and prediction with a drop-in model: one pass over data, which callbacks may stop or change."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jkeras.console.progress import ProgressBar
from jkeras.errors import InputError
from jkeras.keras.run import Hooks, Lists, Run, Task, packed
from jkeras.keras.steps import CompiledFunction
from jkeras.training.array_source import ArraySource
from jkeras.training.batch_hooks import BatchHooks
from jkeras.training.batches import fill_up
from jkeras.training.device_memory import on_device
from jkeras.training.evaluation import evaluate_on_device
from jkeras.training.lazy_logs import LazyLogs
from jkeras.training.prediction import batch_logs, fetched
from jkeras.training.prefetch import ReadAhead
from jkeras.training.sources import Source
from jkeras.training.state import Batch, TrainState
from jkeras.training.task import to_floats


class Pass:
    """A pass in progress: the state, and the callbacks that can read and change it."""

    def __init__(self, run: Run, state: TrainState, hooks: Hooks):
        self.run = run
        self.state = state
        self.callbacks = hooks

    def call(self, hook: str, *args: Any) -> None:
        """Calls a hook with up-to-date cells, and adopts what it assigned."""
        self.run.offer(lambda: self.state)
        self.callbacks.call(hook, *args)
        changed = self.run.take()
        if changed is not None:
            self.state = changed.replace(metrics=self.state.metrics)


def evaluate(this: Pass, task: Task, bar: ProgressBar, stopped: Callable[[], bool]) -> dict[str, Any]:
    """The logs of the last step over the data."""
    hooks, source = BatchHooks(this, "test"), task.source
    data = on_device(source, task.layout) if not hooks.wanted else None
    compiling = bar.compiling("test")
    if data is not None and isinstance(source, ArraySource):
        with compiling:
            this.state = evaluate_on_device(task, this.state, source, data, pad=False)
        return to_floats(task.logs(task.evaluate, this.state.metrics))
    index = -1
    with ReadAhead(source.batches(), place=jax.device_put) as batches:
        for index, batch in enumerate(batches):
            hooks.begin(index)
            with compiling if index == 0 else contextlib.nullcontext():
                metrics, others = task.loops.eval_one(task.evaluate, this.state, batch)
            this.state = this.state.replace(metrics=metrics, model_state=others)
            logs = task.logs(task.evaluate, metrics)
            hooks.end(index, functools.partial(LazyLogs, logs))
            bar.update(index + 1, functools.partial(to_floats, logs))
            if stopped():
                break
    this.callbacks.flush()
    if index < 0:
        raise InputError("The data for evaluation yields no batches; a generator can be read only once.")
    return to_floats(task.logs(task.evaluate, this.state.metrics))


def predict(
    this: Pass, function: Callable[..., Any], source: Source, bar: ProgressBar, stopped: Callable[[], bool], pad: bool
) -> Any:
    """The outputs of all batches as NumPy arrays."""
    hooks = BatchHooks(this, "predict")
    if isinstance(function, CompiledFunction) and not hooks.wanted:
        function = function.settled()
    size = jax.tree.leaves(source.example().x)[0].shape[0]
    collected: list[Any] = []
    pending: Any = None
    batches: Any = source.batches() if isinstance(source, ArraySource) else ReadAhead(source.batches())
    with contextlib.closing(batches):
        for index, batch in enumerate(batches):
            hooks.begin(index)
            rows = jax.tree.leaves(batch.x)[0].shape[0]
            filled = dataclasses.replace(fill_up(batch, size), valid=None) if pad and rows < size else batch
            with bar.compiling("predict") if index == 0 else contextlib.nullcontext():
                outputs = _predict_one(this, function, filled)
            hooks.end(index, functools.partial(batch_logs, outputs, rows))
            # The host fetches the outputs of one batch while the device computes the next.
            if pending is not None:
                collected.append(fetched(*pending))
            pending = (outputs, rows)
            bar.update(index + 1)
            if stopped():
                break
    this.callbacks.flush()
    if pending is None:
        raise InputError("The data for prediction yields no batches; a generator can be read only once.")
    collected.append(fetched(*pending))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *collected)


def _predict_one(this: Pass, function: Callable[..., Any], batch: Batch) -> Any:
    lists: Lists = (this.state.params, this.state.model_state)  # type: ignore[assignment]
    outputs, (_, others) = function(lists, iter([packed(batch)]))
    if others:
        this.state = this.state.replace(model_state=list(others))
    return outputs
