"""Loading whole models that `models/persistence.py` saved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from jkeras.errors import RestoreError
from jkeras.models import config as configs
from jkeras.models.history import History
from jkeras.models.model import Model, known_classes
from jkeras.models.persistence import array_name, named_arrays
from jkeras.registry import custom_object_scope
from jkeras.saving import directory as files
from jkeras.training import steps
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState


def load_model(path: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, *,
               recipe: Recipe | None = None) -> Model:
    """The model that `model.save(path)` wrote: definition, weights, optimizer state, step, key, recipe and history.

    Loading is strict: an array that is missing, superfluous or of another shape or type is an error that lists every
    difference. It never runs code from the file: classes are those of the library, of `custom_objects`, and those
    registered with `register_keras_serializable`.

    Args:
        path: the directory.
        custom_objects: the user's own classes and functions by name.
        compile: whether the recipe and the optimizer's state are restored, too.
        recipe: takes the place of the saved recipe; needed for optimizers and functions that cannot be written down.

    Raises:
        RestoreError: the save is damaged or does not fit.
    """
    folder = files.find(Path(path))
    config = files.read_config(folder)
    with custom_object_scope(custom_objects or {}):
        model = configs.from_config(config["model"], known_classes())
        if not isinstance(model, Model):
            raise RestoreError(f"{path} describes a {type(model).__name__}, which is no model.")
        model = model.build_for(_read_specs(config["inputs"]))
        if compile and recipe is None and config["recipe"] is not None:
            recipe = Recipe.from_config(config["recipe"])
    if compile and recipe is None and config.get("recipe_problem"):
        raise RestoreError(
            f"The training configuration could not be saved ({config['recipe_problem']}). Pass `recipe=jk.Recipe(...)`, or"
            f" `compile=False` to load the model without it."
        )
    model = model._with(_spec_recipe=recipe)
    has_optimizer = any(name.startswith("opt_state/") for name in config["arrays"])
    expected = jax.eval_shape(lambda: _template(model, recipe if has_optimizer else None))
    wanted = named_arrays(expected)
    found = config["arrays"]
    if not compile:
        found = {name: entry for name, entry in found.items() if not name.startswith("opt_state/")}
    files.check(wanted, found, str(path))
    arrays = files.read_arrays(folder, config["arrays"])
    state = _filled(expected, {name: arrays[name] for name in wanted}, config["key"])
    kept = config.get("history") or {}
    history = History(kept.get("logs"), kept.get("epoch", ()), kept.get("params"))
    return model._with(_spec_state=state, _spec_history=history)


def _filled(template: TrainState, arrays: Mapping[str, Any], impl: str) -> TrainState:
    def fill(part: str, tree: Any) -> Any:
        return jax.tree_util.tree_map_with_path(lambda path, _: jnp.asarray(arrays[array_name(part, path)]), tree)

    return TrainState(
        params=fill("params", template.params),
        model_state=fill("state", template.model_state),
        opt_state=fill("opt_state", template.opt_state),
        step=fill("step", template.step),
        rng=jax.random.wrap_key_data(arrays["rng"], impl=_key_impl(impl)),
    )


def _key_impl(name: str) -> str:
    known = ("threefry2x32", "rbg", "unsafe_rbg")
    return next((kind for kind in sorted(known, key=len, reverse=True) if kind in name), "threefry2x32")


def _template(model: Model, recipe: Recipe | None) -> TrainState:
    """A state of the right structure, made inside `eval_shape`."""
    params: dict[str, Any] = {}
    state: dict[str, Any] = {}
    for info in model.description.weights:
        tree = params if info.collection == "params" else state
        for key in info.path[:-1]:
            tree = tree.setdefault(key, {})
        tree[info.path[-1]] = jnp.zeros(info.shape, info.dtype)
    opt_state = None
    if recipe is not None:
        frozen, _ = steps.trainable_parts(model.description)
        opt_state = steps.init_optimizer(recipe.optimizer, params, frozen)
    return TrainState(params, state, opt_state, jnp.zeros((), jnp.int32), jax.random.key(0))


def _read_specs(written: Any) -> Any:
    if "dict" in written:
        return {k: _read_specs(v) for k, v in written["dict"].items()}
    if "list" in written:
        return [_read_specs(v) for v in written["list"]]
    return jax.ShapeDtypeStruct(tuple(written["shape"]), jnp.dtype(written["dtype"]))


def clone_model(model: Model) -> Model:
    """The same definition with fresh weights, not compiled."""
    return model.init()._with(_spec_recipe=None)
