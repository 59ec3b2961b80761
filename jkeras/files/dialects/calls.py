"""Converts calls of layers, as Keras 1 and 2 wrote them, to the form of Keras 3.

Old files have a list of places `[layer, call, tensor, keyword arguments]` for each call; today's files have the arguments of the
call, with tensors as `{"class_name": "__keras_tensor__", ...}`. Old files also count the calls of a model from 1, because its own
graph is call 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jkeras.errors import RestoreError
from jkeras.files.dialects import tensorflow_functions

TENSOR = "__keras_tensor__"
CONSTANT = "_CONSTANT_VALUE"
# Layers whose initial states Keras 2 wrote as further inputs.
RECURRENT = frozenset({"RNN", "SimpleRNN", "LSTM", "GRU", "Bidirectional", *(f"ConvLSTM{d}D" for d in (1, 2, 3))})

Config = Mapping[str, Any]


def has_old_calls(config: Config) -> bool:
    """Whether the configuration of a model has calls in the old form."""
    entries = config.get("layers")
    return isinstance(entries, list) and any(_old_nodes(entry) for entry in entries)


def with_calls_of_today(config: Config) -> dict[str, Any]:
    """The configuration of a functional model with calls and TensorFlow functions in the form of Keras 3.

    Raises:
        RestoreError: a function of TensorFlow has no counterpart here.
    """
    first = _first_calls(config)
    names = {name for entry in config["layers"] if (name := _name(entry)) is not None}
    models = {_name(entry) for entry in config["layers"] if _is_graph(entry)}

    def tensor(place: list[Any]) -> dict[str, Any]:
        history = [place[0], place[1] - first.get(place[0], 0), place[2]]
        return {"class_name": TENSOR, "config": {"keras_history": history}}

    def end(place: Any) -> Any:
        if isinstance(place, Mapping):
            return {key: end(inner) for key, inner in place.items()}
        if not _is_place(place, names):
            return [end(inner) for inner in place] if isinstance(place, list) else place
        # In Keras 3, a nested model itself counts as a call in the inputs and outputs of the surrounding model.
        own = 1 if place[0] in models else 0
        return [place[0], place[1] - first.get(place[0], 0) + own, *place[2:]]

    layers: list[Any] = []
    for entry in config["layers"]:
        nodes = _old_nodes(entry)
        if not nodes:
            layers.append({"module": "keras.layers", **entry} if isinstance(entry, Mapping) else entry)
            continue
        calls = [_Call(node, names, tensor) for node in nodes]
        if tensorflow_functions.is_function(entry):
            layers += tensorflow_functions.entries(entry, [(call.inputs, call.kwargs) for call in calls])
        else:
            # Without a module, the name of a layer may mean a function in Keras 3's files of this kind.
            new_calls = [call.written(str(entry.get("class_name"))) for call in calls]
            layers.append({"module": "keras.layers", **entry, "inbound_nodes": new_calls})
    ends = {key: end(config[key]) for key in ("input_layers", "output_layers") if key in config}
    return {**config, "layers": layers, **ends}


class _Call:
    """One call: the structure of its inputs and its keyword arguments."""

    def __init__(self, node: Any, names: set[str], tensor: Callable[[list[Any]], Any]):
        self._names = names
        self._tensor = tensor
        self.kwargs: dict[str, Any] = {}
        self.inputs = self._structure(node)

    def _structure(self, node: Any) -> Any:
        if isinstance(node, Mapping):
            return {key: self._structure(part) for key, part in node.items()}
        if not (isinstance(node, list) and node and isinstance(node[0], str)):
            return [self._structure(part) for part in node]
        if len(node) > 3 and isinstance(node[3], Mapping):
            self.kwargs |= {key: self._argument(value) for key, value in node[3].items()}
        return node[2] if node[0] == CONSTANT else self._tensor(node)

    def _argument(self, value: Any) -> Any:
        if _is_place(value, self._names):
            return self._tensor(value)
        if isinstance(value, Mapping) and "class_name" not in value:
            return {key: self._argument(part) for key, part in value.items()}
        return [self._argument(part) for part in value] if isinstance(value, list) else value

    def written(self, class_name: str) -> dict[str, Any]:
        """The call as Keras 3 writes it."""
        inputs, kwargs = self.inputs, dict(self.kwargs)
        if isinstance(inputs, list) and len(inputs) == 1:
            inputs = inputs[0]
        if class_name in RECURRENT and isinstance(inputs, list):
            inputs, kwargs["initial_state"] = inputs[0], inputs[1:]
        training = {"training": kwargs["training"]} if isinstance(kwargs.get("training"), bool) else {}
        return {"args": [inputs], "kwargs": {k: v for k, v in kwargs.items() if v is not None}, **training}


def _is_place(value: Any, names: set[str]) -> bool:
    return isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str) and value[0] in names


def _name(entry: Any) -> str | None:
    if not isinstance(entry, Mapping):
        return None
    inner = entry.get("config")
    name = entry.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None)
    return name if isinstance(name, str) else None


def _is_graph(entry: Any) -> bool:
    inner = entry.get("config") if isinstance(entry, Mapping) else None
    return isinstance(inner, Mapping) and "input_layers" in inner


def _first_calls(config: Config) -> dict[str, int]:
    """The number of the first call of each layer, which is 1 for models.

    Every call is used by another layer or is an output, so the first one is the smallest number that occurs.
    """
    parts = [part for entry in config["layers"] for node in _old_nodes(entry) for part in _places(node)]
    parts += [part for key in ("input_layers", "output_layers") for part in _places(config.get(key))]
    first: dict[str, int] = {}
    for name, number in parts:
        first[name] = min(number, first.get(name, number))
    return first


def _places(value: Any) -> list[tuple[str, int]]:
    """The layer and call of every place in a structure, including keyword arguments."""
    if isinstance(value, Mapping):
        return [place for part in value.values() for place in _places(part)]
    if not isinstance(value, list):
        return []
    places: list[tuple[str, int]] = []
    if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int) and value[0] != CONSTANT:
        places = [(value[0], value[1])]
    return places + [place for part in value for place in _places(part)]


def _old_nodes(entry: Any) -> list[Any]:
    nodes = entry.get("inbound_nodes") if isinstance(entry, Mapping) else None
    if isinstance(nodes, list) and any(isinstance(node, list) and not node for node in nodes):
        raise RestoreError(f"A call of the layer {_name(entry)!r} is damaged: it has no inputs.")
    return [node for node in nodes if isinstance(node, list)] if isinstance(nodes, list) else []
