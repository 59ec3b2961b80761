"""A layer or model that is called on arrays runs as a compiled program, which equal definitions share.

Lists, strings and non-numeric values run operation by operation, as does code inside a user's own program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jkeras import config, lowering
from jkeras.arguments import shown, whose
from jkeras.errors import InputError
from jkeras.graph.apply import apply
from jkeras.graph.layer_scope import Record, WeightlessScope
from jkeras.graph.scope import BoundLayer, Run
from jkeras.random_keys import as_key, drawn_key
from jkeras.tracing import is_traced


def call_on_arrays(layer: BoundLayer, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Computes a layer on arrays: with the weights it carries, or without any.

    Raises:
        InputError: a tensor of another library is among them.
    """
    for leaf in jax.tree.leaves((args, kwargs)):
        owner = "" if isinstance(leaf, (jax.Array, np.ndarray)) else whose(leaf)
        if owner and not _has_values(leaf):
            raise InputError(f"{layer.path} ({type(layer).__name__}) was called on {shown(leaf)}.{owner}")
    carried = layer._carried()
    if carried is not None:
        return run(layer, carried, args, kwargs)
    kwargs = dict(kwargs)
    rng = kwargs.pop("rng", None)
    rng = drawn_key() if rng is None else rng
    this_run = Run(rng=jax.random.key(config.default_seed) if rng is None else rng)
    return WeightlessScope(layer, this_run, Record()).layer(*args, **kwargs)


def run(layer: BoundLayer, variables: Mapping[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The outputs of a definition with given variables; see `Layer.apply`."""
    leaves = jax.tree.leaves(args)
    training = bool(kwargs.get("training") or False)
    if training and kwargs.get("rng") is None:
        kwargs = {**kwargs, "rng": drawn_key()}
    if not leaves or not set(kwargs) <= {"training", "rng"} or not all(map(_is_number, leaves)) or is_traced():
        return apply(layer, variables, args, kwargs)
    rng = kwargs.get("rng")
    return _program(lowering.cache_token())(layer, training, variables, args, None if rng is None else as_key(rng))


@functools.lru_cache(maxsize=8)
def _program(token: str) -> Callable[..., Any]:
    """The program under the lowerings in force."""

    def program(layer: BoundLayer, training: bool, variables: Any, args: tuple[Any, ...], rng: Any) -> Any:
        return apply(layer, variables, args, {"training": training, "rng": rng})

    return jax.jit(program, static_argnums=(0, 1), compiler_options=lowering.compiler_options())


def _has_values(leaf: object) -> bool:
    try:
        return np.asarray(leaf).dtype != object
    except (TypeError, ValueError, RuntimeError):
        return False


def _is_number(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufcV")
