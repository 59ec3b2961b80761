"""The internal parts of Keras's `MultiHeadAttention`, for subclasses with their own `build` or `call`."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from jkeras import layers
from jkeras.keras.builtin import BuiltinLayer
from jkeras.keras.facades import on_view
from jkeras.keras.inner_steps import overridden
from jkeras.keras.mutable import facade_of
from jkeras.layers.attention import drop
from jkeras.layers.multi_head_attention import Projection, equations, masked_softmax
from jkeras.ops.attention import causal_mask

# Keras's names of the projections, and their names in jkeras.
PROJECTIONS = {"query": "query", "key": "key", "value": "value", "gate": "gate", "output": "attention_output"}


class Alias:
    """An alias of an attribute, unless the object has its own attribute with this name."""

    def __init__(self, name: str):
        self.name = name

    def of(self, layer: Any) -> Any:
        """The attribute."""
        return getattr(layer, self.name)

    def __get__(self, layer: Any, owner: type) -> Any:
        return self if layer is None else self.of(layer)


class OwnAlias(Alias):
    """The same, for an attribute that the object itself must have."""

    def of(self, layer: Any) -> Any:
        """The attribute."""
        if self.name not in vars(layer):
            raise AttributeError(f"{type(layer).__name__!r} object has no attribute {self.name!r}")
        return vars(layer)[self.name]


def build_attention(self: Any, rank: int) -> None:
    """Records the attended axes and the equations of scores and outputs for projections with `rank` axes."""
    axes = self._attended(rank)
    scored, combined = equations(rank, axes)
    vars(self).update(_attention_axes=axes, _dot_product_equation=scored, _combine_equation=combined)


def _softmax(self: Any, attention_scores: Any, attention_mask: Any = None) -> Any:
    return masked_softmax(attention_scores, attention_mask, len(self._attention_axes))


# The steps of Keras's `_compute_attention` that a subclass may override.
OWN_STEPS = ("_masked_softmax", "_build_attention")


def attends_in_steps(layer: Any, query: Any, scores_wanted: bool) -> bool:
    """Whether the steps are used: if a subclass has its own and Keras would not use a fused computation either."""
    return bool(overridden(type(layer), *OWN_STEPS)) and (scores_wanted or layer.dropout > 0 or query.ndim != 4)


@on_view
def attend(
    self: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any = None,
    training: bool | None = None,
    return_attention_scores: bool = False,
    use_causal_mask: bool = False,
) -> tuple[Any, Any]:
    """`_compute_attention` by way of the steps: the outputs of projected queries, keys and values, and the weights."""
    if use_causal_mask:
        causal = causal_mask(query.shape[1], key.shape[1])[None]
        attention_mask = causal if attention_mask is None else attention_mask & causal
    groups = query.shape[-2] // key.shape[-2]  # of query heads that share a key
    key, value = (jnp.repeat(part, groups, -2) if groups > 1 else part for part in (key, value))
    scores = jnp.einsum(self._dot_product_equation, key, query * jnp.asarray(query.shape[-1] ** -0.5, query.dtype))
    weights = self._masked_softmax(scores, attention_mask)
    used = self._dropout_layer(weights, training=training)
    return jnp.einsum(self._combine_equation, used, value), weights


_dropped = on_view(lambda layer, scores: drop(layer, scores, layer.dropout, layer.seed))


def _dropout(self: Any, scores: Any, training: Any = None) -> Any:
    return _dropped(self, scores) if training and self.dropout > 0 else scores


def _own_initializers(self: Any) -> dict[str, Any]:
    """Initializers for one projection: a single object without a seed would draw the same values for all."""
    known = {name: getattr(self, name) for name in ("kernel_initializer", "bias_initializer")}
    return {name: type(each).from_config(each.get_config()) for name, each in known.items()}


def _shared_arguments(self: Any) -> dict[str, Any]:
    """The arguments of all projections, with separate initializers for each."""
    names = "kernel_regularizer bias_regularizer kernel_constraint bias_constraint".split()
    return {
        **{name: getattr(self, name) for name in names},
        "activity_regularizer": self._given_activity_regularizer,
        **_own_initializers(self),
        "dtype": self.dtype_policy,
    }


def _adopt(self: Any, value: Any, name: str = "layer") -> Any:
    """Projections as objects, each with its own initializers."""
    own = value.replace(**_own_initializers(self)) if isinstance(value, Projection) else value
    return BuiltinLayer._adopt(self, own, name)


def _output_projection(self: Any, query_shape: Any, common_kwargs: Mapping[str, Any], name: str | None = None) -> Any:
    """A projection of the heads' outputs to the output size, not yet built."""
    sizes = self.output_shape or (query_shape[-1],)
    free = len(query_shape) - 1
    letters = string.ascii_lowercase[: free + 2 + len(sizes)]
    rows, heads, outputs = letters[:free], letters[free : free + 2], letters[free + 2 :]
    return facade_of(layers.EinsumDense)(
        f"{rows}{heads},{heads}{outputs}->{rows}{outputs}",
        output_shape=(*[None] * (free - 1), *sizes),
        bias_axes=outputs if self.use_bias else None,
        name=name,
        **common_kwargs,
    )


PARTS: dict[str, Any] = {
    **{f"{name}_dense": property(Alias(own).of) for name, own in PROJECTIONS.items()},
    **{f"_{name}_dense": OwnAlias(own) for name, own in PROJECTIONS.items()},
    **{own: OwnAlias(f"_{name}_dense") for name, own in PROJECTIONS.items()},
    "_adopt": _adopt,
    "_build_attention": build_attention,
    "_dropout_layer": _dropout,
    "_get_common_kwargs_for_sublayer": _shared_arguments,
    "_inverse_sqrt_key_dim": property(lambda self: 1.0 / self.key_dim**0.5),
    "_make_output_dense": _output_projection,
    "_masked_softmax": _softmax,
}


def private_names(description: Any) -> dict[str, Any]:
    """Keras's private names of the constructor's arguments."""
    hidden = ("attention_axes", "activity_regularizer", "name", "dtype", "trainable", "autocast", "seed")
    return {f"_{name}": Alias(name) for name in description._fields if name not in hidden}
