"""Configurations of models and objects as JSON, with real Keras as the other side."""

import json

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras import layers
from tests.files.keras_sides import Scale, plain, same_outputs, sequential, without_count

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # of real Keras: about .h5, and about models without a training configuration


def test_json_goes_both_ways(rng):
    x = rng.normal(size=(3, 6)).astype("float32")
    ours, theirs = sequential(jk).init(0), sequential(keras)
    from_ours = keras.models.model_from_json(ours.to_json())
    from_ours.set_weights(ours.get_weights())
    same_outputs(from_ours, ours, x)
    from_theirs = jk.models.model_from_json(theirs.to_json()).set_weights(theirs.get_weights())
    same_outputs(from_theirs, theirs, x)
    assert type(ours).from_config(ours.get_config()).definition == ours.definition


def test_clones_have_weights_of_their_own():
    model = sequential(jk).init(3).compile("sgd", "mse")
    clone = jk.models.clone_model(model)
    assert clone.definition == model.definition and clone.recipe is None
    assert not np.array_equal(clone.weights[0], model.weights[0])
    wider = jk.models.clone_model(
        model, clone_function=lambda layer: layer.replace(activation="tanh") if type(layer) is layers.Dense else layer
    )
    assert [layer.activation.__name__ for layer in wider.layers if type(layer) is layers.Dense] == ["tanh", "tanh"]


def objects(side):
    return [
        side.layers.Dense(3, activation="relu", kernel_regularizer=side.regularizers.L2(0.5)),
        side.optimizers.Adam(0.5, beta_1=0.5),
        side.losses.CategoricalCrossentropy(label_smoothing=0.25),
        side.metrics.TopKCategoricalAccuracy(3),
        side.initializers.HeNormal(seed=1),
        side.optimizers.schedules.ExponentialDecay(0.5, 2, 0.5),
        side.constraints.MaxNorm(3),
    ]


def test_objects_go_both_ways():
    """`serialize_keras_object` of one side and `deserialize_keras_object` of the other."""
    for ours, theirs in zip(objects(jk), objects(keras), strict=True):
        found = jk.saving.deserialize_keras_object(keras.saving.serialize_keras_object(theirs))
        assert type(found) is type(ours)
        one, other = (without_count(plain(it.get_config())) for it in (found, ours))
        assert {**one, "name": None} == {**other, "name": None}
        back = keras.saving.deserialize_keras_object(jk.saving.serialize_keras_object(ours))
        assert type(back) is type(theirs)
    assert jk.saving.get_registered_name(Scale) == "files>Scale"
    assert jk.saving.get_registered_object("files>Scale") is Scale
    inner = jk.saving.serialize_keras_object([Scale(3.0), {"a": (1, 2)}])
    assert jk.saving.deserialize_keras_object(json.loads(json.dumps(inner)))[0] == Scale(3.0, name="scale")


def test_the_functions_take_handles():
    keras_names = jkeras.keras
    model = sequential(keras_names)
    clone = keras_names.models.clone_model(model)
    assert clone.get_config()["layers"] == model.get_config()["layers"]
    again = keras_names.models.model_from_json(model.to_json())
    assert isinstance(again, keras_names.Model)
    config = keras_names.saving.serialize_keras_object(keras_names.layers.Dense(3))
    assert keras_names.saving.deserialize_keras_object(config).units == 3


def test_large_arrays_are_the_bytes_of_the_file_until_they_change(tmp_path):
    """They are not copied, and training does not write into what others hold."""
    x = np.ones((4, 600), "float32")
    model = jk.Sequential([jk.Input((600,)), jk.layers.Dense(600), jk.layers.Dense(1)]).compile("sgd", "mse").init(2)
    model.save(tmp_path / "m.keras")
    loaded = jk.load_model(tmp_path / "m.keras")
    before = [weight.copy() for weight in loaded.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    trained = loaded.fit(x, x[:, :1], verbose=0)
    assert not np.array_equal(trained.get_weights()[0], before[0])
    assert all(np.array_equal(a, b) for a, b in zip(before, loaded.get_weights(), strict=True))
