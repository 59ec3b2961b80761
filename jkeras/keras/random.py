"""`keras.random`: random arrays. A function that is given no seed draws from a generator that advances."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax

from jkeras import random as builtin
from jkeras.keras.dispatch import read
from jkeras.keras.seeds import SeedGenerator as SeedGenerator
from jkeras.keras.seeds import draw_seed
from jkeras.tracebacks import filtered


def _seeded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the key that a seed means in Keras: an integer, a `SeedGenerator`, or None for a global one."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        seed = bound.arguments.pop("seed", None)
        given = {name: read(value) for name, value in bound.arguments.items()}
        return function(**given, seed=jax.random.wrap_key_data(draw_seed(seed)))

    return filtered(call)


_FUNCTIONS = {name: _seeded(getattr(builtin, name)) for name in builtin.__all__ if name != "SeedGenerator"}
globals().update(_FUNCTIONS)

__all__ = ["SeedGenerator", *_FUNCTIONS]
