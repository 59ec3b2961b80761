"""The `.h5` format: one HDF5 file with the definition, the weights layer by layer, and the training configuration.

Every version of Keras wrote it in its own way. All of them are read, with the conversions in `files/dialects/`. Files are
written as Keras 3 writes them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from jkeras.errors import JkerasError, RestoreError
from jkeras.files import compile_config, keras3_archive
from jkeras.files import config as configs
from jkeras.files.adapted import class_in, with_arguments
from jkeras.files.containers import documents, hdf5
from jkeras.files.containers.hdf5 import Tree
from jkeras.files.dialects import definitions, old_weights, optimizer_states
from jkeras.files.weight_matching import Entry, Found, is_kept
from jkeras.graph.in_files import PLAIN, in_files
from jkeras.graph.operation import Operation
from jkeras.graph.scope import WeightInfo
from jkeras.paths import flatten

if TYPE_CHECKING:
    from jkeras.models.model import Model
    from jkeras.optimizers.base import BaseOptimizer

TOP_LEVEL = "top_level_model_weights"
# Keras 3 cannot restore `optimizer_weights`: it first builds the optimizer without weights, and then cannot train. If the state
# is missing, Keras starts with a new one, so the state is stored where only jkeras looks.
OPTIMIZER, THEIR_OPTIMIZER = "jkeras_optimizer_weights", "optimizer_weights"


class LegacyFile:
    """A checked `.h5` file.

    Attributes:
        config: the definition, or None in a weights file.
        training_config: the training configuration, or None.
        root: the group of the weights.
        version: the version of Keras that wrote it, "1" if the file does not say.
        backend: the backend that wrote it, or None.
    """

    def __init__(self, tree: Tree, where: str):
        self.tree = tree
        self.where = where
        self.root = "model_weights" if "model_weights" in tree.groups else ""
        self.version: str = str(self._text("keras_version") or "1")
        self.config = self._json("model_config")
        if self.config is not None:
            self.config = definitions.of_today(self.config, self.version)
        self.training_config: dict[str, Any] | None = self._json("training_config")
        self.backend: Any = self._text("backend")

    def _text(self, name: str) -> Any:
        text = self.tree.attribute(self.root, name)
        return self.tree.attribute("", name) if text is None else text

    def _json(self, name: str) -> dict[str, Any] | None:
        text = self.tree.attribute("", name)
        if text is None:
            return None
        if not isinstance(text, str):
            raise RestoreError(f"{self.where} is damaged: {name!r} is not a string.")
        result: dict[str, Any] | None = _decoded(documents.parse(text, f"{self.where}/{name}"))
        return result

    def layer_names(self) -> list[str]:
        """The layers in order, without those that have no weights."""
        names = self.tree.texts(self.root, "layer_names")
        return [name for name in names if self.weight_paths(name)]

    def weight_paths(self, layer: str) -> list[str]:
        """The paths of the arrays of a layer, in order."""
        group = f"{self.root}/{layer}" if self.root else layer
        if group not in self.tree.groups:
            raise RestoreError(f"{self.where} is damaged: the layer {layer!r} is listed but missing.")
        names = self.tree.texts(group, "weight_names")
        paths = [f"{group}/{name}" for name in names]
        missing = [path for path in paths if path not in self.tree.shapes]
        if missing:
            raise RestoreError(f"{self.where} is damaged: the arrays {missing[:5]} are listed but missing.")
        return paths


def is_by_layer(tree: Tree) -> bool:
    """Whether an HDF5 file has this layout, layer by layer, instead of that of `.weights.h5` files."""
    names = ("layer_names", "layer_names0")
    return "model_weights" in tree.groups or any(tree.attribute("", name) is not None for name in names)


def _decoded(value: object) -> Any:
    """Converts tuples, as written in old files, to lists."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__tuple__" and isinstance(value.get("items"), list):
            return [_decoded(v) for v in value["items"]]
        if value.get("class_name") == "TensorShape" and isinstance(value.get("items"), list):
            return value["items"]
        return {k: _decoded(v) for k, v in value.items()}
    return [_decoded(v) for v in value] if isinstance(value, list) else value


