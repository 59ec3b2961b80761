"""Converts models to configurations: plain JSON-able values, as Keras 3 writes them.

The inverse is in `files/config_reader.py`, whose functions are re-exported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras.dtypes import DTypePolicy
from jkeras.files import operations
from jkeras.files.config_reader import ends_from, takes_name
from jkeras.files.config_reader import from_config as from_config
from jkeras.files.config_reader import functional_tensors as functional_tensors
from jkeras.files.config_reader import layer_classes as layer_classes
from jkeras.files.config_reader import policy_name as policy_name
from jkeras.files.config_reader import unwrapped as unwrapped
from jkeras.graph.layer import Layer
from jkeras.graph.network import Network, Ref
from jkeras.graph.operation import Operation, function_named
from jkeras.graph.scope import walk
from jkeras.models.base import ModelValue
from jkeras.values.config import serialize

if TYPE_CHECKING:
    pass

TENSOR = "__keras_tensor__"
FUNCTIONAL = {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional"}


def to_config(layer: Layer, name: str | None = None, policy: DTypePolicy | None = None) -> dict[str, Any]:
    """The configuration of a layer or model: module, class, arguments and registered name.

    Args:
        layer: the layer.
        name: its name in the surrounding model.
        policy: the policy of that model, which also applies to layers without their own.
    """
    if isinstance(layer, Operation):
        module, class_name = operations.place(layer.operation, {})
        config = {"name": name or layer.name or layer.default_name}
        return {"module": module, "class_name": class_name, "config": config, "registered_name": class_name}
    written: dict[str, Any] = serialize(layer)
    if layer.dtype is None and policy is not None and "dtype" in written["config"]:
        written["config"] = {**written["config"], "dtype": serialize(policy)}
    if "name" in written["config"] or takes_name(type(layer)):
        written["config"] = {
            **written["config"],
            "name": name or written["config"].get("name") or layer.name or layer.default_name,
        }
    if name is None and isinstance(layer, ModelValue):
        _mark_shared(layer, written)
    result: dict[str, Any] = written
    return result


def _mark_shared(model: Layer, written: dict[str, Any]) -> None:
    """Numbers layers that occur in several models of the configuration, in Keras's format."""
    places: dict[int, list[dict[str, Any]]] = {}
    for path, layer in walk(model):
        entry = _entry_at(written, path)
        if path and entry is not None and all(entry is not other for other in places.get(id(layer), ())):
            places.setdefault(id(layer), []).append(entry)
    shared = [entries for entries in places.values() if len(entries) > 1]
    for number, entries in enumerate(shared):
        for entry in entries:
            entry["shared_object_id"] = number


def _entry_at(written: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        inner = written["config"].get("layers")
        inner = inner if isinstance(inner, list) else []
        written = next((e for e in inner if isinstance(e, dict) and e["config"].get("name") == name), None)
        if written is None:
            return None
    return written


def functional_config(network: Network, name: str, trainable: bool, policy: DTypePolicy | None) -> dict[str, Any]:
    """The configuration of a functional model: layers with their inbound nodes."""
    places: dict[int, list[Any]] = {}
    for info in network.input_infos:
        places[info.ref] = [info.name, 0, 0]
    nodes: dict[str, list[Any]] = {layer_name: [] for layer_name in network.layers}
    configured: dict[str, dict[str, Any]] = {}
    for op in network.ops:
        node_index = len(nodes[op.layer])
        for tensor_index, ref in enumerate(op.results):
            places[ref] = [op.layer, node_index, tensor_index]
        args, kwargs = list(op.args.fill()), op.kwargs.fill()
        layer = network.layers[op.layer]
        if isinstance(layer, Operation):
            configured[op.layer], args, kwargs = operations.part(
                layer.operation, function_named(layer.operation), args, kwargs
            )
        node = {"args": _written(network, places, args), "kwargs": _written(network, places, kwargs)}
        if isinstance(kwargs.get("training"), bool):
            # Keras writes the argument of every layer's call; jkeras only if it was passed explicitly.
            node["training"] = kwargs["training"]
        nodes[op.layer].append(node)
    entries = []
    for layer_name, layer in network.layers.items():
        entry = to_config(layer, layer_name, policy)
        if isinstance(layer, Operation):
            options = configured.get(layer_name, {})
            module, class_name = operations.place(layer.operation, options)
            entry = {**entry, "module": module, "class_name": class_name, "registered_name": class_name}
            entry["config"] = {**entry["config"], **_written(network, places, options)}
        entries.append({**entry, "name": layer_name, "inbound_nodes": nodes[layer_name]})

    def end(ref: Ref) -> list[Any]:
        name, node, tensor = places[ref.index]
        return [name, node + ends_from(network.layers[name]), tensor]

    return {
        "name": name,
        "trainable": trainable,
        **({} if policy is None else {"dtype": serialize(policy)}),
        "layers": entries,
        "input_layers": network.inputs.fill(end),
        "output_layers": network.outputs.fill(end),
    }


def _written(network: Network, places: Mapping[int, list[Any]], value: object) -> Any:
    if isinstance(value, Ref):
        tensor = network.tensor(value.index)
        config = {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": places[value.index]}
        return {"class_name": TENSOR, "config": config}
    if isinstance(value, slice):
        return {"class_name": "__slice__", "config": {"start": value.start, "stop": value.stop, "step": value.step}}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, (np.ndarray, jax.Array)):
        array = np.asarray(value)
        return {"class_name": "__tensor__", "config": {"value": array.tolist(), "dtype": array.dtype.name}}
    if isinstance(value, (list, tuple)):
        return [_written(network, places, v) for v in value]
    if isinstance(value, Mapping):
        return {k: _written(network, places, v) for k, v in value.items()}
    return serialize(value)
