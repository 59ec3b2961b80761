"""`Attention` in Keras's steps, scores, their mask and their application, for subclasses that override one of them."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from jkeras.errors import ArgumentError
from jkeras.keras import random
from jkeras.keras.facades import on_view
from jkeras.ops.attention import attention_weights, causal_mask


def _validate_inputs(self: Any, inputs: Any, mask: Any = None) -> None:
    """Raises an error if the inputs or masks are not lists of two or three."""
    if not isinstance(inputs, list) or not 2 <= len(inputs) <= 3:
        raise ArgumentError(
            f"{type(self).__name__} layer must be called on a list of inputs, namely [query, value] or [query, value, key]."
            f" Received: inputs={inputs}."
        )
    if mask is not None:
        check_masks(self, inputs, mask)


def check_masks(layer: Any, inputs: Any, mask: Any) -> None:
    """Raises an error if the masks are not a list of two or three."""
    name = type(layer).__name__
    if not isinstance(mask, list):
        raise ArgumentError(
            f"{name} layer mask must be a list, namely [query_mask, value_mask]. Received: mask={mask}."
        )
    if not 2 <= len(mask) <= max(len(inputs), 2):
        raise ArgumentError(
            f"{name} layer accepts mask list of length 2 or 3. Received: inputs of length {len(inputs)} with mask of length"
            f" {len(mask)}."
        )


@on_view
def _calculate_scores(self: Any, query: Any, key: Any) -> Any:
    """How well each query fits each key, `(batch, queries, keys)`."""
    return self.scores(query, key)


def _calculate_score_mask(self: Any, scores: Any, v_mask: Any, use_causal_mask: bool) -> Any:
    """Where scores count: the value's mask, with the causal mask if it is used."""
    if not use_causal_mask:
        return v_mask
    causal = causal_mask(*scores.shape[-2:])[None]
    return causal if v_mask is None else jnp.asarray(v_mask).astype(bool)[:, None] & causal


def _apply_scores(self: Any, scores: Any, value: Any, scores_mask: Any = None, training: bool | None = False) -> Any:
    """The values weighted by the scores where the mask is true, and the weights."""
    if scores_mask is not None:
        scores_mask = jnp.asarray(scores_mask).astype(bool)
        scores_mask = scores_mask[:, None] if scores_mask.ndim == 2 else scores_mask
    weights = attention_weights(scores, scores_mask).astype(scores.dtype)
    if training and self.dropout > 0:
        weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
    return jnp.matmul(weights, value), weights


STEPS = {
    "_validate_inputs": _validate_inputs,
    "_calculate_scores": _calculate_scores,
    "_calculate_score_mask": _calculate_score_mask,
    "_apply_scores": _apply_scores,
}


@on_view
def attend_in_steps(
    self: Any,
    inputs: Any,
    mask: Any = None,
    training: bool | None = False,
    return_attention_scores: bool = False,
    use_causal_mask: bool = False,
) -> Any:
    """`call` by way of the steps."""
    self._validate_inputs(inputs=inputs, mask=mask)
    query, value = inputs[:2]
    key = inputs[2] if len(inputs) > 2 else value
    query_mask, value_mask = (mask[0], mask[1]) if mask else (None, None)
    scores = self._calculate_scores(query=query, key=key)
    scores_mask = self._calculate_score_mask(scores, value_mask, use_causal_mask)
    outputs, weights = self._apply_scores(scores=scores, value=value, scores_mask=scores_mask, training=training)
    if query_mask is not None:
        outputs = jnp.where(jnp.asarray(query_mask)[..., None].astype(bool), outputs, 0)
    return (outputs, weights) if return_attention_scores else outputs
