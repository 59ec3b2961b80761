"""Which type a layer computes in and which type it keeps its weights in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import jax.numpy as jnp
import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError, suggestion
from jkeras.types import DTypeLike, DTypePolicyLike
from jkeras.values.spec import Spec

FLOATS = ("bfloat16", "float16", "float32", "float64")
OTHERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool", "complex64", "string")
MIXED = ("mixed_bfloat16", "mixed_float16")


def at_least_float32(dtype: DTypeLike) -> np.dtype[Any]:
    """The type in which sums and statistics of numbers are exact enough: 32 bits or more.

    >>> at_least_float32("bfloat16"), at_least_float32("float32"), at_least_float32("int32")
    (dtype('float32'), dtype('float32'), dtype('float32'))
    """
    dtype = jnp.dtype(dtype)
    exact = jnp.issubdtype(dtype, jnp.inexact) and jnp.finfo(dtype).bits >= 32
    return dtype if exact else np.dtype("float32")


def array_dtype(value: object) -> np.dtype[Any]:
    """The type of an array's elements that a name, a type or a `numpy.dtype` means.

    >>> array_dtype("bfloat16").name, array_dtype(float).name
    ('bfloat16', 'float64')

    Raises:
        ArgumentError: it means none.
    """
    dtype = _dtype(value)
    if dtype is None:
        hint = suggestion(value, FLOATS + OTHERS) if isinstance(value, str) else ""
        raise ArgumentError(f"expected a dtype, such as 'float32'.{hint}")
    return dtype


def _dtype(value: object) -> np.dtype[Any] | None:
    # NumPy takes None, lists and dicts for types, too.
    if value is None or isinstance(value, (list, tuple, dict)):
        return None
    try:
        return np.dtype(cast(DTypeLike, value))
    except (TypeError, ValueError):
        return None


def _policy_name(value: object) -> str:
    if isinstance(value, str):
        name = value
    else:
        dtype = _dtype(value)
        if dtype is None:
            raise ArgumentError(f"expected a dtype or policy name.{suggestion('', FLOATS + MIXED + OTHERS)}")
        name = dtype.name
    if name not in FLOATS + OTHERS + MIXED:
        raise ArgumentError(f"expected a dtype or policy name.{suggestion(name, FLOATS + MIXED + OTHERS)}")
    return name


class DTypePolicy(Spec):
    """A compute type and a weight type, as in `keras.DTypePolicy`.

    `"float32"` and the like use one type for both; `"mixed_bfloat16"` and `"mixed_float16"` compute in 16 bits and keep
    weights in float32.

    >>> DTypePolicy("mixed_bfloat16").compute_dtype, DTypePolicy("mixed_bfloat16").variable_dtype
    ('bfloat16', 'float32')
    """

    keras_module = "keras"

    name: str = "float32"

    def __post_init__(self) -> None:
        try:
            self.name = _policy_name(self.name)
        except ArgumentError as error:
            raise ArgumentError(f"DTypePolicy(name={self.name!r}): {error}") from None

    @property
    def compute_dtype(self) -> str:
        """The type of a layer's arithmetic and output."""
        return self.name.removeprefix("mixed_")

    @property
    def variable_dtype(self) -> str:
        """The type that weights are kept in."""
        return "float32" if self.name in MIXED else self.name


def get(identifier: DTypePolicyLike) -> DTypePolicy | None:
    """The policy that a layer's `dtype` argument means; None leaves the choice to the model around the layer.

    Raises:
        ArgumentError: it means none.
    """
    if isinstance(identifier, Mapping):
        return get(_configured_name(identifier))
    if identifier is None:
        name = config.dtype_policy_name()
        return None if name == "float32" else DTypePolicy(name)
    return identifier if isinstance(identifier, DTypePolicy) else DTypePolicy(_policy_name(identifier))


def _configured_name(identifier: Mapping[str, Any]) -> DTypePolicyLike:
    config = identifier.get("config")
    if not isinstance(config, Mapping) or "name" not in config:
        raise ArgumentError("expected a dtype, a policy name, or a policy's configuration")
    return cast("DTypePolicyLike", config["name"])


def is_float(value: object) -> bool:
    """Whether an array-like has a floating type."""
    dtype = getattr(value, "dtype", None)
    return dtype is not None and jnp.issubdtype(dtype, jnp.floating)
