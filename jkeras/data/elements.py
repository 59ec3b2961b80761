"""Elements of data sets: arrays in tuples and dicts; how they are taken apart, put together and described."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jkeras.errors import InputError


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """Shape and type of an array in an element; None stands for any size, or in place of the shape for any shape.

    >>> TensorSpec((None, 3), "float32")
    TensorSpec(shape=(None, 3), dtype=dtype('float32'))
    """

    shape: tuple[int | None, ...] | None
    dtype: Any = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", None if self.shape is None else tuple(self.shape))
        object.__setattr__(self, "dtype", np.dtype(self.dtype))

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether an array may have this shape."""
        if self.shape is None:
            return True
        sizes = zip(self.shape, shape, strict=False)
        return len(self.shape) == len(shape) and all(want in (None, have) for want, have in sizes)


def is_leaf(value: Any) -> bool:
    """Whether a value is an array, or something to make one of: lists are arrays, tuples and dicts are structure."""
    return not isinstance(value, (tuple, dict))


def map_leaves(function: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """The structure with every leaf replaced by what the function gives for it and those at the same place in others."""
    return jax.tree.map(function, structure, *others, is_leaf=is_leaf)


def flatten(structure: Any) -> tuple[list[Any], Any]:
    """All leaves, and what puts others together in the same way."""
    return jax.tree.flatten(structure, is_leaf=is_leaf)


def leaves(structure: Any) -> list[Any]:
    """All leaves."""
    return jax.tree.leaves(structure, is_leaf=is_leaf)


def to_array(value: Any) -> np.ndarray:
    """A leaf as a NumPy array: arrays of any library, lists, numbers, strings, columns of frames."""
    return np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)


def to_arrays(element: Any) -> Any:
    """An element with arrays for leaves; a frame becomes a dict of its columns, as in `tf.data`."""
    if hasattr(element, "columns") and hasattr(element, "to_numpy"):
        element = {name: element[name] for name in element.columns}
    return map_leaves(to_array, element)


def as_arrays(element: Any) -> Any:
    """An element with NumPy arrays for what is no array of any library."""
    return map_leaves(
        lambda leaf: leaf if hasattr(leaf, "shape") and hasattr(leaf, "dtype") else to_array(leaf), element
    )


def declared(types: Any, shapes: Any = None) -> Any:
    """`TensorSpec`s from types, in the structure of an element, and shapes, in that structure or None."""
    structure = structure_of(types)
    one_each = [None] * structure.num_leaves if shapes is None else structure.flatten_up_to(shapes)
    return structure.unflatten([TensorSpec(s, t) for s, t in zip(one_each, leaves(types), strict=True)])


def conform(element: Any, spec: Any, index: int) -> Any:
    """An element as arrays of the types that were said.

    Args:
        element: what a generator yielded.
        spec: `TensorSpec`s, or anything else with `shape` and `dtype`, in the structure of an element; None for anything.
        index: the number of the element, for messages.

    Raises:
        InputError: its structure, a shape or a type is another.
    """
    if spec is None:
        return to_arrays(element)
    structure = structure_of(spec)
    wanted = [leaf if isinstance(leaf, TensorSpec) else TensorSpec(leaf.shape, leaf.dtype) for leaf in leaves(spec)]
    try:
        found = [to_array(leaf) for leaf in structure.flatten_up_to(element)]
        fits = all(one.accepts(array.shape) for one, array in zip(wanted, found, strict=True))
        arrays = (
            [array.astype(one.dtype, casting="same_kind") for one, array in zip(wanted, found, strict=True)]
            if fits
            else []
        )
    except (TypeError, ValueError):
        fits = False
    if not fits:
        said = describe(structure.unflatten(wanted))
        raise InputError(f"from_generator(): element {index} is {describe(as_arrays(element))}, but {said} was said.")
    return structure.unflatten(arrays)


def call(function: Callable[..., Any], element: Any) -> Any:
    """Calls a user's function with an element: a tuple becomes several arguments."""
    return function(*element) if type(element) is tuple else function(element)


def describe(element: Any) -> str:
    """The structure of an element with types and shapes.

    >>> describe((np.zeros((28, 28), "uint8"), {"label": np.int32(3)}))
    "(uint8[28, 28], {'label': int32[]})"
    """
    if isinstance(element, Mapping):
        return "{" + ", ".join(f"{key!r}: {describe(value)}" for key, value in element.items()) + "}"
    if isinstance(element, tuple):
        return "(" + ", ".join(map(describe, element)) + ("," if len(element) == 1 else "") + ")"
    if isinstance(element, TensorSpec):
        return f"{element.dtype}{'[any shape]' if element.shape is None else list(element.shape)}"
    if isinstance(element, list):
        return f"list of {len(element)}"
    if not hasattr(element, "shape") or not hasattr(element, "dtype"):
        return type(element).__name__
    return f"{element.dtype}{list(element.shape)}"