def with_learned(file: LegacyFile) -> dict[str, Any]:
    """The definition, completed with what layers learned from data, which Keras stores with the weights."""
    config = file.config or {}
    inner = config.get("config")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("layers"), list):
        return config
    return {**config, "config": {**inner, "layers": [_with_learned(entry, file) for entry in inner["layers"]]}}


def _with_learned(entry: Mapping[str, Any], file: LegacyFile) -> Any:
    arguments: Any = entry.get("config") if isinstance(entry, Mapping) else None
    if not isinstance(arguments, Mapping) or arguments.get("name") not in file.layer_names():
        return entry
    return with_arguments(entry, _Beside(file, arguments["name"]))


class _Beside:
    """The contents of the file for a layer: arrays by number."""

    def __init__(self, file: LegacyFile, layer: str):
        self._file = file
        self._paths = file.weight_paths(layer)

    def array(self, name: str) -> np.ndarray | None:
        there = name.isdigit() and int(name) < len(self._paths)
        return self._file.tree.array(self._paths[int(name)]) if there else None

    def lines(self, name: str) -> list[str] | None:
        return None

    def inside(self, name: str) -> Self:
        return self


@contextlib.contextmanager
def opened(path: Path) -> Iterator[LegacyFile]:
    """Opens and checks a file with a definition.

    Raises:
        RestoreError: it is damaged, or contains only weights.
    """
    with hdf5.open_tree(path, str(path)) as tree:
        file = LegacyFile(tree, str(path))
        if file.config is None:
            raise RestoreError(
                f"{path} contains weights but no definition of a model: build the model in code and use"
                f" `model.load_weights({str(path)!r})`."
            )
        yield file


def owners(model: Model) -> list[tuple[str, list[WeightInfo]]]:
    """The layers directly inside a model that have weights, with their weights, trainable ones first."""
    by_layer: dict[str, list[WeightInfo]] = {}
    for info in filter(is_kept, model.description.weights):
        if len(info.path) > 1:
            by_layer.setdefault(info.path[0], []).append(info)
    ordered = {name: by_layer[name] for name in _layer_names(model) if name in by_layer}
    ordered.update({name: infos for name, infos in by_layer.items() if name not in ordered})
    return [(name, _trainable_first(infos)) for name, infos in ordered.items()]


def _members(model: Model) -> Mapping[str, Any]:
    layers: Mapping[str, Any] = model.children() if model._network is None else model._network.layers
    return layers


def _layer_names(model: Model) -> list[str]:
    return [name for name, layer in _members(model).items() if not isinstance(layer, Operation)]


def _trainable_first(infos: list[WeightInfo]) -> list[WeightInfo]:
    return [info for info in infos if info.trainable] + [info for info in infos if not info.trainable]


def own_weights(model: Model) -> list[WeightInfo]:
    """The weights that belong to the model itself, not to a layer."""
    return _trainable_first([info for info in model.description.weights if len(info.path) == 1])


