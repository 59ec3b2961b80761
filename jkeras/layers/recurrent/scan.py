"""Runs one bound layer step by step in a single compiled loop.

No weights can be created inside the loop, and what a layer records (new state, losses, masks) would be tracers of the
loop's body, which must not leak. So during the loop, the scopes of the layers involved move these values to the loop's
carry: state is passed from step to step, losses are summed, and each step has its own random key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.graph.layer import Layer
from jkeras.graph.scope import walk
from jkeras.types import Array, PyTree

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan_layer(layer: Layer, step: Step, carry: Any, items: Any, *, reverse: bool = False) -> tuple[Any, Any]:
    """`jax.lax.scan` of a step that calls `layer`, which must have run once before, outside.

    Args:
        layer: the bound layer.
        step: takes the carry and one item, returns the new carry and the step's result.
        carry: the initial carry.
        items: arrays whose first axis is time.
        reverse: whether to iterate from the last item to the first.

    Returns:
        The last carry, and the results of all steps along a new first axis.
    """
    members = list({id(member): member for _, member in walk(layer)}.values())
    scopes = [member.scope_for("a compiled loop") for member in members]
    slots = [
        (member, scope, attribute, name)
        for member, scope in zip(members, scopes, strict=True)
        for attribute, name in scope.attributes.items()
        if name in scope.state
    ]
    before = [getattr(member, attribute) for member, _, attribute, _ in slots]
    run = layer.scope_for("a compiled loop").run

    def put(values: list[Any]) -> None:
        for (_, scope, attribute, _), value in zip(slots, values, strict=True):
            scope.put(attribute, value)

    assigned: list[set[str]] = []

    def body(loop: Any, item: PyTree[Array]) -> Any:
        (inner, state), (number, value) = loop, item
        outside = dataclasses.replace(run)
        run.rng = None if run.rng is None else jax.random.fold_in(run.rng, number)
        run.losses, run.masks, run.draws, run.finite = [], dict(run.masks), {}, None
        for scope in scopes:
            scope.enter_loop()
        try:
            put(state)
            inner, output = step(inner, value)
            loss = sum(run.losses, jnp.float32(0)) if run.losses else None
            state = [getattr(m, a).astype(old.dtype) for (m, _, a, _), old in zip(slots, before, strict=True)]
        finally:
            put(before)
            assigned[:] = [scope.leave_loop() for scope in scopes]
            vars(run).update(vars(outside))
        return (inner, state), (output, loss)

    steps = jax.tree.leaves(items)[0].shape[0]
    # Step 0 was the call outside the loop; it uses the keys of the run itself.
    numbers = jnp.arange(1, steps + 1, dtype=jnp.uint32)
    (carry, state), (outputs, losses) = lax.scan(body, (carry, before), (numbers, items), reverse=reverse)
    names = dict(zip(map(id, scopes), assigned, strict=True))
    for (member, scope, attribute, name), value in zip(slots, state, strict=True):
        if name in names[id(scope)]:
            setattr(member, attribute, value)
    if losses is not None:
        run.losses.append(jnp.sum(losses))
    return carry, outputs
