"""Models that are written alike for jkeras and for real Keras, for tests of files that go both ways."""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import jkeras as jk
from jkeras import layers

SUFFIXES = (".keras", ".h5")


def sequential(side):
    return side.Sequential(
        [
            side.Input((6,)),
            side.layers.Dense(5, "relu"),
            side.layers.BatchNormalization(),
            side.layers.Dense(3, "softmax"),
        ]
    )


def nested(side):
    """A model inside a model, twice; a Sequential inside; a shared layer; two inputs."""
    inner_input = side.Input((6,))
    middle = side.layers.Dense(4, name="shared")
    inner = side.Model(inner_input, middle(side.layers.Dense(6, "tanh")(inner_input)), name="encoder")
    tail = side.Sequential([side.Input((4,)), side.layers.Dense(2), side.layers.PReLU()], name="tail")
    a, b = side.Input((6,), name="a"), side.Input((6,), name="b")
    both = side.layers.Concatenate()([inner(a), inner(b)])
    shared = side.layers.Dense(4)
    first, second = shared(both), shared(side.layers.Rescaling(2.0)(both))
    return side.Model([a, b], tail(side.layers.Subtract()([first, second])))


def dicts(side):
    """Inputs and outputs by name."""
    one, two = side.Input((6,), name="one"), side.Input((6,), name="two")
    total = side.layers.Add()([one, two])
    return side.Model(
        {"one": one, "two": two},
        {"left": side.layers.Dense(2, name="left")(total), "right": side.layers.Dense(3)(total)},
    )


def functions(side):
    """Operators and functions between the layers."""
    ops = side.ops
    x = side.Input((6, 4))
    y = (x * 0.5 + 1.0) - x[:, ::-1]
    y = ops.concatenate([y, -x], axis=-1) / 3.0
    z = ops.mean(ops.abs(y), axis=1, keepdims=True)
    z = ops.reshape(z, (-1, 8)) @ ops.ones((8, 2)) + ops.einsum("bij,bij->b", x, x)[:, None]
    return side.Model(x, ops.sqrt(ops.maximum(ops.relu(z), 0.1)) ** 2)


def twice(side):
    """A model applied to its own output."""
    inner_input = side.Input((6,))
    inner = side.Model(inner_input, side.layers.Dense(6)(inner_input), name="inner")
    x = side.Input((6,))
    return side.Model(x, inner(inner(x)))


def states(side):
    """An encoder's states in a decoder; attention with a mask that is an input."""
    x, z, mask = side.Input((5, 3)), side.Input((4, 3)), side.Input((4, 5), dtype="bool")
    encoded, *state = side.layers.LSTM(4, return_state=True, return_sequences=True)(x)
    decoded = side.layers.LSTM(4, return_sequences=True)(z, initial_state=state)
    attended, scores = side.layers.MultiHeadAttention(2, 2)(
        decoded, encoded, attention_mask=mask, return_attention_scores=True
    )
    return side.Model([x, z, mask], [attended, scores])


def masked(side):
    """A Bidirectional with a mask."""
    x = side.Input((6,), dtype="int32")
    y = side.layers.Embedding(9, 4, mask_zero=True)(x)
    y = side.layers.Bidirectional(side.layers.LSTM(3))(y)
    return side.Model(x, side.layers.Dense(1)(y))


def mixed(side):
    """Layers with types of their own."""
    x = side.Input((6,))
    y = side.layers.Dense(4, dtype="mixed_bfloat16")(x)
    return side.Model(x, side.layers.Dense(2, dtype="float32")(y))


@dataclasses.dataclass(frozen=True)
class Definition:
    build: Callable[[Any], Any]
    inputs: Any
    ids: int = 0

    def arrays(self, rng):
        def one(shape):
            if shape == (2, 4, 5):
                return np.tri(4, 5, dtype=bool)[None].repeat(2, 0)
            return (
                rng.integers(0, self.ids, shape).astype("int32")
                if self.ids
                else rng.normal(size=shape).astype("float32")
            )

        if isinstance(self.inputs, dict):
            return {k: one(shape) for k, shape in self.inputs.items()}
        return [one(shape) for shape in self.inputs] if isinstance(self.inputs, list) else one(self.inputs)


DEFINITIONS = {
    "sequential": Definition(sequential, (3, 6)),
    "nested": Definition(nested, [(3, 6), (3, 6)]),
    "twice": Definition(twice, (3, 6)),
    "states": Definition(states, [(2, 5, 3), (2, 4, 3), (2, 4, 5)]),
    "dicts": Definition(dicts, {"one": (3, 6), "two": (3, 6)}),
    "functions": Definition(functions, (3, 6, 4)),
    "masks": Definition(masked, (3, 6), ids=3),
    "mixed": Definition(mixed, (3, 6)),
}


def same_outputs(one, other, x, tolerance=1e-5):
    found, expected = one(x), other(x)
    if isinstance(expected, dict):
        assert sorted(found) == sorted(expected)
        found, expected = [found[k] for k in sorted(found)], [expected[k] for k in sorted(expected)]
    for a, b in zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(np.asarray(a, "float32"), np.asarray(b, "float32"), atol=tolerance, rtol=tolerance)


@jk.saving.register_keras_serializable(package="files")
class Scale(layers.Layer):
    """A weight, an argument, a layer inside."""

    def __init__(self, factor=2.0, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = inner or layers.Dense(3)

    def build(self, input_shape):
        self.gain = self.add_weight((input_shape[-1],), initializer="ones", name="gain")

    def call(self, x):
        return self.inner(x * self.gain * self.factor)


@keras.saving.register_keras_serializable(package="files", name="Scale")
class KerasScale(keras.layers.Layer):
    """The same."""

    def __init__(self, factor=2.0, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = (
            keras.saving.deserialize_keras_object(inner) if isinstance(inner, dict) else inner or keras.layers.Dense(3)
        )

    def build(self, input_shape):
        self.gain = self.add_weight((input_shape[-1],), initializer="ones", name="gain")
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(x * self.gain * self.factor)

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "factor": self.factor, "inner": inner}


KerasScale.__name__ = "Scale"  # Keras's files name places after classes


def trained(side, optimizer):
    model = side.Sequential(
        [side.Input((4,)), side.layers.Dense(5, "relu"), side.layers.BatchNormalization(), side.layers.Dense(1)]
    )
    return model.compile(optimizer, "mse", metrics=["mae"]) or model


def rounded(value):
    """A configuration with numbers as float32 has them."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return float(np.float32(value)) if isinstance(value, float) else value


def plain(value):
    """A configuration without modules, and losses that are named by their class in both forms that they have."""
    if (
        isinstance(value, dict)
        and value.get("module") == "keras.losses"
        and set(value["config"]) == {"name", "reduction"}
    ):
        return value["config"]["name"]
    if isinstance(value, str) and value in ("mse", "mae"):
        return keras.losses.get(value).__name__
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("registered_name", "module")}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else rounded(value)


def without_count(value):
    """A configuration in which the names of optimizers are as if each were the only one."""
    if isinstance(value, dict):
        return {k: re.sub(r"_\d+$", "", v) if k == "name" and v else without_count(v) for k, v in value.items()}
    return [without_count(v) for v in value] if isinstance(value, list) else value
