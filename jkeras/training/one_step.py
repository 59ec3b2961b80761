"""Runs of a single step on little data, which notebooks and loops of reinforcement learning make by the thousand.

Their step is that of `train_on_batch`: a program that gives no buffers away, so that nothing is copied for it, where the loop
over steps works in a copy of the state. `feeds.OneStepFeed` brings it its data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax

from jkeras.training.array_source import ArraySource
from jkeras.training.borrowed_arrays import LEAST_BYTES
from jkeras.training.hooks import Hooks
from jkeras.training.state import TrainState, arrays_of

if TYPE_CHECKING:
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
