"""Which models share compiled steps: equal models of built-in parts."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import jax

from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.mutable import Mutable, is_builtin, value_of
from jkeras.keras.node import is_unmodified
from jkeras.keras.run import SharedKey
from jkeras.keras.value import definition


def own_key(model: Any) -> Hashable:
    """What the steps of one model depend on beside arrays: its parts, their attributes, and what `compile` was given."""
    optimizer = optimizer_of(model)
    return model._attribute_version, id(optimizer), optimizer is not None and optimizer.built, id(model._loss_tracker)


def shared_key(model: Any) -> SharedKey | None:
    """What the steps of all equal models depend on; None if they may run user code."""
    if not _is_builtin(model) or not model.built:
        return None
    names = (model.input_names, model.output_names) if hasattr(model, "input_names") else ((), ())
    # Names distinguish several inputs or outputs; the name of a single one does not matter.
    named = tuple(tuple(several) if len(several) > 1 else () for several in names)
    recipe = _recipe_key(model)
    return None if recipe is None else SharedKey(definition(model, named=False).definition, named, recipe)


def _is_builtin(model: Any) -> bool:
    from jkeras.keras.functional import Functional
    from jkeras.keras.sequential import Sequential

    return type(model) in (Functional, Sequential) and all(
        type(layer) in (Functional, Sequential) or is_unmodified(layer)
        for layer in model._flatten_layers(recursive=False)
    )


def _recipe_key(model: Any) -> Hashable | None:
    """The values of optimizer, losses and metrics, for comparison; None if one is of a user's class."""
    if not model.compiled:
        return ()
    compile_config = model._compile_config
    parts = [compile_config.get(name) for name in ("loss", "loss_weights", "metrics", "weighted_metrics")]
    leaves, structure = jax.tree.flatten(parts, is_leaf=lambda part: isinstance(part, Mutable))
    optimizer = optimizer_of(model)
    if optimizer is not None and (
        not is_builtin(optimizer) or not optimizer.follows_description(model.trainable_variables)
    ):
        return None
    if not all(
        isinstance(leaf, (str, int, float)) or (isinstance(leaf, Mutable) and is_builtin(leaf)) for leaf in leaves
    ):
        return None
    key = None if optimizer is None else value_of(optimizer).compile_key()
    return structure, tuple(map(value_of, leaves)), key
