"""The same metric sequences through Keras's callbacks and ours lead to the same decisions."""

import itertools
import types

import keras
import numpy as np
import pytest

from jkeras import callbacks


class Stage:
    """Stands for a model: a script of logs plays, callbacks act on it, and what they did is written down."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = types.SimpleNamespace(learning_rate=0.1, iterations=0)
        self.directions = {"accuracy": "up", "loss": "down"}
        self.weights = 0
        self.saved = []
        self.metrics = []

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights

    def save(self, path, overwrite=True):
        self.saved.append(str(path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(str(path))


def play(callback, script):
    """What a callback does during a script: one row per epoch, and the end."""
    stage = Stage()
    callback.set_model(stage)
    callback.set_params({"epochs": len(script), "steps": 3, "verbose": 0})
    callback.on_train_begin()
    rows = []
    for epoch, logs in enumerate(script):
        logs = dict(logs)
        callback.on_epoch_begin(epoch)
        for batch in range(3):
            callback.on_train_batch_end(batch, dict(logs))
        stage.weights = epoch + 1
        callback.on_epoch_end(epoch, logs)
        rows.append(
            (round(float(stage.optimizer.learning_rate), 9), stage.stop_training, len(stage.saved), sorted(logs))
        )
        if stage.stop_training:
            break
    callback.on_train_end(logs)
    return rows, stage.weights, stage.saved


def scripts(seed, count=6, length=14):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        # Coarse steps, so that ties and plateaus happen, that float32 and float64 hold exactly.
        losses = np.round(np.abs(np.cumsum(rng.normal(size=length))) * 8) / 8
        yield [
            {"loss": float(v), "accuracy": float(4 - v), "val_loss": float(v) + 0.125, "val_accuracy": 0.5}
            for v in losses
        ]


def grid(**options):
    return [dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())]


TABLE = {
    "EarlyStopping": grid(
        monitor=["val_loss"],
        patience=[0, 2],
        min_delta=[0, 0.25],
        baseline=[None, 1.0],
        restore_best_weights=[False, True],
        start_from_epoch=[0, 3],
        mode=["min", "max", "auto"],
    ),
    "ReduceLROnPlateau": grid(
        monitor=["loss"],
        factor=[0.5],
        patience=[1, 3],
        min_delta=[0.0, 0.25],
        cooldown=[0, 2],
        min_lr=[0.0, 0.03],
        mode=["min", "max", "auto"],
    ),
    "ModelCheckpoint": [
        {
            "filepath": f"model-{{epoch:02d}}-{{loss:.1f}}{suffix}",
            "monitor": "loss",
            "save_weights_only": "weights" in suffix,
            **o,
        }
        for suffix in (".keras", ".weights.h5")
        for o in grid(
            save_best_only=[False, True],
            mode=["min", "max", "auto"],
            initial_value_threshold=[None, 1.0],
            save_freq=["epoch", 2, 5],
        )
        # Keras cannot compare before the first epoch has ended.
        if o["save_freq"] == "epoch" or not o["save_best_only"]
    ],
    "LearningRateScheduler": [
        {"schedule": lambda epoch: 0.5**epoch},
        {"schedule": lambda epoch, rate: rate * 0.9},
        {"schedule": lambda epoch, rate: rate if epoch < 3 else rate * np.exp(-0.1)},
    ],
}


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.callbacks.{name}" for name in (*TABLE, "CSVLogger")}


@pytest.mark.parametrize("name", TABLE)
def test_decisions(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, options in enumerate(TABLE[name]):
        for script in scripts(number, count=3):
            theirs = play(getattr(keras.callbacks, name)(**options), script)
            ours = play(getattr(callbacks, name)(**options), script)
            assert ours == theirs, options


@pytest.mark.parametrize("separator", [",", ";"])
def test_csv_logger(separator, tmp_path):
    texts = []
    for module, folder in ((keras.callbacks, tmp_path / "a"), (callbacks, tmp_path / "b")):
        folder.mkdir()
        for run, script in enumerate(scripts(0, count=2)):
            play(module.CSVLogger(str(folder / "log.csv"), separator=separator, append=run > 0), script)
        texts.append((folder / "log.csv").read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", ["EarlyStopping", "ReduceLROnPlateau"])
def test_a_missing_value_warns(name):
    callback = getattr(callbacks, name)(monitor="val_los", mode="min")
    with pytest.warns(UserWarning, match="val_los.*val_loss"):
        play(callback, [{"val_loss": 1.0}])


def test_the_direction_of_an_unknown_value_must_be_given():
    with pytest.raises(ValueError, match="mode='min' or mode='max'"):
        play(callbacks.EarlyStopping("energy"), [{"energy": 1.0}, {"energy": 0.5}])
