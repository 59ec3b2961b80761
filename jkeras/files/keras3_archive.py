"""The `.keras` format: a zip archive with the definition, the weights, the training configuration and its state.

Real Keras opens these files, and files of Keras 3 are read. What Keras's format does not provide for (the step, the random key,
the history, jkeras's options) is in `metadata.json`, where Keras ignores it.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jkeras.errors import ArgumentError, RestoreError
from jkeras.files import compile_config, keras3_weights, optimizer_order, own_part
from jkeras.files import config as configs
from jkeras.files.containers import archives, documents, hdf5
from jkeras.files.containers.kinds import CONFIG, METADATA, WEIGHTS_FILE
from jkeras.files.dialects import definitions, optimizer_states, weight_paths
from jkeras.training.state import arrays_of
from jkeras.types import Specs

if TYPE_CHECKING:
    from jkeras.models.model import Model
    from jkeras.optimizers.base import BaseOptimizer

# The version of Keras that defines the format.
KERAS_VERSION = "3.15.0"


def save(model: Model, path: Path, include_optimizer: bool = True) -> None:
    """Writes a model.

    Args:
        model: the model to save.
        path: the file.
        include_optimizer: whether to save the training configuration and the optimizer's state.

    Raises:
        ArgumentError: the training configuration cannot be written.
    """
    archives.write(path, members(model, include_optimizer))


def save_unpacked(model: Model, folder: Path, include_optimizer: bool = True) -> None:
    """Writes the members of the archive to an empty folder."""
    for name, contents in members(model, include_optimizer).items():
        (folder / name).write_bytes(contents)


def members(model: Model, include_optimizer: bool = True) -> dict[str, bytes]:
    """The members of a model's archive by name; see `save`."""
    config = configs.to_config(model)
    config["build_config"] = {"input_shape": input_shapes(model)}
    arrays, attributes = keras3_weights.to_store(model)
    if include_optimizer and model.recipe is not None:
        config["compile_config"] = compile_config.written(model.recipe)
        variables = optimizer_variables(model)
        if variables:
            name = model.recipe.optimizer.name or "optimizer"
            attributes["optimizer/vars"] = {"name": name}
            arrays.update({f"optimizer/vars/{i}": value for i, (_, value) in enumerate(variables)})
    metadata = {
        "keras_version": KERAS_VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        "jkeras": own_part.written(model, include_optimizer),
    }
    return {
        METADATA: json.dumps(metadata).encode(),
        CONFIG: json.dumps(config).encode(),
        WEIGHTS_FILE: hdf5.to_bytes(arrays, attributes),
    }


def optimizer_variables(model: Model) -> list[tuple[str, np.ndarray]]:
    """The names and arrays of the optimizer's state in Keras's order; empty before training.

    Raises:
        ArgumentError: the optimizer has no counterpart in Keras.
    """
    if arrays_of(model.state).opt_state is None:
        return []
    try:
        recipe: Any = model.recipe
        opt_state = arrays_of(model.state).opt_state
        variables = optimizer_order.variables(recipe.optimizer, opt_state, trainable_paths(model))
    except NotImplementedError as error:
        raise ArgumentError(f"{error} Save into a directory (a path without suffix) to keep its state.") from None
    return [(variable.name, np.asarray(variable.value)) for variable in variables]


def trainable_paths(model: Model) -> list[str]:
    """The paths of the trainable weights, in Keras's order."""
    return [info.name for info in model.description.weights if info.trainable]


def input_shapes(model: Model) -> Any:
    """The shapes of the inputs, with None for the batch, in the structure of the inputs."""

    def shape(spec: Specs) -> list[int | None]:
        return [None, *spec.shape[1:]]

    if model.is_functional:
        network: Any = model._network
        infos = {info.ref: list(info.shape) for info in network.input_infos}
        return network.inputs.fill(lambda ref: infos[ref.index])
    return jax.tree.map(shape, model.input_specs)


class KerasFile:
    """A `.keras` file, or a directory with its members, in memory, with every size checked.

    Attributes:
        config: the definition, in the form of Keras 3.
        version: the version of Keras that wrote it.
        own: jkeras's additional data; empty for a file of real Keras.
    """

    def __init__(self, path: Path):
        self.path = path
        members = archives.read_folder(path) if path.is_dir() else archives.read(path)
        self.members: dict[str, archives.Contents] = weight_paths.members_of_today(members)
        for name in (CONFIG, WEIGHTS_FILE):
            if name not in self.members:
                raise RestoreError(f"{path} is not a model's file: there is no {name!r} in it.")
        self.config: dict[str, Any] = documents.parse(self.members[CONFIG], f"{path}/{CONFIG}")
        metadata = documents.parse(self.members.get(METADATA, b"{}"), f"{path}/{METADATA}")
        self.version = str(metadata.get("keras_version", KERAS_VERSION))
        compiled = self.config.get("compile_config")  # checked in `compile_config.read`
        self.config = definitions.of_today({**self.config, "compile_config": None}, self.version)
        self.config["compile_config"] = compiled
        own = metadata.get("jkeras")
        self.own: Mapping[str, Any] = own if isinstance(own, dict) else {}

    @property
    def compile_config(self) -> Mapping[str, Any] | None:
        """The training configuration, if the file has one."""
        config = self.config.get("compile_config")
        return config if isinstance(config, dict) and config.get("optimizer") is not None else None

    @property
    def input_shape(self) -> Any:
        """The shapes that the model was built for, or None."""
        return build_shape(self.config)

    def lines(self, place: str) -> list[str] | None:
        """The lines of a text file of the layer at a path; None if there is none."""
        contents = self.members.get(f"assets/{place}")
        if contents is None:
            return None
        lines = bytes(contents).decode("utf-8", errors="replace").split("\n")
        while lines and not lines[-1]:
            lines.pop()
        return [line.removesuffix("\r") for line in lines]

    @contextlib.contextmanager
    def tree(self) -> Iterator[hdf5.Tree]:
        """The weights, as a context manager."""
        with hdf5.open_tree(self.members[WEIGHTS_FILE], f"{self.path}/{WEIGHTS_FILE}") as tree:
            yield weight_paths.tree_of_today(tree)


def build_shape(config: Mapping[str, Any]) -> Any:
    """The input shapes in a `build_config`: a list of sizes, or a list or dict of shapes; None if there are none."""
    build = config.get("build_config")
    if not isinstance(build, Mapping):
        return None
    return build.get("input_shape", build.get("shapes_dict"))


def optimizer_arrays(file: KerasFile, tree: hdf5.Tree, model: Model, optimizer: BaseOptimizer) -> list[np.ndarray]:
    """The arrays of the optimizer's state in the order of Keras 3.

    Raises:
        RestoreError: they do not match the model's weights.
    """
    group = "optimizer/vars"
    names = sorted(tree.children(group), key=lambda name: (len(name), name))
    arrays = [tree.array(f"{group}/{name}") for name in names]
    if definitions.major(file.version) >= 3:
        return arrays
    shapes = [info.shape for info in model.description.weights if info.trainable]
    return optimizer_states.of_today(type(optimizer).__name__, optimizer.get_config(), arrays, shapes)
