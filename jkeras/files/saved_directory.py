"""Models and weights as directories: a configuration and an Orbax checkpoint with every array of the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from jkeras.errors import RestoreError
from jkeras.files import config as configs
from jkeras.files import own_part
from jkeras.files.containers import checkpoints, directory
from jkeras.files.device_arrays import on_device
from jkeras.files.weight_matching import Entry, Found, nested, values_by_name
from jkeras.graph.scope import WeightInfo
from jkeras.training.program import init_optimizer, trainable_parts
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState, filled, named_arrays

if TYPE_CHECKING:
    from jkeras.models.model import Model

COLLECTIONS = ("params", "state")


def save(model: Model, path: Path, include_optimizer: bool) -> None:
    """Writes a model."""
    state = model.state if include_optimizer else model.state.replace(opt_state=None)
    config = {**written_definition(model, include_optimizer), "history": own_part.written_history(model)}
    directory.save(path, config, named_arrays(state))


def written_definition(model: Model, include_optimizer: bool = True) -> dict[str, Any]:
    """The `config.json` of a model, without its history."""
    recipe, problem = own_part.written_recipe(model.recipe if include_optimizer else None)
    return {
        "model": configs.to_config(model),
        "inputs": own_part.written_specs(model.input_specs),
        "recipe": recipe,
        "recipe_problem": problem,
        "key": str(jax.random.key_impl(model.state.rng)),
        "jax": jax.__version__,
    }


def written_without_definition(model: Model) -> dict[str, Any]:
    """The same for a model whose definition cannot be serialized."""
    recipe, problem = own_part.written_recipe(model.recipe)
    return {
        "model": None,
        "recipe": recipe,
        "recipe_problem": problem,
        "key": str(jax.random.key_impl(model.state.rng)),
    }


def load(path: Path, compile: bool, recipe: Recipe | None, define: Callable[[Mapping[str, Any], str], Model]) -> Model:
    """The model in a directory, or in the latest of a directory of checkpoints; see `files.table.Format.read_model`."""
    folder = checkpoints.saved_folder(path)
    config = directory.read_config(folder)
    if "model" not in config:
        raise RestoreError(
            f"{path} contains weights but no definition of a model: build the model in code and use `model.load_weights(path)`."
        )
    if config["model"] is None:
        raise RestoreError(f"The definition of the model in {path} could not be serialized; use `model.restore(path)`.")
    model = define(config["model"], str(path)).build_for(own_part.read_specs(config["inputs"]))
    if compile and recipe is None and config["recipe"] is not None:
        recipe = own_part.read_recipe(config["recipe"], path)
    if compile and recipe is None and config.get("recipe_problem"):
        raise RestoreError(
            f"The training configuration could not be saved ({config['recipe_problem']}). Pass `recipe=jk.Recipe(...)`, or"
            f" `compile=False` to load the model without it."
        )
    model = model._evolve(recipe=recipe)
    has_optimizer = any(name.startswith("opt_state/") for name in config["arrays"])
    expected = jax.eval_shape(lambda: _template(model, recipe if has_optimizer else None))
    names = named_arrays(expected)
    # Arrays of the run, in a checkpoint, are not part of the model.
    entries = {name: entry for name, entry in config["arrays"].items() if not name.startswith("run/")}
    if not compile:
        entries = {name: entry for name, entry in entries.items() if not name.startswith("opt_state/")}
    directory.check(names, entries, str(path))
    arrays = directory.read_arrays(folder, config["arrays"])
    placed = on_device({name: arrays[name] for name in names}, {name: arrays[name].dtype for name in names})
    state = filled(expected, placed, config["key"])
    return model._evolve(state=state, history=own_part.read_history(config.get("history")))


def _template(model: Model, recipe: Recipe | None) -> TrainState:
    """A state with the right structure, created inside `eval_shape`."""
    params, state = nested(model.description.weights, lambda info: jnp.zeros(info.shape, info.dtype))
    opt_state = None
    if recipe is not None:
        frozen, _ = trainable_parts(model.description)
        opt_state = init_optimizer(recipe.optimizer, params, frozen)
    return TrainState(params, state, opt_state, jnp.zeros((), jnp.int32), jax.random.key(0))


def save_weights(model: Model, path: Path) -> None:
    """Writes only the weights, by name."""
    values = {
        f"{info.collection}/{info.name}": value
        for info, value in zip(model.description.weights, values_by_name(model).values(), strict=True)
    }
    directory.save(path, {"weights": True}, values)


def find_weights(model: Model, path: Path, by_name: bool) -> Found:
    """Weights lie under their names anyway, in a directory of weights and in one of a whole model."""
    folder = checkpoints.saved_folder(path)
    listed = directory.read_config(folder)["arrays"]
    arrays = directory.read_arrays(folder, listed)
    weights = Found(str(path))
    infos: Mapping[str, WeightInfo] = {f"{info.collection}/{info.name}": info for info in model.description.weights}
    for name, array in arrays.items():
        entry = Entry.of(name, array)
        if name in infos:
            weights.entries[infos[name].collection, infos[name].name] = entry
        elif name.startswith(COLLECTIONS):
            weights.extra.append(entry)
    return weights
