"""The loop around the pure step: the only place with a clock and side effects.

Order of operations in `fit`, per epoch: draw the order of rows; dispatch chunks of steps, each of about as many steps as
keep the progress bar and the interrupt key responsive; read the metrics once; validate; tell the callbacks.

The host is always one chunk ahead of the device: it dispatches a chunk, then waits for the one before. The state that
is passed in is copied once; from then on every step donates its buffers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import jax
import numpy as np

from jkeras import config
from jkeras.buffers import owned_copy
from jkeras.callbacks.callback import CallbackList
from jkeras.console.progress import ProgressBar
from jkeras.errors import InputError, NonFiniteError
from jkeras.training import resident, runs, steps
from jkeras.training.batches import ArraySource, StreamSource
from jkeras.training.interrupts import interruptible
from jkeras.training.keeping import Keeping, Preempted, terminable
from jkeras.training.prefetch import Background
from jkeras.training.state import Batch, TrainState, arrays_of, with_arrays
from jkeras.types import ArrayLike, PyTree, Verbose

# One dispatch should last about this long: seldom enough to cost nothing, often enough to draw a smooth bar.
SECONDS_PER_DISPATCH = 0.05
# With nothing to draw or call, only the interrupt key needs an answer.
SECONDS_PER_QUIET_DISPATCH = 0.2
# One batch to take while the next is made; more would take memory and gain nothing but over single slow batches.
BATCHES_AHEAD = 2
# How often several processes ask each other whether a signal came, which makes the host wait for the devices.
BATCHES_BETWEEN_VOTES = 16
# What a bar's line says during the first dispatch, which contains compilation.
COMPILING = "compiling {} step"
# A chunk may be at most this much longer than the one before, since the first measurement may be off.
MAX_GROWTH = 16


class Live(Protocol):
    """The handle that callbacks see as `self.model`; `models/handle.py` implements it."""

    stop_training: bool

    def offer(self, state: Callable[[], TrainState]) -> None: ...
    def take(self) -> TrainState | None: ...


@dataclasses.dataclass
class Options:
    """How `fit` runs."""

    epochs: int = 1
    initial_epoch: int = 0
    shuffle: Any = True
    verbose: Any = "auto"
    steps_per_execution: Any = "auto"
    run_eagerly: bool = False
    check_finite: bool = False
    validation_freq: Any = 1


@dataclasses.dataclass
class Job:
    """What is trained or evaluated: the compiled parts.

    Attributes:
        program: the static part of the step.
        train: the step, `(program, state, batch) -> state`.
        evaluate: likewise, for validation.
        runner: the compiled loops, for one model or many.
        scoring: the static part of evaluation, where it is not `program`.
    """

    program: Any
    train: runs.Step
    evaluate: runs.Step
    runner: runs.Runner = dataclasses.field(default_factory=runs.runner)
    scoring: Any = None

    def for_evaluation(self) -> Job:
        """The same for evaluation alone."""
        return self if self.scoring is None else dataclasses.replace(self, program=self.scoring, scoring=None)

    def logs(self, metrics: PyTree[Any]) -> dict[str, Any]:
        """Metric values from metric states."""
        result: dict[str, Any] = self.runner.logs(self.program, metrics)
        return result

    def empty_metrics(self, batch: Batch) -> Any:
        """Metric states before the first batch."""
        return steps.empty_metrics(self.program, batch)

    def rows_independent(self, training: bool) -> bool:
        """Whether a ragged last batch may be filled up with rows that do not count."""
        independent = self.program.objective.rows_independent
        return bool(independent) and runs.rows_independent(self.program.definition, training)


class Session:
    """One run of `fit`: the current state, and what happened so far."""

    def __init__(self, job: Job, state: TrainState, options: Options, callbacks: CallbackList, live: Live):
        self.job = job
        self.state: Any = state
        self.options = options
        self.callbacks = callbacks
        self.live = live
        self.interrupted: threading.Event = threading.Event()
        # Of several processes: signals that came to this one, and the flags that they raise once all have agreed.
        self.signals: list[tuple[threading.Event, threading.Event]] = []
        self.keeping: Keeping | None = None
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
        if not self.job.runner.votes:
            return flag
        signalled = threading.Event()
        self.signals.append((signalled, flag))
        return signalled

    def vote(self) -> None:
        """Raises, in all processes, the flags for which a signal came to one of them."""
        if self.signals:
            came = self.job.runner.anywhere([signalled.is_set() for signalled, _ in self.signals])
            for told, (_, flag) in zip(came, self.signals, strict=True):
                if told:
                    flag.set()

    def call(self, hook: str, *args: Any) -> None:
        """Calls a hook of the callbacks, with the live model up to date before and its changes taken over after."""
        if not self.callbacks.callbacks:
            return
        self.live.offer(lambda: self.job.runner.release(self.state))
        self.callbacks.call(hook, *args)
        changed = self.live.take()
        if changed is not None:
            metrics = arrays_of(self.state).metrics
            self.state = owned_copy(changed.replace(metrics=None)).replace(metrics=metrics)


def fit(
    job: Job,
    state: TrainState,
    source: ArraySource | StreamSource,
    validation: ArraySource | StreamSource | None,
    options: Options,
    callbacks: CallbackList,
    live: Live,
) -> Session:
    """Trains. Returns the session with the final state and the history.

    A keyboard interrupt ends training after the current chunk; the state reached is returned. A run with callbacks that
    keep checkpoints begins where the latest was taken, if they say so.

    Raises:
        SystemExit: SIGTERM came to a run with such callbacks; everything is saved.
    """
    job.runner.check(job.program, source)
    session = Session(job, owned_copy(state), options, callbacks, live)
    feed = make_feed(session, source)
    validation_data = None if validation is None else on_device(validation, job.runner)
    keeping = session.keeping = Keeping(session, feed, (source, validation), options.initial_epoch)
    preempted = session.raised_by_signal(keeping.preempted) if keeping.keepers else None
    with terminable(preempted), interruptible(session.raised_by_signal(session.interrupted)), keeping:
        try:
            keeping.resume()
            session.call("on_train_begin")
            keeping.put_in_place()
            logs = keeping.position.logs
            first = options.epochs if keeping.position.ended else keeping.position.epoch
            for epoch in range(first, options.epochs):
                epoch_logs = _epoch(session, keeping, epoch, feed, validation, validation_data)
                if epoch_logs is None:
                    warnings.warn(f"The data ran out before epoch {epoch + 1}, so training ends there.", stacklevel=4)
                    break
                logs = epoch_logs
                if not session.interrupted.is_set():
                    keeping.after_epoch(logs)
                if session.stopping:
                    break
            if session.preempted:
                raise Preempted
            session.call("on_train_end", logs)
            if not session.interrupted.is_set():
                keeping.completed()
        except KeyboardInterrupt:
            session.interrupted.set()
            if any(leaf.is_deleted() for leaf in jax.tree.leaves(session.state)):
                raise  # a second interrupt, in the middle of a step: its buffers are given away, its result is not there
    session.state = session.state.replace(metrics=None)
    return session


def _epoch(
    session: Session, keeping: Keeping, epoch: int, feed: Feed, validation: Any, validation_data: Any
) -> dict[str, float] | None:
    """One epoch; its logs, or None if there was no data for it."""
    options = session.options
    session.call("on_epoch_begin", epoch)
    empty = session.job.runner.spread(feed.empty_metrics(), session.state)
    session.state = session.state.replace(metrics=owned_copy(empty))
    keeping.begin_epoch(epoch)
    total = feed.total
    bar = ProgressBar(total, epoch, options.epochs, options.verbose)
    if not session.epochs and not options.run_eagerly:
        session.bar = bar
    done = begun = keeping.position.batch
    for done in feed.run(epoch, begun):
        if bar.verbose == 1:
            metrics = session.job.logs(arrays_of(session.state).metrics)
            bar.update(done, functools.partial(to_floats, metrics))
        keeping.after_steps(done)
        if done % BATCHES_BETWEEN_VOTES == 0:
            session.vote()
        if session.stopping:
            break
    session.vote()
    if session.preempted:
        raise Preempted
    if done == 0 and not session.stopping:
        return None
    logs = to_floats(session.job.logs(arrays_of(session.state).metrics))
    if validation is not None and _validates(epoch, options.validation_freq) and not session.interrupted.is_set():
        scores = evaluate(
            session.job,
            session.state,
            validation,
            session.callbacks,
            session.call,
            data=validation_data,
            verbose=0,
            run_eagerly=options.run_eagerly,
            current=lambda: session.state,
            line=None if session.epochs else bar,
        )
        logs.update({f"val_{name}": value for name, value in scores.items()})
    session.call("on_epoch_end", epoch, logs)
    bar.finish(logs)
    session.epochs.append(epoch)
    for name, value in logs.items():
        session.history.setdefault(name, []).append(value)
    return logs


def _validates(epoch: int, freq: Any) -> bool:
    """Whether validation is due after an epoch: every `freq` epochs, or after those listed (counted from 1)."""
    return (epoch + 1) in freq if isinstance(freq, (list, tuple, set, range)) else (epoch + 1) % int(freq) == 0


def to_floats(values: Any) -> dict[str, Any]:
    """Metric values on the host, sorted by name as Keras has them; those that are vectors stay arrays."""
    fetched = jax.device_get(values)
    return {k: float(v) if np.ndim(v) == 0 else np.asarray(v) for k, v in sorted(fetched.items())}


def shown(verbose: Verbose) -> int:
    """0, 1 or 2 for a `verbose` argument."""
    return ProgressBar(0, verbose=verbose).verbose


# -- feeding ---------------------------------------------------------------------------------------------------------


class Feed(Protocol):
    """Brings data to the step."""

    total: int | None

    def empty_metrics(self) -> Any: ...
    def run(self, epoch: int, done: int = 0) -> Iterator[int]: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: Mapping[str, Any]) -> None: ...


def make_feed(session: Session, source: ArraySource | StreamSource) -> Feed:
    """The way in which this kind of data reaches the device."""
    independent = session.job.rows_independent(training=True)
    if session.options.run_eagerly or session.checks_finite:
        return HostFeed(session, source, pad=False)
    if isinstance(source, ArraySource) and _fits(source, session.job.runner):
        return DeviceFeed(session, source, pad=independent)
    return HostFeed(session, source, pad=independent)


def device_budget() -> float:
    """How many bytes a data set may take on the device."""
    stats = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in stats:
        free = stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    else:
        free = _free_host_memory()
    result: float = config.data_budget * free
    return result


def _free_host_memory() -> float:
    try:
        with open("/proc/meminfo") as file:
            fields = dict(line.split(":") for line in file)
        return float(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return float("inf")


def _fits(source: ArraySource, runner: runs.Runner) -> bool:
    result: bool = runner.agreed(source.nbytes * runner.copies <= device_budget())
    return result


def on_device(source: ArraySource | StreamSource, runner: runs.Runner) -> Batch | None:
    """The data, placed on the device whole; None if it does not fit there."""
    if isinstance(source, ArraySource) and _fits(source, runner):
        return runner.place_data(source.data)
    return None


class Order:
    """The order of rows of each pass through the data; a pass may take several epochs (`steps_per_epoch`)."""

    def __init__(self, session: Session, source: ArraySource):
        self.session = session
        self.source = source
        self.lap = -1
        self.step: Any = None
        self.rows: Any = None

    def span(self, epoch: int) -> tuple[jax.Array, int, int]:
        """The order of rows, and the first and last batch of an epoch (half open)."""
        lap, start, stop = self.source.span(epoch)
        if lap != self.lap:
            self._draw(lap, np.asarray(self.session.state.step) - start)
        return self.rows, start, stop

    def get_state(self) -> dict[str, Any]:
        """What the order is drawn from."""
        return {"lap": self.lap, "step": self.step}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Draws the order that `get_state` was asked about."""
        if state["lap"] >= 0:
            self._draw(state["lap"], jax.numpy.asarray(state["step"]))

    def _draw(self, lap: int, step: ArrayLike) -> None:
        session, source = self.session, self.source
        self.lap, self.step = lap, step
        shuffle = session.options.shuffle
        self.rows = session.job.runner.epoch_order(
            session.state.rng,
            lap,
            step,
            rows=source.rows,
            length=source.batch_count * source.batch_size,
            shuffle={"batch": source.batch_size, "bootstrap": shuffle}.get(shuffle, bool(shuffle)),
        )
        if source.subset is not None:
            self.rows = jax.numpy.take_along_axis(source.subset, self.rows, axis=-1)


