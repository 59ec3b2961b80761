"""`RematScope`: layers created inside it recompute their activations in the backward pass instead of storing them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import jax

from jkeras import tree
from jkeras.errors import ArgumentError
from jkeras.keras.scopes import _Scope
from jkeras.keras.variables import StatelessScope, get_stateless_scope

_current: ContextVar[RematScope | None] = ContextVar("remat", default=None)


class RematScope(_Scope):
    """A context in which new layers trade computation for memory.

    Args:
        mode: "full", "activations" (only the activation function), "larger_than" (layers with a large output),
            "list_of_layers", or None for no rematerialization.
        output_size_threshold: the number of values above which an output is large.
        layer_names: the names of the layers for "list_of_layers".

    Raises:
        ValueError: there is no such mode.
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Sequence[str] | None = None
    ):
        if mode not in ("full", "activations", "larger_than", "list_of_layers", None):
            raise ArgumentError(
                f"Invalid mode '{mode}'. Supported modes are: 'full', 'activations', 'larger_than', 'list_of_layers', or"
                " None."
            )
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())

    def _set(self) -> Any:
        return _current.set(self)


def get_current_remat_mode() -> RematScope | None:
    """The active scope, if there is one."""
    return _current.get()


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, with intermediate values recomputed in the backward pass; `f` may assign to variables."""

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        outside = get_stateless_scope()
        variables: dict[int, Any] = {}

        def pure(*leaves: Any) -> Any:
            filled_args, filled_kwargs = jax.tree.unflatten(structure, _filled(leaves))
            scope = StatelessScope(collect_losses=outside is not None and outside.collect_losses)
            before = {} if outside is None else dict(outside.state_mapping)
            scope.state_mapping.update(before)
            with scope:
                outputs = f(*filled_args, **filled_kwargs)
            changed = {key: value for key, value in scope.state_mapping.items() if value is not before.get(key)}
            variables.update({key: scope.variables[key] for key in changed if key in scope.variables})
            return outputs, changed, scope.losses

        leaves, structure = jax.tree.flatten((args, kwargs))
        places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]

        def _filled(arrays: Any) -> list[Any]:
            values = dict(zip(places, arrays, strict=True))
            return [values.get(place, leaf) for place, leaf in enumerate(leaves)]

        outputs, changed, losses = jax.checkpoint(pure)(*(leaves[place] for place in places))
        for key, value in changed.items():
            variables[key].assign(value)
        if outside is not None:
            outside.losses.extend(losses)
        return outputs

    return call


def rematerialized(layer: Any, call: Callable[..., Any], args: Any, kwargs: Any) -> Callable[..., Any]:
    """`call`, with rematerialization according to the scope in which the layer was created."""
    scope = layer._remat_mode
    mode = None if scope is None else scope.mode
    if mode == "larger_than":
        sizes = [
            math.prod(size or 1 for size in spec.shape)
            for spec in tree.flatten(layer.compute_output_spec(*args, **kwargs))
        ]
        return remat(call) if sum(sizes) > scope.output_size_threshold else call
    if mode == "full" or (mode == "list_of_layers" and layer.name in scope.layer_names):
        return remat(call)
    if mode == "activations" and vars(layer).get("activation") is not None:
        return _with_remat_activation(layer, call)
    return call


def _with_remat_activation(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        own = vars(layer)
        activation = own["activation"]
        own["activation"] = remat(activation)
        try:
            return call(*args, **kwargs)
        finally:
            own["activation"] = activation

    return wrapper
