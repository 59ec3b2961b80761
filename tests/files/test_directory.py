"""Saving and loading a model: everything comes back, a mismatch is an error, a crash loses nothing."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers
from jkeras.files.containers import directory

RNG = np.random.default_rng(5)
X = RNG.normal(size=(20, 6, 6, 1)).astype("float32")
Y = RNG.integers(0, 3, 20)


def compiled():
    model = jk.Sequential(
        [
            jk.Input((6, 6, 1)),
            layers.Conv2D(2, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    schedule = jk.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)
    return model.compile(
        jk.optimizers.Adam(schedule, clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )


def fit(model):
    return model.fit(X, Y, epochs=2, batch_size=8, verbose=0)


def equal_weights(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


@pytest.mark.smoke
def test_everything_comes_back_and_training_goes_on_bit_for_bit(tmp_path):
    model = fit(compiled())
    model.save(tmp_path / "model")
    loaded = jk.load_model(tmp_path / "model")
    assert loaded.definition == model.definition and loaded.recipe == model.recipe and loaded.history == model.history
    assert int(loaded.state.step) == int(model.state.step) == 6
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    first, second = fit(model), fit(loaded)
    assert equal_weights(first, second) and first.history == second.history


def shared_and_nested():
    a, b = jk.Input((4,), name="a"), jk.Input((4,), name="b")
    encoder = jk.Sequential([layers.Dense(3, activation="tanh"), layers.LayerNormalization()])
    both = encoder(a) * 0.5 + encoder(b)
    return jk.Model({"a": a, "b": b}, [layers.Dense(1)(both), both[:, :2]])


def recurrent():
    return jk.Sequential(
        [
            jk.Input((5,), dtype="int32"),
            layers.Embedding(9, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3)),
            layers.Dense(2),
        ]
    )


def mixed():
    return jk.Sequential([jk.Input((4,)), layers.Dense(3), layers.Dense(2, dtype="float32")], dtype="mixed_bfloat16")


DEFINITIONS = {
    "shared and nested": (shared_and_nested, {"a": np.ones((2, 4), "float32"), "b": np.zeros((2, 4), "float32")}),
    "recurrent": (recurrent, np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 7]])),
    "mixed precision": (mixed, np.ones((2, 4), "float32")),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definitions(name, tmp_path):
    build, x = DEFINITIONS[name]
    model = build().init(4)
    model.save(tmp_path / "model")
    loaded = jk.load_model(tmp_path / "model")
    assert loaded.definition == model.definition
    for result, want in zip(*(m.predict(x, verbose=0) for m in (loaded, model)), strict=True):
        np.testing.assert_array_equal(result, want)


class Scaled(jk.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.dense(x) * 2.0


def test_classes_of_ones_own_must_be_known(tmp_path):
    model = Scaled(4).build((None, 2)).init(1)
    model.save(tmp_path / "model")
    with pytest.raises(errors.UnknownNameError, match="Scaled"):
        jk.load_model(tmp_path / "model")
    loaded = jk.load_model(tmp_path / "model", custom_objects={"Scaled": Scaled})
    np.testing.assert_array_equal(loaded(np.ones((1, 2))), model(np.ones((1, 2))))


def test_a_mismatch_lists_every_path_with_both_shapes(tmp_path):
    jk.Sequential([jk.Input((4,)), layers.Dense(3), layers.Dense(2)]).save(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    (tmp_path / "model" / "checksums.json").unlink()
    config = json.loads(path.read_text())
    config["model"]["config"]["layers"][1]["config"]["units"] = 5
    config["arrays"]["params/extra/kernel"] = [[1], "float32"]
    path.write_text(json.dumps(config))
    with pytest.raises(errors.RestoreError) as raised:
        jk.load_model(tmp_path / "model")
    message = str(raised.value)
    for part in (
        "params/dense/kernel: float32[4, 3] in the save, float32[4, 5] in the model",
        "params/dense_1/kernel: float32[3, 2] in the save, float32[5, 2] in the model",
        "params/extra/kernel: in the save with float32[1], unknown to the model",
    ):
        assert part in message


def test_damaged_and_missing_saves(tmp_path):
    with pytest.raises(errors.RestoreError, match="contains no saved model"):
        jk.load_model(tmp_path / "nothing")
    model = jk.Sequential([jk.Input((2,)), layers.Dense(2)])
    model.save(tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text('{"format": "jker')
    with pytest.raises(errors.RestoreError, match="config.json has another size or checksum"):
        jk.load_model(tmp_path / "model")
    (tmp_path / "model" / "checksums.json").unlink()
    with pytest.raises(errors.RestoreError, match="damaged"):
        jk.load_model(tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text('{"format": "other"}')
    with pytest.raises(errors.RestoreError, match="not the configuration"):
        jk.load_model(tmp_path / "model")


def test_only_saves_are_overwritten(tmp_path):
    model = jk.Sequential([jk.Input((2,)), layers.Dense(2)])
    model.save(tmp_path / "model")
    model.init(3).save(tmp_path / "model")
    assert equal_weights(jk.load_model(tmp_path / "model"), model.init(3))
    with pytest.raises(FileExistsError, match="overwrite"):
        model.save(tmp_path / "model", overwrite=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="not a saved model"):
        model.save(tmp_path / "mine")


def test_a_lambda_is_not_loaded(tmp_path):
    jk.Sequential([jk.Input((2,)), layers.Lambda(lambda x: x * 2)]).save(tmp_path / "model")
    with pytest.raises(errors.RestoreError, match="Lambda"):
        jk.load_model(tmp_path / "model")


SCRIPT = """
import sys, os, signal, jkeras as jk
from jkeras.files.containers import directory
model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(2)])
stage = sys.argv[2]
if stage == "before":
    real = directory._replace
    directory._replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
else:
    real = os.rename
    def rename(source, target, count=[0]):
        count[0] += 1
        if count[0] == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        real(source, target)
    directory.os.rename = rename
model.init(9).save(sys.argv[1])
"""


@pytest.mark.parametrize("stage", ["before", "between the renames"])
def test_a_crash_while_saving_leaves_the_save_before(stage, tmp_path):
    model = jk.Sequential([jk.Input((2,)), layers.Dense(2)]).init(1)
    model.save(tmp_path / "model")
    killed = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / "model"), stage])
    assert killed.returncode == -signal.SIGKILL
    assert equal_weights(jk.load_model(tmp_path / "model"), model)
    model.init(2).save(tmp_path / "model")
    assert equal_weights(jk.load_model(tmp_path / "model"), model.init(2))
    assert os.listdir(tmp_path) == ["model"] or stage == "before"


def test_a_large_save_of_zeros_is_no_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "ALWAYS_ALLOWED", 10_000)
    model = jk.Sequential([jk.Input((700,)), layers.Dense(700, kernel_initializer="zeros")])
    model.save(tmp_path / "model")
    assert equal_weights(jk.load_model(tmp_path / "model"), model)


def test_check_is_silent_when_all_fits():
    directory.check({"a": np.zeros((2,), "float32")}, {"a": [[2], "float32"]}, "here")
