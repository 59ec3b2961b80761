"""The `.h5` format of models: weights layer by layer, for objects.

Files of versions before Keras 3 are read by the immutable face, which supports their dialects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jkeras import losses as described_losses
from jkeras.errors import RestoreError
from jkeras.files import keras2_h5, keras3_archive
from jkeras.files.containers import hdf5
from jkeras.files.dialects import definitions, old_weights, training
from jkeras.files.keras2_h5 import OPTIMIZER, TOP_LEVEL, LegacyFile
from jkeras.files.loading import load_model
from jkeras.keras.old_configs import object_from
from jkeras.keras.registration import custom_object_scope, get_registered_object
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.variables import Variable
from jkeras.values.config import serialize

ROOT = "model_weights"


def _weights(layer: Any) -> list[Variable]:
    """The weights of a layer in the order of these files: trainable ones first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _own_weights(model: Any) -> list[Variable]:
    inside = {id(weight) for layer in model.layers for weight in layer.weights}
    return [weight for weight in _weights(model) if id(weight) not in inside]


def save(model: Any, path: Path, include_optimizer: bool = True) -> None:
    """Writes a model as Keras 3 does, and the optimizer's state in a place that only jkeras reads."""
    config = serialize_keras_object(model)
    training = config.pop("compile_config", None) or {}
    attributes: dict[str, dict[str, Any]] = {
        "": {
            "keras_version": keras3_archive.KERAS_VERSION,
            "backend": "jax",
            "model_config": json.dumps(keras2_h5.plain(config)),
        }
    }
    attributes[ROOT] = {
        "layer_names": [layer.name for layer in model.layers],
        "backend": "jax",
        "keras_version": keras3_archive.KERAS_VERSION,
    }
    arrays: dict[str, np.ndarray] = {}

    def add(group: str, named: dict[str, Variable]) -> None:
        attributes[group] = {"weight_names": list(named)}
        arrays.update({f"{group}/{name}": cell.numpy() for name, cell in named.items()})

    for layer in model.layers:
        add(f"{ROOT}/{layer.name}", _unique(_weights(layer)))
    add(f"{ROOT}/{TOP_LEVEL}", _unique(_own_weights(model)))
    if include_optimizer and model.compiled and training:
        optimizer = training.pop("optimizer")
        training["optimizer_config"] = {"class_name": optimizer["class_name"], "config": optimizer["config"]}
        # Keras cannot read the short names of losses (`mse`) that it writes here, but can read classes.
        training["loss"] = _by_name(training.get("loss"), _loss_class)
        for name in ("metrics", "weighted_metrics"):
            training[name] = _by_name(training.get(name))
        attributes[""]["training_config"] = json.dumps(training)
        if model.optimizer is not None and model.optimizer.built:
            add(OPTIMIZER, _unique(model.optimizer.variables))
    hdf5.write(path, arrays, attributes)


def _by_name(written: Any, read: Callable[[Any], Any] = lambda name: name) -> Any:
    """The arguments of `compile`: functions by registered name; `read` is applied to other names."""
    if isinstance(written, Mapping) and "class_name" in written:
        return written["config"] if written["class_name"] == "function" else written
    if isinstance(written, Mapping):
        return {key: _by_name(part, read) for key, part in written.items()}
    if isinstance(written, (list, tuple)):
        return [_by_name(part, read) for part in written]
    return read(written)


def _loss_class(written: Any) -> Any:
    return serialize(described_losses.get(written)) if isinstance(written, str) else written


def _unique(cells: list[Variable]) -> dict[str, Variable]:
    """Variables by path; duplicate paths are numbered."""
    named: dict[str, Variable] = {}
    for cell in cells:
        number, name = 0, cell.path
        while name in named:
            number += 1
            name = f"{cell.path}_{number}"
        named[name] = cell
    return named


def load(path: Path, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """The model in a file.

    Raises:
        RestoreError: the file is damaged, or its weights do not match its definition.
    """
    with custom_object_scope(custom_objects), keras2_h5.opened(path) as file:
        if definitions.major(file.version) >= 3 or uses_own_classes(file.config, custom_objects):
            return _load(file, custom_objects, compile)
    return around_described(path, custom_objects, compile)


def around_described(path: Path, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    """Loads a model with the immutable face, as an object."""
    from jkeras.keras.value import around

    with custom_object_scope(custom_objects):
        return around(load_model(path, custom_objects, compile))


def uses_own_classes(config: Any, custom_objects: Mapping[str, Any] | None) -> bool:
    """Whether a configuration names a user's layer class of this face, which only this face can read."""
    from jkeras.keras.layer import Layer

    if isinstance(config, (list, tuple)):
        return any(uses_own_classes(part, custom_objects) for part in config)
    if not isinstance(config, Mapping):
        return False
    for name in (config.get("registered_name"), config.get("class_name")):
        registered = get_registered_object(name, custom_objects) if isinstance(name, str) else None
        if isinstance(registered, type) and issubclass(registered, Layer):
            return True
    return any(uses_own_classes(part, custom_objects) for part in config.values())


def _load(file: LegacyFile, custom_objects: Mapping[str, Any] | None, compile: bool) -> Any:
    model = object_from(file.config, custom_objects)
    expected = [layer for layer in model.layers if layer.weights]
    stored = file.layer_names()
    if len(expected) != len(stored):
        raise RestoreError(
            f"{file.where} has weights of {len(stored)} layers, {stored}; the model has {len(expected)}:"
            f" {[layer.name for layer in expected]}."
        )
    for layer, name in zip(expected, stored, strict=True):
        _fill(file, name, _weights(layer), layer)
    if f"{ROOT}/{TOP_LEVEL}" in file.tree.groups:
        _fill(file, TOP_LEVEL, _own_weights(model))
    if compile and file.training_config is not None:
        model.compile_from_config(_training_config(file.training_config))
        slots = keras2_h5.optimizer_arrays(file, None, None)
        if slots and len(slots) == len(model.optimizer.variables):
            for cell, value in zip(model.optimizer.variables, slots, strict=True):
                cell.assign(value)
    return model


def _training_config(written: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` in today's form: classes with modules."""
    from jkeras.keras import losses, metrics, optimizers

    readers = {"loss": losses, "metrics": metrics, "weighted_metrics": metrics, "optimizer": optimizers}
    config = {name: value for name, value in written.items() if name != "optimizer_config"}
    config["optimizer"] = written.get("optimizer_config")
    config = training.of_today(config)

    def today(value: Any, family: Any) -> Any:
        if isinstance(value, Mapping) and "class_name" in value and "module" not in value:
            return serialize_keras_object(family.deserialize(dict(value)))
        if isinstance(value, Mapping) and "class_name" not in value:
            return {key: today(part, family) for key, part in value.items()}
        return [today(part, family) for part in value] if isinstance(value, list) else value

    return {name: today(value, readers[name]) if name in readers else value for name, value in config.items()}


def _fill(file: LegacyFile, name: str, cells: list[Variable], layer: Any = None) -> None:
    arrays = [file.tree.array(path) for path in file.weight_paths(name)]
    arrays = old_weights.translate(None, layer, arrays, file.version, file.backend)
    if len(arrays) != len(cells):
        raise RestoreError(f"{file.where} has {len(arrays)} weights for {name!r}; the layer has {len(cells)}.")
    for cell, array in zip(cells, arrays, strict=True):
        cell.assign(array)
