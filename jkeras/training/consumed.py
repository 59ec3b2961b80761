"""Arrays that were given away: `donate=True` trains in a model's own memory, and the model is gone."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import jax

from jkeras.buffers import is_deleted, owned_copy
from jkeras.errors import ConsumedError
from jkeras.tracebacks import caller
from jkeras.training.state import TrainState, arrays_of, is_shared, note_taken, where_taken

# What took arrays, and where it was called: the code and the position in it, of which the line is only made for a message.
Place = tuple[str, CodeType, int]
# Where each array that still has a Python object was given away, by that object's identity.
_PLACES: dict[int, tuple[weakref.ref[Any], Place]] = {}


def consume(state: TrainState, method: str) -> TrainState:
    """The state for a run to train in place. Weights and optimizer are its own arrays; only step and key are copied.

    Args:
        state: the state of a model that nobody uses any more.
        method: of models, which takes it; it was called three frames up.
    """
    note_consumed(state, method, caller(3))
    return in_place(state)


def note_consumed(state: TrainState, method: str, frame: FrameType) -> None:
    """Notes where the arrays of a state are given away: by a function or method that was called in a frame."""
    place = (method, frame.f_code, frame.f_lasti)
    note_taken(state, place)
    if is_shared(state):
        for leaf in filter(_is_on_device, jax.tree.leaves(state.replace(rng=None))):
            _PLACES[id(leaf)] = (weakref.ref(leaf, functools.partial(_forget, id(leaf))), place)


def _is_on_device(leaf: object) -> bool:
    """Whether a leaf is an array that a program can take over."""
    return isinstance(leaf, jax.Array)


def _forget(key: int, _: Any) -> None:
    _PLACES.pop(key, None)


def in_place(state: TrainState) -> TrainState:
    """The state for a run that owns its weights and optimizer, with copies of its step and key."""
    arrays = arrays_of(state)
    step, rng = owned_copy((arrays.step, arrays.rng))
    return state.replace(step=step, rng=rng)


def check_available(state: TrainState) -> None:
    """Compares the arrays of a model that is to be used with those that were given away.

    Raises:
        ConsumedError: a run or a step took one of them.
    """
    if _PLACES or where_taken(state):
        error = _consumed_error(state)
        if error is not None:
            raise error


def called(program: Callable[..., Any], state: TrainState, *arguments: Any) -> Any:
    """What a program gives for arguments that are made of a state.

    Raises:
        ConsumedError: its arrays were given away.
    """
    try:
        return program(*arguments)
    except (RuntimeError, ValueError) as error:  # JAX's, for arrays that are deleted
        consumed = _consumed_error(state)
        if consumed is None:
            raise
        raise consumed from error


def _consumed_error(state: TrainState) -> ConsumedError | None:
    """The error that says where arrays of a state were given away; None where all of them are there, or nobody knows."""
    for leaf in jax.tree.leaves(state):
        if is_deleted(leaf):
            _, place = _PLACES.get(id(leaf), (None, where_taken(state)))
            if place is not None:
                return ConsumedError(_message(place))
    return None


def _message(place: Place) -> str:
    method, code, position = place
    line = next(line for first, behind, line in code.co_lines() if first <= position < behind)
    where = f"{code.co_filename}, line {line}"
    return (
        f"The arrays of this model are gone: `{method}(..., donate=True)` in {where} took them over. Use what it"
        f" returned, or leave out `donate=True` where the model or state that it was given is needed afterwards."
    )
