"""Loops over steps whose steps have no loop inside, which XLA need not search for what it can do about loops.

Its passes that simplify loops and move out of them what does not change look at every array that a loop carries, again and
again. A loop over steps carries all weights and the optimizer's state, and all of it changes; loops inside a step, such as
those of recurrent layers, need these passes.
"""

from __future__ import annotations

import weakref
from typing import Any, Protocol

import jax

from jkeras.graph.loop_depth import depth_of_loops, unchanged_arrays

# What is computed from fewer elements than this in each step need not be moved out of the loop.
LEAST = 64


class TraceableProgram(Protocol):
    """What `jax.jit` gives."""

    def __call__(self, *arguments: Any) -> Any: ...
    def trace(self, *arguments: Any) -> Any: ...
    def lower(self, *arguments: Any) -> Any: ...


class ChosenByLoops:
    """One of two programs of a loop over steps, chosen by what the step is, when it is first called for some shapes.

    Attributes:
        nested: what is compiled for steps with loops inside, and those that leave weights as they are.
        flat: what is compiled for the others; of the same function.
    """

    def __init__(self, nested: TraceableProgram, flat: TraceableProgram):
        self.nested: TraceableProgram = nested
        self.flat: TraceableProgram = flat
        self._chosen: dict[Any, TraceableProgram] = {}
        # The step and the data of the latest call, and its program: a run makes many with the same.
        self._latest: tuple[Any, weakref.ref[Any], TraceableProgram] | None = None

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
        return self._program(arguments).lower(*arguments)

    def _program(self, arguments: tuple[Any, ...]) -> TraceableProgram:
        # The step has the shapes of the state.
        step, _, *others = arguments
        leaves, structure = jax.tree.flatten(others)
        key = step, structure, *((leaf.shape, leaf.dtype) for leaf in leaves if not isinstance(leaf, int))
        program = self._chosen.get(key)
        if program is None:
            # JAX keeps what it traced here for the call.
            traced = self.nested.trace(*arguments).jaxpr
            given = sum(leaf.size >= LEAST for leaf in leaves if not isinstance(leaf, int))
            nested = depth_of_loops(traced) > 1 or unchanged_arrays(traced, LEAST) > given
            program = self._chosen[key] = self.nested if nested else self.flat
        return program
