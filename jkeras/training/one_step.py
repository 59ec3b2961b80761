"""Runs of a single step on little data, which notebooks and loops of reinforcement learning make by the thousand.

Their step is that of `train_on_batch`: a program that gives no buffers away, so that nothing is copied for it, where the loop
over steps works in a copy of the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras.training.array_source import ArraySource
from jkeras.training.borrowed_arrays import LEAST_BYTES
from jkeras.training.chunks import Chunks
from jkeras.training.hooks import Hooks
from jkeras.training.order import Order
from jkeras.training.state import TrainState, arrays_of

if TYPE_CHECKING:
    from jkeras.training.run import FitRun
    from jkeras.training.task import Options, Task

# The new arrays of a larger network take memory beside weights that a first run has drawn for itself and trains in place.
MOST_WEIGHTS = 1 << 22


def is_one_step(task: Task, state: TrainState, options: Options, callbacks: Hooks) -> bool:
    """Whether a run on one device is a single step of a network that is not large, whose rows the host gathers in no time."""
    source = task.source
    if not isinstance(source, ArraySource) or source.batch_count > 1 or options.epochs - options.initial_epoch != 1:
        return False
    looks_into_steps = task.run_eagerly or options.check_finite or callbacks.wants("on_non_finite")
    if options.donate or looks_into_steps or task.model.recipe.distribute is not None:
        return False
    weights = sum(leaf.size for leaf in jax.tree.leaves(arrays_of(state).params))
    return weights < MOST_WEIGHTS and source.nbytes < LEAST_BYTES


class OneStepFeed:
    """Gives all rows, in their order, to one step that leaves the arrays of the state to whoever has them."""

    def __init__(self, run: FitRun, source: ArraySource):
        self.run = run
        self.source = source
        self.order: Order = Order(run, source)
        self.total: int | None = 1
        self.chunks: Chunks = Chunks(run.options, run.callbacks)

    def get_state(self) -> dict[str, Any]:
        return {"order": self.order.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.order.set_state(state["order"])

    def train(self, epoch: int, done: int = 0) -> Iterator[int]:
        run = self.run
        if done or run.stopping:
            return
        rows = np.asarray(self.order.span(epoch)[0])[: self.source.rows]
        batch = jax.tree.map(lambda array: array[rows], self.source.data)
        if self.chunks.begins:
            run.call("on_train_batch_begin", 0)
        with run.compiling():
            state, logs = run.task.loops.step_with_logs(run.task.train, run.state, batch)
        run.take((state, None, logs))
        if self.chunks.ends:
            run.call("on_train_batch_end", 0, run.batch_logs())
        yield 1
