"""How many rows are evaluated at once, where the size of batches does not show in the numbers."""

from __future__ import annotations

import math

from jkeras.graph.describe import Description, describe
from jkeras.training import steps
from jkeras.training.program import Program, call_arguments
from jkeras.training.state import Batch
from jkeras.training.step import Step

# Products of more rows than this are not faster (`benchmarks.run --workloads evaluate`).
MOST_ROWS = 1024
# Programs whose largest array leaves the processor's caches are slower: a transformer with 1024 rows at once takes twice
# the time that it takes with 32, a recurrent network with 512 a third more than with 64.
MOST_BYTES = 4 << 20


def merged_rows(step: Step, batch: Batch, rows: int) -> int:
    """How many rows a program for evaluation takes at once: a multiple of the batch size, or that itself.

    Where rows do not act on each other, Keras's numbers are means over rows, so batches may be put together. They are not
    where a step is a user's own, an output has a mask (each batch is divided by how many of its values count), a layer adds
    losses of its own or keeps a state of what it saw, or a loss or a metric is not known to be a sum over rows.

    Args:
        step: the step of evaluation.
        batch: the shapes of a batch.
        rows: the rows of the data.
    """
    size = steps.batch_size(batch)
    program = step.program
    if step.function is not steps.evaluate or size >= rows or not _sums_rows(program):
        return size
    description = describe(program.definition, *call_arguments(batch.x))
    if not _merges(description):
        return size
    most = min(MOST_ROWS, MOST_BYTES * size // max(description.traced.largest, 1))
    passes = math.ceil(rows / max(size, most // size * size))
    return size * math.ceil(rows / passes / size)


def _sums_rows(program: Program) -> bool:
    """Whether rows do not act on each other, and losses and metrics are sums over them."""
    return not program.mixes_samples(training=False) and program.objective.adds_rows


def _merges(description: Description) -> bool:
    """Whether a pass divides nothing by what a batch has, keeps nothing and adds no losses of its own."""
    traced = description.traced
    penalties = sum(weight.regularizer is not None for weight in description.weights)
    return not traced.masks_outputs and traced.keeps_state and traced.losses == penalties
