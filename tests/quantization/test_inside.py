"""Layers inside of others take another form, too: those of wrappers, of models, and those that a `build` makes."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as ours
from jkeras import layers
from jkeras.errors import ArgumentError, InputError, RestoreError

X = np.random.default_rng(0).normal(size=(4, 6, 8)).astype("float32")


class Cell(jk.Layer):
    """A cell with a dense layer."""

    def __init__(self, units):
        self.units = self.state_size = units
        self.mix = layers.Dense(units, activation="tanh")

    def call(self, inputs, states):
        output = self.mix(jnp.concatenate([inputs, states[0]], axis=-1))
        return output, [output]


class Built(jk.Layer):
    """Layers that `build` makes, one of them in a list."""

    def build(self, input_shape):
        self.first = layers.Dense(5)
        self.more = [layers.Dense(3)]

    def call(self, inputs):
        return self.more[0](self.first(inputs))


class Block(jk.Layer):
    """A constructor written by hand, a wrapper and a layer that builds layers."""

    def __init__(self, units):
        self.wide = layers.TimeDistributed(layers.Dense(units))
        self.built = Built()

    def call(self, inputs):
        return self.built(self.wide(inputs))


class Network(jk.Model):
    """A model with a layer of its constructor and attention."""

    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units)
        self.attention = layers.MultiHeadAttention(2, 3)

    def call(self, inputs):
        return self.attention(self.dense(inputs), inputs)


OWN = {cls.__name__: cls for cls in (Cell, Built, Block, Network)}


def chain(*parts):
    return jk.Sequential([jk.Input((6, 8)), *parts])


def attention(layer):
    inputs = jk.Input((6, 8))
    return jk.Model(inputs, layer(inputs, inputs))


# What makes a model, and how many kernels it has.
MODELS = {
    "time distributed": (lambda: chain(layers.TimeDistributed(layers.Dense(4))), 1),
    "time distributed block": (lambda: chain(layers.TimeDistributed(Built())), 2),
    "block": (lambda: chain(Block(4)), 3),
    "bidirectional": (lambda: chain(layers.Bidirectional(layers.RNN(Cell(4), return_sequences=True))), 2),
    "cells": (lambda: chain(layers.RNN([Cell(4), Cell(3)])), 2),
    "models": (lambda: chain(jk.Sequential([layers.Dense(4), jk.Sequential([layers.Dense(3)])])), 2),
    "pipeline": (lambda: chain(layers.Pipeline([layers.Dense(3)])), 1),
    "attention": (lambda: attention(layers.MultiHeadAttention(2, 4)), 4),
    "attention in a model": (lambda: chain(attention(layers.MultiHeadAttention(2, 4))), 4),
    "grouped attention": (lambda: attention(layers.GroupQueryAttention(4, 4, 2, use_gate=True)), 5),
    "network": (lambda: Network(4).build((None, 6, 8)), 5),
}


def outputs(model):
    return np.asarray(model.predict(X, verbose=0), "float32")


@pytest.mark.parametrize("name", MODELS)
def test_every_kernel_is_reached_and_comes_back(name, tmp_path):
    make, count = MODELS[name]
    model = make()
    small = model.quantize("int8")
    kernels = [w.dtype for path, w in zip(small.weight_paths, small.weights, strict=True) if path.endswith("kernel")]
    assert kernels == [jnp.int8] * count
    np.testing.assert_allclose(outputs(small), outputs(model), atol=0.1)
    both = small.enable_lora(2)
    assert sum("lora" in path for path in both.weight_paths) == 2 * count
    np.testing.assert_array_equal(outputs(both), outputs(small))
    assert both.merge_lora().weight_paths == small.weight_paths
    for place in ("directory", "file.keras"):
        both.save(tmp_path / place)
        loaded = jk.load_model(tmp_path / place, custom_objects=OWN)
        assert loaded.weight_paths == both.weight_paths
        np.testing.assert_allclose(outputs(loaded), outputs(both), rtol=1e-5, atol=1e-5)
    with pytest.raises(ArgumentError, match="can be quantised|already"):
        _ = small.quantize("int8")


FORMS = {
    "int8": lambda model: model.quantize("int8"),
    "int4": lambda model: model.quantize("int4"),
    "float8": lambda model: model.quantize("float8"),
    "gptq": lambda model: model.quantize(config=jk.quantizers.GPTQConfig(X, None, group_size=2)),
    "lora": lambda model: model.enable_lora(2, lora_alpha=3),
}


@pytest.mark.parametrize(
    "form", ["int8", "lora", *(pytest.param(name, marks=pytest.mark.slow) for name in ("int4", "float8", "gptq"))]
)
def test_keras_reads_projections_of_another_form(form, tmp_path):
    model = FORMS[form](attention(layers.MultiHeadAttention(2, 4)))
    if form == "lora":
        drawn = iter(jax.random.split(jax.random.key(0), len(model.weights)))
        model = model.set_weights([w + 0.1 * jax.random.normal(next(drawn), w.shape) for w in model.weights])
    want = outputs(model)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    for load in (jk.load_model, keras.models.load_model, ours.models.load_model):
        np.testing.assert_allclose(load(tmp_path / "m.keras").predict(X, verbose=0), want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        outputs(model.init(1).load_weights(tmp_path / "m.weights.h5")), want, rtol=1e-5, atol=1e-5
    )
    thawed = ours.models.load_model(tmp_path / "m.keras")
    thawed.save(tmp_path / "again.keras")
    np.testing.assert_allclose(outputs(jk.load_model(tmp_path / "again.keras")), want, rtol=1e-5, atol=1e-5)
    assert thawed.value.weight_paths == model.weight_paths
    np.testing.assert_allclose(outputs(thawed.value), want, rtol=1e-5, atol=1e-5)


def test_training_changes_factors_of_projections_alone():
    model = attention(layers.MultiHeadAttention(2, 4)).enable_lora(2).compile("adam", "mse")
    trained = model.fit(X, X, epochs=1, verbose=0)
    pairs = zip(model.weight_paths, model.weights, trained.weights, strict=True)
    moved = {path.rpartition("/")[2] for path, a, b in pairs if (a != b).any()}
    assert "kernel" not in moved and {"bias", "lora_kernel_b"} <= moved
    np.testing.assert_allclose(outputs(trained.merge_lora()), outputs(trained), rtol=1e-5, atol=1e-5)


def test_a_model_gives_its_types_to_what_is_quantised():
    model = jk.Sequential([jk.Input((8,)), layers.Dense(3)], dtype="mixed_bfloat16").quantize("int8")
    assert model.layers[0].dtype_policy.name == "int8_from_mixed_bfloat16"


def test_configurations_of_layers_say_what_became_of_projections():
    layer = attention(layers.MultiHeadAttention(2, 4, name="heads")).quantize("int8").get_layer("heads")
    again = type(layer).from_config(layer.get_config())
    assert again._inner_forms["query"]["dtype"].name == "int8_from_float32"
    assert keras.layers.MultiHeadAttention.from_config(layer.get_config()).dtype_policy["m/heads/key"].name == (
        "int8_from_float32"
    )


def test_kernels_that_a_wrapper_computes_with_stay_as_they_are():
    model = chain(layers.SpectralNormalization(layers.Dense(8)), layers.Dense(3))
    small = model.quantize("int8")
    assert [p for p, w in zip(small.weight_paths, small.weights, strict=True) if w.dtype == jnp.int8] == [
        "dense/kernel"
    ]
    with pytest.raises(InputError, match="no kernel"):
        chain(layers.SpectralNormalization(layers.Dense(8, dtype="int8_from_float32"))).predict(X, verbose=0)


@pytest.mark.parametrize("written", [3, {"query": 3}, {"query": {"units": 3}}])
def test_damaged_forms_are_refused(written):
    config = attention(layers.MultiHeadAttention(2, 4)).get_config()
    entry = config["layers"][1]
    with pytest.raises(RestoreError, match="damaged"):
        jk.Model.from_config({**config, "layers": [config["layers"][0], {**entry, "inner_layers": written}]})
