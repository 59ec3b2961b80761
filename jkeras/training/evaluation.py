"""Evaluation over a data set."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any, Protocol

import jax

from jkeras.console.progress import ProgressBar
from jkeras.errors import InputError
from jkeras.training import steps
from jkeras.training.array_source import ArraySource
from jkeras.training.batch_hooks import BatchHooks, Observed
from jkeras.training.batches import fill_up
from jkeras.training.device_memory import on_device
from jkeras.training.hooks import Hooks
from jkeras.training.layout import Span
from jkeras.training.lazy_logs import LazyLogs
from jkeras.training.merging import merged_rows
from jkeras.training.prefetch import BATCHES_AHEAD, ReadAhead
from jkeras.training.sources import Source
from jkeras.training.state import Batch, TrainState, arrays_of, with_arrays
from jkeras.training.task import Task, to_floats
from jkeras.types import Verbose


class Evaluating(Observed, Protocol):
    """What an evaluation belongs to: a run of `fit`, or a `Pass`."""

    @property
    def state(self) -> TrainState: ...


class Pass:
    """An evaluation or prediction on its own.

    Args:
        callbacks: are told of it.
        current: gives the state, which a callback may have changed.
    """

    def __init__(self, callbacks: Hooks, current: Callable[[], TrainState]):
        self.callbacks = callbacks
        self._current = current

    @property
    def state(self) -> TrainState:
        """The state at this moment."""
        return self._current()

    def call(self, hook: str, *args: Any) -> None:
        """Calls a hook."""
        self.callbacks.call(hook, *args)


class Evaluation:
    """The evaluation of a data set, once or after each epoch; data that fits lies on the device from the beginning.

    Args:
        task: whose step of evaluation is run.
        source: the data.
    """

    def __init__(self, task: Task, source: Source):
        self.task = task
        self.source = source
        self.data: Batch | None = None if task.run_eagerly else on_device(source, task.layout)
        # Whether a ragged last batch is filled up with rows that do not count.
        self.pads: bool = not task.evaluate.program.mixes_samples(training=False)

    def scores(self, run: Evaluating, verbose: Verbose = 0, line: ProgressBar | None = None) -> dict[str, float]:
        """Loss and metrics in inference mode.

        Args:
            run: is told of it; its state counts once `on_test_begin` has been called.
            verbose: whether to show a separate progress bar.
            line: the bar in whose line it is said that the step is being compiled, if there is one beside.
        """
        task, source = self.task, self.source
        run.call("on_test_begin")
        state = run.state
        state = state.replace(metrics=task.layout.spread(task.empty_metrics(task.evaluate, source.example()), state))
        bar = ProgressBar(source.steps_per_epoch, verbose=verbose)
        compiling = contextlib.nullcontext() if task.run_eagerly else (line or bar).compiling("test")
        hooks = BatchHooks(run, "test")
        if isinstance(source, ArraySource) and self.data is not None and not hooks.wanted:
            with compiling:
                state = evaluate_on_device(task, state, source, self.data, self.pads)
        else:
            state = self._batches(hooks, state, bar, compiling)
        logs = to_floats(task.logs(task.evaluate, arrays_of(state).metrics))
        bar.finish(logs)
        run.call("on_test_end", logs)
        return logs

    def _batches(
        self, hooks: BatchHooks, state: TrainState, bar: ProgressBar, compiling: contextlib.AbstractContextManager[None]
    ) -> TrainState:
        """The state after evaluating batches that come from the host.

        Raises:
            InputError: there are none.
        """
        task, step = self.task, self.task.evaluate
        size = steps.batch_size(self.source.example())
        index = -1

        def place(batch: Batch) -> Any:
            return batch if task.run_eagerly else task.layout.place_batch(batch, step.program, False)

        prepare = functools.partial(fill_up, size=size) if self.pads else None
        with ReadAhead(self.source.batches(), BATCHES_AHEAD, prepare, place=place) as batches:
            for index, batch in enumerate(batches):
                hooks.begin(index)
                if task.run_eagerly:
                    with jax.disable_jit():
                        state = step(state, jax.tree.map(jax.numpy.asarray, batch))
                else:
                    with compiling if index == 0 else contextlib.nullcontext():
                        metrics, model_state = task.loops.eval_one(step, state, batch)
                    state = with_arrays(state, metrics=metrics, model_state=model_state)
                values = task.logs(step, arrays_of(state).metrics) if hooks.wanted or bar.verbose == 1 else {}
                hooks.end(index, functools.partial(LazyLogs, values))
                bar.update(index + 1, functools.partial(to_floats, values))
        if index < 0:
            raise InputError("The data for evaluation yields no batches; a generator can be read only once.")
        return state


def evaluate_on_device(task: Task, state: TrainState, source: ArraySource, data: Batch, pad: bool) -> TrainState:
    """The state after evaluating data that lies on the device whole, in as few dispatches as there are shapes.

    Args:
        task: whose step of evaluation is run.
        state: with metric states.
        source: the data.
        data: the same on the device.
        pad: whether a ragged last batch is filled up with rows that do not count, and batches may be merged.
    """
    if pad:
        source = _merged(task, source)
    masked = pad and source.ragged
    full = source.steps_per_epoch
    if source.ragged and not masked:
        full = min(full, source.rows // source.batch_size)
    span = Span(0, full, source.rows, source.batch_size, masked)
    metrics, model_state = task.loops.eval_steps(task.evaluate, state, data, span)
    state = with_arrays(state, metrics=metrics, model_state=model_state)
    if full < source.steps_per_epoch:
        batch = next(source.batches(first=full))  # from the host: data in parts have rows added at their end
        metrics, model_state = task.loops.eval_one(task.evaluate, state, batch)
        state = with_arrays(state, metrics=metrics, model_state=model_state)
    return state


def _merged(task: Task, source: ArraySource) -> ArraySource:
    """The same rows in batches of the size that is evaluated fastest."""
    rows = min(source.rows, source.steps_per_epoch * source.batch_size)
    size = merged_rows(task.evaluate, source.example(), rows)
    return source if size == source.batch_size else ArraySource(source.data, rows, min(size, rows))
