"""Converts between the faces: an object to its current immutable model, and an immutable model to an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

import jkeras as jk
from jkeras import dtypes, tree
from jkeras.errors import ArgumentError, NotBuiltError
from jkeras.files import compile_config, optimizer_order
from jkeras.files import config as configs
from jkeras.files.weight_matching import is_kept
from jkeras.keras.compiled_optimizer import optimizer_of
from jkeras.keras.mutable import Mutable, value_of
from jkeras.keras.node import is_unmodified, layer_value
from jkeras.paths import flatten
from jkeras.random_keys import as_key
from jkeras.training.state import TrainState

# -- objects as values -----------------------------------------------------------------------------------------------------


def to_value(model: Any, named: bool = True) -> Any:
    """The immutable model with the current values of an object's variables: weights and training state.

    Each layer of a user's class becomes one node, which runs the object.

    Args:
        model: the object.
        named: whether layers keep their names; otherwise they are numbered in order, in every process alike.

    Raises:
        NotBuiltError: the model has no weights yet.
    """
    value = definition(model, named)
    state = TrainState({}, {}, None, jnp.zeros((), jnp.int32), as_key(None))
    infos = [info for info in value.description.weights if is_kept(info)]
    cells = model.weights
    if [info.shape for info in infos] != [cell.shape for cell in cells]:
        raise ArgumentError(
            f"{model.name} has no counterpart among immutable models: its weights {[cell.path for cell in cells]} are not"
            f" {[info.name for info in infos]}."
        )
    trees: dict[str, dict[str, Any]] = {"params": {}, "state": {}}
    for info, cell in zip(infos, cells, strict=True):
        _put(trees[info.collection], info.path, cell.value)
    state = state.replace(params=trees["params"], model_state=trees["state"])
    if model._progress is not None:
        step, rng = model._progress
        state = state.replace(step=jnp.asarray(step, jnp.int32), rng=rng)
    arguments = recipe_arguments(model)
    if arguments is not None and not named:
        optimizer = arguments["optimizer"]
        arguments["optimizer"] = optimizer.replace(name=type(optimizer)().name)
    if arguments is None:
        return value.with_state(state)
    value = value.compile(**arguments, distribute=model._strategy).with_state(state)
    if model.optimizer.built:
        if not model.optimizer.is_built_for(model.trainable_variables):
            raise ArgumentError(
                f"{model.name}: `trainable` of a layer was changed after the optimizer had been built for other variables."
                f" Compile the model again with `model.compile(...)`."
            )
        fresh = value.with_optimizer_state().state.opt_state
        slots = [cell.value for cell in model.optimizer.variables]
        opt_state = optimizer_order.read(value.recipe.optimizer, slots, fresh, _trained_paths(value))
        value = value.with_state(state.replace(opt_state=opt_state))
    return value


def _put(group: dict[str, Any], path: tuple[str, ...], array: Any) -> None:
    for part in path[:-1]:
        group = group.setdefault(part, {})
    group[path[-1]] = array


def _trained_paths(value: Any) -> list[str]:
    return [info.name for info in value.description.weights if info.trainable]


def definition(model: Any, named: bool = True) -> Any:
    """The immutable model, without arrays, that computes what the object computes.

    Args:
        model: the object.
        named: whether layers keep their names; otherwise they are numbered in order.

    Raises:
        NotBuiltError: the shapes of its inputs are not known.
    """
    from jkeras.keras.functional import Functional
    from jkeras.keras.sequential import Sequential

    if not model.built:
        raise NotBuiltError(f"{model.name} has no weights yet: call it on data, or build it, first.")
    graph = model._functional if isinstance(model, Sequential) else model
    if isinstance(graph, Functional) and type(model).call in (Functional.call, Sequential.call):
        return _graph_value(graph, model, named)
    return _single_node(model)


def _graph_value(graph: Any, model: Any, named: bool) -> Any:
    values: dict[int, Any] = {}

    def value_of_operation(operation: Any) -> Any:
        if id(operation) not in values:
            values[id(operation)] = _operation_value(operation, named)
        return values[id(operation)]

    def input_like(tensor: Any) -> Any:
        return jk.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name if named else None)

    inputs = tree.map_structure(input_like, graph._inputs_struct)
    outputs = graph._run_through_graph(inputs, operation_fn=value_of_operation)
    policy = dtypes.get(model.dtype_policy.name)
    return jk.Model(inputs, outputs, name=model.name if named else None, trainable=model.trainable, dtype=policy)


def _operation_value(operation: Any, named: bool) -> Any:
    from jkeras.keras.layer import Layer
    from jkeras.keras.model import Model

    if not isinstance(operation, Layer):
        return operation.call
    if isinstance(operation, Model) and is_unmodified(operation):
        return definition(operation, named)
    value = layer_value(operation)
    return value if named else value.replace(name=None)


def _single_node(model: Any) -> Any:
    """A model with a single node, for inputs of the shapes that it was built for."""
    shapes = model._build_shapes_dict
    if not shapes:
        raise NotBuiltError(f"The shapes of the inputs of {model.name} are not known: call it on data first.")
    shape = next(iter(shapes.values()))
    inputs = jax.tree.map(lambda s: jk.Input(batch_shape=(None, *s[1:])), shape, is_leaf=_is_shape)
    return jk.Model(inputs, layer_value(model)(inputs), name=model.name)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and all(size is None or isinstance(size, int) for size in value)


def recipe_arguments(model: Any) -> dict[str, Any] | None:
    """The recipe of the immutable model; None if the model is not compiled, or with objects of users' classes."""
    compile_config: Mapping[str, Any] | None = model._compile_config
    if compile_config is None:
        return None
    parts = {name: compile_config.get(name) for name in ("loss", "metrics", "weighted_metrics")}
    parts["optimizer"] = model.optimizer
    leaves = jax.tree.leaves(parts, is_leaf=lambda part: isinstance(part, Mutable))
    if any(isinstance(leaf, Mutable) and not leaf.is_facade() for leaf in leaves):
        return None
    values = jax.tree.map(value_of, parts, is_leaf=lambda part: isinstance(part, Mutable))
    # If losses are to be scaled, the optimizer already does so.
    return {
        **values,
        "loss_weights": compile_config.get("loss_weights"),
        "run_eagerly": model.run_eagerly,
        "auto_scale_loss": False,
    }


