"""Saving whole models: definition, recipe, arrays, history. `models/loading.py` is the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jkeras.errors import ArgumentError
from jkeras.models import config as configs
from jkeras.saving import directory as files
from jkeras.spec import serialize
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState


def save_model(model: Any, path: Any, overwrite: bool = True) -> None:
    """Saves a model; see `Model.save`."""
    path = Path(path)
    if path.suffix in (".keras", ".h5", ".hdf5"):
        raise ArgumentError(
            f"save({str(path)!r}): files in Keras's formats are not written yet. Leave the suffix out to save a directory."
        )
    state = model.state
    recipe, problem = _written_recipe(model.recipe)
    config = {
        "model": configs.to_config(model),
        "inputs": _written_specs(model.input_specs),
        "recipe": recipe,
        "recipe_problem": problem,
        "history": {"logs": _plain(model.history.history), "epoch": model.history.epoch, "params": _plain(model.history.params)},
        "key": str(jax.random.key_impl(state.rng)),
        "jax": jax.__version__,
    }
    files.save(path, config, named_arrays(state), overwrite=overwrite)


def named_arrays(state: TrainState) -> dict[str, Any]:
    """The arrays of a state by name: `params/dense/kernel`, `opt_state/...`, `step`, `rng`."""
    parts = {"params": state.params, "state": state.model_state, "opt_state": state.opt_state, "step": state.step}
    named: dict[str, Any] = {}
    for part, tree in parts.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            named[array_name(part, path)] = leaf
    named["rng"] = jax.random.key_data(state.rng) if not isinstance(state.rng, jax.ShapeDtypeStruct) else _key_spec(state.rng)
    return named


def _key_spec(key: Any) -> Any:
    return jax.eval_shape(jax.random.key_data, key)


def array_name(part: str, path: Any) -> str:
    """The name of one leaf of a part of the state."""
    keys = [str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))) for key in path]
    return "/".join([part, *keys])


def _written_recipe(recipe: Recipe | None) -> tuple[Any, str | None]:
    if recipe is None:
        return None, None
    try:
        config = recipe.get_config()
        json.dumps(config)
    except (TypeError, ValueError, NotImplementedError) as error:
        return None, str(error)
    return config, None


def _written_specs(specs: Any) -> Any:
    if isinstance(specs, Mapping):
        return {"dict": {k: _written_specs(v) for k, v in specs.items()}}
    if isinstance(specs, (list, tuple)):
        return {"list": [_written_specs(v) for v in specs]}
    return {"shape": list(specs.shape), "dtype": str(specs.dtype)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return serialize(value) if isinstance(value, (np.ndarray, np.generic, jax.Array)) else value
