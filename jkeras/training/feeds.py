"""How data reaches the step: from the device, where it lies whole, or batch by batch from the host."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import jax
import numpy as np

from jkeras.buffers import owned_copy
from jkeras.errors import NonFiniteError
from jkeras.training import steps
from jkeras.training.array_source import ArraySource
from jkeras.training.batch_hooks import BatchHooks
from jkeras.training.batches import fill_up
from jkeras.training.chunks import Chunks
from jkeras.training.device_memory import fits
from jkeras.training.finiteness import non_finite
from jkeras.training.in_flight import STEPS_IN_FLIGHT, InFlight
from jkeras.training.layout import Span
from jkeras.training.order import Order, epoch_order
from jkeras.training.prefetch import BATCHES_AHEAD, ReadAhead
from jkeras.training.state import Batch
from jkeras.training.stream_source import StreamSource

if TYPE_CHECKING:
    from jkeras.training.run import FitRun


class Feed(Protocol):
    """Brings data to the step."""

    total: int | None

    def train(self, epoch: int, done: int = 0) -> Iterator[int]: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: Mapping[str, Any]) -> None: ...


def make_feed(run: FitRun) -> Feed:
    """The way in which the data of a run reaches the device."""
    source = run.task.source
    if run.options.is_one_step and isinstance(source, ArraySource):
        return OneStepFeed(run, source)
    pad = not run.task.train.program.mixes_samples(training=True)
    if run.task.run_eagerly or run.checks_finite:
        return HostFeed(run, source, pad=False)
    if isinstance(source, ArraySource) and fits(source, run.task.layout):
        return DeviceFeed(run, source, pad=pad)
    return HostFeed(run, source, pad=pad)


class _OrderedFeed:
    """Arrays in an order that is drawn for each epoch, which is all of the state."""

    def __init__(self, run: FitRun, source: ArraySource):
        self.run = run
        self.source = source
        self.order: Order = Order(run, source)
        self.total: int | None = source.steps_per_epoch
        self.hooks: BatchHooks = BatchHooks(run, "train")

    def get_state(self) -> dict[str, Any]:
        return {"order": self.order.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.order.set_state(state["order"])


class OneStepFeed(_OrderedFeed):
    """Gives all rows, in their order, to one step that leaves the arrays of the state to whoever has them."""

    def train(self, epoch: int, done: int = 0) -> Iterator[int]:
        run = self.run
        if done or run.stopping:
            return
        rows = np.asarray(self.order.span(epoch)[0])[: self.source.rows]
        batch = jax.tree.map(lambda array: array[rows], self.source.data)
        self.hooks.begin(0)
        with run.compiling():
            state, logs = run.task.loops.step_with_logs(run.task.train, run.state, batch)
        run.take((state, None, logs))
        self.hooks.end(0, run.batch_logs)
        yield 1


class DeviceFeed(_OrderedFeed):
    """Data that lies on the device whole; each epoch's order is drawn and gathered there."""

    def __init__(self, run: FitRun, source: ArraySource, pad: bool):
        super().__init__(run, source)
        self.chunks: Chunks = Chunks(run.options, self.hooks.wanted)
        self.data: Any = run.task.layout.place_data(source.data)
        self.masked: bool = pad and source.ragged

    def train(self, epoch: int, done: int = 0) -> Iterator[int]:
        run, task, source = self.run, self.run.task, self.source
        order, first, last = self.order.span(epoch)
        full = last if self.masked else min(last, source.rows // source.batch_size)
        done += first
        in_flight = InFlight(STEPS_IN_FLIGHT if self.hooks.wanted else 1)
        while done < full and not run.stopping:
            most = run.most_steps
            size = self.chunks.size if most is None else min(self.chunks.size, most)
            stop = min(full, done + size)
            self.hooks.begin(done - first)
            started = done
            with run.compiling():
                span = Span(done, stop, source.rows, source.batch_size, self.masked)
                token = run.take(task.loops.train_steps(task.train, run.state, self.data, order, span))
            done = stop
            self.hooks.end(stop - 1 - first, run.batch_logs)
            in_flight.add(token)
            self.chunks.note(stop - started)
            yield done - first
        if done == full < last and not run.stopping:
            self._last(order, full - first)
            yield last - first

    def _last(self, order: jax.Array, index: int) -> None:
        """The ragged last batch of a network whose rows depend on each other: a step of exactly its shape."""
        run, source = self.run, self.source
        self.hooks.begin(index)
        task = run.task
        rows = order[..., source.rows // source.batch_size * source.batch_size : source.rows]
        run.take(task.loops.train_rows(task.train, run.state, self.data, rows))
        self.hooks.end(index, run.batch_logs)


class HostFeed:
    """Batches that come from the host one by one; the next are made while the device computes.

    The state is that of the batches used, not of those made.
    """

    def __init__(self, run: FitRun, source: ArraySource | StreamSource, pad: bool):
        self.run = run
        self.source = source
        self.pad = pad
        self.reading: ReadAhead | None = None
        self.order: Order | None = Order(run, source) if isinstance(source, ArraySource) else None
        self.total: int | None = source.steps_per_epoch
        self.hooks: BatchHooks = BatchHooks(run, "train")

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

    def train(self, epoch: int, done: int = 0) -> Iterator[int]:
        run = self.run
        full_size = steps.batch_size(self.source.example())
        in_flight = InFlight(STEPS_IN_FLIGHT)
        if done and run.stopping:  # a run that is resumed where a callback had stopped it
            return
        note = self.source.get_state if isinstance(self.source, StreamSource) and run.stores else None
        prepare = functools.partial(fill_up, size=full_size) if self.pad else None
        # Steps that are not compiled, or checked, look at the batch themselves.
        place = None if run.task.run_eagerly or run.checks_finite else self._place
        with ReadAhead(self._batches(epoch, done), BATCHES_AHEAD, prepare, note, place) as self.reading:
            for index, batch in enumerate(self.reading, done):
                self.hooks.begin(index)
                with run.compiling():
                    token = self._step(batch, index)
                self.hooks.end(index, run.batch_logs)
                in_flight.add(token)
                yield index + 1
                if run.stopping:
                    return  # the state stays that of the last batch used
        self.reading = None

    def _place(self, batch: Batch) -> Any:
        task = self.run.task
        return task.layout.place_batch(batch, task.train.program, True)

    def _step(self, batch: Batch, index: int) -> Any:
        """One step; something to wait for."""
        run, task = self.run, self.run.task
        if run.checks_finite:
            before = owned_copy(run.state)
            token = run.take(task.loops.train_one(task.train, run.state, batch))
            explanation = non_finite(task, before, run.state, batch, index)
            if explanation and run.options.check_finite:
                raise NonFiniteError(explanation)
            if explanation:
                run.call("on_non_finite", explanation)
            return token
        if run.task.run_eagerly:
            with jax.disable_jit():
                run.put(task.train(run.state, jax.tree.map(jax.numpy.asarray, batch)))
            return run.state.step
        return run.take(task.loops.train_one(task.train, run.state, batch))

    def _batches(self, epoch: int, done: int) -> Iterator[Batch]:
        source = self.source
        if isinstance(source, ArraySource):
            rows, first, last = (self.order or Order(self.run, source)).span(epoch)
            return source.batches(np.asarray(rows)[: source.rows], first + done, last)
        order, count, state = None, source.batch_count, self.run.state
        if source.numbered and count is not None:
            shuffle = bool(self.run.options.shuffle)
            drawn = epoch_order(state.rng, epoch, state.step, rows=count, length=count, shuffle=shuffle)
            order = np.asarray(drawn)
        return source.batches(order, source.steps is not None, done)
