"""Saving whole models: definition, recipe, arrays, history. `models/loading.py` is the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras.models import config as configs
from jkeras.models import keras_file, legacy_file
from jkeras.saving import directory as files
from jkeras.spec import serialize
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState

H5_SUFFIXES = (".h5", ".hdf5")


class Persistent:
    """The methods of `Model` that write files and read weights from them."""

    if TYPE_CHECKING:  # what `Model` has
        recipe: Any
        state: Any

    def save(self, path: Any, overwrite: bool = True, *, include_optimizer: bool = True) -> None:
        """Saves the definition, weights, optimizer state, step, key, recipe and history.

        The path's suffix chooses the format: none (or another) is a directory, `.keras` a file that real Keras 3 opens as
        well, `.h5` and `.hdf5` the older one, without step, key and history. A save is atomic: a crash leaves the one
        before, or the new one, whole. `jk.load_model(path)` reads all of them.

        Args:
            path: where to.
            overwrite: whether an earlier save there is replaced.
            include_optimizer: whether the recipe and the optimizer's state are saved.

        Raises:
            FileExistsError: there is a save and it may not be replaced, or a directory that is none.
            ArgumentError: the recipe cannot be written in that format.
        """
        save_model(self, path, overwrite, include_optimizer)


def save_model(model: Any, path: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Saves a model; see `Persistent.save`."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".keras", *H5_SUFFIXES):
        if path.is_dir() or (path.exists() and not overwrite):
            raise FileExistsError(f"{path} exists; pass overwrite=True to replace it.")
        if suffix == ".keras":
            keras_file.save(model, path, _own_part(model, include_optimizer), include_optimizer)
        else:
            legacy_file.save(model, path, include_optimizer)
        return
    state = model.state if include_optimizer else model.state.replace(opt_state=None)
    recipe, problem = _written_recipe(model.recipe if include_optimizer else None)
    config = {
        "model": configs.to_config(model),
        "inputs": _written_specs(model.input_specs),
        "recipe": recipe,
        "recipe_problem": problem,
        "history": _written_history(model),
        "key": str(jax.random.key_impl(state.rng)),
        "jax": jax.__version__,
    }
    files.save(path, config, named_arrays(state), overwrite=overwrite)


def _own_part(model: Any, include_optimizer: bool) -> dict[str, Any]:
    """What Keras's formats have no place for."""
    recipe, _ = _written_recipe(model.recipe if include_optimizer else None)
    return {
        "version": files.VERSION,
        "inputs": _written_specs(model.input_specs),
        "recipe": recipe,
        "history": _written_history(model),
        "step": int(model.state.step),
        "key": keras_file.written_key(model.state.rng),
    }


def _written_history(model: Any) -> dict[str, Any]:
    history = model.history
    return {"logs": _plain(history.history), "epoch": _plain(history.epoch), "params": _plain(history.params)}


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
