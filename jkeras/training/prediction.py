"""Prediction over a data set."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import jax
import numpy as np

from jkeras.console.progress import ProgressBar
from jkeras.errors import InputError
from jkeras.training import steps
from jkeras.training.array_source import ArraySource
from jkeras.training.batch_hooks import BatchHooks
from jkeras.training.batches import fill_up
from jkeras.training.evaluation import Pass
from jkeras.training.prefetch import ReadAhead
from jkeras.training.program import mixes_samples
from jkeras.training.task import PredictionTask
from jkeras.types import PyTree, Verbose

# Where rows do not depend on each other, batches of this size give the same numbers sooner.
FAST_BATCH_SIZE = 512


def predict(task: PredictionTask, run: Pass, verbose: Verbose = 0) -> Any:
    """The outputs for all rows, as NumPy arrays in the structure of the model's outputs.

    Args:
        task: see `prepare_prediction`.
        run: is told of it; its state counts once `on_predict_begin` has been called.
        verbose: the verbose of the bar.
    """
    source = task.source
    pads = not mixes_samples(task.definition, training=False)
    if isinstance(source, ArraySource) and pads and not task.chosen_size and source.steps is None:
        source = ArraySource(source.data, source.rows, min(source.rows, FAST_BATCH_SIZE))
    run.call("on_predict_begin")
    state, hooks = run.state, BatchHooks(run, "predict")
    bar = ProgressBar(source.steps_per_epoch, verbose=verbose)
    size = steps.batch_size(source.example())
    collected: list[Any] = []
    pending: Any = None
    # Arrays are cut faster than a thread is asked.
    batches: Any = source.batches() if isinstance(source, ArraySource) else ReadAhead(source.batches())
    with contextlib.closing(batches):
        for index, batch in enumerate(batches):
            hooks.begin(index)
            rows = steps.batch_size(batch)
            x = fill_up(batch, size).x if pads and rows < size else batch.x
            if task.run_eagerly:
                with jax.disable_jit():
                    outputs = steps.predict(task.definition, state, jax.tree.map(jax.numpy.asarray, x))
            else:
                with bar.compiling("predict") if index == 0 else contextlib.nullcontext():
                    outputs = task.loops.predict(task.definition, state, x)
            hooks.end(index, functools.partial(batch_logs, outputs, rows))
            if pending is not None:
                collected.append(fetched(*pending))
            pending = (outputs, rows)
            bar.update(index + 1)
    if pending is not None:
        collected.append(fetched(*pending))
    if not collected:
        raise InputError("The data for prediction yields no batches; a generator can be read only once.")
    bar.finish()
    run.call("on_predict_end")
    return jax.tree.map(lambda *parts: np.concatenate(parts), *collected)


def batch_logs(outputs: PyTree[Any], rows: int) -> dict[str, Any]:
    """What callbacks are told of a batch."""
    return {"outputs": fetched(outputs, rows)}


def fetched(outputs: PyTree[Any], rows: int) -> Any:
    """The first rows of outputs as NumPy arrays; the others only fill up a batch."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:rows], outputs)
