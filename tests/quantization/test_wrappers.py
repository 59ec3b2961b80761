"""Both faces and Keras quantise the same layers inside of wrappers, models and attention, to the same numbers."""

import warnings

import keras
import numpy as np
import pytest

import jkeras.keras as ours
from jkeras.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(4, 6, 8)).astype("float32")


def cell_of(home):
    """A cell with a dense layer."""

    class Cell(home.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = self.state_size = units
            self.mix = home.layers.Dense(units, activation="tanh")

        def build(self, input_shape):
            self.mix.build((input_shape[0], input_shape[-1] + self.units))
            self.built = True

        def call(self, inputs, states):
            output = self.mix(home.ops.concatenate([inputs, states[0]], axis=-1))
            return output, [output]

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return home.saving.register_keras_serializable("wrappers")(Cell)


CELLS = {home: cell_of(home) for home in (keras, ours)}


def attending(kind, *arguments):
    def make(home):
        inputs = home.Input((6, 8))
        return home.Model(inputs, getattr(home.layers, kind)(*arguments)(inputs, inputs))

    return make


def inside(make):
    return lambda home: home.Sequential([home.Input((6, 8)), make(home)])


MODELS = {
    "time distributed": inside(lambda home: home.layers.TimeDistributed(home.layers.Dense(4))),
    "time distributed model": inside(
        lambda home: home.layers.TimeDistributed(home.Sequential([home.Input((8,)), home.layers.Dense(4)]))
    ),
    "bidirectional": inside(
        lambda home: home.layers.Bidirectional(home.layers.RNN(CELLS[home](4), return_sequences=True))
    ),
    "cells": inside(lambda home: home.layers.RNN([CELLS[home](4), CELLS[home](3)])),
    "model": inside(lambda home: home.Sequential([home.Input((6, 8)), home.layers.Dense(4)])),
    "attention": attending("MultiHeadAttention", 2, 4),
    "grouped attention": attending("GroupQueryAttention", 4, 4, 2),
}


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
@pytest.mark.parametrize("name", MODELS)
def test_numbers_are_keras_on_both_faces(name, mode):
    theirs, model = MODELS[name](keras), MODELS[name](ours)
    model.set_weights(theirs.get_weights())
    value = model.value
    with warnings.catch_warnings(action="ignore"):  # of the layers that cannot be quantised
        theirs.quantize(mode)
        model.quantize(mode)
    value = value.quantize(mode)
    assert [w.dtype for w in model.weights] == [w.dtype for w in theirs.weights]
    assert sorted(w.dtype.name for w in value.weights) == sorted(w.dtype for w in theirs.weights)
    want = theirs.predict(X, verbose=0)
    for each in (model, value, model.value):
        np.testing.assert_allclose(each.predict(X, verbose=0), want, rtol=1e-5, atol=1e-5)
    with pytest.raises(ArgumentError, match="can be quantised|already"):
        _ = value.quantize(mode)
