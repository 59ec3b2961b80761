"""Dtypes and shapes, as users write them."""

from __future__ import annotations

import operator
from typing import Any

import jax
import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError

_INTEGERS = tuple(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64))
_FLOATS = ("bfloat16", "float16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")
ALLOWED_DTYPES = frozenset(("bool", "string", "complex64", "complex128", "int4", "uint4", *_INTEGERS, *_FLOATS))
_NUMBERS: dict[Any, type] = {"int": int, "float": float, int: int, float: float, complex: complex}
_NARROW = {"float64": "float32", "int64": "int32", "uint64": "uint32", "complex128": "complex64"}
_PYTHON_TYPES: dict[Any, str] = {bool: "bool", int: "int32", float: "float32", str: "string", complex: "complex64"}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype; None means the default float type, `int` means int32.

    Raises:
        ArgumentError: there is no such dtype.

    >>> standardize_dtype(np.float16), standardize_dtype(int)
    ('float16', 'int32')
    """
    if dtype is None:
        return config.floatx()
    if isinstance(dtype, str):
        name = "int32" if dtype == "int" else "float32" if dtype == "float" else dtype
    elif isinstance(dtype, type) and dtype in _PYTHON_TYPES:
        name = config.floatx() if dtype is float else _PYTHON_TYPES[dtype]
    else:
        name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype).rpartition(".")[2]
        name = {"str": "string", "object_": "string"}.get(name, name)
    if name not in ALLOWED_DTYPES:
        raise ArgumentError(f"Invalid dtype: {dtype}")
    return name


def standardize_shape(shape: Any) -> tuple[int | None, ...]:
    """The sizes of a shape as a tuple, with None for unknown sizes.

    Raises:
        ArgumentError: it is not a shape.

    >>> standardize_shape([None, np.int64(3)])
    (None, 3)
    """
    if shape is None:
        raise ArgumentError("Undefined shapes are not supported.")
    if not hasattr(shape, "__iter__"):
        raise ArgumentError(f"Cannot convert '{shape}' to a shape.")
    return tuple(_size(size, shape) for size in shape)


def _size(size: Any, shape: Any) -> int | None:
    if size is None or jax.export.is_symbolic_dim(size):
        return None
    try:
        integer = operator.index(size)
    except TypeError:
        raise ArgumentError(
            f"Cannot convert '{shape}' to a shape. Found invalid dimension '{size}' of type '{type(size)}'."
        ) from None
    if integer < 0:
        raise ArgumentError(f"Cannot convert '{shape}' to a shape. Negative dimensions are not allowed.")
    return integer


def result_type(*dtypes: Any) -> str:
    """The result dtype of a computation with given dtypes; `int` and `float` mean Python numbers, which are weakly typed.

    Raises:
        ArgumentError: one of them is an 8-bit float, which has no implicit conversions.

    >>> result_type("bfloat16", int), result_type("int32", float), result_type("int64", "float32")
    ('bfloat16', 'float32', 'float32')
    """
    if any(dtype in ("float8_e4m3fn", "float8_e5m2") for dtype in dtypes if isinstance(dtype, str)):
        raise ArgumentError(
            f"There is no implicit conversions from float8 dtypes to others. You must cast it internally. Received: {dtypes}"
        )
    known = [_weak(dtype) for dtype in dtypes] or [config.floatx()]
    if all(isinstance(dtype, type) for dtype in known):
        return standardize_dtype(max(known, key=(int, float, complex).index))
    with jax.enable_x64(True):
        wide = jax.numpy.result_type(*known)
    name = np.dtype(wide).name
    return name if jax.config.jax_enable_x64 else _NARROW.get(name, name)  # type: ignore[attr-defined]


def _weak(dtype: Any) -> Any:
    if isinstance(dtype, (type, str)) and dtype in _NUMBERS:
        return _NUMBERS[dtype]
    return np.dtype(standardize_dtype(dtype))
