"""Cross-validation: each fold equals a fit by hand."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

import jkeras as jk
from jkeras import errors, layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(23, 3)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")


def model():
    net = jk.Sequential([layers.Input((3,)), layers.Dense(4, "relu"), layers.Dense(2, "softmax")])
    return net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


@pytest.mark.parametrize("folds", [4, "stratified"])
def test_folds_equal_fits_by_hand(folds):
    base = model()
    if folds == "stratified":
        folds = list(StratifiedKFold(4).split(X, Y))
    found = jk.cross_validate(base, X, Y, folds, epochs=2, batch_size=8)
    assert sorted(np.concatenate(found.rows).tolist()) == list(range(23))
    for i, rows in enumerate(found.rows):
        rest = np.setdiff1d(np.arange(23), rows)
        alone = base.fit(X[rest], Y[rest], epochs=2, batch_size=8, verbose=0)
        for a, b in zip(found.models[i].get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        loss, accuracy = alone.evaluate(X[rows], Y[rows], batch_size=8, verbose=0)
        np.testing.assert_allclose([found.scores["loss"][i], found.scores["accuracy"][i]], [loss, accuracy], rtol=1e-5)
    assert found.mean["accuracy"] == pytest.approx(found.scores["accuracy"].mean())
    assert "±" in repr(found)


@pytest.mark.parametrize(
    ("folds", "words"),
    [(1, "2 to 23"), (24, "2 to 23"), ("five", "at least 2"), ([([0], [99]), ([0], [1])], "99"), (True, "at least 2")],
)
def test_bad_input(folds, words):
    with pytest.raises(errors.ArgumentError, match=words):
        jk.cross_validate(model(), X, Y, folds)


def test_range_test_leaves_the_model_alone():
    base = model()
    before = base.get_weights()[0]
    found = jk.lr_range_test(base, X, Y, steps=12, batch_size=4, low=1e-4, high=10.0)
    np.testing.assert_array_equal(before, base.get_weights()[0])
    assert len(found.losses) == len(found.learning_rates) <= 12 and found.learning_rates[0] == pytest.approx(1e-4)
    # The first loss is that of the first batch before any update.


NONSENSE = ["many", None, object(), [], {}, 1j, True, float("nan"), -1, np.zeros(0)]
RANGE = {
    "low": [*NONSENSE, 0.0, 2.0, float("inf")],
    "high": [*NONSENSE, 0.0, 1e-9, float("inf")],
    "steps": [*NONSENSE, 3, 2.5],
    "batch_size": [*NONSENSE, 0, 2.5, 100],
    "smoothing": [*NONSENSE, 1.0],
    "explosion": [*NONSENSE, 1.0],
    "x": [3, "x", [X, X], {"a": X}, np.float32(1), object(), X[:0]],
    "y": [3, "y", [Y], {"a": Y}, object(), Y[:-1], np.concatenate([Y, Y])],
}


@pytest.mark.parametrize("name", RANGE)
def test_wrong_arguments_of_a_range_test_are_named(name):
    base = model()
    for value in RANGE[name]:
        with pytest.raises(errors.JkerasError, match=rf"lr_range_test.*\b{name}\b"):
            jk.lr_range_test(base, **{"x": X, "y": Y, name: value})
