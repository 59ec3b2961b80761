"""`keras.random`: random arrays. Without a seed, a function draws from a global generator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax

from jkeras import random as builtin
from jkeras.dispatch import found_at
from jkeras.errors import ArgumentError
from jkeras.keras.dispatch import read
from jkeras.keras.dtypes import standardize_dtype
from jkeras.keras.seeds import SeedGenerator as SeedGenerator
from jkeras.keras.seeds import draw_seed
from jkeras.tracebacks import filtered

# The kind of numbers that a function returns.
_TYPES = {"uniform": "float", "randint": "int"}


def _check_type(name: str, dtype: Any) -> None:
    if _TYPES[name] not in standardize_dtype(dtype):
        kind = {"float": "a floating point", "int": "an integer"}[_TYPES[name]]
        raise ArgumentError(f"`keras.random.{name}` requires {kind} dtype. Received: dtype={dtype}")


def _key(seed: Any) -> jax.Array:
    if not isinstance(seed, jax.Array):
        seed = draw_seed(seed)
    return seed if jax.dtypes.issubdtype(seed.dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(seed)


def _seeded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function with Keras's keys for seeds: an integer, a `SeedGenerator`, or None for the global one."""
    signature = inspect.signature(function)
    name = function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        seed = bound.arguments.pop("seed", None)
        arguments = {name: read(value) for name, value in bound.arguments.items()}
        if name in _TYPES and arguments.get("dtype") is not None:
            _check_type(name, arguments["dtype"])
        return function(**arguments, seed=_key(seed))

    return filtered(call)


_FUNCTIONS = {
    name: found_at(f"{__name__}.{name}", _seeded(getattr(builtin, name)))
    for name in builtin.__all__
    if name != "SeedGenerator"
}
globals().update(_FUNCTIONS)

__all__ = ["SeedGenerator", *_FUNCTIONS]
