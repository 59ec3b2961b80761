"""The configuration of a functional model: its layers, the calls between them, its inputs and outputs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from jkeras import tree
from jkeras.errors import InputError
from jkeras.files import operations
from jkeras.keras.deserialization import deserialize_keras_object
from jkeras.keras.history import KerasHistory, Node
from jkeras.keras.old_configs import object_from
from jkeras.keras.operation import Operation
from jkeras.keras.registration import get_registered_object
from jkeras.keras.serialization import serialize_keras_object
from jkeras.keras.tensor import KerasTensor
from jkeras.ops.table import FUNCTIONS

_GRAPH = ("layers", "input_layers", "output_layers")


def is_graph(config: Mapping[str, Any]) -> bool:
    """Whether a configuration describes a functional model."""
    return all(key in config for key in _GRAPH)


# -- writing ----------------------------------------------------------------------------------------------------------


def write(model: Any) -> dict[str, Any]:
    """The configuration of a functional model."""
    own = {id(node) for node in model._nodes}
    layers = []
    for operation in model.operations:
        calls = [_written_call(node, own) for node in operation._inbound_nodes if id(node) in own]
        config = serialize_keras_object(operation)
        # Modified in place: if an object is written again later, its number is added to this configuration.
        config.update(name=operation.name, inbound_nodes=[call for call in calls if call is not None])
        layers.append(config)

    def place(tensor: KerasTensor) -> list[Any]:
        # A nested functional model itself counts as a call in files.
        operation, node_index, tensor_index = _own_history(tensor, own)
        return [operation.name, node_index + is_nested_graph(operation), tensor_index]

    return copy.deepcopy(
        {
            "name": model.name,
            "trainable": model.trainable,
            "layers": layers,
            "input_layers": tree.map_structure(place, model.input),
            "output_layers": tree.map_structure(place, model.output),
        }
    )


def _own_history(tensor: KerasTensor, own: set[int]) -> tuple[Operation, int, int]:
    """The history of a tensor, counting only calls inside the model."""
    operation, node_index, tensor_index = tensor.history
    others = sum(id(node) not in own for node in operation._inbound_nodes[:node_index])
    return operation, node_index - others, tensor_index


def _written_call(node: Node, own: set[int]) -> dict[str, Any] | None:
    if node.is_input:
        return None

    def written(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        twin = KerasTensor(leaf.shape, leaf.dtype, leaf.sparse, name=leaf.name)
        twin.history = KerasHistory(*_own_history(leaf, own))
        return serialize_keras_object(twin)

    args, kwargs = node.arguments.convert(written)
    return {"args": serialize_keras_object(args), "kwargs": serialize_keras_object(kwargs)}


def is_nested_graph(operation: Operation) -> bool:
    """Whether an operation is a functional model itself."""
    from jkeras.keras.functional import Functional

    return isinstance(operation, Functional)


# -- reading ----------------------------------------------------------------------------------------------------------


class _NotYetError(Exception):
    """A call needs a tensor that a later call produces."""


def read(cls: Any, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Creates a model of class `cls` from its configuration; entries not about the graph go to the constructor.

    Raises:
        InputError: calls depend on each other in a cycle, or on missing layers.
    """
    layers: dict[str, Operation] = {}
    calls: dict[str, list[Any]] = {}
    for entry in config["layers"]:
        layer = object_from(_described(entry, custom_objects), custom_objects)
        if not isinstance(layer, Operation):
            raise InputError(
                f"Unexpected object from deserialization, expected a layer or operation, got a {type(layer)}"
            )
        layers[entry["name"]] = layer
        calls[entry["name"]] = list(entry["inbound_nodes"])
    while any(calls.values()):
        progress = False
        for name, waiting in calls.items():
            try:
                while waiting:
                    args, kwargs = _read_call(waiting[0], layers)
                    layers[name](*args, **kwargs)
                    waiting.pop(0)
                    progress = True
            except _NotYetError:
                continue
        if not progress:
            raise InputError(
                "Invalid Functional model configuration. The graph of the Functional model either has loops or disconnected"
                f" nodes. The following nodes failed to be resolved: {[name for name, left in calls.items() if left]}"
            )
    rest = {key: value for key, value in config.items() if key not in (*_GRAPH, "name", "trainable")}
    return cls(
        inputs=_tensors(config["input_layers"], layers),
        outputs=_tensors(config["output_layers"], layers),
        name=config.get("name"),
        trainable=config.get("trainable"),
        **rest,
    )


def _described(entry: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> dict[str, Any]:
    """The configuration of a layer or function; `.h5` files lack the module, and old files have the name only outside it."""
    config = {key: value for key, value in entry.items() if key not in ("name", "inbound_nodes")}
    if "module" not in entry and isinstance(entry.get("config"), dict):
        config["config"] = {"name": entry["name"], **entry["config"]}
        if get_registered_object(entry["class_name"], custom_objects) is None:
            function = operations.without_module(entry, FUNCTIONS)
            if function is not None:
                config["module"] = operations.place(function, entry["config"])[0]
    return config


def _tensor(layers: Mapping[str, Operation], name: str, node_index: int, tensor_index: int) -> KerasTensor:
    if name not in layers:
        raise InputError(f"Invalid Functional model configuration. Missing node: {name}")
    nodes = layers[name]._inbound_nodes
    if node_index >= len(nodes):
        raise _NotYetError
    return nodes[node_index].output_tensors[tensor_index]


def _tensors(places: Any, layers: Mapping[str, Operation]) -> Any:
    if isinstance(places, list) and len(places) == 3 and isinstance(places[0], str):
        name, node_index, tensor_index = places
        counted = name in layers and is_nested_graph(layers[name])
        return _tensor(layers, name, node_index - counted, tensor_index)
    if isinstance(places, dict):
        return {key: _tensors(value, layers) for key, value in places.items()}
    return type(places)(_tensors(value, layers) for value in places)


def _read_call(call: Any, layers: Mapping[str, Operation]) -> tuple[Any, dict[str, Any]]:
    if isinstance(call, list):  # before Keras 3: [layer, node, tensor, kwargs] for each input
        tensors = []
        kwargs: dict[str, Any] = {}
        for name, node_index, tensor_index, *rest in call:
            tensors.append(_tensor(layers, name, node_index, tensor_index))
            kwargs = rest[0] if rest else {}
        return [tensors[0] if len(tensors) == 1 else tensors], kwargs

    def revived(leaf: Any) -> Any:
        if isinstance(leaf, KerasTensor) and leaf.written_history is not None:
            return _tensor(layers, *leaf.written_history)
        return leaf

    args = deserialize_keras_object(call["args"])
    kwargs = deserialize_keras_object(call["kwargs"])
    return tree.map_structure(revived, args), tree.map_structure(revived, kwargs)
