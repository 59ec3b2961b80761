"""Loops over steps whose steps have no loop inside, which XLA need not search for what it can do about loops.

Its passes that simplify loops and move out of them what does not change look at every array that a loop carries, again and
again. A loop over steps carries all weights and the optimizer's state, and all of it changes; loops inside a step, such as
those of recurrent layers, need these passes.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax

from jkeras.graph.loop_depth import depth_of_loops, unchanged_arrays

# What is computed from fewer elements than this in each step need not be moved out of the loop.
LEAST = 64


Program = Callable[..., Any]


class TraceableProgram(Protocol):
    """What `jax.jit` gives."""

    def __call__(self, *arguments: Any) -> Any: ...
    def trace(self, *arguments: Any) -> Any: ...
    def lower(self, *arguments: Any) -> Any: ...


def needs_passes(program: Any, arguments: Sequence[Any]) -> bool:
    """Whether a traced loop over steps has loops inside its steps, or leaves weights as they are.

    Args:
        program: the `Jaxpr`.
        arguments: a state, whose shapes the step has, and what else it is called with: arrays or their shapes.
    """
    _, *others = arguments
    given = sum(leaf.size >= LEAST for leaf in jax.tree.leaves(others) if not isinstance(leaf, int))
    return depth_of_loops(program) > 1 or unchanged_arrays(program, LEAST) > given


class ChosenByLoops:
    """One of two programs of a loop over steps, chosen by what the step is, when it is first called for some shapes.

    Attributes:
        nested: what is compiled for steps with loops inside, and those that leave weights as they are.
        flat: what is compiled for the others; of the same function.
        recalled: a program for arguments that need not be traced, if there is one.
    """

    def __init__(
        self,
        nested: TraceableProgram,
        flat: TraceableProgram,
        recalled: Callable[[tuple[Any, ...]], Program | None] = lambda _: None,
    ):
        self.nested: TraceableProgram = nested
        self.flat: TraceableProgram = flat
        self.recalled: Callable[[tuple[Any, ...]], Program | None] = recalled
        self._chosen: dict[Any, Program] = {}
        # The step and the data of the latest call, and its program: a run makes many with the same.
        self._latest: tuple[Any, weakref.ref[Any], Program] | None = None

    def __call__(self, *arguments: Any) -> Any:
        step, _, data, *_ = arguments
        latest = self._latest
        if latest is not None and latest[0] is step and latest[1]() is data:
            return latest[2](*arguments)
        program = self._program(arguments)
        self._latest = step, weakref.ref(data), program
        return program(*arguments)

    def lower(self, *arguments: Any) -> Any:
        """The program for these arguments as `jax.stages.Lowered`."""
        return self._traced(arguments).lower(*arguments)

    def _program(self, arguments: tuple[Any, ...]) -> Program:
        # The step has the shapes of the state.
        step, _, *others = arguments
        leaves, structure = jax.tree.flatten(others)
        key = step, structure, *((leaf.shape, leaf.dtype) for leaf in leaves if not isinstance(leaf, int))
        program = self._chosen.get(key)
        if program is None:
            program = self._chosen[key] = self.recalled(arguments) or self._traced(arguments)
        return program

    def _traced(self, arguments: tuple[Any, ...]) -> TraceableProgram:
        # JAX keeps what it traced here for the call.
        nested = needs_passes(self.nested.trace(*arguments).jaxpr, arguments[1:])
        return self.nested if nested else self.flat
