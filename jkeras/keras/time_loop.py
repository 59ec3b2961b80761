"""Runs a layer with variables step by step in one compiled loop that carries assigned values from step to step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.keras.variables import AutocastScope, StatelessScope, get_stateless_scope


def scan(
    layer: Any, step: Callable[[Any, Any], Any], carry: Any, items: Any, *, reverse: bool = False
) -> tuple[Any, Any]:
    """`jax.lax.scan` of a step that calls `layer`, which must have run once before, outside.

    Args:
        layer: the layer.
        step: takes the carry and one item, returns the new carry and the step's result.
        carry: the initial carry.
        items: arrays whose first axis is time.
        reverse: whether to iterate from the last item to the first.

    Returns:
        The last carry, and the results of all steps along a new first axis.
    """
    outside = get_stateless_scope()
    changing = [variable for variable in layer.variables if not variable.trainable]
    with AutocastScope(None):
        before = [variable.value for variable in changing]

    def body(loop: Any, item: Any) -> Any:
        inner, state = loop
        scope = StatelessScope(collect_losses=True)
        if outside is not None:
            scope.state_mapping.update(outside.state_mapping)
        scope.state_mapping.update({id(variable): value for variable, value in zip(changing, state, strict=True)})
        with scope:
            inner, output = step(inner, item)
        losses = sum(scope.losses, jnp.float32(0)) if scope.losses else None
        return (inner, [scope.get_current_value(variable) for variable in changing]), (output, losses)

    (carry, after), (outputs, losses) = jax.lax.scan(body, (carry, before), items, reverse=reverse)
    for variable, value in zip(changing, after, strict=True):
        variable.assign(value)
    if losses is not None:
        layer.add_loss(jnp.sum(losses))
    return carry, outputs
