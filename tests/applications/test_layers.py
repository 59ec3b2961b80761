"""Layers that belong to networks: Keras's numbers, and files that open on every side."""

import keras
import numpy as np
import pytest
from keras.src.applications import convnext, inception_resnet_v2

import jkeras as jk
import jkeras.keras as dropin


def model(layers, face, scale, depth, custom):
    inputs = layers.Input(shape=(4,))
    x = depth(0.3)(scale(0.5, 4)(inputs))
    return face.Model(inputs, custom(0.2)([x, inputs]))


MAKERS = {
    "keras": lambda: model(
        keras.layers, keras, convnext.LayerScale, convnext.StochasticDepth, inception_resnet_v2.CustomScaleLayer
    ),
    "values": lambda: model(jk.layers, jk, *(getattr(m, n) for m, n in parts(jk.applications))),
    "objects": lambda: model(dropin.layers, dropin, *(getattr(m, n) for m, n in parts(dropin.applications))),
}
READERS = {"keras": keras.saving.load_model, "values": jk.load_model, "objects": dropin.saving.load_model}


def parts(applications):
    names = ("convnext", "LayerScale"), ("convnext", "StochasticDepth"), ("inception_resnet_v2", "CustomScaleLayer")
    return [(getattr(applications, module), name) for module, name in names]


@pytest.mark.parametrize("maker", MAKERS)
def test_files(maker, tmp_path, rng):
    x = rng.normal(size=(3, 4)).astype("float32")
    made = MAKERS[maker]()
    np.testing.assert_allclose(made.predict(x, verbose=0), 0.7 * x, rtol=1e-6)
    made.save(tmp_path / "model.keras")
    for read in READERS.values():
        np.testing.assert_allclose(read(tmp_path / "model.keras").predict(x, verbose=0), 0.7 * x, rtol=1e-6)


@pytest.mark.parametrize("face", ["values", "objects"])
def test_depth_in_training(face):
    applications = {"values": jk, "objects": dropin}[face].applications
    layer = applications.convnext.StochasticDepth(0.25)
    x = np.ones((400, 3), "float32")
    if face == "values":
        y = np.asarray(layer.apply(layer.init(0, x), x, training=True, rng=1))
    else:
        y = np.asarray(layer(x, training=True))
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    np.testing.assert_array_equal(y[:, 0], y[:, 2])
    assert 0.6 < (y[:, 0] > 0).mean() < 0.9
