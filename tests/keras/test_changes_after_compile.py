"""`trainable` that changes after `compile`, the order of weights, and files with code, as in Keras."""

from __future__ import annotations

import numpy as np
import pytest

from jkeras import keras
from jkeras.errors import ArgumentError

X, Y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")


def test_freezing_a_layer_of_a_trained_model_asks_for_compile():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    for use in (lambda: model.fit(X, Y, verbose=0), lambda: model.value):  # real Keras refuses the first, too
        with pytest.raises(ArgumentError, match="ompile the model again"):
            use()
    model.compile("adam", "mse")
    frozen = model.layers[0].get_weights()[0]
    model.fit(X, Y, verbose=0)
    assert (model.layers[0].get_weights()[0] == frozen).all()
    assert model.value.count_params() == model.count_params()


def test_spectral_normalization_has_its_weights_in_the_order_of_keras():
    layer = keras.layers.SpectralNormalization(keras.layers.Dense(3))
    layer.build((None, 4))
    assert [weight.name for weight in layer.weights] == ["kernel", "vector_u", "bias"]
    assert [weight.name for weight in layer.trainable_weights] == ["kernel", "bias"]
    assert [array.shape for array in layer.get_weights()] == [(4, 3), (1, 3), (3,)]


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_arrays_among_the_arguments_of_lambdas(tmp_path, ending):
    options = {"scale": np.array([1, 2, 3], "float32"), "shifts": (1, [2.0])}
    scaled = keras.layers.Lambda(lambda x, scale, shifts: x * scale * shifts[0] + shifts[1][0], arguments=options)
    keras.Sequential([keras.Input((3,)), scaled]).save(tmp_path / f"model.{ending}")
    loaded = keras.models.load_model(tmp_path / f"model.{ending}", safe_mode=False)
    np.testing.assert_array_equal(loaded(np.ones((1, 3), "float32")), [[3, 4, 5]])


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_lambdas_in_files_are_read_only_when_they_are_trusted(tmp_path, ending):
    path = tmp_path / f"model.{ending}"
    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: 2 * x)]).save(path)
    with pytest.raises(ArgumentError, match="lambda"):
        keras.models.load_model(path)
    model = keras.models.load_model(path, safe_mode=False)
    assert (model.predict(X, verbose=0) == 2 * X).all()
