"""Ensembles and sweeps that were cut off go on with the same bits; what does not fit is refused."""

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, errors, layers
from jkeras.training.state import named_arrays
from tests.interruptions import CutEpoch

RNG = np.random.default_rng(2)
X = RNG.normal(size=(21, 3)).astype("float32")
Y = RNG.integers(0, 2, 21)


def model(units=4):
    network = jk.Sequential([
        jk.Input((3,)), layers.Dense(units, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(2)
    ])  # fmt: skip
    return network.compile("adam", jk.losses.SparseCategoricalCrossentropy(from_logits=True))


MODEL = model()


def ensemble(n=3):
    return jk.Ensemble(MODEL, n)


def sweep(rates=(1e-3, 0.1, 1.0)):
    return jk.sweep(MODEL, learning_rate=list(rates), dropout=[0.3], seed=[1])


def several(patience=1):
    # A member that stops early keeps its weights while the others go on, also over an interruption.
    return [
        callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.05),
    ]


def fit(many, *more, group=None, epochs=5, patience=1):
    options = {"batch_size": 4, "epochs": epochs, "validation_data": (X[:10], Y[:10]), "verbose": 0, "group": group}
    return many.fit(X, Y, callbacks=[*several(patience), *more], **options)


def bits(many):
    states = [{name: np.asarray(a).tobytes() for name, a in named_arrays(one.state).items()} for one in many]
    return states, [{name: one.history[name] for name in one.history} for one in many]


@pytest.mark.parametrize(
    ("make", "group", "save_freq", "cut"),
    [(ensemble, 3, 4, 2), (ensemble, 2, "epoch", 2), (sweep, 2, "epoch", 2)],
)
def test_goes_on_with_the_same_bits(tmp_path, make, group, save_freq, cut):
    whole = fit(make(), group=group)
    backup = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=save_freq)
    with pytest.raises(RuntimeError, match="cut off"):
        fit(make(), CutEpoch(cut), backup, group=group)
    assert list((tmp_path / "backup").glob("members-*/step-*"))
    resumed = fit(make(), callbacks.BackupAndRestore(tmp_path / "backup", save_freq=save_freq), group=group)
    assert bits(resumed) == bits(whole)
    assert any(len(one.history["loss"]) < 5 for one in whole)
    assert not (tmp_path / "backup").exists()


@pytest.fixture
def left(tmp_path):
    """The folder that an ensemble left when it was cut off."""
    with pytest.raises(RuntimeError, match="cut off"):
        fit(ensemble(), CutEpoch(2), callbacks.BackupAndRestore(tmp_path / "backup"), group=3, patience=9)
    return tmp_path / "backup"


@pytest.mark.parametrize(
    ("many", "group", "message"),
    [
        (jk.Ensemble(MODEL, [0, 1, 7]), 3, r"members/settings/2: 2 in the checkpoint, 7 here"),
        (jk.Ensemble(model(5), 3), 3, r"members/model/"),
        (sweep(), 3, r"members/settings/0"),
        (ensemble(), 2, r"groups of other members, members-0-2; here they are members-0-1, members-2-2"),
        (ensemble(4), 4, r"here they are members-0-3"),
    ],
)
def test_what_does_not_fit_is_refused(left, many, group, message):
    with pytest.raises(errors.RestoreError, match=message):
        fit(many, callbacks.BackupAndRestore(left), group=group, patience=9)


def test_keepers_that_do_not_fit_are_refused(tmp_path):
    best = callbacks.OrbaxCheckpoint(tmp_path, save_best_only=True)
    with pytest.raises(errors.ArgumentError, match="keeps the best by its logs"):
        fit(ensemble(), best)
    with pytest.raises(errors.ArgumentError, match="only `fit` of a model, an `Ensemble` or a sweep"):
        jk.cross_validate(MODEL, X, Y, folds=2, callbacks=[callbacks.BackupAndRestore(tmp_path)])
