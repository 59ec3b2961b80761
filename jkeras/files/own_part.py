"""What jkeras adds to Keras's formats: shapes of inputs, recipe, history, step, random key."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import JkerasError, RestoreError
from jkeras.files.containers import directory
from jkeras.models.history import History
from jkeras.training.recipe import Recipe
from jkeras.training.state import key_impl
from jkeras.types import Config, Specs
from jkeras.values.config import serialize

if TYPE_CHECKING:
    from jkeras.models.model import Model


# -- writing -------------------------------------------------------------------------------------------------------


def written(model: Model, include_optimizer: bool) -> dict[str, Any]:
    """All of it, as JSON."""
    recipe, _ = written_recipe(model.recipe if include_optimizer else None)
    return {
        "version": directory.VERSION,
        "inputs": written_specs(model.input_specs),
        "recipe": recipe,
        "history": written_history(model),
        "step": int(model.state.step),
        "key": _written_key(model.state.rng),
    }


def written_recipe(recipe: Recipe | None) -> tuple[Any, str | None]:
    """A recipe as JSON, or the reason why it cannot be serialized."""
    if recipe is None:
        return None, None
    try:
        config = recipe.get_config()
        json.dumps(config)
    except (TypeError, ValueError, NotImplementedError) as error:
        return None, str(error)
    return config, None


def written_history(model: Model) -> dict[str, Any]:
    """The history as JSON."""
    history = model.history
    return {"logs": _plain(history.history), "epoch": _plain(history.epoch), "params": _plain(history.params)}


def written_specs(specs: Specs) -> Any:
    """Shapes and dtypes as JSON, in the structure of the inputs."""
    if isinstance(specs, Mapping):
        return {"dict": {k: written_specs(v) for k, v in specs.items()}}
    if isinstance(specs, (list, tuple)):
        return {"list": [written_specs(v) for v in specs]}
    return {"shape": list(specs.shape), "dtype": str(specs.dtype)}


def _written_key(key: jax.Array) -> dict[str, str]:
    data = np.asarray(jax.random.key_data(key), "<u4")
    return {"impl": str(jax.random.key_impl(key)), "data": base64.b64encode(data.tobytes()).decode()}


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return serialize(value) if isinstance(value, (np.ndarray, np.generic, jax.Array)) else value


# -- reading -------------------------------------------------------------------------------------------------------


def read_recipe(config: Config, path: Path) -> Recipe:
    """The inverse of `written_recipe`."""
    try:
        return Recipe.from_config(config)
    except JkerasError as error:
        error.add_note(f"This is in the training configuration of {path}; `load_model(path, compile=False)` skips it.")
        raise


def read_specs(written: Any) -> Any:
    """The inverse of `written_specs`."""
    if "dict" in written:
        return {k: read_specs(v) for k, v in written["dict"].items()}
    if "list" in written:
        return [read_specs(v) for v in written["list"]]
    return jax.ShapeDtypeStruct(tuple(written["shape"]), jnp.dtype(written["dtype"]))


def read_history(stored_history: Any) -> History:
    """The inverse of `written_history`."""
    stored_history = stored_history if isinstance(stored_history, Mapping) else {}
    return History(stored_history.get("logs"), stored_history.get("epoch", ()), stored_history.get("params"))


def with_own(model: Model, own: Mapping[str, Any], where: str) -> Model:
    """A model with the saved step, key and history.

    Raises:
        RestoreError: they are damaged.
    """
    if not own:
        return model
    state = model.state
    try:
        if "key" in own:
            data = np.frombuffer(base64.b64decode(own["key"]["data"], validate=True), "<u4")
            state = state.replace(rng=jax.random.wrap_key_data(jnp.asarray(data), impl=key_impl(own["key"]["impl"])))
        if "step" in own:
            state = state.replace(step=jnp.asarray(int(own["step"]), jnp.int32))
        history = read_history(own.get("history"))
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, binascii.Error) as error:
        raise RestoreError(f"jkeras's part of {where} is damaged: {error}") from None
    return model._evolve(state=state, history=history)
