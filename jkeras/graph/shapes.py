"""Shapes and types of tensors that have no values yet, and how they are written in messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import jax
import numpy as np

from jkeras import config
from jkeras.types import DTypeLike, PyTree

Sizes = tuple[int | None, ...]


class Shape:
    """The shape of a tensor, None where a size is unknown, and the name of its type."""

    __slots__ = ("shape", "dtype")

    def __init__(self, shape: Sizes, dtype: DTypeLike):
        self.shape: tuple[int | None, ...] = tuple(shape)
        self.dtype = dtype if isinstance(dtype, str) else np.dtype(dtype).name

    def __repr__(self) -> str:
        return f"Shape({show_shape(self.shape)}, {self.dtype!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shape) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))


def is_shape(value: object) -> TypeGuard[Sizes]:
    """Whether a value is a tuple of sizes.

    >>> is_shape((None, 3)), is_shape(()), is_shape((1.5,))
    (True, False, False)
    """
    return (
        isinstance(value, tuple) and bool(value) and all(v is None or isinstance(v, (int, np.integer)) for v in value)
    )


def has_shape(value: object) -> bool:
    """Whether a value is an array of any kind, or represents one: a symbolic tensor, a specification."""
    return isinstance(value, (jax.Array, np.ndarray)) or (hasattr(value, "shape") and hasattr(value, "dtype"))


def as_spec(value: Any, unknown: int = 1) -> jax.ShapeDtypeStruct:
    """Shape and type of an array, a symbolic tensor or a shape tuple (float32).

    Args:
        value: what has them.
        unknown: the size that unknown ones count as, apart from the batch, which counts as 1.
    """
    if not is_shape(value) and not has_shape(value):
        value = np.asarray(value)
    sizes, dtype = (value, config.floatx()) if is_shape(value) else (value.shape, value.dtype)
    shape = tuple((unknown if axis else 1) if size is None else size for axis, size in enumerate(sizes))
    return jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(dtype))


def has_unknown_sizes(value: Any) -> bool:
    """Whether a shape tuple, or the shape of a tensor, has unknown sizes apart from the batch."""
    return None in (value if is_shape(value) else getattr(value, "shape", ()))[1:]


def shape_of(value: Any) -> Any:
    """The shape of a tensor, or a structure of shapes."""
    if isinstance(value, Mapping):
        return {k: shape_of(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [shape_of(v) for v in value]
    return tuple(value.shape) if has_shape(value) else None


def show_shape(shape: Sizes) -> str:
    """A shape as text.

    >>> show_shape((None, 3)), show_shape((2,))
    ('(None, 3)', '(2,)')
    """
    sizes = ", ".join("None" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"


def show_tensors(value: PyTree[Any]) -> str:
    """The shape and dtype of a tensor, or of the tensors in a structure; other values are unchanged.

    >>> show_tensors([np.zeros((2, 3), "float32"), 1])
    '[(2, 3) float32, 1]'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {show_tensors(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(show_tensors, value)) + "]"
    return f"{show_shape(value.shape)} {value.dtype}" if has_shape(value) else repr(value)


def keeps_shape(layer: object, inputs: Shape) -> Shape:
    """`known_output` of classes whose output is like their input."""
    return inputs
