"""Where a loss stopped being finite."""

from __future__ import annotations

import math

import jax
import numpy as np

from jkeras.training import steps
from jkeras.training.state import Batch, TrainState, arrays_of
from jkeras.training.task import Task


def non_finite(task: Task, before: TrainState, after: TrainState, batch: Batch, index: int) -> str | None:
    """At which step and in which layer a loss stopped being finite; None if it is."""
    loss = float(task.logs(task.train, arrays_of(after).metrics).get("loss", 0.0))
    if math.isfinite(loss):
        return None
    result = steps.forward(task.train.program, before, batch, training=True, check_finite=True)
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
