"""Evaluation over a data set."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable

import jax

from jkeras.console.progress import COMPILING, ProgressBar
from jkeras.errors import InputError
from jkeras.training import borrowed_arrays, steps
from jkeras.training.array_source import ArraySource
from jkeras.training.batches import fill_up
from jkeras.training.device_memory import on_device
from jkeras.training.hooks import Hooks
from jkeras.training.layout import Span
from jkeras.training.prefetch import BATCHES_AHEAD, Background
from jkeras.training.state import Batch, TrainState, arrays_of, with_arrays
from jkeras.training.stream_source import StreamSource
from jkeras.training.task import Task, to_floats
from jkeras.types import Verbose


def evaluate(
    task: Task,
    state: TrainState,
    source: ArraySource | StreamSource,
    callbacks: Hooks,
    call: Callable[..., None],
    *,
    data: Batch | None = None,
    verbose: Verbose = 0,
    run_eagerly: bool = False,
    current: Callable[[], TrainState] | None = None,
    line: ProgressBar | None = None,
) -> dict[str, float]:
    """Loss and metrics over a data set, in inference mode.

    `current` gives the state to evaluate once `on_test_begin` has been called, which may have changed it. `line` is the bar
    in whose line it is said that the step is being compiled, if there is one beside this evaluation's own.
    """
    layout, step = task.layout, task.evaluate
    call("on_test_begin")
    state = state if current is None else current()
    empty = task.empty_metrics(step, source.example())
    state = state.replace(metrics=layout.spread(empty, state))
    bar = ProgressBar(source.steps_per_epoch, verbose=verbose)
    compiling = contextlib.nullcontext() if run_eagerly else (line or bar).waiting(COMPILING.format("test"))
    pad = not step.program.mixes_samples(training=False)
    per_batch = callbacks.wants("on_test_batch_begin", "on_test_batch_end")
    if isinstance(source, ArraySource) and not run_eagerly:
        data = on_device(source, layout) if data is None else data
    if isinstance(source, ArraySource) and data is not None and not per_batch and not run_eagerly:
        with compiling:
            state = evaluate_on_device(task, state, source, data, pad)
    else:
        size = steps.batch_size(source.example())
        index = -1

        def prepare(batch: Batch) -> Batch:
            batch = fill_up(batch, size) if pad else batch
            return batch if run_eagerly else layout.place_batch(batch, step.program, False)

        with Background(source.batches(), BATCHES_AHEAD, prepare) as batches:
            for index, batch in enumerate(batches):
                if per_batch:
                    call("on_test_batch_begin", index)
                if run_eagerly:
                    with jax.disable_jit():
                        state = step(state, jax.tree.map(jax.numpy.asarray, batch))
                    metrics = arrays_of(state).metrics
                else:
                    with compiling if index == 0 else contextlib.nullcontext():
                        metrics, model_state = task.loops.eval_one(task.evaluate, state, batch)
                    state = with_arrays(state, metrics=metrics, model_state=model_state)
                values = task.logs(step, metrics) if per_batch or bar.verbose == 1 else {}
                if per_batch:
                    call("on_test_batch_end", index, to_floats(values))
                bar.update(index + 1, functools.partial(to_floats, values))
        if index < 0:
            raise InputError("The data for evaluation yields no batches; a generator can be read only once.")
    logs = to_floats(task.logs(step, arrays_of(state).metrics))
    bar.finish(logs)
    call("on_test_end", logs)
    return logs


def evaluate_on_device(task: Task, state: TrainState, source: ArraySource, data: Batch, pad: bool) -> TrainState:
    """The state after evaluating data that lies on the device whole, in as few dispatches as there are shapes."""
    masked = pad and source.ragged
    full = source.steps_per_epoch
    if source.ragged and not masked:
        full = min(full, source.rows // source.batch_size)
    span = Span(0, full, source.rows, source.batch_size, masked)
    metrics, model_state = task.loops.eval_steps(task.evaluate, state, data, span)
    state = with_arrays(state, metrics=metrics, model_state=model_state)
    if full < source.steps_per_epoch:
        start = full * source.batch_size
        batch = borrowed_arrays.cut(data, start, borrowed_arrays.row_count(data) - start)
        metrics, model_state = task.loops.eval_one(task.evaluate, state, batch)
        state = with_arrays(state, metrics=metrics, model_state=model_state)
    return state
