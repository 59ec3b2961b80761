"""Elements of data sets, which are arrays in tuples and dicts: flattening, stacking, padding, describing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import jax
import numpy as np

from jkeras import arguments
from jkeras.dtypes import array_dtype
from jkeras.errors import ArgumentError, InputError
from jkeras.types import DTypeLike

# What a data set yields: an array, or nested tuples and dicts of arrays. A type checker cannot tell which, so
# `for x, y in dataset` and `for image in dataset` are both accepted.
Element: TypeAlias = Any
# Something for each array of an element (`TensorSpec`s, dtypes, shapes), in the structure of the element.
Structure: TypeAlias = Any


@dataclasses.dataclass(frozen=True, init=False)
class TensorSpec:
    """The shape and dtype of an array in an element.

    Args:
        shape: the sizes, with None for any size; a shape of None means any shape.
        dtype: the dtype.

    Raises:
        ArgumentError: the shape is not a tuple of sizes, or the dtype is unknown.

    >>> TensorSpec((None, 3), "float32")
    TensorSpec(shape=(None, 3), dtype=dtype('float32'))
    """

    shape: tuple[int | None, ...] | None
    dtype: np.dtype[Any]

    def __init__(self, shape: Sequence[int | None] | None, dtype: DTypeLike = "float32"):
        listed = tuple(shape) if isinstance(shape, Iterable) and not isinstance(shape, (str, Mapping)) else shape
        sizes = arguments.checked("TensorSpec", "shape", listed, arguments.optional(arguments.shape))
        object.__setattr__(self, "shape", sizes)
        object.__setattr__(self, "dtype", arguments.checked("TensorSpec", "dtype", dtype, array_dtype))

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape matches."""
        if self.shape is None:
            return True
        sizes = zip(self.shape, shape, strict=False)
        return len(self.shape) == len(shape) and all(want in (None, have) for want, have in sizes)


def is_leaf(value: object) -> bool:
    """Whether a value is an array or convertible to one: lists are arrays, tuples and dicts are structure."""
    return not isinstance(value, (tuple, dict))


def map_leaves(function: Callable[..., Any], structure: Structure, *others: Structure) -> Structure:
    """Replaces every leaf by the function of it and of the leaves at the same place in the other structures."""
    return jax.tree.map(function, structure, *others, is_leaf=is_leaf)


def flatten(structure: Structure) -> tuple[list[Any], Any]:
    """All leaves, and a function that rebuilds the structure from others."""
    return jax.tree.flatten(structure, is_leaf=is_leaf)


def leaves(structure: Structure) -> list[Any]:
    """All leaves."""
    return jax.tree.leaves(structure, is_leaf=is_leaf)


@runtime_checkable
class Column(Protocol):
    """A column of a Pandas or Polars frame, or any other object with `to_numpy`."""

    def to_numpy(self) -> np.ndarray:
        """The values."""


@runtime_checkable
class Frame(Column, Protocol):
    """A Pandas or Polars data frame."""

    @property
    def columns(self) -> Iterable[str]:
        """The names of the columns."""

    def __getitem__(self, name: str) -> Column:
        """A column."""


@runtime_checkable
class Typed(Protocol):
    """An array of any library, or a shape and dtype."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""


def to_array(value: object) -> np.ndarray:
    """A leaf as a NumPy array: arrays of any library, lists, numbers, strings, columns of frames."""
    plain = isinstance(value, (np.ndarray, np.generic, int, float, str, list))  # faster than checks of protocols
    return np.asarray(value.to_numpy() if not plain and isinstance(value, Column) else value)


def to_arrays(element: Element) -> Element:
    """An element with arrays as leaves; a frame becomes a dict of its columns, as in `tf.data`."""
    if isinstance(element, Frame):
        element = {name: element[name] for name in element.columns}
    return map_leaves(to_array, element)


def to_tensors(element: Element, function: str) -> Element:
    """Like `to_arrays`, for values that a user passed.

    Raises:
        InputError: a leaf cannot be converted to an array.
    """
    arrays = to_arrays(element)
    for array in leaves(arrays):
        if array.dtype.kind == "O" and not array.ndim and not isinstance(array.item(), (str, bytes)):
            raise InputError(
                f"{function}({arguments.shown(array.item())}): expected arrays, or lists of numbers or strings."
            )
    return arrays


def as_arrays(element: Element) -> Element:
    """An element in which leaves that are not arrays of any library are converted to NumPy arrays."""
    return map_leaves(lambda leaf: leaf if isinstance(leaf, (np.ndarray, Typed)) else to_array(leaf), element)


def declared(types: Structure, shapes: Structure = None) -> Structure:
    """`TensorSpec`s from dtypes, in the structure of an element, and shapes, in that structure or None."""
    structure = structure_of(types)
    one_each = [None] * structure.num_leaves if shapes is None else structure.flatten_up_to(shapes)
    return structure.unflatten([TensorSpec(s, t) for s, t in zip(one_each, leaves(types), strict=True)])


def signature_of(structure: Structure) -> Structure:
    """`TensorSpec`s from anything with `shape` and `dtype`, in the structure of an element.

    Raises:
        ArgumentError: a leaf has no `shape` or `dtype`.
    """
    return map_leaves(_spec_from, structure)


def _spec_from(leaf: object) -> TensorSpec:
    if isinstance(leaf, TensorSpec):
        return leaf
    if not isinstance(leaf, Typed):
        raise ArgumentError(f"output_signature: expected a TensorSpec for each array, got {arguments.shown(leaf)}.")
    return TensorSpec(leaf.shape, leaf.dtype)


def conform(element: Element, spec: Structure, index: int) -> Element:
    """An element as arrays with the declared dtypes.

    Args:
        element: an element from a generator.
        spec: `TensorSpec`s in the structure of an element; None accepts anything.
        index: the index of the element, for messages.

    Raises:
        InputError: its structure, a shape or a dtype is different.
    """
    if spec is None:
        return to_arrays(element)
    structure = structure_of(spec)
    spec_leaves = leaves(spec)
    try:
        elements = [to_array(leaf) for leaf in structure.flatten_up_to(element)]
        pairs = list(zip(spec_leaves, elements, strict=True))
        fits = all(want.accepts(array.shape) for want, array in pairs)
        arrays = [array.astype(want.dtype, casting="same_kind") for want, array in pairs] if fits else []
    except (TypeError, ValueError):
        fits = False
    if not fits:
        declaration = describe(structure.unflatten(spec_leaves))
        raise InputError(
            f"from_generator(): element {index} is {describe(as_arrays(element))}, but {declaration} was declared."
        )
    return structure.unflatten(arrays)


def call(function: Callable[..., Any], element: Element) -> Element:
    """Calls a user's function with an element: a tuple becomes separate arguments."""
    return function(*element) if type(element) is tuple else function(element)


