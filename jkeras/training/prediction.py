"""Prediction over a data set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jkeras.console.progress import COMPILING, ProgressBar
from jkeras.errors import InputError
from jkeras.graph.layer import Layer
from jkeras.training import steps
from jkeras.training.array_source import ArraySource
from jkeras.training.batches import fill_up
from jkeras.training.compiled_loops import CompiledLoops
from jkeras.training.hooks import Hooks
from jkeras.training.prefetch import Background
from jkeras.training.program import mixes_samples
from jkeras.training.state import TrainState
from jkeras.training.stream_source import StreamSource
from jkeras.types import PyTree, Verbose

# Where rows do not depend on each other, batches of this size give the same numbers sooner.
FAST_BATCH_SIZE = 512


def predict(
    definition: Layer,
    state: TrainState,
    source: ArraySource | StreamSource,
    callbacks: Hooks,
    *,
    verbose: Verbose,
    chosen_size: bool,
    run_eagerly: bool = False,
    current: Callable[[], TrainState] | None = None,
    loops: CompiledLoops,
) -> Any:
    """The outputs for all rows, as NumPy arrays in the structure of the model's outputs.

    `current` gives the state to use once `on_predict_begin` has been called, which may have changed it.
    """
    pads = not mixes_samples(definition, training=False)
    if isinstance(source, ArraySource) and pads and not chosen_size and source.steps is None:
        size = min(source.rows, FAST_BATCH_SIZE)
        source = ArraySource(source.data, source.rows, size)
    callbacks.call("on_predict_begin")
    state = state if current is None else current()
    bar = ProgressBar(source.steps_per_epoch, verbose=verbose)
    size = steps.batch_size(source.example())
    collected: list[Any] = []
    pending: Any = None
    # Arrays are cut faster than a thread is asked.
    batches: Any = source.batches() if isinstance(source, ArraySource) else Background(source.batches())
    with contextlib.closing(batches):
        for index, batch in enumerate(batches):
            callbacks.call("on_predict_batch_begin", index)
            rows = steps.batch_size(batch)
            x = fill_up(batch, size).x if pads and rows < size else batch.x
            if run_eagerly:
                with jax.disable_jit():
                    outputs = steps.predict(definition, state, jax.tree.map(jax.numpy.asarray, x))
            else:
                with bar.waiting(COMPILING.format("predict")) if index == 0 else contextlib.nullcontext():
                    outputs = loops.predict(definition, state, x)
            if callbacks.callbacks:
                callbacks.call("on_predict_batch_end", index, {"outputs": _fetch(outputs, rows)})
            if pending is not None:
                collected.append(_fetch(*pending))
            pending = (outputs, rows)
            bar.update(index + 1)
    if pending is not None:
        collected.append(_fetch(*pending))
    if not collected:
        raise InputError("The data for prediction yields no batches; a generator can be read only once.")
    bar.finish()
    callbacks.call("on_predict_end")
    return jax.tree.map(lambda *parts: np.concatenate(parts), *collected)


def _fetch(outputs: PyTree[Any], rows: int) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:rows], outputs)
