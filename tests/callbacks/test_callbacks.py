"""Callbacks in real training: signatures, averages, the live model."""

import csv
import inspect

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, layers, optimizers

KERAS_CALLBACKS = ["CSVLogger", "EarlyStopping", "LambdaCallback", "LearningRateScheduler", "ModelCheckpoint",
                   "ReduceLROnPlateau", "RemoteMonitor", "SwapEMAWeights", "TensorBoard", "TerminateOnNaN"]  # fmt: skip


@pytest.fixture
def data(rng):
    x = rng.normal(size=(64, 4)).astype("float32")
    return x, (x.sum(1) > 0).astype("float32")


def model(optimizer="adam"):
    net = jk.Sequential([layers.Input((4,)), layers.Dense(4, activation="relu"), layers.Dense(1, activation="sigmoid")])
    return net.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])


@pytest.mark.parametrize("name", KERAS_CALLBACKS)
def test_signatures_are_keras(name):
    import keras

    def arguments(module):
        parameters = inspect.signature(getattr(module, name)).parameters.values()
        return [(p.name, p.default) for p in parameters if p.kind is not p.VAR_KEYWORD]

    assert arguments(callbacks) == arguments(keras.callbacks)


def test_averages_are_scored_and_training_goes_on_with_the_weights(data):
    x, y = data
    optimizer = optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    common = {"epochs": 3, "verbose": 0, "validation_split": 0.25}
    plain = model(optimizer).fit(x, y, **common)
    swapped = model(optimizer).fit(x, y, callbacks=[callbacks.SwapEMAWeights()], **common)
    np.testing.assert_array_equal(plain.history["loss"], swapped.history["loss"])
    np.testing.assert_array_equal(plain.get_weights()[0], swapped.get_weights()[0])
    # After training the averages are the weights, so that is what the last validation saw.
    assert swapped.evaluate(x[48:], y[48:], verbose=0)[0] == pytest.approx(swapped.history["val_loss"][-1], rel=1e-6)
    assert plain.history["val_loss"][-1] != swapped.history["val_loss"][-1]


def test_averages_on_epoch_ends_are_what_a_checkpoint_saves(data, tmp_path):
    x, y = data
    optimizer = optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    both = [callbacks.SwapEMAWeights(swap_on_epoch=True), callbacks.ModelCheckpoint(tmp_path / "m")]
    trained = model(optimizer).fit(x, y, epochs=2, verbose=0, callbacks=both)
    saved = jk.load_model(tmp_path / "m")
    np.testing.assert_allclose(saved.get_weights()[0], trained.get_weights()[0], rtol=1e-6)


def test_averages_need_an_optimizer_that_keeps_them(data):
    with pytest.raises(ValueError, match="use_ema=True"):
        _ = model().fit(*data, verbose=0, validation_split=0.5, callbacks=[callbacks.SwapEMAWeights()])


def test_checkpoint_of_the_best(data, tmp_path):
    x, y = data
    best = callbacks.ModelCheckpoint(tmp_path / "best", monitor="val_accuracy", save_best_only=True)
    trained = model().fit(x, y, epochs=4, verbose=0, validation_split=0.25, callbacks=[best])
    assert best.best == max(trained.history["val_accuracy"])
    assert jk.load_model(tmp_path / "best").evaluate(x[48:], y[48:], verbose=0)[1] == pytest.approx(best.best)


def test_a_path_that_cannot_be_filled_in(data, tmp_path):
    with pytest.raises(ValueError, match="val_loss.*available are.*epoch.*loss"):
        _ = model().fit(*data, verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / "{val_loss}")])


def test_the_live_model(data, tmp_path):
    x, y = data
    seen = []

    class Watch(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["loss"], self.model.get_weights()[0].copy(), float(self.model.optimizer.learning_rate)))
            self.model.optimizer.learning_rate = 0.0
            if epoch == 2:
                self.model.stop_training = True

    log = tmp_path / "log.csv"
    trained = model().fit(x, y, epochs=9, verbose=0, callbacks=[Watch(), callbacks.CSVLogger(log)])
    assert len(seen) == 3 and [rate for *_, rate in seen] == pytest.approx([1e-3, 0, 0])
    np.testing.assert_array_equal(seen[0][1], seen[2][1])
    np.testing.assert_array_equal(seen[2][1], trained.get_weights()[0])
    rows = list(csv.DictReader(log.read_text().splitlines()))
    assert [float(row["loss"]) for row in rows] == pytest.approx(trained.history["loss"])


def test_nan_ends_training(data):
    x, y = data
    trained = model().fit(np.where(x > 2, np.nan, x), y, epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(trained.history["loss"]) < 5


def test_where_nan_arose_is_said(data, capsys):
    x, y = data
    overflowing = layers.Lambda(lambda v: v + (1e15 * v) ** 2, name="overflowing")
    broken = jk.Sequential([layers.Input(x.shape[1:]), layers.Dense(4, name="fine"), overflowing, layers.Dense(1)])
    x = np.where(np.arange(len(x))[:, None] >= 8, 1e10, 1e-20 * x).astype("float32")
    broken = broken.compile("sgd", "mse")
    options = {"batch_size": 8, "shuffle": False, "verbose": 0}
    _ = broken.fit(x, y, callbacks=[callbacks.TerminateOnNaN()], **options).history["loss"]
    said = capsys.readouterr().out
    assert "Batch 1: Invalid loss" in said and "step 1 " in said and "'overflowing'" in said
    with pytest.raises(RuntimeError, match="batch 1.*'overflowing'"):
        _ = broken.fit(x, y, callbacks=[callbacks.TerminateOnNaN(raise_error=True)], **options)


def test_a_misspelt_hook_is_found():
    class Wrong(callbacks.Callback):
        def on_epoch_ends(self, epoch, logs=None):
            pass

    with pytest.raises(ValueError, match="on_epoch_end"):
        callbacks.CallbackList([Wrong()])
