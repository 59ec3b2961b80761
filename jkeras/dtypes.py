"""Which type a layer computes in and which type it keeps its weights in."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError, suggestion
from jkeras.values.spec import Spec

FLOATS = ("bfloat16", "float16", "float32", "float64")
OTHERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool", "complex64", "string")
MIXED = ("mixed_bfloat16", "mixed_float16")


def _policy_name(value: Any) -> str:
    if not isinstance(value, str):
        value = np.dtype(value).name
    if value not in FLOATS + OTHERS + MIXED:
        raise ArgumentError(f"expected a dtype or policy name.{suggestion(value, FLOATS + MIXED + OTHERS)}")
    return value


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


def get(identifier: Any) -> DTypePolicy | None:
    """The policy that a layer's `dtype` argument means; None leaves the choice to the model around the layer."""
    if isinstance(identifier, dict):
        identifier = identifier["config"]["name"]
    if identifier is None:
        name = config.dtype_policy_name()
        return None if name == "float32" else DTypePolicy(name)
    return identifier if isinstance(identifier, DTypePolicy) else DTypePolicy(_policy_name(identifier))


def is_float(value: Any) -> bool:
    """Whether an array-like has a floating type."""
    return hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.floating)
