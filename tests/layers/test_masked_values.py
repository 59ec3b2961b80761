"""What is masked may be anything, infinite or no number: layers that take a mask against Keras's."""

import keras as oracle
import numpy as np
import pytest

from jkeras import keras

STEPS, WIDTH = 5, 3
LAYERS = {
    "batch normalization": lambda layers: (layers.BatchNormalization(), {"training": True}),
    "batch normalization, channels first": lambda layers: (layers.BatchNormalization(axis=1), {"training": False}),
    "global average": lambda layers: (layers.GlobalAveragePooling1D(), {}),
    "global average, kept axes": lambda layers: (layers.GlobalAveragePooling1D(keepdims=True), {}),
    "simple rnn": lambda layers: (layers.SimpleRNN(2, return_sequences=True), {}),
    "lstm": lambda layers: (layers.LSTM(2, return_sequences=True), {}),
    "lstm backwards": lambda layers: (layers.LSTM(2, return_sequences=True, go_backwards=True), {}),
    "lstm, zeros": lambda layers: (layers.LSTM(2, return_sequences=True, zero_output_for_mask=True), {}),
    "gru": lambda layers: (layers.GRU(2), {}),
    "bidirectional": lambda layers: (layers.Bidirectional(layers.GRU(2, return_sequences=True)), {}),
    "time distributed": lambda layers: (layers.TimeDistributed(layers.Dense(2)), {}),
    "softmax": lambda layers: (layers.Softmax(), {}),
}


def outputs(library, name, inputs, mask):
    layer, options = LAYERS[name](library.layers)
    layer(np.nan_to_num(inputs, posinf=0.0), mask=mask, **options)
    draws = np.random.default_rng(1)
    layer.set_weights([np.abs(draws.normal(size=weight.shape)).astype(weight.dtype) for weight in layer.get_weights()])
    return np.asarray(layer(inputs, mask=mask, **options)), [np.asarray(weight) for weight in layer.get_weights()]


@pytest.mark.parametrize("masked", [np.nan, np.inf, 1e4])
@pytest.mark.parametrize("name", LAYERS)
def test_masked_values_do_not_count(name, masked):
    draws = np.random.default_rng(0)
    mask = np.arange(STEPS) < np.array([[5], [3], [1], [4]])
    inputs = np.where(mask[..., None], draws.normal(size=(4, STEPS, WIDTH)), masked).astype("float32")
    if name == "softmax":
        mask = np.broadcast_to(mask[..., None], inputs.shape)
    ours, weights = outputs(keras, name, inputs, mask)
    theirs, their_weights = outputs(oracle, name, inputs, mask)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    for mine, other in zip(weights, their_weights, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