def find(model: Model, file: LegacyFile, by_name: bool = False) -> Found:
    """The contents of a file for the weights of a model.

    As in Keras, layers are matched by order if the file and the model have equally many; otherwise by name.
    """
    members = _members(model)
    expected = owners(model)
    weights = Found(file.where)
    stored = []
    for name in file.layer_names():
        layer, old_class = members.get(name), _old_class(file, name)
        cls = type(layer) if old_class is None else class_in({"class_name": old_class})
        if cls is None or not in_files(cls).learns:
            stored.append(name)
        elif layer is not None:
            weights.learned(
                name, in_files(type(layer)).learned(layer), [file.tree.array(path) for path in file.weight_paths(name)]
            )
    names = [name for name, _ in expected]
    in_order = len(stored) == len(names) and not by_name
    pairs = dict(zip(names, stored, strict=True)) if in_order else {name: name for name in names if name in stored}
    for name, infos in expected:
        if name in pairs:
            arrays = [file.tree.array(path) for path in file.weight_paths(pairs[name])]
            old_class = _old_class(file, pairs[name])
            arrays = old_weights.translate(old_class, members[name], arrays, file.version, file.backend)
            _assign(weights, infos, arrays, pairs[name])
    for name in sorted(set(stored) - set(pairs.values())):
        _assign(weights, [], [file.tree.array(path) for path in file.weight_paths(name)], name)
    top = f"{file.root}/{TOP_LEVEL}" if file.root else TOP_LEVEL
    arrays = [file.tree.array(path) for path in file.weight_paths(TOP_LEVEL)] if top in file.tree.groups else []
    _assign(weights, own_weights(model), arrays, TOP_LEVEL)
    return weights


def _assign(contents: Found, infos: list[WeightInfo], arrays: list[np.ndarray], name: str) -> None:
    for i, array in enumerate(arrays):
        entry = Entry.of(f"{name}/{i}", array)
        if i < len(infos):
            contents.entries[infos[i].collection, infos[i].name] = entry
        else:
            contents.extra.append(entry)


def _old_class(file: LegacyFile, name: str) -> str | None:
    """The class of a layer in the file's definition."""
    inner = (file.config or {}).get("config")
    entries = inner if isinstance(inner, list) else inner.get("layers", []) if isinstance(inner, Mapping) else []
    for entry in entries:
        config = entry.get("config") if isinstance(entry, Mapping) else None
        if isinstance(config, Mapping) and name in (entry.get("name"), config.get("name")):
            class_name: str | None = entry.get("class_name")
            return class_name
    return None


def built_by_weights(model: Model, file: LegacyFile) -> Any:
    """Builds a Sequential without an input shape, for inputs that match the first layer's kernel.

    Raises:
        RestoreError: the shape cannot be inferred.
    """
    for name in file.layer_names():
        paths = file.weight_paths(name)
        kernel = file.tree.shapes[paths[0]]
        if len(kernel) == 2:
            try:
                return model.build((None, kernel[0]))
            except JkerasError:
                break
        break
    raise RestoreError(
        f"{file.where} does not contain the shape of the model's input; build the model in code and use `load_weights`."
    )


def optimizer_arrays(file: LegacyFile, model: Model | None, optimizer: BaseOptimizer | None) -> list[np.ndarray]:
    """The arrays of the optimizer's state in Keras 3's order.

    Args:
        file: the file.
        model: the model with the weights, for files from before Keras 3.
        optimizer: the optimizer, for the same files.

    Raises:
        RestoreError: arrays are listed but missing.
    """
    group = next((g for g in (OPTIMIZER, THEIR_OPTIMIZER) if g in file.tree.groups), None)
    if group is None:
        return []
    names = file.tree.texts(group, "weight_names")
    paths = [f"{group}/{name}" for name in names]
    missing = [path for path in paths if path not in file.tree.shapes]
    if missing:
        raise RestoreError(f"{file.where} is damaged: the arrays {missing[:5]} are listed but missing.")
    arrays = [file.tree.array(path) for path in paths]
    if definitions.major(file.version) >= 3 or model is None or optimizer is None:
        return arrays
    infos = [info for info in model.description.weights if info.trainable]
    shapes, orders = [info.shape for info in infos], _orders(infos, model, file)
    return optimizer_states.of_today(type(optimizer).__name__, optimizer.get_config(), arrays, shapes, names, orders)


