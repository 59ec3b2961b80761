"""`.keras` and `.h5` files with real Keras as the other side: definitions and weights."""

import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import RestoreError
from tests.files.keras_sides import DEFINITIONS, SUFFIXES, same_outputs

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # of real Keras: about .h5, and about models without a training configuration


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", DEFINITIONS)
def test_models_go_both_ways(name, suffix, tmp_path, rng):
    one = DEFINITIONS[name]
    x, path = one.arrays(rng), str(tmp_path / f"model{suffix}")
    theirs = one.build(keras)
    theirs.save(path)
    loaded = jk.load_model(path)
    same_outputs(loaded, theirs, x)
    ours = one.build(jk).init(3)
    ours.save(path)
    if (name, suffix) != ("functions", ".h5"):  # Keras does not find functions in its own files either
        same_outputs(keras.models.load_model(path), ours, x)
    again = jk.load_model(path)
    assert again.to_json() == ours.to_json()
    for a, b in zip(again.weights, ours.weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_what_normalization_learned(suffix, tmp_path, rng):
    """Keras keeps it with the weights, we with the arguments."""
    path, x = str(tmp_path / f"model{suffix}"), rng.normal(2.0, 3.0, (20, 4)).astype("float32")
    theirs = keras.layers.Normalization()
    theirs.adapt(x)
    theirs = keras.Sequential([keras.Input((4,)), theirs, keras.layers.Dense(2)])
    ours = jk.Sequential([jk.Input((4,)), layers.Normalization().adapt(x), layers.Dense(2)]).init(1)
    if suffix != ".weights.h5":
        theirs.save(path)
        same_outputs(jk.load_model(path), theirs, x)
        ours.save(path)
        same_outputs(keras.models.load_model(path), ours, x)
        return
    theirs.save_weights(path)
    same_outputs(ours.load_weights(path), theirs, x)
    other = jk.Sequential([jk.Input((4,)), layers.Normalization().adapt(x + 1), layers.Dense(2)])
    with pytest.raises(RestoreError, match="normalization/mean: .* in the file, .* in the model"):
        other = other.load_weights(path)
    ours.save_weights(path)
    theirs.load_weights(path)
    same_outputs(theirs, ours, x)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_states_of_recurrent_layers_are_in_no_file(suffix, tmp_path, rng):
    path, x = str(tmp_path / f"model{suffix}"), rng.normal(size=(2, 4, 3)).astype("float32")
    theirs, ours = (
        side.Sequential([side.Input(batch_shape=(2, 4, 3)), side.layers.LSTM(2, stateful=True)]) for side in (keras, jk)
    )
    if suffix == ".weights.h5":
        theirs.save_weights(path)
        ours = ours.load_weights(path)
        ours.save_weights(path)
        theirs.load_weights(path)
    else:
        theirs.save(path)
        ours = jk.load_model(path)
        ours.save(path)
        theirs = keras.models.load_model(path)
    same_outputs(ours, theirs, x)


def shared_across(side):
    """A layer that is in a model and beside it; Keras cannot load such a model from its own files."""
    dense, inner_input, x = side.layers.Dense(6, name="shared"), side.Input((6,)), side.Input((6,))
    inner = side.Model(inner_input, dense(inner_input), name="inner")
    return side.Model(x, dense(inner(x)))


@pytest.mark.parametrize("suffix", ["", ".keras", ".h5"])
def test_layers_that_are_in_several_models(suffix, tmp_path, rng):
    x, path = rng.normal(size=(2, 6)).astype("float32"), str(tmp_path / f"model{suffix}")
    model = shared_across(jk).init(1)
    model.save(path)
    loaded = jk.load_model(path)
    assert len(loaded.weights) == 2 and loaded.definition == model.definition
    same_outputs(loaded, model, x)
    assert jk.models.model_from_json(model.to_json()).definition == model.definition


@pytest.mark.parametrize("suffix", ["", ".keras", ".h5"])
def test_training_that_was_asked_for_stays(suffix, tmp_path):
    x = jk.Input((4,))
    normal = layers.BatchNormalization()(layers.Dense(4)(x), training=False)
    model = jk.Model(x, layers.Dropout(0.5)(normal, training=True))
    model.save(tmp_path / f"model{suffix}")
    assert jk.load_model(tmp_path / f"model{suffix}").definition == model.definition
