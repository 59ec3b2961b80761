"""Loads whole models that `files/saving.py` or real Keras saved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any

from jkeras import allowance, arguments
from jkeras.errors import ArgumentError, JkerasError, RestoreError
from jkeras.files import config as configs
from jkeras.files import hub, keras3_archive, untrusted
from jkeras.files.containers import documents, kinds
from jkeras.files.dialects import definitions
from jkeras.files.table import FORMATS
from jkeras.models.model import Model, known_classes
from jkeras.registry import custom_object_scope
from jkeras.tracebacks import filtered
from jkeras.training.recipe import Recipe
from jkeras.types import PathLike


@filtered
def load_model(
    filepath: PathLike,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    *,
    recipe: Recipe | None = None,
) -> Model:
    """Loads the model in a directory, a `.keras` file (of jkeras or Keras 3) or a `.h5` file (of any version of Keras).

    The contents of a file, not its name, determine the format.

    Everything that `model.save` wrote is restored: definition, weights, optimizer state, step, key, recipe and history.
    Loading is strict: an array that is missing, superfluous or of another shape or dtype is an error that lists all
    differences. Code in files is never run: classes are those of the library, those in `custom_objects`, and those
    registered with `register_keras_serializable`.

    Args:
        filepath: a directory or file; a directory of checkpoints, for the latest; or `hf://user/model` for a repository on the
            Hugging Face Hub (`pip install jkeras[hub]`).
        custom_objects: the user's classes and functions, by name.
        compile: whether to also restore the recipe and the optimizer's state.
        safe_mode: accepted for compatibility with Keras; even with False, code in files is never run.
        recipe: replaces the saved recipe; needed for optimizers and functions that cannot be serialized.

    Raises:
        RestoreError: the save is damaged or does not match.
        UnknownNameError: it uses an unknown class.

    Returns:
        The model.

    >>> import pathlib, tempfile
    >>> import jkeras as jk
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "line.keras"
    >>> jk.Sequential([jk.Input((1,)), jk.layers.Dense(1)], name="line").save(path)
    >>> load_model(path).name
    'line'
    """
    if hub.is_name(filepath):
        with hub.fetched(os.fspath(filepath)) as folder:
            return load_model(folder, custom_objects, compile, safe_mode, recipe=recipe)
    try:
        path = Path(filepath)
    except TypeError:
        raise ArgumentError(f"load_model(filepath={filepath!r}): expected the path of a file or directory.") from None
    arguments.checked("load_model", "compile", compile, arguments.flag)
    arguments.checked("load_model", "safe_mode", safe_mode, arguments.optional(arguments.flag))
    if not isinstance(custom_objects, (Mapping, NoneType)):
        raise ArgumentError(f"load_model(custom_objects={custom_objects!r}): expected a dict from names to classes.")
    kind = kinds.to_read(path, "load_model")
    if not path.exists() and kind is not kinds.DIRECTORY:
        raise RestoreError(f"There is no file {path}.")
    read = FORMATS[kind].read_model
    if read is None:
        raise RestoreError(
            f"{path} contains weights but no definition of a model: build the model in code and use"
            f" `model.load_weights({str(path)!r})`."
        )
    with custom_object_scope(custom_objects or {}), untrusted.reading(path), allowance.of_file(untrusted.size(path)):
        return read(path, compile, recipe, _defined)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that the JSON of `model.to_json()`, of jkeras or any version of Keras, describes, with fresh weights.

    Args:
        json_string: the output of `model.to_json()`.
        custom_objects: the user's classes and functions by name, known during this call only.

    Raises:
        RestoreError: it does not describe a model.

    >>> import jkeras as jk
    >>> model_from_json(jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)]).to_json()).output_shape
    (None, 1)
    """
    arguments.checked("model_from_json", "json_string", json_string, arguments.json_text)
    arguments.checked("model_from_json", "custom_objects", custom_objects, arguments.optional(arguments.table))
    config = documents.parse(json_string, "The JSON text")
    with untrusted.reading("The JSON text"), allowance.of_file(len(json_string)):
        config = definitions.of_today(config, str(config["keras_version"]) if "keras_version" in config else None)
        return model_from_config(config, custom_objects)


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that a configuration with `class_name` and `config` describes, with fresh weights.

    Args:
        config: a configuration.
        custom_objects: the user's classes and functions by name, known during this call only.

    Raises:
        RestoreError: it does not describe a model.

    >>> import json
    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)])
    >>> model_from_config(json.loads(model.to_json())).output_shape
    (None, 1)
    """
    with custom_object_scope(custom_objects or {}):
        return _defined(config, "The configuration")


def _defined(config: Mapping[str, Any], where: str) -> Model:
    model = configs.from_config(config, known_classes())
    if not isinstance(model, Model):
        raise RestoreError(f"{where} describes a {type(model).__name__}, which is not a model.")
    shape = keras3_archive.build_shape(config)
    if not model.built and shape is not None:
        try:
            return model.build(_shape(shape))
        except JkerasError:
            raise
        except (TypeError, ValueError) as error:
            raise RestoreError(
                f"{where} was built for inputs of the shape {shape!r}, which does not match: {error}"
            ) from error
    return model


def _shape(written: Any) -> Any:
    if isinstance(written, Mapping):
        return {k: _shape(v) for k, v in written.items()}
    if isinstance(written, list) and all(size is None or isinstance(size, int) for size in written):
        return tuple(written)
    return [_shape(v) for v in written] if isinstance(written, list) else written


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Any = None,
    call_function: Any = None,
    recursive: bool = False,
) -> Model:
    """A model with the same definition and fresh weights, not compiled.

    Args:
        model: the model to clone.
        input_tensors: only None: a clone has inputs of its own.
        clone_function: a function that takes a layer and returns its replacement.
        call_function: only None: a clone applies its layers as the model does.
        recursive: whether to also clone nested models.

    Returns:
        The new model.

    Raises:
        ArgumentError: `model` is not a model of jkeras, or an argument is not supported.

    >>> import jkeras as jk
    >>> model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(2, "relu")]).compile("sgd", "mse")
    >>> clone = clone_model(model)
    >>> clone.definition == model.definition, clone.recipe
    (True, None)
    """
    if not isinstance(model, Model):
        raise ArgumentError(f"clone_model(model={model!r}): expected a `jk.Model`.")
    arguments.flags("clone_model", recursive=recursive)
    arguments.checked("clone_model", "clone_function", clone_function, arguments.optional(arguments.function))
    if input_tensors is not None:
        raise ArgumentError(
            "clone_model(input_tensors=...): a clone has inputs of its own. Apply it to other tensors:"
            " `jk.Model(tensors, jk.clone_model(model)(tensors))`."
        )
    if call_function is not None:
        raise ArgumentError(
            "clone_model(call_function=...): a clone applies its layers as the model does. Return a layer that calls"
            " differently from `clone_function`."
        )
    fresh = model
    if clone_function is not None:

        def change(path: str, layer: Any) -> Any:
            inside = "/" in path
            if inside and not recursive:
                return layer
            return clone_function(layer._evolve(name=path.rpartition("/")[2]))

        fresh = model.map_layers(change)
    result: Model = fresh.init()._evolve(recipe=None)
    return result