def _orders(infos: list[WeightInfo], model: Model, file: LegacyFile) -> list[list[int]]:
    """The possible orders of the weights in Keras 2: today's, or, before 2.1, that of their names."""
    names: dict[tuple[str, str], str] = {}
    for (_, members), stored in zip(owners(model), file.layer_names(), strict=False):
        paths = file.weight_paths(stored)
        if len(paths) == len(members):
            names.update({(m.collection, m.name): p for m, p in zip(members, paths, strict=True)})
    today = list(range(len(infos)))
    by_name = [names.get((info.collection, info.name)) for info in infos]
    if None in by_name:
        return [today]
    # The names began with the layer's name, like the path after the layer's group.
    short = [str(name).split("/", 2)[-1] if file.root else str(name).split("/", 1)[-1] for name in by_name]
    alphabetical = sorted(today, key=lambda i: short[i])
    early = file.version.startswith(("1", "2.0"))
    return [alphabetical, today] if early else [today, alphabetical]


# -- writing -------------------------------------------------------------------------------------------------------


def save(model: Model, path: Path, include_optimizer: bool = True) -> None:
    """Writes a model as Keras 3 does.

    Raises:
        ArgumentError: the training configuration cannot be written.
    """
    config = plain(configs.to_config(model))
    attributes: dict[str, dict[str, Any]] = {
        "": {"keras_version": keras3_archive.KERAS_VERSION, "backend": "jax", "model_config": json.dumps(config)}
    }
    arrays: dict[str, np.ndarray] = {}
    weights_to(model, arrays, attributes, "model_weights")
    if include_optimizer and model.recipe is not None:
        training = compile_config.written(model.recipe) or {}
        optimizer = training.pop("optimizer")
        training["optimizer_config"] = {"class_name": optimizer["class_name"], "config": optimizer["config"]}
        attributes[""]["training_config"] = json.dumps(training)
        variables = keras3_archive.optimizer_variables(model)
        if variables:
            prefix = model.recipe.optimizer.name or "optimizer"
            names = [f"{prefix}/{name}" for name, _ in variables]
            attributes[OPTIMIZER] = {"weight_names": names}
            arrays.update({f"{OPTIMIZER}/{name}": v for name, (_, v) in zip(names, variables, strict=True)})
    hdf5.write(path, arrays, attributes)


def weights_to(
    model: Model, arrays: dict[str, np.ndarray], attributes: dict[str, dict[str, Any]], root: str, learned: bool = False
) -> None:
    """Adds the weights of a model, layer by layer, to a group; for `learned` see `keras3_weights.to_store`."""
    values = {"params": flatten(model.params), "state": flatten(model.model_state)}
    attributes[root] = {
        "layer_names": _layer_names(model),
        "backend": "jax",
        "keras_version": keras3_archive.KERAS_VERSION,
    }
    with_weights = dict(owners(model))
    groups = {name: with_weights.get(name, []) for name in sorted({*_layer_names(model), *with_weights})}
    for name, infos in {**groups, TOP_LEVEL: own_weights(model)}.items():
        group = f"{root}/{name}" if root else name
        attributes[group] = {"weight_names": [info.name for info in infos]}
        for info in infos:
            arrays[f"{group}/{info.name}"] = np.asarray(values[info.collection][info.name])
        layer = _members(model).get(name)
        own_arrays = in_files(type(layer)).learned(layer) if learned and layer is not None else {}
        if own_arrays:
            numbers = {f"{name}/{what}": array for what, array in own_arrays.items()}
            attributes[group] = {"weight_names": list(numbers)}
            arrays.update({f"{group}/{n}": number for n, number in numbers.items()})


def plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a layer or model in `.h5` files: class names without modules."""
    config = dict(entry["config"])
    name = entry.get("registered_name") or entry["class_name"]
    cls = class_in({"class_name": name})
    known = in_files(cls) if cls else PLAIN
    if isinstance(config.get("layers"), list) and not known.plain_layers:
        config["layers"] = [plain(inner) for inner in config["layers"]]
    part = {k: v for k, v in entry.items() if k in ("name", "inbound_nodes", "shared_object_id")}
    return {"class_name": known.class_name or name, "config": config, **part}
