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
from jkeras.training.batches import fill_up
from jkeras.training.chunks import Chunks
from jkeras.training.device_memory import fits
from jkeras.training.finiteness import non_finite
from jkeras.training.job import to_floats
from jkeras.training.order import Order
from jkeras.training.prefetch import BATCHES_AHEAD, Background
from jkeras.training.state import Batch, arrays_of
from jkeras.training.stream_source import StreamSource

if TYPE_CHECKING:
    from jkeras.training.session import Session


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
    if isinstance(source, ArraySource) and fits(source, session.job.runner):
        return DeviceFeed(session, source, pad=independent)
    return HostFeed(session, source, pad=independent)


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


def _batch_logs(session: Session) -> dict[str, Any]:
    return to_floats(session.job.logs(arrays_of(session.state).metrics))
