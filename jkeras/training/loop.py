"""The loop around the pure step: the only place with a clock and side effects.

Order of operations in `fit`, per epoch: draw the order of rows; dispatch chunks of steps, each of about as many steps as
keep the progress bar and the interrupt key responsive; read the metrics once; validate; tell the callbacks.

The host is always one chunk ahead of the device, or a few steps where they are dispatched one by one: it dispatches a
chunk, then waits for the one before. The state that is passed in is copied once; from then on every step donates its
buffers. A run of a single step copies nothing (`one_step.py`).
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import jax

from jkeras.buffers import is_deleted, owned_copy
from jkeras.console.progress import ProgressBar
from jkeras.training.checkpointing import RunCheckpointer
from jkeras.training.evaluation import Evaluation
from jkeras.training.feeds import Feed, make_feed
from jkeras.training.hooks import Hooks
from jkeras.training.memory_errors import device_memory_error, is_exhausted
from jkeras.training.run import FitRun, Live
from jkeras.training.signals import InterruptKey, PreemptedError, TerminationSignal
from jkeras.training.state import TrainState, with_arrays
from jkeras.training.stream_source import StreamSource
from jkeras.training.task import Options, Task, to_floats

# How often several processes ask each other whether a signal came, which makes the host wait for the devices.
BATCHES_BETWEEN_VOTES = 16


def fit(task: Task, state: TrainState, options: Options, callbacks: Hooks, live: Live) -> FitRun:
    """Trains. Returns the run with the final state and the history.

    An interrupt key ends training after the current chunk; the run says so and has the state reached. A run with
    callbacks that keep checkpoints begins where the latest was taken, if they say so. The buffers of `state` are the run's
    from now on.

    Raises:
        SystemExit: SIGTERM came to a run with such callbacks; everything is saved.
        DeviceMemoryError: the device's memory is not enough.
    """
    task.layout.check(task.train.program, task.source)
    run = FitRun(task, state, options, callbacks, live)
    # Arrays that are gone but still referred to make Python's garbage collector look through all objects in each short run.
    del state
    feed = make_feed(run)
    validation = None if task.validation is None else Evaluation(task, task.validation)
    stream = task.validation if isinstance(task.validation, StreamSource) else None
    checkpointer = RunCheckpointer(run, {"feed": feed, "validation": stream})
    signals = run.signals
    preempted = signals.raised_for(signals.preempted) if run.stores else None
    with TerminationSignal(preempted), InterruptKey(signals.raised_for(signals.interrupted)), checkpointer:
        try:
            checkpointer.resume()
            run.call("on_train_begin")
            checkpointer.put_in_place()
            logs = run.position.logs
            first = options.epochs if run.position.ended else run.position.epoch
            for epoch in range(first, options.epochs):
                epoch_logs = _epoch(run, checkpointer, epoch, feed, validation)
                if epoch_logs is None:
                    warnings.warn(f"The data ran out before epoch {epoch + 1}, so training ends there.", stacklevel=4)
                    break
                logs = epoch_logs
                if not signals.interrupted.is_set():
                    run.end_epoch(logs)
                    checkpointer.after_epoch(logs)
                if run.stopping:
                    break
            if signals.preempted.is_set():
                raise PreemptedError
            run.call("on_train_end", logs)
            if not signals.interrupted.is_set():
                checkpointer.finish()
        except KeyboardInterrupt:
            signals.interrupted.set()
            if any(map(is_deleted, jax.tree.leaves(run.state))):
                raise  # a second interrupt, in the middle of a step: its buffers are given away, its result is not there
        except jax.errors.JaxRuntimeError as error:  # of a dispatch that was waited for
            if not is_exhausted(error):
                raise
            raise device_memory_error(error, "fit", {"state": run.state}) from error
    run.put(run.state.replace(metrics=None))
    return run


def _epoch(
    run: FitRun, checkpointer: RunCheckpointer, epoch: int, feed: Feed, validation: Evaluation | None
) -> dict[str, float] | None:
    """One epoch; its logs, or None if there was no data for it."""
    options = run.options
    run.call("on_epoch_begin", epoch)
    metrics = run.empty_metrics()
    run.put(with_arrays(run.state, metrics=metrics if options.is_one_step else owned_copy(metrics)))
    if run.position.begun:  # before the checkpoint, too
        checkpointer.put_in_place()
    else:
        run.begin_epoch(epoch)
    bar = ProgressBar(feed.total, epoch, options.epochs, options.verbose)
    if not run.epochs and not run.task.run_eagerly:
        run.bar = bar
    done = _steps(run, checkpointer, feed, epoch, bar)
    if done == 0 and not run.stopping:
        return None
    if run.signals.interrupted.is_set() and not options.ends_interrupted_epoch:
        raise KeyboardInterrupt
    logs = to_floats(run.logs())
    if validation is not None and _validates(epoch, options.validation_freq) and not run.signals.interrupted.is_set():
        scores = validation.scores(run, line=None if run.epochs else bar)
        logs.update({f"val_{name}": value for name, value in scores.items()})
    run.call("on_epoch_end", epoch, logs)
    bar.finish(logs, step=done)  # fewer than there are, if training was stopped or interrupted
    run.record(epoch, logs)
    return logs


def _steps(run: FitRun, checkpointer: RunCheckpointer, feed: Feed, epoch: int, bar: ProgressBar) -> int:
    """The steps of an epoch, or its rest; how many batches are done.

    Raises:
        PreemptedError: the program is to end.
    """
    done = first_batch = run.position.batch
    for done in feed.train(epoch, first_batch):
        if bar.verbose == 1:
            bar.update(done, _later(run))
        run.after_steps(done)
        checkpointer.after_steps()
        if done % BATCHES_BETWEEN_VOTES == 0:
            run.signals.vote()
        if run.stopping:
            break
    run.signals.vote()
    if run.signals.preempted.is_set():
        raise PreemptedError
    return done


def _later(run: FitRun) -> Any:
    """The values of the metrics at this moment, fetched when the bar is drawn."""
    values = run.logs()
    return functools.partial(to_floats, values)


def _validates(epoch: int, freq: Any) -> bool:
    """Whether validation is due after an epoch: every `freq` epochs, or after those listed (counted from 1)."""
    return (epoch + 1) in freq if isinstance(freq, (list, tuple, set, range)) else (epoch + 1) % int(freq) == 0
