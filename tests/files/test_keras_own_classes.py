"""`.keras` and `.h5` files of the user's own classes, with real Keras as the other side."""

import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import UnknownNameError
from tests.files.keras_sides import SUFFIXES, KerasScale, Scale, same_outputs

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # of real Keras: about .h5, and about models without a training configuration


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_own_classes(suffix, tmp_path, rng):
    x, path = rng.normal(size=(2, 4)).astype("float32"), str(tmp_path / f"model{suffix}")
    ours = jk.Sequential([jk.Input((4,)), Scale(0.5, layers.Dense(2, "tanh")), layers.Dense(1)]).init(1)
    theirs = keras.Sequential(
        [keras.Input((4,)), KerasScale(0.5, keras.layers.Dense(2, "tanh")), keras.layers.Dense(1)]
    )
    ours.save(path)
    same_outputs(jk.load_model(path), ours, x)
    same_outputs(keras.models.load_model(path), ours, x)
    theirs.save(path)
    loaded = jk.load_model(path)
    assert loaded.layers[-2].factor == 0.5
    same_outputs(loaded, theirs, x)


class Unregistered(layers.Layer):
    def call(self, x):
        return x * 3.0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_classes_that_are_not_registered(suffix, tmp_path):
    path = tmp_path / f"model{suffix}"
    model = jk.Sequential([jk.Input((4,)), Unregistered()])
    model.save(path)
    with pytest.raises(UnknownNameError, match="Unregistered"):
        jk.load_model(path)
    loaded = jk.load_model(path, custom_objects={"Unregistered": Unregistered})
    same_outputs(loaded, model, np.ones((1, 4), "float32"))
    with jk.saving.custom_object_scope({"Unregistered": Unregistered}):
        assert jk.load_model(path).definition == model.definition


@jk.saving.register_keras_serializable(package="files")
class Block(jk.Model):
    """A model that is a subclass, with layers of every kind of attribute."""

    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.first = layers.Dense(width)
        self.rest = [layers.Dense(width), layers.LayerNormalization()]
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return self.out(x)


@keras.saving.register_keras_serializable(package="files", name="Block")
class KerasBlock(keras.Model):
    """The same."""

    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.first = keras.layers.Dense(width)
        self.rest = [keras.layers.Dense(width), keras.layers.LayerNormalization()]
        self.out = keras.layers.Dense(1)

    def call(self, x, training=False):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return self.out(x)

    def get_config(self):
        return {**super().get_config(), "width": self.width}


def test_subclassed_models(tmp_path, rng):
    x, path = rng.normal(size=(2, 4)).astype("float32"), str(tmp_path / "model.keras")
    ours = Block(5).build((None, 4)).init(2)
    ours.save(path)
    same_outputs(jk.load_model(path), ours, x)
    same_outputs(keras.models.load_model(path), ours, x)
    theirs = KerasBlock(5)
    theirs(x)
    theirs.save(path)
    same_outputs(jk.load_model(path), theirs, x)
