"""Models as configurations: plain JSON-able values in the form that Keras 3 writes, and back."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import jax

from jkeras import layers
from jkeras.dtypes import DTypePolicy
from jkeras.errors import ArgumentError, RestoreError, UnknownNameError
from jkeras.graph import network as networks
from jkeras.graph.network import Network, Ref
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.layers.layer import Layer, is_symbolic
from jkeras.layers.operation import Operation
from jkeras.registry import custom_object, registered_name
from jkeras.spec import serialize

TENSOR = "__keras_tensor__"
# Deeper nesting than this is no model that anybody wrote.
MAX_DEPTH = 200

# Operations whose class in Keras is not the name in capitals.
_OPERATION_CLASSES = {"getitem": "GetItem", "abs": "Absolute"}


def layer_classes() -> dict[str, type[Layer]]:
    """Every layer class of the library by its name."""
    found = {name: getattr(layers, name) for name in dir(layers)}
    return {name: value for name, value in found.items() if inspect.isclass(value) and issubclass(value, Layer)}


def to_config(layer: Layer, name: str | None = None, policy: DTypePolicy | None = None) -> dict[str, Any]:
    """The configuration of a layer or model: module, class, arguments and registered name.

    Args:
        layer: the layer.
        name: its name in the model around it.
        policy: the policy of that model, which layers without one of their own have, too.
    """
    if isinstance(layer, Operation):
        class_name = _OPERATION_CLASSES.get(layer.operation) or "".join(p.capitalize() for p in layer.operation.split("_"))
        return {
            "module": "keras.src.ops.numpy",
            "class_name": class_name,
            "config": {"name": name or layer.name or layer.base_name},
            "registered_name": class_name,
        }
    written = serialize(layer)
    if layer.dtype is None and policy is not None and "dtype" in written["config"]:
        written["config"] = {**written["config"], "dtype": serialize(policy)}
    if hasattr(layer, "written_class"):
        written = {**written, **layer.written_class()}
    if "name" in written["config"] or _takes_name(type(layer)):
        written["config"] = {
            **written["config"],
            "name": name or written["config"].get("name") or layer.name or _base_name(layer),
        }
    custom = registered_name(type(layer))
    if custom is not None:
        written["registered_name"] = custom
    return written


def _takes_name(cls: type[Layer]) -> bool:
    parameters = inspect.signature(cls).parameters.values()
    return any(p.name == "name" or p.kind is p.VAR_KEYWORD for p in parameters)


def _base_name(layer: Layer) -> str:
    return getattr(layer, "base_name", None) or networks.snake_case(type(layer).__name__)


def functional_config(network: Network, name: str, trainable: bool, policy: DTypePolicy | None) -> dict[str, Any]:
    """What Keras writes of a functional model: layers with the nodes that lead into them."""
    places: dict[int, list[Any]] = {}
    for info in network.input_infos:
        places[info.ref] = [info.name, 0, 0]
    nodes: dict[str, list[Any]] = {layer_name: [] for layer_name in network.layers}
    for op in network.ops:
        node_index = len(nodes[op.layer])
        for tensor_index, ref in enumerate(op.results):
            places[ref] = [op.layer, node_index, tensor_index]
        nodes[op.layer].append({"args": _written(network, places, list(op.args)), "kwargs": _written(network, places, op.kwargs)})
    written = []
    for layer_name, layer in network.layers.items():
        entry = to_config(layer, layer_name, policy)
        written.append({**entry, "name": layer_name, "inbound_nodes": nodes[layer_name]})

    def history(structure: Any) -> Any:
        return jax.tree.map(lambda ref: places[ref.index], structure, is_leaf=networks.is_ref)

    return {
        "name": name,
        "trainable": trainable,
        **({} if policy is None else {"dtype": serialize(policy)}),
        "layers": written,
        "input_layers": history(network.inputs),
        "output_layers": history(network.outputs),
    }


def _written(network: Network, places: Mapping[int, list[Any]], value: Any) -> Any:
    if isinstance(value, Ref):
        tensor = network.tensor(value.index)
        config = {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": places[value.index]}
        return {"class_name": TENSOR, "config": config}
    if isinstance(value, slice):
        return {"class_name": "__slice__", "config": {"start": value.start, "stop": value.stop, "step": value.step}}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, (list, tuple)):
        written = [_written(network, places, v) for v in value]
        return {"class_name": "__tuple__", "items": written} if isinstance(value, tuple) else written
    if isinstance(value, Mapping):
        return {k: _written(network, places, v) for k, v in value.items()}
    return serialize(value)


def policy_name(written: Any) -> str | None:
    """The name of a written dtype policy."""
    return written.get("config", {}).get("name") if isinstance(written, Mapping) else written


def from_config(
    config: Mapping[str, Any], classes: Mapping[str, type[Layer]], depth: int = 0, policy: str = "float32"
) -> Layer:
    """The layer or model that a configuration describes.

    Only classes of the library and those registered by the user are made; no module that a file names is imported.

    Args:
        config: as `to_config` gives it.
        classes: what may be made, by name.
        depth: how deep the configuration lies in others.
        policy: the name of the policy of the model around; a layer that has the same has none of its own.

    Raises:
        UnknownNameError: the class is neither in the library nor registered.
        RestoreError: the configuration is not one of a layer.
    """
    if depth > MAX_DEPTH:
        raise RestoreError("The configuration is nested too deeply to be a model.")
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise RestoreError(f"This is no configuration of a layer: {str(config)[:200]}")
    name, registered = config["class_name"], config.get("registered_name")
    module = str(config.get("module") or "")
    if module.startswith("keras.src.ops."):
        return Operation(_operation_name(name), name=config["config"].get("name"))
    custom = (registered and custom_object(registered)) or custom_object(name)
    cls = custom or classes.get(name)
    if cls is None:
        error = UnknownNameError("layer class", name, classes)
        error.add_note("A class of one's own must be known: `register_keras_serializable`, or `custom_objects={name: class}`.")
        raise error
    if not (inspect.isclass(cls) and issubclass(cls, Layer)):
        raise ArgumentError(f"{name!r} is registered, but it is no layer class: {cls!r}.")
    arguments = config.get("config") or {}
    if cls.__name__ == "Lambda" or name == "Lambda":
        raise RestoreError(
            f"The layer {arguments.get('name')!r} is a Lambda: its function would have to be loaded as code from the file,"
            f" which is refused. Define the layer as a class, or build the model in code and use `load_weights`."
        )
    # The layers of a model inside are read by its own `from_config`.
    arguments = {k: v if k == "layers" else _nested(v, classes, depth + 1) for k, v in arguments.items()}
    if policy_name(arguments.get("dtype")) == policy and cls.__name__ != "InputLayer":
        arguments = {**arguments, "dtype": None}
    if not _takes_name(cls):
        arguments.pop("name", None)
    return cls.from_config(arguments)


def _operation_name(class_name: str) -> str:
    by_class = {value: key for key, value in _OPERATION_CLASSES.items()}
    return by_class.get(class_name, networks.snake_case(class_name))


def _nested(value: Any, classes: Mapping[str, type[Layer]], depth: int) -> Any:
    """Layers inside arguments (wrapped layers, cells) made from their configurations."""
    if depth > MAX_DEPTH:
        raise RestoreError("The configuration is nested too deeply to be a model.")
    if isinstance(value, Mapping) and value.get("class_name") in classes:
        return from_config(value, classes, depth + 1)
    if isinstance(value, list):
        return [_nested(v, classes, depth + 1) for v in value]
    return value


def functional_tensors(config: Mapping[str, Any], classes: Mapping[str, type[Layer]]) -> tuple[Any, Any]:
    """The symbolic inputs and outputs of a functional configuration.

    Raises:
        RestoreError: a node refers to a tensor that no layer makes.
    """
    made: dict[str, Layer] = {}
    outputs: dict[tuple[str, int], list[SymbolicTensor]] = {}
    waiting: list[tuple[str, int, Mapping[str, Any]]] = []
    for entry in config["layers"]:
        name = entry.get("name") or entry["config"]["name"]
        inner = {**entry, "config": {**entry["config"], "name": name}}
        made[name] = from_config(inner, classes, policy=policy_name(config.get("dtype")) or "float32")
        if isinstance(made[name], layers.InputLayer):
            outputs[name, 0] = [made[name]()]
        waiting += [(name, index, node) for index, node in enumerate(entry.get("inbound_nodes", []))]

    def tensor(history: Any) -> SymbolicTensor:
        name, node, index = history[0], history[1], history[2]
        return outputs[name, node][index]

    def read(value: Any) -> Any:
        if isinstance(value, Mapping):
            kind = value.get("class_name")
            if kind == TENSOR:
                return tensor(value["config"]["keras_history"])
            if kind == "__slice__":
                parts = value["config"]
                return slice(parts["start"], parts["stop"], parts["step"])
            if kind == "__ellipsis__":
                return Ellipsis
            if kind == "__tuple__":
                return tuple(read(v) for v in value["items"])
            return {k: read(v) for k, v in value.items()}
        return [read(v) for v in value] if isinstance(value, list) else value

    while waiting:
        later = []
        for name, index, node in waiting:
            try:
                args, kwargs = read(node["args"]), read(node.get("kwargs") or {})
            except KeyError:
                later.append((name, index, node))
                continue
            results = made[name](*args, **kwargs)
            outputs[name, index] = jax.tree.leaves(results, is_leaf=is_symbolic)
        if len(later) == len(waiting):
            raise RestoreError(f"The layers {sorted({name for name, _, _ in later})} need tensors that no layer makes.")
        waiting = later

    def ends(structure: Any) -> Any:
        if isinstance(structure, Mapping):
            return {k: ends(v) for k, v in structure.items()}
        if structure and isinstance(structure[0], str):
            return tensor(structure)
        return [ends(v) for v in structure]

    return ends(config["input_layers"]), ends(config["output_layers"])
