"""Saving whole models: definition, recipe, arrays, history. `files/loading.py` is the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras import arguments
from jkeras.errors import ArgumentError
from jkeras.files import config as configs
from jkeras.files import keras_file, legacy_file
from jkeras.files.containers import directory as files
from jkeras.training.recipe import Recipe
from jkeras.training.state import named_arrays
from jkeras.types import PathLike, Specs
from jkeras.values.config import serialize

if TYPE_CHECKING:
    from jkeras.models.model import Model

H5_SUFFIXES = (".h5", ".hdf5")


def save_model(model: Model, path: PathLike, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Saves a model; see `Model.save`."""
    path = arguments.checked("save", "filepath", path, arguments.path)
    suffix = path.suffix.lower()
    _check_definition(model)
    if suffix in (".keras", *H5_SUFFIXES):
        if path.is_dir() or (path.exists() and not overwrite):
            raise FileExistsError(f"{path} exists; pass overwrite=True to replace it.")
        if suffix == ".keras":
            keras_file.save(model, path, _own_part(model, include_optimizer), include_optimizer)
        else:
            legacy_file.save(model, path, include_optimizer)
        return
    files.check_name(path, "save", (".keras", *H5_SUFFIXES))
    state = model.state if include_optimizer else model.state.replace(opt_state=None)
    config = {**written_definition(model, include_optimizer), "history": _written_history(model)}
    files.save(path, config, named_arrays(state), overwrite=overwrite)


def _check_definition(model: Model) -> None:
    try:
        json.dumps(configs.to_config(model))
    except TypeError as error:
        raise ArgumentError(
            f"The definition of the model cannot be written down: {error}. Save its weights, `model.save_weights(path)`, and"
            f" build the model in code to load them."
        ) from error


def written_definition(model: Model, include_optimizer: bool = True) -> dict[str, Any]:
    """What `config.json` in a directory says of a model, without its history."""
    recipe, problem = _written_recipe(model.recipe if include_optimizer else None)
    return {
        "model": configs.to_config(model),
        "inputs": _written_specs(model.input_specs),
        "recipe": recipe,
        "recipe_problem": problem,
        "key": str(jax.random.key_impl(model.state.rng)),
        "jax": jax.__version__,
    }


def written_without_definition(model: Model) -> dict[str, Any]:
    """The same of a model whose definition cannot be written down."""
    recipe, problem = _written_recipe(model.recipe)
    return {
        "model": None,
        "recipe": recipe,
        "recipe_problem": problem,
        "key": str(jax.random.key_impl(model.state.rng)),
    }


def _own_part(model: Model, include_optimizer: bool) -> dict[str, Any]:
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


def _written_history(model: Model) -> dict[str, Any]:
    history = model.history
    return {"logs": _plain(history.history), "epoch": _plain(history.epoch), "params": _plain(history.params)}


def _written_recipe(recipe: Recipe | None) -> tuple[Any, str | None]:
    if recipe is None:
        return None, None
    try:
        config = recipe.get_config()
        json.dumps(config)
    except (TypeError, ValueError, NotImplementedError) as error:
        return None, str(error)
    return config, None


def _written_specs(specs: Specs) -> Any:
    if isinstance(specs, Mapping):
        return {"dict": {k: _written_specs(v) for k, v in specs.items()}}
    if isinstance(specs, (list, tuple)):
        return {"list": [_written_specs(v) for v in specs]}
    return {"shape": list(specs.shape), "dtype": str(specs.dtype)}


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return serialize(value) if isinstance(value, (np.ndarray, np.generic, jax.Array)) else value
