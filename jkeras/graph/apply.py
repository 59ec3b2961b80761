"""How definitions are initialised and applied: the pure functions behind `Layer.init`, `apply` and calls on arrays."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.arguments import checked, flag
from jkeras.compilation import use_persistent_cache
from jkeras.errors import NotBuiltError
from jkeras.garbage import collector_paused
from jkeras.graph import drawing, passes
from jkeras.graph.describe import describe, shape_key, unflatten
from jkeras.graph.scope import BoundLayer, walk
from jkeras.lowering.switch import quick_options
from jkeras.paths import with_value_at
from jkeras.random_keys import as_key, folded
from jkeras.tracing import makes_tracers
from jkeras.types import Array, PyTree, SeedLike

Variables = dict[str, Any]


def initialize(layer: BoundLayer, key: SeedLike, *args: Any, **kwargs: Any) -> Variables:
    """Fresh variables, with those that layers of the definition carry (pretrained models) put in place."""
    return _initialized(layer, as_key(key), None, args, kwargs)


def initialize_stream(layer: BoundLayer, root: jax.Array, number: int, *args: Any) -> Variables:
    """The same from `jax.random.fold_in(root, number)`, which is not compiled on its own."""
    return _initialized(layer, root, number, args, {})


@collector_paused()
def _initialized(layer: BoundLayer, key: jax.Array, number: int | None, args: PyTree[Any], kwargs: Any) -> Variables:
    use_persistent_cache()
    traced = makes_tracers()
    if not traced:
        weights = describe(layer, *args, **kwargs).weights
        if drawing.are_alike(weights):
            return overlay_carried(layer, drawing.draw(weights, _folded(key, number)))
    # Options of the compiler belong to the outermost program; inside a user's own there is one already.
    make = _initialize if traced else _initializer()
    variables = make(layer, *shape_key((args, kwargs)), key, number)
    return overlay_carried(layer, variables)


def _folded(key: jax.Array, number: int | None) -> jax.Array:
    return key if number is None else folded(key, number)


@functools.lru_cache(maxsize=1)
def _initializer() -> Any:
    # Made late, since options depend on the platform, which importing does not start.
    return jax.jit(_initialize, static_argnums=(0, 1, 2, 4), compiler_options=quick_options())


def _initialize(
    layer: BoundLayer, leaves: tuple[Any, ...], structure: PyTree[Any], key: Array, number: int | None
) -> Variables:
    args, kwargs = unflatten(structure, leaves, jnp.zeros)
    _, variables = passes.run(layer, None, args, kwargs, rng=jax.random.key(0), key=_folded(key, number))
    return variables


def overlay_carried(layer: BoundLayer, variables: Variables) -> Variables:
    """`variables` with the weights that layers inside the definition carry in place of the fresh ones."""
    for path, inner in walk(layer):
        carried = inner._carried() if path else None
        for collection, tree in (carried or {}).items():
            variables = {**variables, collection: with_value_at(variables[collection], path, tree)}
    return variables


def apply(layer: BoundLayer, variables: Mapping[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """See `Layer.apply`.

    Raises:
        NotBuiltError: the variables are not those that `init` returns.
        InputError: a weight is missing or has another shape.
        ArgumentError: `training` is not True or False.
    """
    if not isinstance(variables, Mapping) or not set(variables) <= {"params", "state"}:
        raise NotBuiltError(
            f"{type(layer).__name__}.apply(variables, ...) takes what `init` returns: a dict with 'params' and 'state'."
        )
    kwargs = dict(kwargs)
    rng, return_state = kwargs.pop("rng", None), kwargs.pop("return_state", False)
    training = checked(f"{type(layer).__name__}.apply", "training", kwargs.pop("training", None) or False, flag)
    result, _ = passes.run(layer, variables, args, kwargs, training=training, rng=None if rng is None else as_key(rng))
    return (result.outputs, result.state) if return_state else result.outputs
