"""A few training steps of groups of members, to see how long they take."""

from __future__ import annotations

import functools
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from jkeras.buffers import owned_copy
from jkeras.constants import put
from jkeras.training.layout import Span
from jkeras.training.state import TrainState, with_arrays
from jkeras.training.task import Task

# The duration of a round of steps, and of all rounds together; the fastest round counts.
SECONDS_PER_ROUND = 0.05
SECONDS = 0.2


class GroupTrial:
    """Training steps of as many groups as a run trains in parallel, on copies that are discarded.

    Args:
        task: with the loops of many models, and data of at least one batch.
        state: of all members.
        size: the number of members per group.
        at_a_time: the number of groups that train in parallel.
    """

    def __init__(self, task: Task, state: TrainState, size: int, at_a_time: int):
        source, count = task.arrays, state.step.shape[0]
        self.size = size
        self._best: float = math.inf
        self._task = task
        self._rounds: int = -(-count // (size * at_a_time))
        self._data: Any = task.layout.place_data(source.data)
        empty = task.empty_metrics(task.train, source.example())
        rng = np.random.default_rng(0)
        self._states: list[TrainState] = []
        self._orders: list[jax.Array] = []
        for start in range(0, min(count, at_a_time * size), size):
            members = slice(start, min(start + size, count))
            part: TrainState = jax.tree.map(lambda leaf, members=members: leaf[members], state)
            metrics = task.layout.spread(empty, part)
            self._states.append(owned_copy(with_arrays(part, metrics=metrics)))
            shape = (part.step.shape[0], source.batch_count * source.batch_size)
            self._orders.append(put(rng.integers(0, source.rows, shape, dtype=np.int32)))

    def compile(self) -> float:
        """Compiles the program by running one step of one group; returns the seconds that it took."""
        begin = time.perf_counter()
        self._advance(0, 1)
        return time.perf_counter() - begin

    def estimate(self) -> float:
        """About how many seconds a step of all members takes."""
        self._best = self._seconds(1)
        return self._best * self._rounds

    @property
    def cost(self) -> float:
        """How many seconds `measure` takes, after `estimate`."""
        return max(self._best, SECONDS)

    def measure(self) -> float:
        """How many seconds a step of all members takes: the least of some rounds of several steps each."""
        begin = time.perf_counter()
        while time.perf_counter() - begin < SECONDS:
            self._best = min(self._best, self._seconds(max(1, int(SECONDS_PER_ROUND / self._best))))
        return self._best * self._rounds

    def _seconds(self, steps: int) -> float:
        """The seconds of one step of the groups that train side by side, from some steps."""
        steps = min(steps, self._task.arrays.rows // self._task.arrays.batch_size)
        begin = time.perf_counter()
        with ThreadPoolExecutor(len(self._states)) as pool:
            list(pool.map(functools.partial(self._advance, steps=steps), range(len(self._states))))
        return (time.perf_counter() - begin) / steps

    def _advance(self, number: int, steps: int) -> None:
        task, source = self._task, self._task.arrays
        masked = source.ragged and not task.train.program.mixes_samples(training=True)
        span = Span(0, steps, source.rows, source.batch_size, masked)
        state = self._states[number]
        self._states[number], counter, _ = task.loops.train_steps(
            task.train, state, self._data, self._orders[number], span
        )
        jax.block_until_ready(counter)
