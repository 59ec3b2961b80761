"""The loop around the pure step: the only place with a clock and side effects.

Order of operations in `fit`, per epoch: draw the order of rows; dispatch chunks of steps, each of about as many steps as
keep the progress bar and the interrupt key responsive; read the metrics once; validate; tell the callbacks.

The host is always one chunk ahead of the device: it dispatches a chunk, then waits for the one before. The state that
is passed in is copied once; from then on every step donates its buffers.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import jax

from jkeras.buffers import owned_copy
from jkeras.console.progress import ProgressBar
from jkeras.training.array_source import ArraySource
from jkeras.training.checkpointing import Preempted, RunCheckpointer, terminable
from jkeras.training.device_memory import on_device
from jkeras.training.evaluation import evaluate
from jkeras.training.feeds import Feed, make_feed
from jkeras.training.hooks import Hooks
from jkeras.training.interrupts import interruptible
from jkeras.training.run import FitRun, Live
from jkeras.training.state import TrainState, arrays_of
from jkeras.training.stream_source import StreamSource
from jkeras.training.task import Options, Task, to_floats

# How often several processes ask each other whether a signal came, which makes the host wait for the devices.
BATCHES_BETWEEN_VOTES = 16


def fit(
    task: Task,
    state: TrainState,
    source: ArraySource | StreamSource,
    validation: ArraySource | StreamSource | None,
    options: Options,
    callbacks: Hooks,
    live: Live,
) -> FitRun:
    """Trains. Returns the run with the final state and the history.

    An interrupt key ends training after the current chunk; the run says so and has the state reached. A run with
    callbacks that keep checkpoints begins where the latest was taken, if they say so. The buffers of `state` are the run's
    from now on.

    Raises:
        SystemExit: SIGTERM came to a run with such callbacks; everything is saved.
    """
    task.layout.check(task.train.program, source)
    run = FitRun(task, state, options, callbacks, live)
    feed = make_feed(run, source)
    validation_data = None if validation is None else on_device(validation, task.layout)
    keeping = run.keeping = RunCheckpointer(run, feed, (source, validation), options.initial_epoch)
    preempted = run.raised_by_signal(keeping.preempted) if keeping.keepers else None
    with terminable(preempted), interruptible(run.raised_by_signal(run.interrupted)), keeping:
        try:
            keeping.resume()
            run.call("on_train_begin")
            keeping.put_in_place()
            logs = keeping.position.logs
            first = options.epochs if keeping.position.ended else keeping.position.epoch
            for epoch in range(first, options.epochs):
                epoch_logs = _epoch(run, keeping, epoch, feed, validation, validation_data)
                if epoch_logs is None:
                    warnings.warn(f"The data ran out before epoch {epoch + 1}, so training ends there.", stacklevel=4)
                    break
                logs = epoch_logs
                if not run.interrupted.is_set():
                    keeping.after_epoch(logs)
                if run.stopping:
                    break
            if run.preempted:
                raise Preempted
            run.call("on_train_end", logs)
            if not run.interrupted.is_set():
                keeping.completed()
        except KeyboardInterrupt:
            run.interrupted.set()
            if any(leaf.is_deleted() for leaf in jax.tree.leaves(run.state)):
                raise  # a second interrupt, in the middle of a step: its buffers are given away, its result is not there
    run.state = run.state.replace(metrics=None)
    run.keeping = None  # it refers to the run, and the two would keep the state until garbage is collected
    return run


def _epoch(
    run: FitRun, keeping: RunCheckpointer, epoch: int, feed: Feed, validation: Any, validation_data: Any
) -> dict[str, float] | None:
    """One epoch; its logs, or None if there was no data for it."""
    options = run.options
    run.call("on_epoch_begin", epoch)
    empty = run.task.layout.spread(feed.empty_metrics(), run.state)
    run.state = run.state.replace(metrics=owned_copy(empty))
    keeping.begin_epoch(epoch)
    total = feed.total
    bar = ProgressBar(total, epoch, options.epochs, options.verbose)
    if not run.epochs and not options.run_eagerly:
        run.bar = bar
    done = begun = keeping.position.batch
    for done in feed.train(epoch, begun):
        if bar.verbose == 1:
            metrics = run.task.logs(run.task.train, arrays_of(run.state).metrics)
            bar.update(done, functools.partial(to_floats, metrics))
        keeping.after_steps(done)
        if done % BATCHES_BETWEEN_VOTES == 0:
            run.vote()
        if run.stopping:
            break
    run.vote()
    if run.preempted:
        raise Preempted
    if done == 0 and not run.stopping:
        return None
    logs = to_floats(run.task.logs(run.task.train, arrays_of(run.state).metrics))
    if validation is not None and _validates(epoch, options.validation_freq) and not run.interrupted.is_set():
        scores = evaluate(
            run.task,
            run.state,
            validation,
            run.callbacks,
            run.call,
            data=validation_data,
            verbose=0,
            run_eagerly=options.run_eagerly,
            current=lambda: run.state,
            line=None if run.epochs else bar,
        )
        logs.update({f"val_{name}": value for name, value in scores.items()})
    run.call("on_epoch_end", epoch, logs)
    bar.finish(logs, step=done)  # fewer than there are, if training was stopped or interrupted
    run.epochs.append(epoch)
    for name, value in logs.items():
        run.history.setdefault(name, []).append(value)
    return logs


def _validates(epoch: int, freq: Any) -> bool:
    """Whether validation is due after an epoch: every `freq` epochs, or after those listed (counted from 1)."""
    return (epoch + 1) in freq if isinstance(freq, (list, tuple, set, range)) else (epoch + 1) % int(freq) == 0
