"""What is measured: networks written once for jkeras and Keras, and their data.

`build(k)` takes a module with Keras's interface. Hand-written peers have the same networks by name in `peers/`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Workload:
    """A network, its data and its optimizer (Adam with Keras's defaults).

    Attributes:
        build: from a module such as `keras` to a model.
        shape: of a sample.
        rows: of the data for one round.
        batch: rows in a batch.
        classes: of the targets.
        vocabulary: the number of tokens, where inputs are integers.
        targets: the shape of a sample's targets.
        task: "fit", "predict" or "evaluate".
        quick: whether the default run includes it.
        policy: the dtype policy.
        logits: whether the network ends without a softmax.
        flops: operations that training on a sample needs, where its use of the device is to be told.
    """

    build: Callable[[Any], Any]
    shape: tuple[int, ...]
    rows: int
    batch: int
    classes: int = 10
    vocabulary: int = 0
    targets: tuple[int, ...] = ()
    task: str = "fit"
    quick: bool = True
    policy: str = "float32"
    logits: bool = False
    flops: float = 0.0

    @property
    def steps(self) -> int:
        """Steps in a round."""
        return -(-self.rows // self.batch)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Random inputs and targets, always the same."""
        rng = np.random.default_rng(0)
        if self.vocabulary:
            x = rng.integers(0, self.vocabulary, (self.rows, *self.shape)).astype("int32")
        else:
            x = rng.random((self.rows, *self.shape), dtype=np.float32)
        return x, rng.integers(0, self.classes, (self.rows, *self.targets)).astype("int32")


def mlp(k: Any) -> Any:
    layers = k.layers
    return k.Sequential([k.Input((784,)), layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")])


def tabular(k: Any) -> Any:
    layers = k.layers
    hidden = [layers.Dense(256, activation="relu") for _ in range(3)]
    return k.Sequential([k.Input((64,)), *hidden, layers.Dense(2, activation="softmax")])


def cnn(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            k.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def recurrent(name: str) -> Callable[[Any], Any]:
    def build(k: Any) -> Any:
        layers = k.layers
        return k.Sequential([k.Input((64, 32)), getattr(layers, name)(64), layers.Dense(10, activation="softmax")])

    return build


def bag(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            k.Input((128,), dtype="int32"),
            layers.Embedding(20_000, 64),
            layers.GlobalAveragePooling1D(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def resnet(
    blocks: tuple[int, ...],
    filters: tuple[int, ...],
    side: int,
    classes: int,
    bottleneck: bool = False,
    logits: bool = False,
) -> Callable[[Any], Any]:
    """A residual network; with `bottleneck` blocks of three convolutions, and a first one for large pictures."""

    def build(k: Any) -> Any:
        layers = k.layers

        def unit(x: Any, filters: int, size: int, strides: int) -> Any:
            x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
            return layers.BatchNormalization()(x)

        inputs = k.Input((side, side, 3))
        x = layers.Activation("relu")(unit(inputs, filters[0], 7 if bottleneck else 3, 2 if bottleneck else 1))
        if bottleneck:
            x = layers.MaxPooling2D(3, 2, padding="same")(x)
        for stage, width in enumerate(filters):
            for block in range(blocks[stage]):
                strides = 2 if stage and not block else 1
                wide = ((width, 1, 1), (width, 3, strides), (4 * width, 1, 1))
                sizes = wide if bottleneck else ((width, 3, strides), (width, 3, 1))
                y = x
                for index, size in enumerate(sizes):
                    y = unit(layers.Activation("relu")(y) if index else y, *size)
                if strides > 1 or (bottleneck and not block):
                    x = unit(x, sizes[-1][0], 1, strides)
                x = layers.Activation("relu")(layers.Add()([x, y]))
        x = layers.Dense(classes)(layers.GlobalAveragePooling2D()(x))
        return k.Model(inputs, layers.Activation("linear" if logits else "softmax", dtype="float32")(x))

    return build


def attention(
    length: int, vocabulary: int, width: int, heads: int, blocks: int, causal: bool, logits: bool = False
) -> Callable[[Any], Any]:
    """A stack of attention and dense blocks: with `causal` a language model, else a classifier of sequences."""

    def build(k: Any) -> Any:
        layers = k.layers
        inputs = k.Input((length,), dtype="int32")
        x = layers.Embedding(vocabulary, width)(inputs)
        for _ in range(blocks):
            y = layers.LayerNormalization()(x)
            y = layers.MultiHeadAttention(heads, width // heads)(y, y, use_causal_mask=causal)
            x = layers.Add()([x, y])
            y = layers.LayerNormalization()(x)
            y = layers.Dense(4 * width, activation="gelu")(y)
            x = layers.Add()([x, layers.Dense(width)(y)])
        x = layers.LayerNormalization()(x)
        if not causal:
            x = layers.GlobalAveragePooling1D()(x)
        x = layers.Dense(vocabulary if causal else 10)(x)
        return k.Model(inputs, layers.Activation("linear" if logits else "softmax", dtype="float32")(x))

    return build


_MLP = Workload(mlp, (784,), 60_000, 32)

WORKLOADS: dict[str, Workload] = {
    "mlp": _MLP,
    "cnn": Workload(cnn, (28, 28, 1), 2_560, 128),
    "lstm": Workload(recurrent("LSTM"), (64, 32), 3_200, 64),
    "gru": Workload(recurrent("GRU"), (64, 32), 3_200, 64),
    "resnet18": Workload(resnet((2, 2, 2, 2), (64, 128, 256, 512), 32, 10), (32, 32, 3), 64, 32),
    "transformer": Workload(attention(64, 8_000, 128, 4, 2, False), (64,), 320, 32, vocabulary=8_000),
    "gpt": Workload(
        attention(64, 2_000, 128, 4, 2, True), (64,), 160, 16, classes=2_000, vocabulary=2_000, targets=(64,)
    ),
    "bag": Workload(bag, (128,), 6_400, 32, vocabulary=20_000),
    "tabular": Workload(tabular, (64,), 65_536, 1024, classes=2),
    "predict": dataclasses.replace(_MLP, task="predict"),
    "evaluate": dataclasses.replace(_MLP, task="evaluate"),
}
