"""Habits of libraries that are written for Keras, each as they write it."""

import sys
import types

import keras as real
import numpy as np
import pytest

import jkeras.keras as keras
from jkeras.keras import layers


class Pipeline(keras.Model):
    """A model that is functional or not, whichever its subclasses are, and sets its base back for the next of them."""

    def __init__(self, *args, **kwargs):
        Pipeline.__bases__ = (keras.Model,)
        super().__init__(*args, **kwargs)


class Classifier(Pipeline):
    def __init__(self, width):
        inputs = keras.Input((3,))
        super().__init__(inputs, layers.Dense(width)(inputs))


class Generator(Pipeline):
    def __init__(self, width):
        inputs = keras.Input((2,))
        super().__init__(inputs, layers.Dense(width)(inputs))


def test_bases_that_are_set_back():
    models = [Classifier(2), Generator(4), Classifier(3)]
    assert [model.output_shape for model in models] == [(None, 2), (None, 4), (None, 3)]
    assert all(isinstance(model, keras.models.Functional) for model in models)


def test_masks_by_hand():
    backend = keras.src.backend
    tensor = keras.ops.ones((2, 3))
    assert backend.get_keras_mask(tensor) is None
    backend.set_keras_mask(tensor, tensor[..., 0] > 0)
    assert backend.get_keras_mask(tensor).shape == (2,)


def test_layers_of_a_trusted_package_are_found_by_their_module(monkeypatch):
    module = types.ModuleType("keras_hub.some_layers")
    part = type("Part", (layers.Dense,), {"__module__": module.__name__})
    module.Part = part
    monkeypatch.setitem(sys.modules, module.__name__, module)
    config = keras.saving.serialize_keras_object(part(3))
    assert type(keras.saving.deserialize_keras_object(config)) is part
    monkeypatch.delitem(sys.modules, module.__name__)
    with pytest.raises(TypeError, match="Could not locate class 'Part'"):
        keras.saving.deserialize_keras_object(config)


@pytest.mark.parametrize("options", [{}, {"tie_weights": False, "logit_soft_cap": 2.0, "mask_zero": True}], ids=str)
def test_an_embedding_and_back(options, rng):
    ids, vectors = np.asarray([[1, 0, 3]]), rng.normal(size=(1, 3, 2)).astype("float32")
    ours, theirs = (library.layers.ReversibleEmbedding(5, 2, **options) for library in (keras, real))
    for layer in (ours, theirs):
        layer.build()
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(ids), theirs(ids))
    np.testing.assert_allclose(ours(vectors, reverse=True), theirs(vectors, reverse=True), rtol=1e-5, atol=1e-6)
    again = layers.ReversibleEmbedding.from_config(ours.get_config())
    assert again(keras.Input((3, 2)), reverse=True).shape == (None, 3, 5)
    inputs = keras.Input((3,), dtype="int32")
    outputs = again(inputs)
    assert outputs.shape == (None, 3, 2) and again(outputs, reverse=True).shape == (None, 3, 5)
    assert ours.get_config() == theirs.get_config() | {"name": ours.name}
