"""LoRA on both faces, files of what was quantised or adapted, and what is refused."""

import warnings

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as ours
from jkeras import layers
from jkeras.errors import ArgumentError, DTypeError, InputError, NonFiniteError, NotBuiltError, UnsupportedError

RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 20, size=(3, 4)).astype("int32")
X = RNG.normal(size=(8, 6)).astype("float32")


def network(home):
    """A table, a projection and a dense layer."""
    inputs = home.Input((4,), dtype="int32")
    x = home.layers.Embedding(20, 6)(inputs)
    x = home.layers.EinsumDense("abc,cde->abde", (4, 2, 3), bias_axes="de")(x)
    return home.Model(inputs, home.layers.Dense(5)(home.layers.Flatten()(x)))


def changed(weights, paths):
    """Weights with other factors of low rank."""
    rng = np.random.default_rng(1)
    return [
        w + rng.normal(size=w.shape).astype(w.dtype) * 0.3 if "lora" in p else w
        for w, p in zip(weights, paths, strict=True)
    ]


@pytest.mark.parametrize(
    ("mode", "lora"),
    [
        ("int8", True),
        ("int4", False),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in ((None, True), ("int8", False), ("int4", True))),
    ],
)
def test_files_go_both_ways(mode, lora, tmp_path):
    theirs = network(keras)
    model = network(jk).set_weights(theirs.get_weights())
    if mode is not None:
        with warnings.catch_warnings(action="ignore"):
            theirs.quantize(mode)
        model = model.quantize(mode)
    if lora:
        for layer in theirs.layers:
            if hasattr(layer, "enable_lora"):
                layer.enable_lora(2, lora_alpha=3)
        model = model.enable_lora(2, lora_alpha=3)
        model = model.set_weights(changed(model.get_weights(), model.weight_paths))
        theirs.set_weights(model.get_weights())
        np.testing.assert_allclose(model.predict(IDS, verbose=0), theirs.predict(IDS, verbose=0), rtol=1e-5, atol=1e-5)
    theirs.save(tmp_path / "theirs.keras")
    model.save(tmp_path / "ours.keras")
    want = keras.models.load_model(tmp_path / "theirs.keras").predict(IDS, verbose=0)
    for name in ("theirs", "ours"):
        path = tmp_path / f"{name}.keras"
        for load in (jk.load_model, ours.models.load_model, keras.models.load_model):
            np.testing.assert_allclose(load(path).predict(IDS, verbose=0), want, rtol=1e-5, atol=1e-5)
    theirs.save_weights(tmp_path / "w.weights.h5")
    loaded = model.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(loaded.predict(IDS, verbose=0), want, rtol=1e-5, atol=1e-5)
    model.save(tmp_path / "directory")
    np.testing.assert_array_equal(
        jk.load_model(tmp_path / "directory").predict(IDS, verbose=0), model.predict(IDS, verbose=0)
    )


def test_summary_of_a_layer_that_is_frozen_in_part(capsys):
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(3, name="adapted"), jk.layers.Dense(2, name="other")])
    model.enable_lora(2, "adapted").freeze("other").summary(show_trainable=True)
    rows = {row.split()[1]: row for row in capsys.readouterr().out.splitlines() if "(Dense)" in row}
    assert [(name, "Y" in row, "N" in row.replace("None", "")) for name, row in rows.items()] == [
        ("adapted", True, False),
        ("other", False, True),
    ]


