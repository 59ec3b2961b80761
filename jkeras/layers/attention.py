"""Attention layers on given queries, values and keys: dot-product (Luong) and additive (Bahdanau)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import InputError
from jkeras.graph.layer import Layer
from jkeras.graph.shapes import has_shape, show_shape
from jkeras.ops.attention import attention_weights, causal_mask, dot_product_attention
from jkeras.types import Array, Bool, Key, Num, PartialShape, PyTree
from jkeras.values.fields import field


def drop(layer: Layer, weights: jax.Array, rate: float, seed: int | None) -> jax.Array:
    """Sets a share of attention weights to zero and scales up the others."""
    keep = jax.random.bernoulli(layer.make_rng(seed), 1.0 - rate, weights.shape)
    return jnp.where(keep, weights / (1.0 - rate), 0)


class Attention(Layer):
    """Dot-product attention (Luong et al., 2015, arXiv:1508.04025): `softmax(query @ key.T) @ value`, unscaled.

    Takes a list `[query, value]` or `[query, value, key]`, the value before the key as in Keras; without a key the
    value is used. Shapes: `(batch, Tq, dim)`, `(batch, Tv, value_dim)`, `(batch, Tv, dim)` to `(batch, Tq, value_dim)`.

    The value's mask hides positions, the query's mask sets rows of the output to zero and is the output's mask.

    Call arguments: `return_attention_scores` also returns the weights `(batch, Tq, Tv)`; `use_causal_mask` hides later
    positions.

    Shapes: query `(batch, queries, features)`, value `(batch, keys, values)`, key `(batch, keys, features)`; the
    output is `(batch, queries, values)`.

    Args:
        use_scale: whether scores are multiplied by a learned number.
        score_mode: "dot", or "concat" for `weight * sum(tanh(query + key))`.
        dropout: the share of attention weights dropped in training.
        seed: the seed of the dropout.

    >>> import jax.numpy as jnp
    >>> q, v = jnp.ones((1, 2, 3)), jnp.arange(12.0).reshape(1, 4, 3)
    >>> Attention()([q, v], use_causal_mask=True)[0, 0].tolist()
    [0.0, 1.0, 2.0]
    """

    mixes_samples: ClassVar[bool | None] = False

    use_scale: bool = field(default=False, convert=arguments.boolean)
    score_mode: str = field(default="dot", convert=arguments.one_of("dot", "concat"))
    dropout: float = field(default=0.0, convert=arguments.between(0, 1, open_high=True))
    seed: int | None = field(default=None, convert=arguments.optional(arguments.integer))

    def build(self, input_shape: Sequence[PartialShape]) -> None:
        _three(f"{self._place} ({type(self).__name__})", input_shape)
        if self.use_scale:
            self.scale: Array = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight: Array = self.add_weight((), "ones", name="concat_score_weight")

    def compute_mask(self, inputs: PyTree[Array], previous_mask: PyTree[Array | None]) -> Any:
        return previous_mask[0] if previous_mask else None

    def scores(self, query: jax.Array, key: Key[Array, ""]) -> jax.Array:
        """How well each query fits each key, `(batch, Tq, Tv)`."""
        if self.score_mode == "concat":
            both = query[..., :, None, :] + key[..., None, :, :]
            both = both * self.scale if self.use_scale else both
            return self.concat_score_weight * jnp.sum(jnp.tanh(both), axis=-1)
        products = jnp.matmul(query, jnp.swapaxes(key, -2, -1))
        return products * self.scale if self.use_scale else products

    def call(
        self,
        inputs: Sequence[Num[Array, "batch steps channels"]],
        mask: Sequence[Bool[Array, "batch steps"] | None] | None = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        query, value, key = _three(f"{self._place} ({type(self).__name__})", inputs)
        query_mask, value_mask = (mask[0], mask[1]) if mask else (None, None)
        dropping = bool(training) and self.dropout > 0
        weights = None
        if self._by_products and not dropping and not return_attention_scores and query.ndim == 3:
            scaled = query * self.scale if self.use_scale else query
            q, k, v = (array[:, :, None] for array in (scaled, key, value))
            allowed = None if value_mask is None else value_mask[:, None, None].astype(bool)
            outputs = dot_product_attention(q, k, v, None, allowed, 1.0, use_causal_mask)[:, :, 0]
        else:
            scores = self.scores(query, key)
            allowed = None if value_mask is None else value_mask[:, None].astype(bool)
            if use_causal_mask:
                causal = causal_mask(*scores.shape[-2:])
                allowed = causal if allowed is None else allowed & causal
            weights = attention_weights(scores, allowed).astype(scores.dtype)
            if dropping:
                weights = drop(self, weights, self.dropout, self.seed)
            outputs = jnp.matmul(weights, value)
        if query_mask is not None:
            outputs = jnp.where(query_mask[..., None].astype(bool), outputs, 0)
        return (outputs, weights) if return_attention_scores else outputs

    @property
    def _by_products(self) -> bool:
        return self.score_mode == "dot"


class AdditiveAttention(Attention):
    """Additive attention (Bahdanau et al., 2015, arXiv:1409.0473): scores are `sum(scale * tanh(query + key))`.

    Inputs, masks and call arguments are those of `Attention`.

    Shapes: query `(batch, queries, features)`, value `(batch, keys, values)`, key `(batch, keys, features)`; the
    output is `(batch, queries, values)`.

    Args:
        use_scale: whether a learned vector of length `dim` weighs the sum.
        dropout: the share of attention weights dropped in training.
        seed: the seed of the dropout.

    >>> AdditiveAttention().compute_output_shape([(None, 2, 4), (None, 5, 4)])
    (None, 2, 4)
    """

    mixes_samples: ClassVar[bool | None] = False

    use_scale: bool = field(default=True, convert=arguments.boolean)
    dropout: float = field(default=0.0, convert=arguments.between(0, 1, open_high=True))
    seed: int | None = field(default=None, convert=arguments.optional(arguments.integer), kw_only=True)
    score_mode: str = field(default="dot", convert=arguments.one_of("dot"), kw_only=True, in_config=False)

    def build(self, input_shape: Sequence[PartialShape]) -> None:
        query_shape, _, _ = _three(f"{self._place} ({type(self).__name__})", input_shape)
        if self.use_scale:
            self.scale: Array = self.add_weight((query_shape[-1],), "glorot_uniform", name="scale")

    def scores(self, query: jax.Array, key: Key[Array, ""]) -> jax.Array:
        both = jnp.tanh(query[..., :, None, :] + key[..., None, :, :])
        return jnp.sum(both * self.scale if self.use_scale else both, axis=-1)

    @property
    def _by_products(self) -> bool:
        return False


def _three(place: str, inputs: Any) -> tuple[Any, Any, Any]:
    """Query, value and key (or their shapes) from what an attention layer is called with."""
    if not isinstance(inputs, Sequence) or len(inputs) not in (2, 3) or isinstance(inputs[0], (int, type(None))):
        description = f"an input of shape {show_shape(inputs.shape)}" if has_shape(inputs) else repr(inputs)
        raise InputError(f"{place} takes a list, [query, value] or [query, value, key]; got {description}.")
    query, value = inputs[:2]
    key = inputs[2] if len(inputs) == 3 and inputs[2] is not None else value
    shapes: list[Any] = [tuple(x.shape if has_shape(x) else x) for x in (query, value, key)]
    if shapes[0][-1] != shapes[2][-1] or shapes[1][:-1] != shapes[2][:-1]:
        raise InputError(
            f"{place} got query, value and key of shapes"
            f" {', '.join(map(show_shape, shapes))}; query and key must agree in the last axis, value and key in all"
            f" others."
        )
    return query, value, key


__all__ = ["AdditiveAttention", "Attention"]
