"""The shapes and types of a computation's outputs, from its code, with unknown sizes kept unknown."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from jkeras import tree
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.variables import StatelessScope, SymbolicScope

# Stand-ins for an unknown size where code does not take a symbolic one: a size of the result that differs between the
# two is unknown as well.
_STAND_INS = (83, 89)


class _Program:
    """A function of the symbolic tensors among given arguments.

    Args:
        function: what is computed.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.function = function
        self.arguments = (args, kwargs)
        self.leaves = tree.flatten(self.arguments)
        self.places = [place for place, leaf in enumerate(self.leaves) if isinstance(leaf, KerasTensor)]
        self.shapes = [self.leaves[place].shape for place in self.places]

    def __call__(self, *arrays: jax.Array) -> Any:
        filled = list(self.leaves)
        for place, array in zip(self.places, arrays, strict=True):
            filled[place] = array
        args, kwargs = tree.pack_sequence_as(self.arguments, filled)
        with StatelessScope():
            return self.function(*args, **kwargs)

    def evaluate(self, shapes: Sequence[tuple[Any, ...]]) -> Any:
        """Shapes and types of the outputs for given shapes of the tensors."""
        types = [self.leaves[place].dtype for place in self.places]
        specs = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in zip(shapes, types, strict=True)]
        with StatelessScope(), SymbolicScope():
            return jax.eval_shape(self, *specs)

    def with_sizes(self, *sizes: Any) -> list[tuple[Any, ...]]:
        """The shapes with sizes in place of the unknown ones: all the same, or one for each."""
        following = itertools.cycle(sizes)
        return [tuple(next(following) if size is None else size for size in shape) for shape in self.shapes]


def _symbolic_size() -> Any:
    # At least 2, so that it is neither broadcast nor squeezed.
    return jax.export.symbolic_shape("(unknown)", constraints=["unknown>=2"])[0]


def infer_output_spec(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Symbolic tensors like what `function` returns for arguments with symbolic tensors among them.

    >>> infer_output_spec(lambda x: x.sum(-1), KerasTensor((None, 3))).shape
    (None,)
    """
    program = _Program(function, args, kwargs)
    if all(None not in shape for shape in program.shapes):
        return jax.tree.map(_tensor, program.evaluate(program.shapes))
    try:
        return jax.tree.map(_tensor, program.evaluate(program.with_sizes(_symbolic_size())))
    except Exception:  # `call` does arithmetic with sizes that a symbolic one does not take, or is wrong
        return jax.tree.map(_tensor, *(program.evaluate(program.with_sizes(size)) for size in _STAND_INS))


def infer_function_spec(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The same for a function of `keras.ops`, where an unknown size may have to be one of the known ones.

    >>> infer_function_spec(lambda x, y: x + y, KerasTensor((None, 3)), KerasTensor((2, None))).shape
    (2, 3)
    """
    try:
        return infer_output_spec(function, *args, **kwargs)
    except Exception as error:
        program = _Program(function, args, kwargs)
        for shapes in _matching(program):
            try:
                return jax.tree.map(_tensor, program.evaluate(shapes))
            except Exception:  # these sizes do not fit either
                continue
        raise error


def _matching(program: _Program) -> Iterator[list[tuple[Any, ...]]]:
    """The shapes with some unknown sizes made equal to known ones, as few as possible first."""
    unknown = sum(shape.count(None) for shape in program.shapes)
    known = sorted({size for shape in program.shapes for size in shape if size is not None}, reverse=True)
    free = _symbolic_size()
    for number in range(1, min(unknown, 3) + 1):
        for places in itertools.combinations(range(unknown), number):
            for sizes in itertools.product(known, repeat=number):
                chosen = dict(zip(places, sizes, strict=True))
                yield program.with_sizes(*(chosen.get(place, free) for place in range(unknown)))


def _tensor(*specs: Any) -> KerasTensor:
    """One tensor like all of these, with None where their sizes differ or are symbolic."""
    sizes = zip(*(spec.shape for spec in specs), strict=True)
    shape = [size[0] if len(set(size)) == 1 and isinstance(size[0], int) else None for size in sizes]
    return KerasTensor(shape, np.dtype(specs[0].dtype).name)
