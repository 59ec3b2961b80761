"""Sweeps: every model equals the fit that one would have written by hand."""

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, errors, layers, regularizers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(44, 4)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")
OPTIONS = {"epochs": 2, "batch_size": 8, "verbose": 0, "validation_split": 0.25}


def network(l2=None, rate=0.25):
    penalty = None if l2 is None else regularizers.L2(l2)
    net = [
        layers.Input((4,)),
        layers.Dense(6, activation="relu", kernel_regularizer=penalty),
        layers.Dropout(rate),
        layers.Dense(2, "softmax", kernel_regularizer=penalty),
    ]
    return jk.Sequential(net)


def compiled(net, optimizer):
    return net.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])


def same(a, b):
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert list(a.history) == list(b.history)
    for name, values in b.history.items():
        np.testing.assert_allclose(a.history[name], values, rtol=1e-5, atol=1e-6)


CASES = {
    "of the optimizer": (
        {"weight_decay": [0.1, 0.0], "beta_1": [0.5, 0.9]},
        lambda v: (network(), jk.optimizers.AdamW(0.01, **v)),
    ),
    "of all kinds": (
        {"learning_rate": [0.1, 0.01], "l2": [0.1, 0.0], "dropout": [0.0, 0.5], "seed": [3, 4]},
        lambda v: (network(l2=v["l2"], rate=v["dropout"]), jk.optimizers.AdamW(v["learning_rate"])),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_equal_to_fits_by_hand(case):
    values, by_hand = CASES[case]
    model = compiled(network(), jk.optimizers.AdamW(0.01))
    swept = jk.sweep(model, together=True, **values).fit(X, Y, **OPTIONS)
    assert [s["l2"] for s in swept.settings] == [0.1, 0.0] if "l2" in values else len(swept) == 2
    for setting, found in zip(swept.settings, swept, strict=True):
        alone = compiled(*by_hand(setting))
        if "seed" in setting:
            alone = alone.init(setting["seed"]).fit(X, Y, seed=setting["seed"], **OPTIONS)
        else:
            alone = alone.set_weights(model.get_weights()).fit(X, Y, **OPTIONS)
        same(found, alone)
        np.testing.assert_allclose(found.evaluate(X, Y, verbose=0), alone.evaluate(X, Y, verbose=0), rtol=1e-5)


def test_all_combinations():
    settings = jk.sweep(compiled(network(), "sgd"), learning_rate=[0.1, 1.0], seed=[0, 1, 2]).settings
    assert settings[:2] == [{"learning_rate": 0.1, "seed": 0}, {"learning_rate": 0.1, "seed": 1}] and len(settings) == 6


def test_results(tmp_path):
    model = compiled(network(), "sgd")
    swept = jk.sweep(model, learning_rate=[0.5, 1e-6, 1e30], together=True).fit(X, Y, **OPTIONS)
    assert swept.ranked()[-1] == 2  # it diverged
    assert swept.ranked("val_accuracy")[0] == 0 and swept.best_setting == {"learning_rate": 0.5}
    frame = swept.to_pandas()
    assert frame.shape == (3, 5) and list(frame["learning_rate"]) == [0.5, 1e-6, 1e30]
    assert swept.best.learning_rate == pytest.approx(0.5)
    swept.best.save(tmp_path / "best.keras")
    np.testing.assert_array_equal(jk.load_model(tmp_path / "best.keras").get_weights()[0], swept[0].get_weights()[0])
    assert "3 x" in repr(swept) and "learning_rate" in repr(swept)


def test_models_stop_by_themselves():
    stop = callbacks.EarlyStopping("val_loss", patience=0)
    swept = jk.sweep(compiled(network(), "sgd"), learning_rate=[0.1, 30.0]).fit(
        X, Y, **{**OPTIONS, "epochs": 6}, callbacks=[stop]
    )
    assert len(swept[0].epoch) > len(swept[1].epoch)


def test_nothing_about_the_model_changes():
    model = compiled(network(), "adam")
    before = model.get_weights()
    _ = jk.sweep(model, l2=[0.1]).fit(X, Y, **OPTIONS)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])
    assert model.layers[0].kernel_regularizer is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "expected hyperparameters"),
        ({"learning_rte": [1.0]}, "learning_rate"),
        ({"learning_rate": []}, "list of numbers"),
        ({"learning_rate": ["0.1"]}, "list of numbers"),
        ({"dropout": [1.5]}, "1.5"),
        ({"l2": [-1.0]}, "-1"),
        ({"seed": [0.5]}, "whole numbers"),
        ({"l2": [0.1], "seed": [1, 2], "together": True}, "different lengths"),
    ],
)
def test_bad_input(values, words):
    with pytest.raises(errors.ArgumentError, match=words):
        jk.sweep(compiled(network(), "adam"), **values)


def test_what_cannot_vary_is_said():
    with pytest.raises(errors.ArgumentError, match="compiled differently"):
        _ = jk.sweep(compiled(network(), "adam"), clipnorm=[0.1, 1.0]).fit(X, Y, **OPTIONS)
    plain = jk.Sequential([layers.Input((4,)), layers.Dense(2)])
    with pytest.raises(errors.ArgumentError, match="no dropout layer"):
        jk.sweep(compiled(plain, "adam"), dropout=[0.1])
    with pytest.raises(errors.NotBuiltError, match="fit"):
        jk.sweep(compiled(network(), "adam"), l2=[0.1]).best.get_weights()
