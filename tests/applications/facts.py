"""What the networks of `keras.applications` are made of, as a table of facts: sizes, and digests of names and shapes.

    KERAS_BACKEND=jax python -m tests.applications.facts --write

reads them off the installed Keras. The networks here are compared with the table, which takes no drawing of weights.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jkeras.applications.catalogue import HOMES, MODULES

TABLE = Path(__file__).with_name("facts.tsv")
BARE = {"include_top": False, "input_shape": [96, 80, 3]}
# Beside every network as it is: what options change.
OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("VGG16", {**BARE, "pooling": "avg"}),
    ("ResNet50", {**BARE, "pooling": "max"}),
    ("ResNet50", {"classes": 7, "input_shape": [64, 64, 1]}),
    ("ResNet50V2", {"include_top": False}),
    ("Xception", {**BARE, "pooling": "avg"}),
    ("InceptionV3", {**BARE, "pooling": "max"}),
    ("DenseNet121", {**BARE, "pooling": "avg"}),
    ("MobileNet", {"alpha": 0.25, "input_shape": [32, 32, 3], "depth_multiplier": 2}),
    ("MobileNet", {**BARE, "pooling": "avg"}),
    ("MobileNetV2", {"alpha": 1.4, "classes": 3}),
    ("MobileNetV2", {**BARE, "alpha": 0.35}),
    ("MobileNetV3Small", {"minimalistic": True, "alpha": 0.75, "dropout_rate": 0}),
    ("MobileNetV3Large", {"alpha": 1.25, "include_preprocessing": False}),
    ("MobileNetV3Large", {**BARE, "pooling": "max", "minimalistic": True}),
    ("NASNetMobile", {"include_top": False}),
    ("EfficientNetB0", {**BARE, "pooling": "avg"}),
    ("EfficientNetV2B0", {"include_preprocessing": False}),
    ("EfficientNetV2B0", {"input_shape": [64, 64, 1]}),
    ("EfficientNetV2S", {**BARE, "pooling": "max"}),
    ("ConvNeXtTiny", {**BARE, "pooling": "avg"}),
    ("ConvNeXtTiny", {"input_shape": [64, 64, 1]}),
    ("ConvNeXtTiny", {"include_preprocessing": False, "name": "mine"}),
)


class Facts(NamedTuple):
    """A network's parameters and layers, and digests.

    Of the names of its layers; of the names and shapes of its weights; of their whole paths.
    """

    parameters: int
    layers: int
    names: str
    weights: str
    paths: str


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of networks and options."""
    yield from ((name, {}) for name in HOMES)
    yield from OPTIONS


def key(name: str, options: dict[str, Any]) -> str:
    """How a case is written."""
    return f"{name} {json.dumps(options)}" if options else name


def digest(lines: Iterable[Any]) -> str:
    """A short checksum of some lines."""
    return hashlib.sha256("\n".join(map(str, lines)).encode()).hexdigest()[:16]


def facts(layers: Iterable[str], weights: Iterable[tuple[str, tuple[int, ...]]]) -> Facts:
    """The facts for names of layers, and names and shapes of weights.

    What a layer `normalization` was adapted to is left out: it is no weight in `jkeras`. Weights that Keras only numbers
    are called `gamma`.
    """
    layers = list(layers)
    weights = [
        (re.sub(r"/variable(_\d+)?$", "/gamma", path), tuple(shape))
        for path, shape in weights
        if not path.startswith("normalization")
    ]
    parameters = sum(math.prod(shape) for _, shape in weights)
    own_names = [("/".join(path.split("/")[-2:]), shape) for path, shape in weights]
    return Facts(parameters, len(layers), digest(layers), digest(own_names), digest(path for path, _ in weights))


def covered() -> set[str]:
    """The names that are compared with Keras."""
    networks = {f"keras.applications.{name}" for name in HOMES}
    modules = (*MODULES, "imagenet_utils")  # by `test_imagenet_utils`
    return networks | {
        f"keras.applications.{module}.{name}"
        for module in modules
        for name in ("preprocess_input", "decode_predictions")
    }


def read() -> dict[str, Facts]:
    """The table."""
    with open(TABLE, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return {name: Facts(int(parameters), int(layers), *rest) for name, parameters, layers, *rest in rows}


def without_drawing(keras: Any) -> None:
    """Has the initializers of Keras give zeros, which takes no compilation for each shape."""
    for kind in ("VarianceScaling", "Zeros", "Ones", "Constant"):
        getattr(keras.initializers, kind).__call__ = lambda self, shape, dtype=None: np.zeros(shape, "float32")


def without_drawing_here(monkeypatch: Any) -> None:
    """Has the initializers of both faces give zeros."""
    monkeypatch.setattr(
        "jkeras.initializers.random.draw", lambda distribution, key, shape, dtype: np.zeros(shape, "float32")
    )


def write() -> None:
    """Writes the table from the installed Keras."""
    import keras

    without_drawing(keras)
    with open(TABLE, "w", encoding="utf-8") as file:
        print("network", *Facts._fields, sep="\t", file=file)
        for name, options in cases():
            keras.utils.clear_session()
            model = getattr(keras.applications, name)(weights=None, **options)
            found = facts((layer.name for layer in model.layers), ((w.path, w.shape) for w in model.weights))
            print(key(name, options), *found, sep="\t", file=file)
            print(name, file=sys.stderr)


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
