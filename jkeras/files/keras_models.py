"""Reads whole models from Keras files: `.keras` archives and directories, and `.h5` files of every version."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import PartialLoadWarning, RestoreError
from jkeras.files import compile_config, keras2_h5, keras3_archive, keras3_weights, optimizer_order, own_part
from jkeras.files.adapted import with_learned
from jkeras.files.containers.kinds import WEIGHTS_FILE
from jkeras.files.device_arrays import on_device
from jkeras.files.dialects import origin
from jkeras.files.keras3_archive import KerasFile
from jkeras.files.weight_matching import all_values, nested
from jkeras.graph.scope import WeightInfo
from jkeras.optimizers.base import BaseOptimizer
from jkeras.random_keys import as_key
from jkeras.training.program import init_optimizer, trainable_parts
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState

if TYPE_CHECKING:
    from jkeras.models.model import Model


def load_keras(
    path: Path, compile: bool, recipe: Recipe | None, define: Callable[[Mapping[str, Any], str], Model]
) -> Model:
    """The model in a `.keras` file or in its unpacked form; see `files.table.Format.read_model`."""
    file = KerasFile(path)
    with file.tree() as tree, origin.written_by(file.version):
        moved: set[str] = set()
        model = define(with_learned(file.config, file, tree, moved), str(path))
        if file.own.get("inputs"):
            model = model.build_for(own_part.read_specs(file.own["inputs"]))
        values = all_values(model.description.weights, keras3_weights.find(model, tree, ignore=moved))
        if compile and recipe is None:
            if file.own.get("recipe"):
                recipe = own_part.read_recipe(file.own["recipe"], path)
            elif file.compile_config is not None:
                recipe = compile_config.read(file.compile_config, str(path))
        state = functools.partial(keras3_archive.optimizer_arrays, file, tree, model) if compile else None
        model = _with_values(model, values, recipe, state, str(path), len(file.members[WEIGHTS_FILE]))
    return own_part.with_own(model, file.own, str(path))


def load_h5(
    path: Path, compile: bool, recipe: Recipe | None, define: Callable[[Mapping[str, Any], str], Model]
) -> Model:
    """The model in a `.h5` file; see `files.table.Format.read_model`."""
    with keras2_h5.opened(path) as file, origin.written_by(file.version):
        model = define(keras2_h5.with_learned(file), str(path))
        if not model.built:
            model = keras2_h5.built_by_weights(model, file)
        values = all_values(model.description.weights, keras2_h5.find(model, file))
        if compile and recipe is None and file.training_config is not None:
            recipe = compile_config.read(file.training_config, str(path))
        state = functools.partial(keras2_h5.optimizer_arrays, file, model) if compile else None
        return _with_values(model, values, recipe, state, str(path))


def _with_values(
    model: Model,
    values: Mapping[tuple[str, str], Any],
    recipe: Recipe | None,
    optimizer_arrays: Callable[[BaseOptimizer], list[np.ndarray]] | None,
    where: str,
    size: int = 0,
) -> Model:
    def value(info: WeightInfo) -> jax.Array:
        array = arrays.get((info.collection, info.name))
        return jnp.zeros(info.shape, info.dtype) if array is None else array

    arrays = on_device(values, {(info.collection, info.name): info.dtype for info in model.description.weights}, size)
    params, state = nested(model.description.weights, value)
    step = jnp.zeros((), jnp.int32)
    opt_state = None
    if recipe is not None and optimizer_arrays is not None:
        opt_state = _optimizer_state(model, params, recipe.optimizer, optimizer_arrays, where)
    if recipe is not None and opt_state is not None:
        step = jnp.asarray(recipe.optimizer.get_iterations(opt_state), jnp.int32)
    train_state = TrainState(params, state, opt_state, step, as_key(None))
    return model._evolve(recipe=recipe, state=train_state)


def _optimizer_state(
    model: Model,
    params: Mapping[str, Any],
    optimizer: BaseOptimizer,
    arrays: Callable[[BaseOptimizer], list[np.ndarray]],
    where: str,
) -> Any:
    """The optimizer state in a file; None if training starts with a new one, with a warning if the state does not match."""
    frozen, _ = trainable_parts(model.description)
    try:
        state = arrays(optimizer)
        # A model that was compiled but not trained has a step count and a learning rate, but no slots.
        if len(state) <= 2 and not (len(state) and int(state[0])):
            return None
        fresh = init_optimizer(optimizer, params, frozen)
        return optimizer_order.read(optimizer, state, fresh, keras3_archive.trainable_paths(model))
    except RestoreError as error:
        # For example, a model whose layers were frozen or unfrozen after `compile`.
        warnings.warn(
            PartialLoadWarning(
                f"The state of the optimizer in {where} does not match the trainable weights, so training starts"
                f" with a new one: {error} `load_model(path, compile=False)` skips the state.",
                {"optimizer": str(error)},
            ),
            stacklevel=2,
        )
        return None
