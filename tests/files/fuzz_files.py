"""Valid files of every format, and their readers on both faces."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import jkeras as jk
import jkeras.keras as keras
from jkeras import layers
from jkeras.files.containers import seals
from jkeras.training.program import init_optimizer, trainable_parts
from tests.files import old_keras


def original() -> jk.Model:
    """A model with branches, functions, state, wrapped and nested layers, a regulariser, and an optimizer's state."""
    x = jk.Input((6, 3), name="x")
    y = layers.Conv1D(4, 2, activation="relu", kernel_regularizer="l2")(x)
    y = layers.BatchNormalization()(y)
    y = layers.Bidirectional(layers.GRU(2, return_sequences=True))(y)
    inner = jk.Sequential([jk.Input((5, 4)), layers.TimeDistributed(layers.Dense(3)), layers.Flatten()], name="inner")
    z = layers.Dense(2)(inner(y) * 0.5)
    model = jk.Model(x, {"a": z, "b": layers.Concatenate()([z, layers.Dense(1)(z)])})
    model = model.compile("adam", {"a": "mse", "b": "mae"}).init(3)
    frozen, _ = trainable_parts(model.description)
    return model.with_state(model.state.replace(opt_state=init_optimizer(model.recipe.optimizer, model.params, frozen)))


@dataclasses.dataclass(frozen=True)
class File:
    """A kind of file: how it is written, and whether a checksum guards its contents."""

    name: str
    write: Callable[[jk.Model, Path], Any]
    guarded: bool = True
    has_definition: bool = True


def _save_bare(model: jk.Model, path: Path) -> None:
    model.save(path)
    path.write_bytes(path.read_bytes()[: -seals.SIZE])


def _save_unlisted(model: jk.Model, path: Path) -> None:
    model.save(path)
    (path / "checksums.json").unlink()


def _save_unpacked(model: jk.Model, path: Path) -> None:
    packed = path.with_suffix(".keras")
    model.save(packed)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(path)
    packed.unlink()


def _save_shards(model: jk.Model, path: Path) -> None:
    model.save_weights(path, max_shard_size=1e-6)


def _of_keras_2(suffix: str) -> Callable[[jk.Model, Path], None]:
    def write(model: jk.Model, path: Path) -> None:
        case = old_keras.Case("2.15.0", "nested", "trained", suffix)
        path.write_bytes(old_keras.archive(case.version).read(case.member))

    return write


def _save(model: jk.Model, path: Path) -> None:
    model.save(path)


def _save_weights(model: jk.Model, path: Path) -> None:
    model.save_weights(path)


FILES = {
    ".keras": File("it.keras", _save),
    ".h5": File("it.h5", _save),
    "directory": File("it", _save),
    ".weights.h5": File("it.weights.h5", _save_weights, has_definition=False),
    ".h5 of weights": File("it.h5", _save_weights, has_definition=False),
    ".weights.json": File("it.weights.json", _save_shards, has_definition=False),
    ".safetensors": File("it.safetensors", _save_weights, has_definition=False),
    "directory of weights": File("it", _save_weights, has_definition=False),
    "bare .h5": File("it.h5", _save_bare, guarded=False),
    "bare directory": File("it", _save_unlisted, guarded=False),
    "unpacked .keras": File("it", _save_unpacked, guarded=False),
    ".keras of Keras 2": File("it.keras", _of_keras_2(".keras")),
    ".h5 of Keras 2": File("it.h5", _of_keras_2(".h5"), guarded=False),
}
FACES = ("jkeras", "drop-in")
# The drop-in leaves these to the other face, and a model inside of a model has other names there.
ONE_FACE = (".safetensors", "directory of weights")
KINDS = [(face, file) for file in FILES for face in FACES if face == "jkeras" or file not in ONE_FACE]


class Readers:
    """Reads files of weights into a model that has others, on both faces."""

    def __init__(self, valid: Path):
        self.model = jk.load_model(valid).init(9)
        self.object = keras.models.load_model(valid)
        self.others = [np.full_like(array, 7) for array in self.object.get_weights()]

    def read(self, kind: tuple[str, str], path: Path) -> list[np.ndarray]:
        """The weights in a file."""
        face, file = kind
        if FILES[file].has_definition:
            model: Any = (jk if face == "jkeras" else keras.models).load_model(path)
            found: list[np.ndarray] = model.get_weights()
            return found
        if face == "jkeras":
            return list(self.model.load_weights(path).get_weights())
        self.object.set_weights(self.others)
        self.object.load_weights(path)
        return list(self.object.get_weights())
