"""Converts recipes to and from the training configurations that Keras saves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from jkeras import losses, metrics, optimizers
from jkeras.errors import ArgumentError, JkerasError, RestoreError
from jkeras.files.dialects import origin, training
from jkeras.training.recipe import BY_SHAPE_LOSSES, BY_SHAPE_METRICS, Recipe

KEYS = (
    "optimizer",
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
)


def write(recipe: Recipe) -> dict[str, Any]:
    """A recipe as Keras's `compile_config`.

    Raises:
        ArgumentError: a part has no configuration: an Optax transformation, a function that is not registered.
    """
    config = {key: value for key, value in recipe.get_config().items() if key in KEYS}
    config["steps_per_execution"] = 1 if config["steps_per_execution"] == "auto" else config["steps_per_execution"]
    config["jit_compile"] = config["jit_compile"] is not False
    return config


def written(recipe: Recipe | None) -> dict[str, Any] | None:
    """The same for a file that real Keras also reads; None without a recipe."""
    if recipe is None:
        return None
    try:
        return write(recipe)
    except ArgumentError as error:
        error.add_note("To save the model without its training configuration: `save(path, include_optimizer=False)`.")
        raise


def read(config: Mapping[str, Any], where: str) -> Recipe:
    """The recipe of a `compile_config`, or of the `training_config` of a `.h5` file.

    Raises:
        RestoreError: it is damaged, or names something that is neither in the library nor registered.
    """
    arguments = {key: shortest(config[key]) for key in KEYS if config.get(key) is not None}
    if "optimizer_config" in config:
        arguments["optimizer"] = shortest(config["optimizer_config"])
    try:
        if isinstance(arguments.get("optimizer"), Mapping):
            arguments["optimizer"] = optimizers.get(training.optimizer(arguments["optimizer"]))
        if "loss" in arguments:
            arguments["loss"] = _structure(_loss, arguments["loss"])
        for key in ("metrics", "weighted_metrics"):
            if key in arguments:
                arguments[key] = _structure(_metric, arguments[key])
                if isinstance(arguments[key], (str, Mapping)) and not _is_dict(arguments[key]):
                    arguments[key] = [arguments[key]]
        arguments["jit_compile"] = "auto"
        if arguments.get("steps_per_execution") == 1:
            arguments.pop("steps_per_execution")  # Keras's default; jkeras chooses automatically
        return Recipe(**arguments)
    except (JkerasError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise RestoreError(
            f"The training configuration in {where}, as {origin.writer()} wrote it, cannot be restored: {error} To load the"
            f" model without it: `load_model(path, compile=False)`, or with another: `load_model(path, recipe=jk.Recipe(...))`."
        ) from error


def shortest(value: Any) -> Any:
    """Undoes Keras's rounding of numbers to float32: returns short decimals with the same float32 value.

    >>> shortest({"learning_rate": 0.0010000000474974513, "momentum": 0.9})
    {'learning_rate': 0.001, 'momentum': 0.9}
    """
    if isinstance(value, Mapping):
        return {k: shortest(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shortest(v) for v in value]
    if isinstance(value, float) and math.isfinite(value) and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value


def _is_dict(value: object) -> bool:
    return isinstance(value, Mapping) and "class_name" not in value


def _structure(convert: Any, value: Any) -> Any:
    if _is_dict(value):
        return {k: _structure(convert, v) for k, v in value.items()}
    if isinstance(value, list):
        return [_structure(convert, v) for v in value]
    return convert(value)


def _loss(written: Any) -> Any:
    if written is None or (isinstance(written, str) and written in BY_SHAPE_LOSSES):
        return written
    return losses.get(training.loss_or_metric(written))


def _metric(written: Any) -> Any:
    wrapped = isinstance(written, Mapping)
    written = training.loss_or_metric(written)
    if written is None or (isinstance(written, str) and written in BY_SHAPE_METRICS):
        return written
    return written if isinstance(written, str) and not wrapped else metrics.get(written)
