"""Initializes many similar weights with one small program for each kind.

A program that draws all weights of a deep network takes longer to compile than its training step. Its layers are mostly
alike, so a few programs, one for each initializer, shape and type, give the same bits sooner; those of most random values
serve many shapes and models (see `jkeras.initializers.draws`), and zeros and ones need none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.graph.scope import WeightInfo
from jkeras.graph.variables import key_of
from jkeras.lowering.switch import quick_options
from jkeras.paths import nested

# With fewer weights to a program, one for all is compiled sooner.
WEIGHTS_PER_PROGRAM = 2

Kind = tuple[Any, ...]


def are_alike(weights: Sequence[WeightInfo]) -> bool:
    """Whether drawing these weights one by one is worth it."""
    kinds = [kind for kind in map(_kind, weights) if kind is not None]
    return len(kinds) >= WEIGHTS_PER_PROGRAM * len(set(kinds))


def draw(weights: Sequence[WeightInfo], root: jax.Array) -> dict[str, Any]:
    """Variables `{"params": ..., "state": ...}`; the bits are those of one program that makes them all."""
    values: dict[str, dict[tuple[str, ...], jax.Array]] = {"params": {}, "state": {}}
    for weight in weights:
        key = key_of(root, weight)
        if weight.initializer.program(weight.shape) is None:
            value = _program()((weight.initializer, weight.shape, weight.dtype), key)
        else:
            value = weight.initializer(weight.shape, dtype=weight.dtype, key=key)
        values[weight.collection][weight.path] = value
    return {collection: nested(flat) for collection, flat in values.items()}


def _kind(weight: WeightInfo) -> Kind | None:
    """What weights have in common that one program draws; None where none is needed."""
    shared = weight.initializer.program(weight.shape)
    if shared is None:
        return weight.initializer, weight.shape, weight.dtype
    return (*shared, weight.dtype) if shared else None


@functools.lru_cache(maxsize=1)
def _program() -> Callable[..., jax.Array]:
    # Made late, since options depend on the platform, which importing does not start.
    return jax.jit(_value, static_argnums=0, compiler_options=quick_options())


def _value(kind: Kind, key: jax.Array) -> jax.Array:
    initializer, shape, dtype = kind
    return jnp.asarray(initializer(shape, dtype=dtype, key=key), dtype)
