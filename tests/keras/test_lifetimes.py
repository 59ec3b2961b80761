"""What a model leaves behind when nobody holds it any more, and what JAX traces again for each: nothing."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from jkeras import keras

X, Y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(2)

    def call(self, inputs):
        return self.inner(inputs)


class Own(keras.layers.Layer):
    def build(self, input_shape):
        self.weight = self.add_weight(shape=(input_shape[-1], 2))

    def call(self, inputs):
        return keras.ops.matmul(inputs, self.weight)


def functional(layer):
    inputs = keras.Input((4,))
    return keras.Model(inputs, layer(inputs))


MAKERS = {
    "sequential": lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]),
    "functional": lambda: functional(keras.layers.Dense(2)),
    "a user's layer": lambda: functional(Own()),
    "subclassed": Subclassed,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_model_that_was_trained_dies_with_its_last_name(kind):
    held = []
    for _ in range(3):
        model = MAKERS[kind]()
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(X, Y, verbose=0)
        model.evaluate(X, Y, verbose=0)
        model.predict(X, verbose=0)
        parts = (model, model.optimizer, *model.layers, *model.weights, *model.optimizer.variables, *model.metrics)
        held += [(type(part).__name__, weakref.ref(part)) for part in parts]
        del model, parts
    gc.collect()
    assert [name for name, reference in held if reference() is not None] == []


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_equal_models_leave_nothing_in_the_caches_of_jax(kind):
    def train():
        model = MAKERS[kind]()
        model.compile("adam", "mse")
        model.fit(X, Y, verbose=0)

    for _ in range(10):  # copies that are made again and again are compiled once
        train()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(4):
        train()
    gc.collect()
    assert len(gc.get_objects()) - before < 4 * 30  # it was 170 for each, of which most were traces
