"""How many members train in one program: by a rule or, where it pays, by measuring a few sizes.

What is fastest depends on the network and the device. Many small matrix products are quicker in one program; convolutions of
many models are not, since XLA has no quick form for them; and on CPUs a program of many large models is slower than its parts,
whose weights stay in the caches. So the sizes that come into question train a few steps each, on copies, and the fastest is
taken. Measuring may cost a small share of the run: first the size that the rule gives is measured, whose program the run most
likely needs anyway, then others while there is time to compile them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax

from jkeras.arguments import positive_int
from jkeras.errors import ArgumentError, DeviceMemoryError
from jkeras.graph.describe import shape_key
from jkeras.models.group_trial import SECONDS, GroupTrial
from jkeras.training.device_memory import device_budget
from jkeras.training.state import TrainState
from jkeras.training.task import Task
from jkeras.values.frozen import FrozenDict

# The largest size of a group's weights, gradients and slots: in bytes, by the rule for CPUs; and as a share of the free memory.
CACHE_BYTES = 2 * 2**20
MEMORY_SHARE = 0.5

# The share of a run that measuring may take, the part of it for steps of the first size, and the limit in seconds.
SHARE = 0.05
SHARE_OF_FIRST = 0.01
MOST_SECONDS = 60.0
# The expected duration of a compilation if the first program was already compiled, so that nothing is known.
UNKNOWN_COMPILATION = 10.0
# A program that starts within this time was not compiled.
LEAST_COMPILATION = 0.05
# A size replaces that of the rule only if its steps take less than this share of the time: measurements vary by a few percent.
WORTHWHILE = 0.9

ADVICE = "What was measured cannot be changed; `dict(seconds)` is a copy."


@dataclasses.dataclass(frozen=True)
class Grouping:
    """How the members of an ensemble, a sweep or a cross-validation were trained.

    Attributes:
        size: how many of them in one program; 1 is one after another, by the program of `fit`.
        at_a_time: how many such groups side by side: on CPUs one for each core.
        chosen_by: "argument" (`group=`), "checkpoint" (of the run that goes on), "measurement", or "rule" (by the size of the
            model, where the run is too short to measure anything else).
        seconds: what a training step of all members takes, by group size, as measured.
    """

    size: int
    at_a_time: int = 1
    chosen_by: str = "rule"
    seconds: Mapping[int, float] = dataclasses.field(default_factory=FrozenDict)


@dataclasses.dataclass
class Measurements:
    """What is known of the members of one network, for batches of one shape, on one device.

    Attributes:
        seconds: what a step of all members takes, by group size; infinite where memory is not enough.
        compilation: what compiling a program took at most; None if none was compiled yet.
    """

    seconds: dict[int, float] = dataclasses.field(default_factory=dict)
    compilation: float | None = None

    def expected_cost(self, step: float) -> float:
        """About how many seconds it takes to measure another size, where a step of the sizes so far takes `step`."""
        compilation = UNKNOWN_COMPILATION if self.compilation is None else self.compilation
        return compilation + step + max(step, SECONDS)

    def measure(self, trial: GroupTrial, is_worth: Callable[[float, float], bool] = lambda step, cost: True) -> None:
        """Adds the time of a trial.

        Args:
            trial: of a size that is not known yet.
            is_worth: whether to go on, given about what a step takes and what measuring it takes; in seconds.
        """
        try:
            compilation = trial.compile()
            if compilation > LEAST_COMPILATION:
                self.compilation = max(compilation, self.compilation or 0.0)
            if is_worth(trial.estimate(), trial.cost):
                self.seconds[trial.size] = trial.measure()
        except DeviceMemoryError:
            self.seconds[trial.size] = math.inf


def checked_size(group: int | None) -> int | None:
    """The argument `group`.

    Raises:
        ArgumentError: it is not a positive integer.
    """
    try:
        return None if group is None else positive_int(group)
    except ArgumentError as error:
        raise ArgumentError(
            f"group={group!r}: {error}: how many models are trained in one program, or None to choose."
        ) from None


def groups_at_a_time(groups: int) -> int:
    """How many of these groups train in parallel."""
    return min(groups, os.cpu_count() or 1) if jax.devices()[0].platform == "cpu" else 1


def rule_size(state: TrainState, count: int) -> int:
    """How many of `count` members the rule trains in one program: what the caches hold on CPUs, else what the memory does."""
    if jax.devices()[0].platform != "cpu":
        return _balanced(count, -(-count // _largest(state, count)))
    groups = -(-count // _largest(state, count, CACHE_BYTES))
    cores = min(count, os.cpu_count() or 1)  # as many groups as keep all cores busy, of one size if possible
    return _balanced(count, min(count, -(-max(groups, cores) // cores) * cores))


def _largest(state: TrainState, count: int, budget: float | None = None) -> int:
    """How many members fit into some bytes, with weights, gradients and slots; None means a share of the free memory."""
    each = sum(leaf.nbytes for leaf in jax.tree.leaves((state.params, state.params, state.opt_state))) / count
    return max(1, int((MEMORY_SHARE * device_budget() if budget is None else budget) // max(each, 1)))


def _balanced(count: int, groups: int) -> int:
    return -(-count // groups)


def candidate_sizes(state: TrainState, count: int) -> list[int]:
    """The sizes to measure, that of the rule first: all in one program, as many groups as run side by side, and between."""
    cores = groups_at_a_time(count)
    sizes = [rule_size(state, count), 1, _balanced(count, cores), count, round(math.sqrt(count))]
    most = _largest(state, count)
    return [size for size in dict.fromkeys(sizes) if size <= most or size == sizes[0]]


def choose(task: Task, state: TrainState, epochs: int) -> Grouping:
    """The fastest way to train the members of a stacked state.

    Args:
        task: with the loops of many models.
        state: of all members, with an optimizer's state.
        epochs: the largest number of epochs of the run.
    """
    count = state.step.shape[0]
    sizes = candidate_sizes(state, count)
    source = task.arrays
    total = epochs * source.steps_per_epoch
    known = measurements(task.train, shape_key(source.example()), count, jax.devices()[0], os.cpu_count())
    if len(sizes) > 1 and source.rows >= source.batch_size:
        _measure(known, lambda size: GroupTrial(task, state, size, groups_at_a_time(-(-count // size))), sizes, total)
    seconds = {size: known.seconds[size] for size in sizes if size in known.seconds}
    size = fastest(seconds, sizes[0])
    chosen_by = "measurement" if len(seconds) > 1 else "rule"
    return Grouping(size, groups_at_a_time(-(-count // size)), chosen_by, FrozenDict(seconds, ADVICE))


def fastest(seconds: Mapping[int, float], usual: int) -> int:
    """The size whose steps are quickest; the usual one unless another is quicker by more than measurements differ.

    >>> fastest({4: 1.0, 1: 0.95, 16: 0.8}, usual=4), fastest({4: 1.0, 1: 0.95}, usual=4), fastest({}, usual=4)
    (16, 4, 4)
    """
    if usual not in seconds:
        return usual
    best = min(seconds, key=lambda size: seconds[size])
    return best if seconds[best] < WORTHWHILE * seconds[usual] else usual


def _measure(known: Measurements, trial: Callable[[int], GroupTrial], sizes: list[int], total: int) -> None:
    """Measures what is not known yet, while a share of a run of `total` steps allows it."""
    usual, *others = sizes
    if usual not in known.seconds and SHARE * total >= 2:  # one step to compile, one to estimate
        # Its compilation is no cost of measuring: a run of this size needs it.
        known.measure(trial(usual), lambda step, cost: cost <= SHARE_OF_FIRST * total * step)
    if usual not in known.seconds:
        return
    spent = 0.0
    for size in others:
        if size in known.seconds:
            continue
        step = min(known.seconds.values())
        budget = min((SHARE - SHARE_OF_FIRST) * total * step, MOST_SECONDS) - spent
        # If no size has fit into memory so far (`step` is infinite), one must be found at any cost.
        if math.isfinite(step) and known.expected_cost(step) > budget:
            return
        begin = time.perf_counter()
        known.measure(trial(size))
        spent += time.perf_counter() - begin


@functools.lru_cache(maxsize=256)
def measurements(_step: Any, _batch: Any, _count: int, _device: Any, _cores: int | None) -> Measurements:
    """What this process has measured for such members; filled by `choose`."""
    return Measurements()
