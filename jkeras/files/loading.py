"""Loading whole models that `files/saving.py` or real Keras saved."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError, JkerasError, RestoreError
from jkeras.files import compile_config, keras_file, legacy_file, stored_weights, untrusted
from jkeras.files import config as configs
from jkeras.files.adapted import with_learned
from jkeras.files.containers import checkpoints, documents
from jkeras.files.containers import directory as files
from jkeras.files.dialects import old_names
from jkeras.files.dialects.old_weights import major
from jkeras.files.keras_file import KerasFile
from jkeras.files.saving import H5_SUFFIXES
from jkeras.files.weight_matching import all_values
from jkeras.graph.scope import WeightInfo
from jkeras.models.history import History
from jkeras.models.model import Model, known_classes
from jkeras.random_keys import as_key
from jkeras.registry import custom_object_scope
from jkeras.tracebacks import filtered
from jkeras.training.program import init_optimizer, trainable_parts
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState, filled, key_impl, named_arrays
from jkeras.types import Config, PathLike


@filtered
def load_model(
    filepath: PathLike,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    *,
    recipe: Recipe | None = None,
) -> Model:
    """The model in a directory, a `.keras` file (ours or Keras 3's) or a `.h5` file (of any version of Keras).

    What `model.save` wrote comes back whole: definition, weights, optimizer state, step, key, recipe and history.
    Loading is strict: an array that is missing, superfluous or of another shape or type is an error that lists every
    difference. It never runs code from the file: classes are those of the library, of `custom_objects`, and those
    registered with `register_keras_serializable`.

    Args:
        filepath: the directory or file; of a directory of checkpoints the latest is read.
        custom_objects: the user's own classes and functions by name.
        compile: whether the recipe and the optimizer's state are restored, too.
        safe_mode: accepted for Keras's signature; False changes nothing, code in files is never run.
        recipe: takes the place of the saved recipe; needed for optimizers and functions that cannot be written down.

    Raises:
        RestoreError: the save is damaged or does not fit.
        UnknownNameError: it uses a class that is not known.
    """
    try:
        path = Path(filepath)
    except TypeError:
        raise ArgumentError(f"load_model(filepath={filepath!r}): expected the path of a file or directory.") from None
    if not isinstance(custom_objects, (Mapping, NoneType)):
        raise ArgumentError(f"load_model(custom_objects={custom_objects!r}): expected a dict from names to classes.")
    readers = {".keras": _load_keras, **dict.fromkeys(H5_SUFFIXES, _load_h5)}
    read = readers.get(path.suffix.lower(), _load_directory)
    if read is not _load_directory and not path.is_file():
        raise RestoreError(f"There is no file {path}.")
    with custom_object_scope(custom_objects or {}), untrusted.reading(path):
        return read(path, compile, recipe)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that `model.to_json()`, ours or that of any version of Keras, describes, with fresh weights."""
    config = documents.parse(json_string, "The JSON text")
    if "keras_version" in config and major(str(config["keras_version"])) < 3:
        config = old_names.with_old_functions(config)
    return model_from_config(config, custom_objects)


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that a configuration with `class_name` and `config` describes, with fresh weights.

    Raises:
        RestoreError: it describes no model.
    """
    with custom_object_scope(custom_objects or {}):
        return _defined(config, "The configuration")


def _defined(config: Mapping[str, Any], where: str) -> Model:
    model = configs.from_config(config, known_classes())
    if not isinstance(model, Model):
        raise RestoreError(f"{where} describes a {type(model).__name__}, which is no model.")
    shape = keras_file.build_shape(config)
    if not model.built and shape is not None:
        try:
            return model.build(_shape(shape))
        except JkerasError:
            raise
        except (TypeError, ValueError) as error:
            raise RestoreError(
                f"{where} was built for inputs of the shape {shape!r}, which does not fit: {error}"
            ) from error
    return model


def _shape(written: Any) -> Any:
    if isinstance(written, Mapping):
        return {k: _shape(v) for k, v in written.items()}
    if isinstance(written, list) and all(size is None or isinstance(size, int) for size in written):
        return tuple(written)
    return [_shape(v) for v in written] if isinstance(written, list) else written


# -- directories ---------------------------------------------------------------------------------------------------


def _load_directory(path: Path, compile: bool, recipe: Recipe | None) -> Model:
    folder = files.find(checkpoints.find(path) if checkpoints.steps(path) else path)
    config = files.read_config(folder)
    if "model" not in config:
        raise RestoreError(
            f"{path} holds weights and no definition of a model: build the model in code and use `model.load_weights(path)`."
        )
    if config["model"] is None:
        raise RestoreError(
            f"The definition of the model in {path} could not be written down; use `model.restore(path)`."
        )
    model = _defined(config["model"], str(path)).build_for(_read_specs(config["inputs"]))
    if compile and recipe is None and config["recipe"] is not None:
        recipe = _own_recipe(config["recipe"], path)
    if compile and recipe is None and config.get("recipe_problem"):
        raise RestoreError(
            f"The training configuration could not be saved ({config['recipe_problem']}). Pass `recipe=jk.Recipe(...)`, or"
            f" `compile=False` to load the model without it."
        )
    model = model._evolve(recipe=recipe)
    has_optimizer = any(name.startswith("opt_state/") for name in config["arrays"])
    expected = jax.eval_shape(lambda: _template(model, recipe if has_optimizer else None))
    wanted = named_arrays(expected)
    # Those of the run that a checkpoint is from are no part of the model.
    found = {name: entry for name, entry in config["arrays"].items() if not name.startswith("run/")}
    if not compile:
        found = {name: entry for name, entry in found.items() if not name.startswith("opt_state/")}
    files.check(wanted, found, str(path))
    arrays = files.read_arrays(folder, config["arrays"])
    state = filled(expected, {name: arrays[name] for name in wanted}, config["key"])
    return model._evolve(state=state, history=_history(config.get("history")))


def _own_recipe(config: Config, path: Path) -> Recipe:
    try:
        return Recipe.from_config(config)
    except JkerasError as error:
        error.add_note(
            f"This is in the training configuration of {path}; `load_model(path, compile=False)` leaves it out."
        )
        raise


def _template(model: Model, recipe: Recipe | None) -> TrainState:
    """A state of the right structure, made inside `eval_shape`."""
    params, state = _nested(model, lambda info: jnp.zeros(info.shape, info.dtype))
    opt_state = None
    if recipe is not None:
        frozen, _ = trainable_parts(model.description)
        opt_state = init_optimizer(recipe.optimizer, params, frozen)
    return TrainState(params, state, opt_state, jnp.zeros((), jnp.int32), jax.random.key(0))


def _nested(model: Model, value: Callable[[WeightInfo], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The trees of params and state, with `value(info)` as leaves."""
    params: dict[str, Any] = {}
    state: dict[str, Any] = {}
    for info in model.description.weights:
        tree = params if info.collection == "params" else state
        for key in info.path[:-1]:
            tree = tree.setdefault(key, {})
        tree[info.path[-1]] = value(info)
    return params, state


def _read_specs(written: Any) -> Any:
    if "dict" in written:
        return {k: _read_specs(v) for k, v in written["dict"].items()}
    if "list" in written:
        return [_read_specs(v) for v in written["list"]]
    return jax.ShapeDtypeStruct(tuple(written["shape"]), jnp.dtype(written["dtype"]))


def _history(kept: Any) -> History:
    kept = kept if isinstance(kept, Mapping) else {}
    return History(kept.get("logs"), kept.get("epoch", ()), kept.get("params"))


# -- files of Keras ------------------------------------------------------------------------------------------------


def _load_keras(path: Path, compile: bool, recipe: Recipe | None) -> Model:
    file = KerasFile(path)
    with file.tree() as tree:
        moved: set[str] = set()
        model = _defined(with_learned(file.config, file, tree, moved), str(path))
        if file.own.get("inputs"):
            model = model.build_for(_read_specs(file.own["inputs"]))
        values = all_values(model.description.weights, stored_weights.find(model, tree, ignore=moved))
        optimizer_arrays = keras_file.optimizer_arrays(tree) if compile else []
    if compile and recipe is None:
        if file.own.get("recipe"):
            recipe = _own_recipe(file.own["recipe"], path)
        elif file.compile_config is not None:
            recipe = compile_config.read(file.compile_config, str(path))
    model = _with_values(model, values, recipe, optimizer_arrays, str(path))
    return _with_own(model, file.own, str(path))


def _load_h5(path: Path, compile: bool, recipe: Recipe | None) -> Model:
    with legacy_file.opened(path) as file:
        model = _defined(legacy_file.with_learned(file), str(path))
        if not model.built:
            model = legacy_file.built_by_weights(model, file)
        values = all_values(model.description.weights, legacy_file.find(model, file))
        if compile and recipe is None and file.training_config is not None:
            recipe = compile_config.read(file.training_config, str(path))
        optimizer_arrays = legacy_file.optimizer_arrays(file, model) if compile and recipe is not None else []
    return _with_values(model, values, recipe, optimizer_arrays, str(path))


def _with_values(
    model: Model, values: Mapping[tuple[str, str], Any], recipe: Recipe | None, optimizer_arrays: list[Any], where: str
) -> Model:
    def value(info: WeightInfo) -> jax.Array:
        key = (info.collection, info.name)
        return jnp.asarray(values[key]) if key in values else jnp.zeros(info.shape, info.dtype)

    params, state = _nested(model, value)
    step = jnp.zeros((), jnp.int32)
    opt_state = None
    # A model that was compiled and not trained has a step count and a learning rate, and no slots.
    if recipe is not None and len(optimizer_arrays) > 2:
        frozen, _ = trainable_parts(model.description)
        fresh = init_optimizer(recipe.optimizer, params, frozen)
        try:
            opt_state = recipe.optimizer.from_keras_variables(
                optimizer_arrays, fresh, keras_file.trainable_paths(model)
            )
        except RestoreError as error:
            error.add_note(
                f"This is the optimizer's state in {where}; `load_model(path, compile=False)` leaves it out."
            )
            raise
        step = jnp.asarray(recipe.optimizer.get_iterations(opt_state), jnp.int32)
    train_state = TrainState(params, state, opt_state, step, as_key(None))
    return model._evolve(recipe=recipe, state=train_state)


def _with_own(model: Model, own: Mapping[str, Any], where: str) -> Model:
    if not own:
        return model
    state = model.state
    try:
        if "key" in own:
            data = np.frombuffer(base64.b64decode(own["key"]["data"], validate=True), "<u4")
            state = state.replace(rng=jax.random.wrap_key_data(jnp.asarray(data), impl=key_impl(own["key"]["impl"])))
        if "step" in own:
            state = state.replace(step=jnp.asarray(int(own["step"]), jnp.int32))
        history = _history(own.get("history"))
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, binascii.Error) as error:
        raise RestoreError(f"What jkeras wrote in {where} is damaged: {error}") from None
    return model._evolve(state=state, history=history)


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Any = None,
    call_function: Any = None,
    recursive: bool = False,
) -> Model:
    """The same definition with fresh weights, not compiled.

    Args:
        model: what to clone.
        input_tensors: accepted for Keras's signature; the inputs are those of the model.
        clone_function: takes each layer and returns the layer to use in its place.
        call_function: accepted for Keras's signature.
        recursive: whether models inside are gone through, too.
    """
    if not isinstance(model, Model):
        raise ArgumentError(f"clone_model(model={model!r}): expected a `jk.Model`.")
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
