"""Loops that another process has lowered: a program is made of what was kept, without tracing the step.

JAX's compilation cache is asked for a program by its text, which takes tracing and lowering. Here the text itself is kept
under what it is made of: the values of the step, shapes and types of the arrays, switches and versions. That
is all of it only where everything in the step is jkeras's own; anything else is traced as ever (`jkeras.program_store`).
The first process runs what it kept, too, so that all processes run the same program.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax

from jkeras import lowering
from jkeras.program_store import environment, files
from jkeras.program_store.errors import NotPortableError
from jkeras.program_store.fingerprints import fingerprint
from jkeras.program_store.lowered import Lowered, lowered
from jkeras.training.inner_loops import needs_passes
from jkeras.types import PyTree

logger = logging.getLogger(__name__)


class Recalled(NamedTuple):
    """A lowered program.

    Attributes:
        program: from a flat list of arrays to another.
        outputs: the structure of the results, see `_described`.
        needs_passes: see `inner_loops.needs_passes`.
    """

    program: Lowered
    outputs: Any
    needs_passes: bool


class Recall:
    """Finds lowered programs of a loop, or traces and keeps them.

    Args:
        loop: what is compiled, with its name.
        layout: the class that decides how the loop becomes a program.
        function: of what is static, and of arrays.
        fixed: what the function was made for, beside.
        arrays_from: how many arguments of the function are static.
        trace: makes a traced program of a function and the types of its arguments, all of which it keeps.
    """

    def __init__(
        self,
        loop: Any,
        layout: type,
        function: Callable[..., Any],
        fixed: tuple[Any, ...],
        arrays_from: int,
        trace: Callable[[Callable[..., Any], Sequence[Any]], Any],
    ):
        self._name = loop.name
        self._made_of = loop, layout, fixed
        self._function = function
        self._arrays_from = arrays_from
        self._trace = trace
        self._known: dict[Any, Recalled | None] = {}

        def program(*arguments: Any) -> Any:
            recalled = self.find(arguments)
            if recalled is None:
                return function(*arguments)
            arrays = arguments[arrays_from:]
            outputs = iter(recalled.program(*jax.tree.leaves(arrays)))
            return _filled(recalled.outputs, outputs, arrays)

        program.__name__ = loop.name
        self.program: Callable[..., Any] = program

    def find(self, arguments: tuple[Any, ...]) -> Recalled | None:
        """The program for these arguments; None where it has to be traced."""
        if not environment.is_active():
            return None
        static, arrays = arguments[: self._arrays_from], arguments[self._arrays_from :]
        leaves, structure = jax.tree.flatten(arrays)
        types = map(jax.typeof, leaves)
        specs = tuple(jax.ShapeDtypeStruct(t.shape, t.dtype, weak_type=t.weak_type) for t in types)
        try:
            switches = *environment.switches(), lowering.cache_token()
        except NotPortableError:
            return None
        key = static, structure, tuple((s.shape, s.dtype, s.weak_type) for s in specs), switches
        if key not in self._known:
            try:
                self._known[key] = self._found(static, structure, specs, switches)
                logger.debug("%s need not be traced again", self._name)
            except NotPortableError as reason:
                logger.debug("%s is traced: %s", self._name, reason)
                self._known[key] = None
        return self._known[key]

    def _found(self, static: tuple[Any, ...], structure: PyTree[Any], specs: Sequence[Any], switches: Any) -> Any:
        made_of = (self._made_of, static, structure, [(s.shape, str(s.dtype), s.weak_type) for s in specs])
        text = repr((fingerprint(made_of), switches, environment.environment()))
        key = hashlib.blake2b(text.encode(), digest_size=24).hexdigest()
        return self._loaded(key, specs) or self._made(key, static, structure, specs)

    def _made(self, key: str, static: tuple[Any, ...], structure: PyTree[Any], specs: Sequence[Any]) -> Recalled:
        results: list[Any] = []

        def flat(*leaves: Any) -> Any:
            results[:] = [self._function(*static, *jax.tree.unflatten(structure, leaves))]
            return jax.tree.leaves(results[0])

        flat.__name__ = self._name
        traced = self._trace(flat, specs)
        arguments = jax.tree.unflatten(structure, specs)
        described = _described(results.pop(), arguments)
        program = lowered(self._name, traced, specs)
        logger.debug("%s is kept", self._name)
        nested = needs_passes(traced.jaxpr, arguments)
        files.write(key, files.Entry([program.results, described, nested], program.code))
        return Recalled(program, described, nested)

    def _loaded(self, key: str, specs: Sequence[Any]) -> Recalled | None:
        entry = files.read(key)
        if entry is None:
            return None
        results, described, nested = entry.facts
        return Recalled(Lowered(self._name, entry.program, results, specs), described, nested)


# -- structures of results as JSON ---------------------------------------------------------------------------------------


def _described(result: Any, arguments: Sequence[Any]) -> Any:
    """The structure of a result: of plain containers, and of arguments.

    Raises:
        NotPortableError: there is another one.
    """
    if result is None:
        return None
    if isinstance(result, jax.core.Tracer):
        return "array"
    if type(result) is dict and all(type(name) is str for name in result):
        return {name: _described(result[name], arguments) for name in sorted(result)}
    if type(result) in (tuple, list):
        return [type(result).__name__, *(_described(part, arguments) for part in result)]
    structure: Any = jax.tree.structure(result)
    for number, argument in enumerate(arguments):
        if jax.tree.structure(argument) == structure:
            return number
    raise NotPortableError(f"a result is {type(result)}")


def _filled(described: Any, leaves: Any, arguments: Sequence[Any]) -> Any:
    """A result of such a structure, with arrays in the order in which JAX has them."""
    if described is None:
        return None
    if described == "array":
        return next(leaves)
    if isinstance(described, dict):
        return {name: _filled(part, leaves, arguments) for name, part in described.items()}
    if isinstance(described, list):
        kind, *parts = described
        filled = [_filled(part, leaves, arguments) for part in parts]
        return tuple(filled) if kind == "tuple" else filled
    structure: Any = jax.tree.structure(arguments[described])
    return jax.tree.unflatten(structure, [next(leaves) for _ in range(structure.num_leaves)])


class RecalledProgram:
    """A program that is not traced where it is recalled.

    Args:
        called: of `jax.jit`, which recalls.
        traced: of `jax.jit`, which traces, for those who look at a program.
    """

    __slots__ = ("called", "lower", "trace", "traced")

    def __init__(self, called: Any, traced: Any):
        self.called = called
        self.traced = traced
        self.lower = traced.lower
        self.trace = traced.trace

    def __call__(self, *arguments: Any) -> Any:
        return self.called(*arguments)
