"""Files of many layers and of many names, loaded by both faces: `python -m tests.files.growth --counts 2500 5000 10000 20000`.

Each line is one kind of file: seconds of the processor by the number of layers or names, and the exponent of their growth: the
slope of the line through the logarithms.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import jkeras as jk
import jkeras.keras as keras
from jkeras import errors
from jkeras.files.containers import hdf5, safetensors

# -- files of layers -------------------------------------------------------------------------------------------------------


def _entry(module: str, class_name: str, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": {"name": name, **config}, "registered_name": None}


def _tensor(name: str) -> dict[str, Any]:
    history = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


INPUT = {"batch_shape": [None, 4], "dtype": "float32"}


def chain(count: int, has_weights: bool) -> dict[str, Any]:
    """The configuration of a graph: one layer behind the other."""
    entries = [{**_entry("keras.layers", "InputLayer", "x", INPUT), "name": "x", "inbound_nodes": []}]
    for number in range(count):
        name, above = f"l{number}", f"l{number - 1}" if number else "x"
        dense = _entry("keras.layers", "Dense", name, {"units": 4, "trainable": True})
        relu = _entry("keras.layers", "Activation", name, {"activation": "relu", "trainable": True})
        nodes = [{"args": [_tensor(above)], "kwargs": {}}]
        entries.append({**(dense if has_weights else relu), "name": name, "inbound_nodes": nodes})
    ends = {"input_layers": ["x", 0, 0], "output_layers": [f"l{count - 1}", 0, 0]}
    return _entry("keras", "Functional", "m", {"trainable": True, "layers": entries, **ends})


def sequence(count: int) -> dict[str, Any]:
    """The configuration of a Sequential model."""
    entries = [_entry("keras.layers", "InputLayer", "x", INPUT)]
    entries += [_entry("keras.layers", "Activation", f"l{i}", {"activation": "relu"}) for i in range(count)]
    return _entry("keras", "Sequential", "m", {"trainable": True, "layers": entries})


def archive(path: Path, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Path:
    """A `.keras` file."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps(config))
        file.writestr("metadata.json", json.dumps({"keras_version": "3.15.0"}))
        file.writestr("model.weights.h5", hdf5.to_bytes(arrays, {}))
    return path


def _kernels(count: int) -> dict[str, np.ndarray]:
    arrays = {}
    for number in range(count):
        group = f"layers/dense_{number}/vars" if number else "layers/dense/vars"
        arrays[f"{group}/0"], arrays[f"{group}/1"] = np.ones((4, 4), "float32"), np.zeros((4,), "float32")
    return arrays


def many_layers(folder: Path, count: int) -> Path:
    """Layers without weights, in a graph."""
    return archive(folder / "layers.keras", chain(count, False), {})


def many_weights(folder: Path, count: int) -> Path:
    """Layers with weights, in a graph."""
    return archive(folder / "weights.keras", chain(count, True), _kernels(count))


def long_sequence(folder: Path, count: int) -> Path:
    """Layers of a Sequential model."""
    return archive(folder / "sequence.keras", sequence(count), {})


# -- files of names --------------------------------------------------------------------------------------------------------


def small() -> Any:
    """A model that has none of them."""
    return jk.Sequential([jk.Input((4,)), jk.layers.Dense(4, name="d")])


def names_in_hdf5(folder: Path, count: int) -> Path:
    """Arrays that the model does not have, in `.weights.h5`."""
    path = folder / "names.weights.h5"
    path.write_bytes(hdf5.to_bytes(_kernels(count // 2), {}))
    return path


def names_by_layer(folder: Path, count: int) -> Path:
    """Layers that the model does not have, in the older `.h5`."""
    path = folder / "names.h5"
    names = [f"l{number}" for number in range(count // 2)]
    attributes: dict[str, dict[str, Any]] = {"": {"layer_names": names}}
    attributes.update({name: {"weight_names": [f"{name}/kernel:0"]} for name in names})
    hdf5.write(path, {f"{name}/{name}/kernel:0": np.ones((2,), "float32") for name in names}, attributes)
    return path


def names_in_safetensors(folder: Path, count: int) -> Path:
    """Arrays that the model does not have, in `.safetensors`."""
    path = folder / "names.safetensors"
    safetensors.write(path, {f"l{number}/kernel": np.ones((2,), "float32") for number in range(count)}, {})
    return path


def members(folder: Path, count: int) -> Path:
    """Members of an archive that no layer asks for."""
    path = many_layers(folder, 1).rename(folder / "members.keras")
    with zipfile.ZipFile(path, "a") as file:
        for number in range(count):
            file.writestr(f"assets/{number}", b"")
    return path


def attributes(folder: Path, count: int) -> Path:
    """Attributes of a group in `.weights.h5`."""
    path = folder / "attributes.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars", track_order=True)
        for number in range(count):
            group.attrs[f"name{number}"] = "x"
    return path


# The readers that each kind of file is given to, by face.
def _models(path: Path) -> dict[str, Callable[[], Any]]:
    return {"jkeras": lambda: jk.load_model(path), "drop-in": lambda: keras.models.load_model(path)}


def _weights(path: Path) -> dict[str, Callable[[], Any]]:
    model = small()
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="d")])
    return {"jkeras": lambda: model.load_weights(path), "drop-in": lambda: theirs.load_weights(path)}


KINDS: Mapping[str, tuple[Callable[[Path, int], Path], Callable[[Path], dict[str, Callable[[], Any]]]]] = {
    make.__name__: (make, read)
    for read, makes in {
        _models: (many_layers, many_weights, long_sequence, members),
        _weights: (names_in_hdf5, names_by_layer, names_in_safetensors, attributes),
    }.items()
    for make in makes
}


# -- measuring -------------------------------------------------------------------------------------------------------------


def seconds(kind: str, count: int, face: str) -> tuple[float, str]:
    """Seconds of the processor to load a file, and what came of it."""
    make, read = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder), count)
        load = read(path)[face]
        start = time.process_time()
        try:
            load()
            outcome = "loaded"
        except errors.JkerasError as error:
            outcome = f"{type(error).__name__}: {str(error)[:80]!r}"
        return time.process_time() - start, outcome


def exponent(counts: Iterable[int], times: Iterable[float]) -> float:
    """The power of the count that the time grows with."""
    return float(np.polyfit([math.log(c) for c in counts], [math.log(t) for t in times], 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--counts", type=int, nargs="+", default=[2500, 5000, 10_000, 20_000])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--faces", nargs="+", default=["jkeras", "drop-in"])
    options = parser.parse_args()
    for kind in options.kinds:
        for face in options.faces:
            seconds(kind, 10, face)
            found = [seconds(kind, count, face) for count in options.counts]
            shown = ", ".join(f"{count}: {took:.2f} s" for count, (took, _) in zip(options.counts, found, strict=True))
            slope = exponent(options.counts, [took for took, _ in found])
            print(f"{kind}, {face}: {shown}; exponent {slope:.2f}; {found[-1][1]}", flush=True)


if __name__ == "__main__":
    main()
