"""One bound layer run step after step in a single compiled loop.

Inside the loop no weights can be made, and what a layer writes down (new state, losses, masks) would be values of the
loop's body that nothing outside may keep. So for the length of the loop every layer involved gets a scope that keeps
these things in the loop's carry: state goes from step to step, losses are summed, and each step has a random key of
its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jkeras.errors import InputError
from jkeras.graph.layer import Layer, walk
from jkeras.graph.layer_call import call_bound

Step = Callable[[Any, Any], tuple[Any, Any]]


class StepScope:
    """What a bound layer can ask for inside the loop; everything else goes to its scope outside."""

    def __init__(self, outside: Any):
        self.outside = outside
        self.assigned: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.outside, name)

    def weight(self, name: str | None, *args: Any) -> Any:
        raise InputError(f"{self.outside.path}: the weight {name!r} must be made in `build`, not in a later time step.")

    def assign(self, name: str, value: Any) -> None:
        if name not in self.outside.state:
            self.outside.assign(name, value)  # raises: the weight is trainable
        self.assigned.add(name)

    def call(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if id(layer) not in self.outside.built:
            raise InputError(f"{layer.path} is used in a later time step but not in the first; use it in every step.")
        return call_bound(layer, self.outside.run, self.outside.built, args, kwargs)


def scan_layer(layer: Layer, step: Step, carry: Any, items: Any, *, reverse: bool = False) -> tuple[Any, Any]:
    """`jax.lax.scan` of a step that calls `layer`, which must have run once before, outside.

    Args:
        layer: the bound layer.
        step: takes the carry and one item, returns the new carry and what is kept of the step.
        carry: the start.
        items: arrays whose first axis is time.
        reverse: whether to go from the last item to the first.

    Returns:
        The last carry, and what was kept of every step along a new first axis.
    """
    members = list({id(member): member for _, member in walk(layer)}.values())
    outside = {id(member): member.__dict__["_spec_scope"] for member in members}
    scopes = {key: StepScope(scope) for key, scope in outside.items()}
    slots = [
        (member, attribute, name)
        for member in members
        for attribute, name in member.__dict__["_spec_weights"].items()
        if name in getattr(outside[id(member)], "state", ())
    ]
    before = [getattr(member, attribute) for member, attribute, _ in slots]
    run = outside[id(layer)].run

    def body(loop: Any, item: Any) -> Any:
        (inner, state), (number, value) = loop, item
        kept = {name: getattr(run, name) for name in ("rng", "losses", "masks", "draws", "finite")}
        run.rng = None if run.rng is None else jax.random.fold_in(run.rng, number)
        run.losses, run.masks, run.draws, run.finite = [], dict(run.masks), {}, None
        try:
            _put(members, scopes, slots, state)
            inner, output = step(inner, value)
            loss = sum(run.losses, jnp.float32(0)) if run.losses else None
            state = [getattr(m, a).astype(old.dtype) for (m, a, _), old in zip(slots, before, strict=True)]
        finally:
            _put(members, outside, slots, before)
            for name, old in kept.items():
                setattr(run, name, old)
        return (inner, state), (output, loss)

    steps = jax.tree.leaves(items)[0].shape[0]
    # Step 0 was the call outside; its keys are those of the run itself.
    numbers = jnp.arange(1, steps + 1, dtype=jnp.uint32)
    (carry, state), (outputs, losses) = lax.scan(body, (carry, before), (numbers, items), reverse=reverse)
    for (member, attribute, name), value in zip(slots, state, strict=True):
        if name in scopes[id(member)].assigned:
            setattr(member, attribute, value)
    if losses is not None:
        run.losses.append(jnp.sum(losses))
    return carry, outputs


def _put(members: list[Layer], scopes: dict[int, Any], slots: list[Any], values: list[Any]) -> None:
    for member in members:
        member.__dict__["_spec_scope"] = scopes[id(member)]
    for (member, attribute, _), value in zip(slots, values, strict=True):
        object.__setattr__(member, attribute, value)
