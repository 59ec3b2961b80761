"""What is masked may be anything, infinite or no number: layers that take a mask against Keras's."""

import jax
import jax.numpy as jnp
import keras as oracle
import numpy as np
import pytest

import jkeras as jk
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


def key(path):
    """What tells a weight from the others of its layer in both faces: its name and the direction that it belongs to."""
    return "backward" in path, path.replace("'", "").replace("]", "").replace("[", "/").rpartition("/")[2]


def drawn(weights):
    draws = np.random.default_rng(1)
    return [np.abs(draws.normal(size=weight.shape)).astype(weight.dtype) for weight in weights]


def outputs(library, name, inputs, mask):
    """The outputs of a layer that is an object, and its weights after the call."""
    layer, options = LAYERS[name](library.layers)
    layer(np.nan_to_num(inputs, posinf=0.0), mask=mask, **options)
    layer.set_weights(drawn(layer.get_weights()))
    return np.asarray(layer(inputs, mask=mask, **options)), {key(w.path): np.asarray(w) for w in layer.weights}


def pure_outputs(name, inputs, mask):
    """The same of the immutable layer."""
    layer, options = LAYERS[name](jk.layers)
    variables = layer.init(0, np.nan_to_num(inputs, posinf=0.0), mask=mask)
    objects, _ = LAYERS[name](keras.layers)
    objects(np.nan_to_num(inputs, posinf=0.0), mask=mask)
    before = {key(w.path): array for w, array in zip(objects.weights, drawn(objects.get_weights()), strict=True)}
    variables = jax.tree_util.tree_map_with_path(
        lambda path, _: jnp.asarray(before[key(jax.tree_util.keystr(path))]), variables
    )
    found, state = layer.apply(variables, inputs, mask=mask, **options, return_state=True)
    after = jax.tree_util.tree_leaves_with_path({**variables, "state": state})
    return np.asarray(found), {key(jax.tree_util.keystr(path)): np.asarray(leaf) for path, leaf in after}


@pytest.mark.parametrize("masked", [np.nan, np.inf, 1e4])
@pytest.mark.parametrize("name", LAYERS)
def test_masked_values_do_not_count(name, masked):
    draws = np.random.default_rng(0)
    mask = np.arange(STEPS) < np.array([[5], [3], [1], [4]])
    inputs = np.where(mask[..., None], draws.normal(size=(4, STEPS, WIDTH)), masked).astype("float32")
    if name == "softmax":
        mask = np.broadcast_to(mask[..., None], inputs.shape)
    theirs, their_weights = outputs(oracle, name, inputs, mask)
    for ours, weights in (outputs(keras, name, inputs, mask), pure_outputs(name, inputs, mask)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        assert set(weights) == set(their_weights)
        for place, weight in their_weights.items():
            np.testing.assert_allclose(weights[place], weight, rtol=1e-4, atol=1e-5)
