"""Infers the shapes and dtypes of a computation's outputs from its code; unknown sizes remain unknown."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from jkeras import config, tree
from jkeras.errors import InputError
from jkeras.graph.shapes import show_shape
from jkeras.keras.tensor import KerasTensor
from jkeras.keras.variables import StatelessScope, SymbolicScope

# Substitutes for an unknown size if the code does not support a symbolic one: a size of the result that differs between the
# two is also unknown.
_STAND_INS = (83, 89)
_PLAIN = (str, int, float, bool, complex, type(None))


class _Program:
    """A function of the symbolic tensors among its arguments.

    Args:
        function: the function to infer.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.function = function
        self.arguments = (args, kwargs)
        self.leaves = tree.flatten(self.arguments)
        self.places = [place for place, leaf in enumerate(self.leaves) if isinstance(leaf, KerasTensor)]
        self.shapes = [self.leaves[place].shape for place in self.places]

    # Cached, because JAX asks for it each time and it is slow to compute.
    __signature__ = inspect.Signature([inspect.Parameter("arrays", inspect.Parameter.VAR_POSITIONAL)])

    def __call__(self, *arrays: jax.Array) -> Any:
        filled = list(self.leaves)
        for place, array in zip(self.places, arrays, strict=True):
            filled[place] = array
        args, kwargs = tree.pack_sequence_as(self.arguments, filled)
        with StatelessScope():
            return self.function(*args, **kwargs)

    def key(self) -> tuple[Any, tuple[Any, ...]] | None:
        """What the outputs depend on besides the function; None if something cannot be compared."""
        structure: Any = jax.tree.structure(self.arguments, is_leaf=lambda part: part is None)
        keys: list[tuple[Any, ...]] = []
        for leaf in self.leaves:
            if isinstance(leaf, KerasTensor):
                keys.append((KerasTensor, leaf.shape, leaf.dtype))
            elif isinstance(leaf, slice):
                keys.append((slice, leaf.start, leaf.stop, leaf.step))
            elif leaf is Ellipsis or isinstance(leaf, _PLAIN):
                keys.append((type(leaf), leaf))
            else:
                return None
        plain = all(isinstance(part, _PLAIN) for key in keys if key[0] is slice for part in key[1:])
        return (structure, tuple(keys)) if plain else None

    def evaluate(self, shapes: Sequence[tuple[Any, ...]]) -> Any:
        """The shapes and dtypes of the outputs for given shapes of the tensors."""
        types = [self.leaves[place].dtype for place in self.places]
        specs = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in zip(shapes, types, strict=True)]
        with StatelessScope(), SymbolicScope():
            return jax.eval_shape(self, *specs)

    def with_sizes(self, *sizes: Any) -> list[tuple[Any, ...]]:
        """The shapes with unknown sizes replaced by one size, or by one for each."""
        following = itertools.cycle(sizes)
        return [tuple(next(following) if size is None else size for size in shape) for shape in self.shapes]

    def in_words(self, message: str) -> str:
        """A message with the original shapes instead of substituted ones."""
        for size in _STAND_INS:
            for shape, filled in zip(self.shapes, self.with_sizes(size), strict=True):
                message = message.replace(show_shape(filled), show_shape(shape))
        return message


@functools.cache  # sizes of different scopes are not equal, so JAX would trace and cache everything for each
def _symbolic_size() -> Any:
    # At least 2, so that it is neither broadcast nor squeezed.
    return jax.export.symbolic_shape("(unknown)", constraints=["unknown>=2"])[0]


def infer_output_spec(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Symbolic tensors with the shapes and dtypes of `function`'s results for arguments that include symbolic tensors.

    >>> infer_output_spec(lambda x: x.sum(-1), KerasTensor((None, 3))).shape
    (None,)
    """
    return _tensors(_specs(_Program(function, args, kwargs)))


def _specs(program: _Program) -> Any:
    if all(None not in shape for shape in program.shapes):
        return jax.tree.map(_Spec, program.evaluate(program.shapes))
    try:
        return jax.tree.map(_Spec, program.evaluate(program.with_sizes(_symbolic_size())))
    except Exception:  # `call` computes with sizes in a way that symbolic ones do not support, or has an error
        try:
            return jax.tree.map(_Spec, *(program.evaluate(program.with_sizes(size)) for size in _STAND_INS))
        except InputError as error:
            error.args = (program.in_words(str(error)),)
            raise


def infer_function_spec(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The same for a function of `keras.ops`, which may require an unknown size to equal a known one.

    >>> infer_function_spec(lambda x, y: x + y, KerasTensor((None, 3)), KerasTensor((2, None))).shape
    (2, 3)
    """
    program = _Program(function, args, kwargs)
    key = program.key()
    if key is None:
        return _tensors(_function_specs(program))
    # The settings that the function reads are part of the key.
    return _tensors(_remembered(function, config.floatx(), config.image_data_format(), *key))


@functools.lru_cache(maxsize=2048)
def _remembered(
    function: Callable[..., Any], floatx: str, data_format: str, structure: Any, leaves: tuple[Any, ...]
) -> Any:
    args, kwargs = jax.tree.unflatten(structure, [_leaf(*key) for key in leaves])
    return _function_specs(_Program(function, args, kwargs))


def _leaf(kind: Any, *parts: Any) -> Any:
    if kind is KerasTensor:
        return KerasTensor(*parts, name="spec")
    return slice(*parts) if kind is slice else parts[0]


def _function_specs(program: _Program) -> Any:
    try:
        return _specs(program)
    except Exception as error:
        for shapes in _matching(program):
            try:
                return jax.tree.map(_Spec, program.evaluate(shapes))
            except Exception:  # these sizes do not match either
                continue
        raise error


def _matching(program: _Program) -> Iterator[list[tuple[Any, ...]]]:
    """The shapes with some unknown sizes replaced by known ones, starting with as few as possible."""
    unknown = sum(shape.count(None) for shape in program.shapes)
    known = sorted({size for shape in program.shapes for size in shape if size is not None}, reverse=True)
    free = _symbolic_size()
    for number in range(1, min(unknown, 3) + 1):
        for places in itertools.combinations(range(unknown), number):
            for sizes in itertools.product(known, repeat=number):
                sizes_by_place = dict(zip(places, sizes, strict=True))
                yield program.with_sizes(*(sizes_by_place.get(place, free) for place in range(unknown)))


class _Spec:
    """The common shape and dtype, with None for sizes that differ or are symbolic."""

    def __init__(self, *specs: Any):
        sizes = zip(*(spec.shape for spec in specs), strict=True)
        self.shape = tuple(size[0] if len(set(size)) == 1 and isinstance(size[0], int) else None for size in sizes)
        self.dtype = np.dtype(specs[0].dtype).name


def _tensors(specs: Any) -> Any:
    return jax.tree.map(lambda spec: KerasTensor(spec.shape, spec.dtype), specs)