# -- values as objects -----------------------------------------------------------------------------------------------------


def around(value: Any) -> Any:
    """An object with the definition, weights and training configuration of an immutable model.

    Raises:
        TypeError: the model has parts of users' classes of the immutable face.
    """
    from jkeras.keras.saving import deserialize_keras_object

    model = deserialize_keras_object(configs.to_config(value))
    if not model.built and value.built:
        model.build_from_config({"input_shape": jax.tree.map(lambda spec: (None, *spec.shape[1:]), value.input_specs)})
    if value.recipe is not None:
        model.compile_from_config(compile_config.written(value.recipe) or {})
    if value.built:
        take_over(model, value)
    return model


def take_over(model: Any, value: Any) -> None:
    """Assigns the arrays of an immutable model with the same definition to an object."""
    flat = {"params": flatten(value.params), "state": flatten(value.model_state)}
    infos = [info for info in value.description.weights if is_kept(info)]
    cells = model.weights
    for info, cell in zip(infos, cells, strict=True):
        cell.assign(flat[info.collection][info.name])
    model._progress = (value.state.step, value.state.rng)
    opt_state = value.state.opt_state
    if opt_state is not None and optimizer_of(model) is not None:
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        slots = optimizer_order.variables(value.recipe.optimizer, opt_state, _trained_paths(value))
        for cell, slot in zip(model.optimizer.variables, slots, strict=True):
            cell.assign(slot.value)
