"""Callbacks are told of batches, if they want to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from jkeras.training.hooks import Hooks


class Observed(Protocol):
    """A run or pass that callbacks are told of."""

    @property
    def callbacks(self) -> Hooks: ...
    def call(self, hook: str, *args: Any) -> None: ...


class BatchHooks:
    """The hooks around each batch of a run or pass; those that no callback defines are not called.

    Args:
        run: whose callbacks are told.
        phase: what happens to the batches: `on_{phase}_batch_begin` and `on_{phase}_batch_end` are called.

    Attributes:
        wanted: whether a callback defines either of them.
    """

    def __init__(self, run: Observed, phase: Literal["train", "test", "predict"]):
        self._run = run
        self._begin = f"on_{phase}_batch_begin"
        self._end = f"on_{phase}_batch_end"
        older = ["on_batch_begin", "on_batch_end"] if phase == "train" else []  # names of the hooks of training
        self._begins = run.callbacks.wants(self._begin, *older[:1])
        self._ends = run.callbacks.wants(self._end, *older[1:])
        self.wanted: bool = self._begins or self._ends

    def begin(self, index: int) -> None:
        """Called before a batch."""
        if self._begins:
            self._run.call(self._begin, index)

    def end(self, index: int, logs: Callable[[], Mapping[str, Any]]) -> None:
        """Called after a batch, with a function that gives what the callbacks are to see of it."""
        if self._ends:
            self._run.call(self._end, index, logs())
