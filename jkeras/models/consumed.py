"""Arrays that a run took over: `fit(..., donate=True)` trains in a model's own memory, and the model is gone."""

from __future__ import annotations

import functools
import weakref
from typing import Any

import jax

from jkeras.buffers import owned_copy
from jkeras.errors import ConsumedError
from jkeras.tracebacks import caller
from jkeras.training.state import TrainState, arrays_of

# Where each array that still has a Python object was given away, by that object's identity.
_PLACES: dict[int, tuple[weakref.ref[Any], str]] = {}


def consume(state: TrainState, method: str) -> TrainState:
    """The state for a run to train in place. Weights and optimizer are its own arrays; only step and key are copied.

    Args:
        state: the state of a model that nobody uses any more.
        method: of models, which takes it; it was called three frames up.
    """
    frame = caller(3)
    place = f"`{method}(..., donate=True)` in {frame.f_code.co_filename}, line {frame.f_lineno}"
    for leaf in jax.tree.leaves(state.replace(step=None, rng=None, metrics=None)):
        _PLACES[id(leaf)] = (weakref.ref(leaf, functools.partial(_forget, id(leaf))), place)
    return in_place(state)


def in_place(state: TrainState) -> TrainState:
    """The state for a run that owns its weights and optimizer, with copies of its step and key."""
    arrays = arrays_of(state)
    step, rng = owned_copy((arrays.step, arrays.rng))
    return state.replace(step=step, rng=rng)


def _forget(key: int, _: Any) -> None:
    _PLACES.pop(key, None)


def check_available(state: TrainState) -> None:
    """Compares the arrays of a model that is to be used with those that were given away.

    Raises:
        ConsumedError: a run took one of them.
    """
    if not _PLACES:
        return
    for leaf in jax.tree.leaves(state):
        _, place = _PLACES.get(id(leaf), (None, None))
        if place is not None and leaf.is_deleted():
            raise ConsumedError(
                f"The arrays of this model are gone: {place} took them over. Use the model that it returned, or leave out"
                f" `donate=True` where the model that `fit` is called on is needed afterwards."
            )
