"""Many models at once: the same numbers as one by one."""

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, errors, layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(52, 4)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")


def base(**recipe):
    net = [layers.Input((4,)), layers.Dense(6, activation="relu"), layers.Dropout(0.25), layers.Dense(2, "softmax")]
    return jk.Sequential(net).compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **recipe)


def same(a, b):
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("group", [None, 1, 2, 3])
def test_members_equal_separate_fits(group):
    model, options = base(), {"epochs": 2, "batch_size": 8, "verbose": 0, "validation_split": 0.25}
    ensemble = jk.Ensemble(model, [5, 0, 9]).fit(X, Y, group=group, **options)
    for i, seed in enumerate([5, 0, 9]):
        alone = model.init(seed).fit(X, Y, seed=seed, **options)
        same(ensemble[i], alone)
        for name, values in alone.history.items():
            np.testing.assert_allclose(ensemble.history[name][:, i], values, rtol=1e-5, atol=1e-6)
        assert list(ensemble[i].history) == list(alone.history)


def test_members_stop_by_themselves():
    stop = callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
    slower = callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.5)
    model = base().compile(jk.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 8, "verbose": 0, "validation_split": 0.25, "callbacks": [slower, stop]}
    ensemble = jk.Ensemble(model, 4).fit(X, Y, group=2, **options)
    lengths = [len(member.epoch) for member in ensemble]
    assert len(set(lengths)) > 1 and min(lengths) < 12
    for seed, member in enumerate(ensemble):
        alone = model.init(seed).fit(X, Y, seed=seed, **options)
        assert member.epoch == alone.epoch
        same(member, alone)
        np.testing.assert_allclose(member.history["learning_rate"], alone.history["learning_rate"], rtol=1e-6)
    table = ensemble.history["loss"]
    assert table.shape == (max(lengths), 4)
    assert np.isnan(table).sum() == sum(max(lengths) - n for n in lengths)


def test_asking_many():
    ensemble = jk.Ensemble(base(), 3).fit(X, Y, verbose=0)
    logs = ensemble.evaluate(X, Y)
    outputs = ensemble.predict_members(X)
    mean, spread = ensemble.predict(X)
    assert logs["loss"].shape == (3,) and outputs.shape == (3, 52, 2)
    np.testing.assert_allclose(mean, outputs.mean(0), rtol=1e-6)
    np.testing.assert_allclose(spread, outputs.std(0), rtol=1e-6)
    for i, member in enumerate(ensemble):
        np.testing.assert_allclose(member.predict(X, verbose=0), outputs[i], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(member.evaluate(X, Y, verbose=0), [logs["loss"][i], logs["accuracy"][i]], rtol=1e-5)


def test_bootstrap_sees_other_rows():
    plain, resampled = (jk.Ensemble(base(), 2, bootstrap=b).fit(X, Y, verbose=0) for b in (False, True))
    assert not np.allclose(plain[0].get_weights()[0], resampled[0].get_weights()[0])


def test_a_member_is_an_ordinary_model(tmp_path):
    ensemble = jk.Ensemble(base(), 2).fit(X, Y, verbose=0)
    ensemble[1].save(tmp_path / "second.keras")
    same(jk.load_model(tmp_path / "second.keras"), ensemble[1])


class PerBatch(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: jk.Ensemble(base(), 0), r"Ensemble\(n=0\)"),
        (lambda: jk.Ensemble(base(), []), "at least one"),
        (lambda: jk.Ensemble(base(), 2).fit(iter([(X, Y)])), "take arrays"),
        (lambda: jk.Ensemble(base(), 2).fit(X, Y, callbacks=[PerBatch()]), "PerBatch has hooks per batch"),
        (lambda: jk.Ensemble(base(), 2).fit(X[:, :3], Y), "4"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(errors.JkerasError, match=words):
        call()


def test_data_must_fit(monkeypatch):
    monkeypatch.setattr(jk.config, "data_budget", 0.0)
    with pytest.raises(errors.InputError, match="more than may lie on the device"):
        _ = jk.Ensemble(base(), 2).fit(X, Y)