def describe(element: Element) -> str:
    """The structure of an element with dtypes and shapes.

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
    return f"{element.dtype}{list(element.shape)}" if isinstance(element, Typed) else type(element).__name__


def spec_of(element: Element, unknown_rows: bool = False) -> Structure:
    """The `TensorSpec`s of an element; with `unknown_rows` the first size of each is None."""

    def spec(leaf: object) -> TensorSpec:
        array = to_array(leaf)
        shape = (None, *array.shape[1:]) if unknown_rows and array.ndim else array.shape
        return TensorSpec(shape, array.dtype)

    return map_leaves(spec, element)


def structure_of(element: Element) -> Any:  # a PyTreeDef, which JAX does not type
    """What elements of a batch must have in common."""
    return jax.tree.structure(element, is_leaf=is_leaf)


def differ(first: Element, element: Element, index: int, whose: str) -> InputError:
    """The error for an element that does not match the first of its batch."""
    return InputError(
        f"{whose}: element {index} of the data set is {describe(element)}, but the elements before are {describe(first)}."
        " All elements of a batch must have the same structure and shape; `padded_batch` pads different shapes."
    )


def stack(elements: Sequence[Element], start: int = 0) -> Element:
    """Stacks elements along a new first axis.

    Args:
        elements: a nonempty list of elements.
        start: the index of the first element in its data set, for messages.

    Raises:
        InputError: the elements differ in structure or shape.
    """
    structure = structure_of(elements[0])
    columns: list[list[np.ndarray]] = [[] for _ in range(structure.num_leaves)]
    for index, element in enumerate(elements, start):
        flat, structure_here = flatten(element)
        if structure_here != structure:
            raise differ(elements[0], element, index, "batch()")
        for column, leaf in zip(columns, flat, strict=True):
            array = leaf if isinstance(leaf, np.ndarray) else to_array(leaf)
            if column and array.shape != column[0].shape:
                raise differ(elements[0], element, index, "batch()")
            column.append(array)
    return jax.tree.unflatten(structure, [np.stack(column) for column in columns])


def stack_padded(elements: Sequence[Element], shapes: Structure, values: Structure, start: int = 0) -> Element:
    """Pads elements to one shape, at the end of each axis, and stacks them.

    Args:
        elements: a nonempty list of elements.
        shapes: shapes in the structure of an element; None, or a size of None or -1, means the largest that occurs.
        values: the values to pad with, one for all or in the structure of an element; None means 0, or "" for strings.
        start: the index of the first element in its data set, for messages.

    Raises:
        InputError: the elements differ in structure or rank, or one is larger than the target shape.
    """
    structure = structure_of(elements[0])
    columns: list[list[np.ndarray]] = [[] for _ in range(structure.num_leaves)]
    for index, element in enumerate(elements, start):
        arrays = [to_array(leaf) for leaf in leaves(element)] if structure_of(element) == structure else []
        if not arrays or any(column and a.ndim != column[0].ndim for a, column in zip(arrays, columns, strict=True)):
            raise differ(elements[0], element, index, "padded_batch()")
        for column, array in zip(columns, arrays, strict=True):
            column.append(array)
    target_shapes = _spread(structure, shapes, "padded_shapes")
    fills = _spread(structure, values, "padding_values")
    padded = [_pad(*parts, start) for parts in zip(columns, target_shapes, fills, strict=True)]
    return jax.tree.unflatten(structure, padded)


def _spread(structure: Any, value: Structure, name: str) -> list[Any]:  # structure: a PyTreeDef
    """One value per leaf, from one for all or one for each."""
    if value is None or np.isscalar(value):
        return [value] * structure.num_leaves
    try:
        values: list[Any] = structure.flatten_up_to(value)
    except ValueError:
        raise InputError(
            f"padded_batch({name}={value!r}): expected the structure of an element, {structure}."
        ) from None
    return values


def _pad(
    column: list[np.ndarray],
    declared_shape: Sequence[int | None] | Typed | None,
    fill: complex | str | bytes | np.generic | None,
    start: int,
) -> np.ndarray:
    largest = np.max([array.shape for array in column], axis=0)
    shape = declared_shape.shape if isinstance(declared_shape, (TensorSpec, Typed)) else declared_shape
    sizes: list[int | None] = [None] * len(largest) if shape is None else list(shape)
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
        place: tuple[int | slice, ...] = (row, *map(slice, array.shape))
        batch[place] = array
    return batch