class DeviceFeed:
    """Data that lies on the device whole; each epoch's order is drawn and gathered there."""

    def __init__(self, session: Session, source: ArraySource, pad: bool):
        self.session = session
        self.source = source
        self.data: Any = session.job.runner.place_data(source.data)
        self.masked: bool = pad and source.ragged
        self.order: Order = Order(session, source)
        self.total: int | None = source.steps_per_epoch
        self.chunks: Chunks = Chunks(session.options, session.callbacks)

    def empty_metrics(self) -> Any:
        return self.session.job.empty_metrics(self.source.example())

    def get_state(self) -> dict[str, Any]:
        return {"order": self.order.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.order.set_state(state["order"])

    def run(self, epoch: int, done: int = 0) -> Iterator[int]:
        session, source = self.session, self.source
        order, first, last = self.order.span(epoch)
        full = last if self.masked else min(last, source.rows // source.batch_size)
        per_batch = self.chunks.per_batch
        done += first
        waiting: Any = None
        while done < full and not session.stopping:
            most = session.most_steps
            size = self.chunks.size if most is None else min(self.chunks.size, most)
            stop = min(full, done + size)
            if per_batch:
                session.call("on_train_batch_begin", done - first)
            started = done
            with session.compiling():
                session.state, token = session.job.runner.train_steps(
                    session.job.train,
                    session.job.program,
                    session.state,
                    self.data,
                    order,
                    source.rows,
                    done,
                    stop,
                    batch_size=source.batch_size,
                    masked=self.masked,
                )
            done = stop
            if per_batch:
                session.call("on_train_batch_end", stop - 1 - first, _batch_logs(session))
            if waiting is not None:
                jax.block_until_ready(waiting)
            waiting = token
            self.chunks.note(stop - started)
            yield done - first
        if done == full < last and not session.stopping:
            self._last(order, full - first)
            yield last - first

    def _last(self, order: jax.Array, index: int) -> None:
        """The ragged last batch of a network whose rows depend on each other: a step of exactly its shape."""
        session, source = self.session, self.source
        if self.chunks.per_batch:
            session.call("on_train_batch_begin", index)
        job = session.job
        rows = job.runner.last_rows(order, source.rows // source.batch_size * source.batch_size, source.rows)
        session.state, _ = job.runner.train_rows(job.train, job.program, session.state, self.data, rows)
        if self.chunks.per_batch:
            session.call("on_train_batch_end", index, _batch_logs(session))


class HostFeed:
    """Batches that come from the host one by one; a thread makes the next, and brings them to the device, meanwhile.

    The state is that of the batches used, not of those made.
    """

    def __init__(self, session: Session, source: ArraySource | StreamSource, pad: bool):
        self.session = session
        self.source = source
        self.pad = pad
        self.reading: Background | None = None
        self.order: Order | None = Order(session, source) if isinstance(source, ArraySource) else None
        self.total: int | None = source.steps_per_epoch
        self.chunks: Chunks = Chunks(session.options, session.callbacks)

    def empty_metrics(self) -> Any:
        return self.session.job.empty_metrics(self.source.example())

    def get_state(self) -> dict[str, Any]:
        stream = None
        if isinstance(self.source, StreamSource):
            stream = self.source.get_state() if self.reading is None else self.reading.noted
        return {"order": None if self.order is None else self.order.get_state(), "stream": stream}

    def set_state(self, state: Mapping[str, Any]) -> None:
        if self.order is not None and state["order"] is not None:
            self.order.set_state(state["order"])
        if isinstance(self.source, StreamSource):
            self.source.set_state(state["stream"])

    def run(self, epoch: int, done: int = 0) -> Iterator[int]:
        session = self.session
        full_size = steps.batch_size(self.source.example())
        waiting: Any = None
        if done and session.stopping:  # a run that is resumed where a callback had stopped it
            return
        note = self.source.get_state if isinstance(self.source, StreamSource) and session.keeps else None
        prepare = functools.partial(self._prepare, full_size=full_size)
        with Background(self._batches(epoch, done), BATCHES_AHEAD, prepare, note) as self.reading:
            for index, batch in enumerate(self.reading, done):
                if self.chunks.per_batch:
                    session.call("on_train_batch_begin", index)
                with session.compiling():
                    token = self._step(batch, index)
                if self.chunks.per_batch:
                    session.call("on_train_batch_end", index, _batch_logs(session))
                if waiting is not None:
                    jax.block_until_ready(waiting)
                waiting = token
                yield index + 1
                if session.stopping:
                    return  # the state stays that of the last batch used
        self.reading = None

    def _prepare(self, batch: Batch, full_size: int) -> Batch:
        if self.pad:
            batch = fill_up(batch, full_size)
        session = self.session
        if session.options.run_eagerly or session.checks_finite:  # which look at the batch themselves
            return batch
        result: Batch = session.job.runner.place_batch(batch, session.job.program, True)
        return result

    def _step(self, batch: Batch, index: int) -> Any:
        session, job = self.session, self.session.job
        if session.checks_finite:
            before = owned_copy(session.state)
            session.state, token = job.runner.train_one(job.train, job.program, session.state, batch)
            explanation = non_finite(job, before, session.state, batch, index)
            if explanation and session.options.check_finite:
                raise NonFiniteError(explanation)
            if explanation:
                session.call("on_non_finite", explanation)
            return token
        if session.options.run_eagerly:
            with jax.disable_jit():
                session.state = job.train(job.program, session.state, jax.tree.map(jax.numpy.asarray, batch))
            return session.state.step
        session.state, token = job.runner.train_one(job.train, job.program, session.state, batch)
        return token

    def _batches(self, epoch: int, done: int) -> Iterator[Batch]:
        source = self.source
        if isinstance(source, ArraySource):
            rows, first, last = (self.order or Order(self.session, source)).span(epoch)
            return source.batches(np.asarray(rows)[: source.rows], first + done, last)
        order, count, state = None, source.batch_count, self.session.state
        if source.numbered and count is not None:
            draw = self.session.job.runner.epoch_order
            shuffle = bool(self.session.options.shuffle)
            order = np.asarray(draw(state.rng, epoch, state.step, rows=count, length=count, shuffle=shuffle))
        return source.batches(order, source.steps is not None, done)


def fill_up(batch: Batch, size: int) -> Batch:
    """A batch of `size` rows, the added ones repeating the first and marked as not valid."""
    rows = steps.batch_size(batch)
    valid = np.arange(max(size, rows)) < rows
    if rows < size:
        batch = jax.tree.map(lambda a: np.concatenate([a, np.repeat(np.asarray(a)[:1], size - rows, axis=0)]), batch)
    return dataclasses.replace(batch, valid=valid)


class Chunks:
    """How many steps go into one dispatch."""

    def __init__(self, options: Options, callbacks: CallbackList):
        batch_hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
        self.per_batch: bool = callbacks.wants(*batch_hooks)
        self.fixed: Any | None = options.steps_per_execution if options.steps_per_execution != "auto" else None
        quiet = options.verbose == 0
        self.target: float = SECONDS_PER_QUIET_DISPATCH if quiet else SECONDS_PER_DISPATCH
        self.adaptive: int = 1
        self.last: float | None = None

    @property
    def size(self) -> int:
        """Steps in the next dispatch."""
        return 1 if self.per_batch else self.fixed or self.adaptive

    def note(self, count: int) -> None:
        """Learns from the time since the dispatch before."""
        now = time.perf_counter()
        if self.last is not None:
            seconds = max((now - self.last) / count, 1e-7)
            self.adaptive = max(1, min(math.ceil(self.target / seconds), self.adaptive * MAX_GROWTH))
        self.last = now


def _batch_logs(session: Session) -> dict[str, Any]:
    return to_floats(session.job.logs(arrays_of(session.state).metrics))


# -- evaluation and prediction -------------------------------------------------------------------------------------


def evaluate(
    job: Job,
    state: TrainState,
    source: ArraySource | StreamSource,
    callbacks: CallbackList,
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
    job = job.for_evaluation()
    call("on_test_begin")
    state = state if current is None else current()
    empty = job.empty_metrics(source.example())
    state = state.replace(metrics=job.runner.spread(empty, state))
    bar = ProgressBar(source.steps_per_epoch, verbose=verbose)
    compiling = contextlib.nullcontext() if run_eagerly else (line or bar).waiting(COMPILING.format("test"))
    independent = job.rows_independent(training=False)
    per_batch = callbacks.wants("on_test_batch_begin", "on_test_batch_end")
    if isinstance(source, ArraySource) and not run_eagerly:
        data = on_device(source, job.runner) if data is None else data
    if isinstance(source, ArraySource) and data is not None and not per_batch and not run_eagerly:
        with compiling:
            state = evaluate_on_device(job, state, source, data, independent)
    else:
        size = steps.batch_size(source.example())
        index = -1

        def prepare(batch: Batch) -> Batch:
            batch = fill_up(batch, size) if independent else batch
            return batch if run_eagerly else job.runner.place_batch(batch, job.program, False)

        with Background(source.batches(), BATCHES_AHEAD, prepare) as batches:
            for index, batch in enumerate(batches):
                if per_batch:
                    call("on_test_batch_begin", index)
                if run_eagerly:
                    with jax.disable_jit():
                        state = job.evaluate(job.program, state, jax.tree.map(jax.numpy.asarray, batch))
                    metrics = arrays_of(state).metrics
                else:
                    with compiling if index == 0 else contextlib.nullcontext():
                        metrics, model_state = job.runner.eval_one(job.evaluate, job.program, state, batch)
                    state = with_arrays(state, metrics=metrics, model_state=model_state)
                values = job.logs(metrics) if per_batch or bar.verbose == 1 else {}
                if per_batch:
                    call("on_test_batch_end", index, to_floats(values))
                bar.update(index + 1, functools.partial(to_floats, values))
        if index < 0:
            raise InputError("The data for evaluation yields no batches; a generator can be read only once.")
    logs = to_floats(job.logs(arrays_of(state).metrics))
    bar.finish(logs)
    call("on_test_end", logs)
    return logs


def evaluate_on_device(job: Job, state: TrainState, source: ArraySource, data: Batch, pad: bool) -> TrainState:
    """The state after evaluating data that lies on the device whole, in as few dispatches as there are shapes."""
    masked = pad and source.ragged
    full = source.steps_per_epoch
    if source.ragged and not masked:
        full = min(full, source.rows // source.batch_size)
    metrics, model_state = job.runner.eval_steps(
        job.evaluate, job.program, state, data, source.rows, 0, full, batch_size=source.batch_size, masked=masked
    )
    state = with_arrays(state, metrics=metrics, model_state=model_state)
    if full < source.steps_per_epoch:
        start = full * source.batch_size
        batch = resident.cut(data, start, resident.row_count(data) - start)
        metrics, model_state = job.runner.eval_one(job.evaluate, job.program, state, batch)
        state = with_arrays(state, metrics=metrics, model_state=model_state)
    return state


def non_finite(job: Job, before: TrainState, after: TrainState, batch: Batch, index: int) -> str | None:
    """At which step and in which layer a loss stopped being finite; None if it is."""
    loss = float(job.logs(arrays_of(after).metrics).get("loss", 0.0))
    if math.isfinite(loss):
        return None
    result = steps.forward(job.program, before, batch, training=True, check_finite=True)
    where = next((path for path, flag in result.run.finite or () if not bool(flag)), None)
    inputs = all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(batch.x) if leaf.dtype.kind == "f")
    culprit = (
        "the inputs hold NaN or infinite values"
        if not inputs
        else f"the first layer with a non-finite output is {where!r}"
        if where
        else "all layers' outputs are finite: the loss itself overflowed, or the gradients of the step before did"
    )
    return f"The loss is {loss} at step {int(before.step)} (batch {index} of this epoch): {culprit}."