@pytest.mark.parametrize("mode", ["gptq", "awq"])
def test_keras_reads_what_was_calibrated(mode, tmp_path):
    model = jk.Sequential([jk.Input((6,)), layers.Dense(20, "relu"), layers.Dense(8)])
    kind = {"gptq": jk.quantizers.GPTQConfig, "awq": jk.quantizers.AWQConfig}[mode]
    small = model.quantize(config=kind(X, None, group_size=2))
    small.save(tmp_path / "m.keras")
    result = keras.models.load_model(tmp_path / "m.keras").predict(X, verbose=0)
    np.testing.assert_allclose(result, small.predict(X, verbose=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"), [(layers.Dense(5), (6,)), (layers.Conv2D(4, 2), (4, 4, 3)), (layers.Conv1D(4, 2), (6, 3))]
)
def test_training_changes_the_factors_alone(layer, shape):
    model = jk.Sequential([jk.Input(shape), layer]).enable_lora(2)
    x = RNG.normal(size=(8, *shape)).astype("float32")
    y = model.predict(x, verbose=0) + 1
    trained = model.compile("adam", "mse").fit(x, y, epochs=2, verbose=0)
    moved = {
        p.rpartition("/")[2]
        for p, a, b in zip(model.weight_paths, model.weights, trained.weights, strict=True)
        if (a != b).any()
    }
    assert moved == {"bias", "lora_kernel_a", "lora_kernel_b"}
    merged = trained.merge_lora()
    assert len(merged.weights) == 2
    np.testing.assert_allclose(merged.predict(x, verbose=0), trained.predict(x, verbose=0), rtol=1e-5, atol=1e-5)


def test_patterns_choose_layers():
    model = jk.Sequential([jk.Input((6,)), layers.Dense(4, name="first"), layers.Dense(3, name="head")])
    assert [p for p in model.enable_lora(2, "head").weight_paths if "lora" in p] == [
        "head/lora_kernel_a",
        "head/lora_kernel_b",
    ]
    assert model.quantize("int8", filters="^first$").get_layer("head").dtype_policy.name == "float32"


def gptq(data):
    return jk.quantizers.GPTQConfig(data, None, group_size=-1)


MODEL = jk.Sequential([jk.Input((6,)), layers.Dense(4)])
REFUSED = [
    (lambda: MODEL.quantize("int3"), ArgumentError, "int3"),
    (lambda: MODEL.quantize(), ArgumentError, "mode"),
    (lambda: MODEL.quantize("int8", config=jk.quantizers.Int4QuantizationConfig()), ArgumentError, "Contradictory"),
    (lambda: MODEL.quantize("gptq"), ArgumentError, "GPTQConfig"),
    (lambda: MODEL.quantize(config=jk.quantizers.GPTQConfig(np.ones((3, 5)), None)), InputError, r"\(3, 5\)"),
    (lambda: MODEL.quantize(config=gptq([np.ones(6), np.ones(5)])), InputError, r"one shape.*\(5,\), \(6,\)"),
    (lambda: MODEL.quantize(config=gptq(np.full((3, 6), np.nan))), NonFiniteError, "NaN"),
    (lambda: MODEL.quantize(config=gptq(np.ones((3, 6), complex))), DTypeError, "complex128"),
    (lambda: MODEL.quantize(config=gptq(np.full((3, 6), "a"))), DTypeError, "real numbers"),
    (lambda: MODEL.quantize("int8", filters=3), ArgumentError, "filters"),
    (lambda: MODEL.quantize("int8", filters="["), ArgumentError, r"filters='\['.*regular expression"),
    (lambda: ours.Sequential([ours.Input((6,))]).quantize("int8", filters=["("]), ArgumentError, "regular"),
    (lambda: MODEL.quantize("int8", filters="conv"), ArgumentError, "conv"),
    (lambda: MODEL.quantize("int8").quantize("int4"), ArgumentError, "already quantized"),
    (lambda: jk.Sequential([layers.Dense(4)]).quantize("int8"), NotBuiltError, "Input"),
    (lambda: jk.Sequential([layers.Dense(4)]).enable_lora(2), NotBuiltError, "Input"),
    (lambda: MODEL.enable_lora(2).enable_lora(2), ArgumentError, "already enabled"),
    (lambda: MODEL.enable_lora(0), ArgumentError, r"enable_lora\(rank=0\)"),
    (lambda: MODEL.enable_lora(2, "conv*"), ArgumentError, "conv"),
    (lambda: MODEL.merge_lora(), ArgumentError, "enable_lora"),
    (lambda: MODEL.quantize("float8").enable_lora(2), UnsupportedError, "FLOAT8"),
    (lambda: MODEL.quantize(config=jk.quantizers.GPTQConfig(X, None)).enable_lora(2), UnsupportedError, "GPTQ"),
    (lambda: layers.Embedding(4, 2).quantized("float8"), UnsupportedError, "float8"),
    (lambda: layers.Dense(4, kernel_constraint="non_neg").with_lora(2), ArgumentError, "kernel_constraint"),
    (lambda: ours.layers.Dense(4).enable_lora(2), ArgumentError, "built"),
    (lambda: ours.layers.Dense(4).quantize("int8"), ArgumentError, "built"),
    (lambda: ours.Sequential([ours.Input((6,)), ours.layers.Dense(4)]).quantize("int3"), ArgumentError, "int3"),
]


@pytest.mark.parametrize(("make", "error", "words"), REFUSED)
def test_mistakes_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()
