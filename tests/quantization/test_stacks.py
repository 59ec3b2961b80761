"""Layers inside of `Repeat` take another form, each copy as if it were alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers, quantizers
from jkeras.models.stacked_weights import Place, place_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4, 8)).astype("float32")
DEPTH = 3


def block():
    """A model of two kernels."""
    x = jk.Input((4, 8))
    return jk.Model(x, layers.Add()([x, layers.Dense(8)(layers.Dense(6, activation="relu")(x))]))


def attending():
    x = jk.Input((4, 8))
    return jk.Model(x, layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)]))


class Built(jk.Layer):
    """A layer that `build` makes, in a wrapper."""

    def build(self, input_shape):
        self.wide = layers.TimeDistributed(layers.Dense(input_shape[-1]))

    def call(self, inputs):
        return self.wide(inputs)


class Outside(jk.Layer):
    """A stack that a constructor written by hand makes."""

    def __init__(self):
        self.stack = layers.Repeat(layers.Dense(8), DEPTH)

    def call(self, inputs):
        return self.stack(inputs)


class OutsideBuilt(jk.Layer):
    """A stack that `build` makes."""

    def build(self, input_shape):
        self.stack = layers.Repeat(layers.Dense(8), DEPTH)

    def call(self, inputs):
        return self.stack(inputs)


# What is repeated, and how many kernels each copy has.
KINDS = {
    "dense": (lambda: layers.Dense(8, activation="tanh"), 1),
    "einsum": (lambda: layers.EinsumDense("abc,cd->abd", (None, 8), bias_axes="d"), 1),
    "block": (block, 2),
    "attention": (attending, 4),
    "built": (Built, 1),
    "wrapper": (lambda: layers.TimeDistributed(layers.Dense(8)), 1),
}
MODES = ("int8", "int4", "float8", "gptq", "awq")


def chain(*parts):
    return jk.Sequential([jk.Input((4, 8)), *parts])


def quantized(model, mode):
    if mode in ("gptq", "awq"):
        config = {"gptq": quantizers.GPTQConfig, "awq": quantizers.AWQConfig}[mode]
        return model.quantize(config=config(X, None, group_size=2))
    return model.quantize(mode)


def outputs(model):
    return np.asarray(model.predict(X, verbose=0))


def apart(deep, make):
    """The same layers one by one, with the same weights, all of them inside of one model, which is one block."""
    plain = chain(jk.Sequential([make() for _ in range(DEPTH)], name="stack"))
    stacked = dict(zip(deep.weight_paths, deep.weights, strict=True))
    outer = deep.layers[0].name
    values, seen = [], {}
    for path in plain.weight_paths:
        copy, *inside = path.split("/")[1:]
        index = seen.setdefault(copy, len(seen))
        values.append(stacked[f"{outer}/{'.'.join(inside)}"][index])
    return plain.set_weights(values)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", KINDS)
def test_each_copy_is_quantised_as_if_it_were_alone(name, mode):
    make, kernels = KINDS[name]
    deep = chain(layers.Repeat(make(), DEPTH))
    plain = apart(deep, make)
    small = quantized(deep, mode)
    assert sum("scale" in path and "awq" not in path for path in small.weight_paths) >= kernels
    want = outputs(quantized(plain, mode))
    assert np.abs(outputs(deep) - outputs(small)).max() > 1e-5
    np.testing.assert_allclose(outputs(small), want, rtol=1e-5, atol=1e-5)


OWN = {cls.__name__: cls for cls in (Built, Outside, OutsideBuilt)}
PLACES = {
    "alone": lambda: layers.Repeat(layers.Dense(8), DEPTH),
    "block": lambda: layers.Repeat(block(), DEPTH),
    "built": lambda: layers.Repeat(Built(), DEPTH),
    "stack in a stack": lambda: layers.Repeat(layers.Repeat(layers.Dense(8), 2), DEPTH),
    "stack in a model in a stack": lambda: layers.Repeat(jk.Sequential([layers.Repeat(layers.Dense(8), 2)]), DEPTH),
    "in a wrapper": lambda: layers.TimeDistributed(layers.Repeat(layers.Dense(8), DEPTH)),
    "in a model": lambda: chain(layers.Repeat(layers.Dense(8), DEPTH)),
    "in a layer": Outside,
    "in a layer that builds": OutsideBuilt,
}


@pytest.mark.parametrize("name", PLACES)
def test_stacks_anywhere_are_reached_saved_adapted_and_come_back(name, tmp_path):
    model = chain(PLACES[name]())
    small = model.quantize("int8")
    kernels = [w for path, w in zip(small.weight_paths, small.weights, strict=True) if path.endswith("kernel")]
    assert kernels and all(w.dtype == jnp.int8 for w in kernels)
    np.testing.assert_allclose(outputs(small), outputs(model), atol=0.2)
    both = small.enable_lora(2)
    assert sum("lora" in path for path in both.weight_paths) == 2 * len(kernels)
    np.testing.assert_array_equal(outputs(both), outputs(small))
    assert both.merge_lora().weight_paths == small.weight_paths
    for place in ("directory", "file.keras"):
        both.save(tmp_path / place)
        loaded = jk.load_model(tmp_path / place, custom_objects=OWN)
        assert loaded.weight_paths == both.weight_paths
        np.testing.assert_allclose(outputs(loaded), outputs(both), rtol=1e-5, atol=1e-5)
    for place in ("w.weights.h5", "w.safetensors"):
        small.save_weights(tmp_path / place)
        np.testing.assert_array_equal(outputs(small.init(1).load_weights(tmp_path / place)), outputs(small))
    with pytest.raises(jk.errors.ArgumentError, match="can be quantised|already"):
        _ = small.quantize("int8")


def test_training_changes_the_factors_of_each_copy_alone():
    model = chain(layers.Repeat(block(), DEPTH)).enable_lora(2)
    first = dict(zip(model.weight_paths, model.weights, strict=True))["repeat/dense.lora_kernel_a"]
    assert len({w.tobytes() for w in np.asarray(first)}) == DEPTH
    trained = model.compile("adam", "mse").fit(X, X, epochs=1, verbose=0)
    pairs = zip(model.weight_paths, model.weights, trained.weights, strict=True)
    moved = {path.rpartition(".")[2] for path, a, b in pairs if (a != b).any()}
    assert "kernel" not in moved and {"bias", "lora_kernel_b"} <= moved
    np.testing.assert_allclose(outputs(trained.merge_lora()), outputs(trained), rtol=1e-5, atol=1e-5)


def test_scales_of_floats_of_8_bits_follow_each_copy():
    deep = chain(layers.Repeat(layers.Dense(8), DEPTH))
    plain = apart(deep, lambda: layers.Dense(8)).quantize("float8")
    options = {"epochs": 2, "batch_size": 3, "shuffle": False, "verbose": 0}
    deep, plain = (
        model.compile(jk.optimizers.SGD(0.1), "mse").fit(X, np.cos(X), **options)
        for model in (deep.quantize("float8"), plain)
    )
    stacked = dict(zip(deep.weight_paths, deep.weights, strict=True))
    copies = {copy: i for i, copy in enumerate(dict.fromkeys(path.split("/")[1] for path in plain.weight_paths))}
    assert len(plain.weights) == DEPTH * len(stacked) == DEPTH * 8
    for path, alone in zip(plain.weight_paths, plain.weights, strict=True):
        _, copy, name = path.split("/")
        np.testing.assert_allclose(stacked[f"repeat/{name}"][copies[copy]], alone, rtol=1e-5, atol=1e-6)


def test_places_of_weights():
    known = {
        (): (chain(), None),
        ("a",): (layers.Repeat(layers.Dense(2), 2), None),
        ("a", "layer"): (layers.Repeat(layers.Dense(2), 2), None),
        ("a", "layer", "layer"): (layers.Dense(2), None),
        ("b",): (layers.TimeDistributed(layers.Dense(2)), None),
    }
    assert place_of(("a", "layer", "layer"), known) == Place(("a",), "", 2)
    assert place_of(("a", "layer"), known) == Place(("a",), "", 1)
    assert place_of(("b", "layer"), known) == Place(("b", "layer"))
    place = Place(("a",), "d.", 1)
    values = {("a",): {"d.kernel": jnp.arange(2.0), "kernel": jnp.zeros(2), "d.e.kernel": jnp.zeros(2)}}
    taken = place.take(values)
    assert list(taken) == ["kernel"] and list(values["a",]) == ["kernel", "d.e.kernel"]
    place.put(values, place.map(lambda w, index: {"new": w["kernel"] + index[0]}, taken))
    assert jax.tree.map(lambda w: w.tolist(), values["a",]["d.new"]) == [0.0, 2.0]