def spec_of(element: Any, unknown_rows: bool = False) -> Any:
    """The `TensorSpec`s of an element; with `unknown_rows` the first size of each is None."""

    def spec(leaf: Any) -> TensorSpec:
        array = to_array(leaf)
        shape = (None, *array.shape[1:]) if unknown_rows and array.ndim else array.shape
        return TensorSpec(shape, array.dtype)

    return map_leaves(spec, element)


def structure_of(element: Any) -> Any:
    """What two elements must have in common to go together."""
    return jax.tree.structure(element, is_leaf=is_leaf)


def differ(first: Any, element: Any, index: int, whose: str) -> InputError:
    """The error for an element that does not go together with the first of its batch."""
    return InputError(
        f"{whose}: element {index} of the data set is {describe(element)}, but the elements before are {describe(first)}."
        " All elements of a batch must have one structure and one shape; `padded_batch` fills up different shapes."
    )


def stack(elements: Sequence[Any], start: int = 0) -> Any:
    """Elements as one, with a new first axis.

    Args:
        elements: at least one.
        start: the number of the first in its data set, for messages.

    Raises:
        InputError: they differ in structure or shape.
    """
    structure = structure_of(elements[0])
    columns: list[list[np.ndarray]] = [[] for _ in range(structure.num_leaves)]
    for index, element in enumerate(elements, start):
        flat, found = flatten(element)
        if found != structure:
            raise differ(elements[0], element, index, "batch()")
        for column, leaf in zip(columns, flat, strict=True):
            array = leaf if isinstance(leaf, np.ndarray) else to_array(leaf)
            if column and array.shape != column[0].shape:
                raise differ(elements[0], element, index, "batch()")
            column.append(array)
    return jax.tree.unflatten(structure, [np.stack(column) for column in columns])


def stack_padded(elements: Sequence[Any], shapes: Any, values: Any, start: int = 0) -> Any:
    """Elements as one, filled up at their ends to one shape.

    Args:
        elements: at least one.
        shapes: the structure of an element, with shapes for leaves; None, or a size of None or -1, is the largest that occurs.
        values: what to fill with: one for all, or the structure of an element; None is 0, or "" for strings.
        start: the number of the first in its data set, for messages.

    Raises:
        InputError: they differ in structure or number of axes, or are larger than the shape asked for.
    """
    structure = structure_of(elements[0])
    columns: list[list[np.ndarray]] = [[] for _ in range(structure.num_leaves)]
    for index, element in enumerate(elements, start):
        arrays = [to_array(leaf) for leaf in leaves(element)] if structure_of(element) == structure else []
        if not arrays or any(column and a.ndim != column[0].ndim for a, column in zip(arrays, columns, strict=True)):
            raise differ(elements[0], element, index, "padded_batch()")
        for column, array in zip(columns, arrays, strict=True):
            column.append(array)
    wanted = _spread(structure, shapes, "padded_shapes")
    fills = _spread(structure, values, "padding_values")
    padded = [_pad(*parts, start) for parts in zip(columns, wanted, fills, strict=True)]
    return jax.tree.unflatten(structure, padded)


def _spread(structure: Any, value: Any, name: str) -> list[Any]:
    """A value for each leaf, from one for all or one for each."""
    if value is None or np.isscalar(value):
        return [value] * structure.num_leaves
    try:
        return structure.flatten_up_to(value)
    except ValueError:
        raise InputError(
            f"padded_batch({name}={value!r}): expected the structure of an element, {structure}."
        ) from None


def _pad(column: list[np.ndarray], wanted: Any, fill: Any, start: int) -> np.ndarray:
    largest = np.max([array.shape for array in column], axis=0)
    sizes = [None] * len(largest) if wanted is None else list(getattr(wanted, "shape", wanted))
    if len(sizes) != len(largest):
        raise InputError(f"padded_batch(): a padded shape of {len(sizes)} axes for elements of {len(largest)} axes.")
    target = tuple(int(have) if want in (None, -1) else int(want) for want, have in zip(sizes, largest, strict=True))
    if fill is None:
        fill = "" if column[0].dtype.kind in "USO" else 0
    batch = np.full((len(column), *target), fill, np.result_type(*column))
    for row, array in enumerate(column):
        if any(have > most for have, most in zip(array.shape, target, strict=True)):
            raise InputError(
                f"padded_batch(): element {start + row} of the data set is {describe(array)}, which is larger than the padded"
                f" shape {target}."
            )
        place: Any = (row, *map(slice, array.shape))
        batch[place] = array
    return batch
