"""Copies of models at odd moments: unbuilt ones of a user's class, and the live model of a callback."""

import copy
import pickle

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as keras
from jkeras.errors import ArgumentError

X = np.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)


class Unbuilt(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_model_of_ones_own_class_before_it_is_built(copied):
    model = copied(Unbuilt())
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    assert model.dense is model.layers[0] and len(model.weights) == 2


def test_a_model_without_layers_has_nothing_to_quantize():
    keras.Sequential().quantize("int8")


class Copies(jk.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.copies = copy.deepcopy(self.model), pickle.loads(pickle.dumps(self.model))
        with pytest.raises(ArgumentError, match=r"optimizer\(learning_rate='fast'\): expected a number"):
            self.model.optimizer.learning_rate = "fast"


def test_copies_of_a_live_model_are_the_model_at_that_moment():
    copies = Copies()
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    model = model.fit(X, X[:, :1], verbose=0, callbacks=[copies])
    for each in copies.copies:
        np.testing.assert_array_equal(each(X), model(X))
