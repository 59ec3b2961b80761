"""Callbacks that keep runs: arguments, when they save, what stays, and the states of the others."""

import datetime
import inspect
import os
import signal
import threading

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, errors, layers
from jkeras.files.containers import checkpoints
from jkeras.training.save_schedule import Schedule

RNG = np.random.default_rng(3)
X = RNG.normal(size=(22, 3)).astype("float32")
Y = X.sum(1, keepdims=True)
COMMON = {"batch_size": 4, "verbose": 0}  # 6 batches in an epoch


@pytest.fixture(scope="module")
def model():
    net = jk.Sequential([jk.Input((3,)), layers.Dense(2, activation="tanh"), layers.Dense(1)])
    return net.compile("adam", "mse", metrics=["mae"])


@pytest.mark.parametrize("name", ["BackupAndRestore", "OrbaxCheckpoint"])
def test_signatures_are_keras(name):
    import keras

    def arguments(module):
        parameters = inspect.signature(getattr(module, name)).parameters.values()
        return [(p.name, p.default) for p in parameters if p.kind is not p.KEYWORD_ONLY]

    assert arguments(callbacks) == arguments(keras.callbacks)


SCHEDULES = {
    "epoch": [5, 11, 17],
    "2 epochs": [11],
    4: [3, 7, 11, 15],
    "5 steps": [4, 9, 14],
    "100 minutes": [],
    "step": list(range(18)),
    False: [],
}


@pytest.mark.parametrize("save_freq", SCHEDULES, ids=str)
def test_when_saves_are_due(save_freq):
    schedule, due = Schedule.of("Here", save_freq), []
    for step in range(18):
        left = schedule.steps_left(step)
        assert left is None or left >= 1
        if schedule.due_after_step(step + 1):
            due.append(step)
        if (step + 1) % 6 == 0 and schedule.due_after_epoch((step + 1) // 6):
            due.append(step)
    assert due == SCHEDULES[save_freq]


def test_saves_by_the_clock(monkeypatch):
    seconds = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: seconds[0])
    for save_freq in ("2 minutes", datetime.timedelta(minutes=2)):
        seconds[0] = 0.0
        schedule = Schedule.of("Here", save_freq)
        assert not schedule.due_after_step(1)
        seconds[0] = 121.0
        assert schedule.due_after_step(2) and schedule.due_after_epoch(1)
        schedule.saved()
        assert not schedule.due_after_step(3)


WRONG = {
    "frequency text": lambda: callbacks.BackupAndRestore("a", save_freq="sometimes"),
    "frequency zero": lambda: callbacks.BackupAndRestore("a", save_freq=0),
    "frequency zero epochs": lambda: callbacks.BackupAndRestore("a", save_freq="0 epochs"),
    "frequency true": lambda: callbacks.OrbaxCheckpoint("a", save_freq=True),
    "no folder": lambda: callbacks.BackupAndRestore(""),
    "folder number": lambda: callbacks.OrbaxCheckpoint(3),
    "keeps none": lambda: callbacks.OrbaxCheckpoint("a", max_to_keep=0),
    "mode": lambda: callbacks.OrbaxCheckpoint("a", mode="best"),
    "weights do not resume": lambda: callbacks.OrbaxCheckpoint("a", save_weights_only=True, resume=True),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    with pytest.raises(errors.ArgumentError, match="BackupAndRestore|OrbaxCheckpoint"):
        WRONG[name]()


def test_a_chunk_ends_where_a_save_is_due_and_others_stay_long(model, tmp_path):
    lengths = []

    class Spy(callbacks.BackupAndRestore):
        def save(self, snapshot):
            lengths.append(int(snapshot.step))
            super().save(snapshot)

    spy = Spy(tmp_path / "b", save_freq=4)
    _ = model.compile("sgd", "mse", steps_per_execution=3).fit(X, Y, epochs=2, callbacks=[spy], **COMMON)
    assert lengths == [4, 8, 12]
    assert not (tmp_path / "b").exists()


def test_what_stays(model, tmp_path):
    keeper = callbacks.OrbaxCheckpoint(tmp_path / "c", save_freq=4, max_to_keep=2)
    trained = model.fit(X, Y, epochs=3, callbacks=[keeper], **COMMON)
    assert checkpoints.steps(tmp_path / "c") == [12, 16] and int(trained.state.step) == 18
    everything = callbacks.OrbaxCheckpoint(
        tmp_path / "all", save_freq="epoch", max_to_keep=None, save_on_background=False
    )
    _ = model.fit(X, Y, epochs=3, callbacks=[everything], **COMMON)
    assert checkpoints.steps(tmp_path / "all") == [6, 12, 18]
    # A second run there would mix two runs; the directory is not touched.
    with pytest.raises(
        errors.ArgumentError, match="checkpoints of another run, up to step 18, and this one begins at step 0"
    ):
        _ = model.fit(X, Y, epochs=1, callbacks=[callbacks.OrbaxCheckpoint(tmp_path / "all")], **COMMON)
    # Training that goes on from there may go on saving there.
    _ = trained.fit(X, Y, epochs=1, callbacks=[callbacks.OrbaxCheckpoint(tmp_path / "all")], **COMMON)
    assert checkpoints.steps(tmp_path / "all") == [24]


def test_the_best_stays(model, tmp_path, capsys):
    class Scores(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [1.0, 3.0, 2.0, 3.5][epoch]

    kept = callbacks.OrbaxCheckpoint(tmp_path, "score", verbose=1, save_best_only=True, mode="max", max_to_keep=None)
    _ = model.fit(X, Y, epochs=4, callbacks=[Scores(), kept], **COMMON)
    assert checkpoints.steps(tmp_path) == [6, 12, 24] and kept.best == 3.5
    assert "score did not improve from 3.00000" in capsys.readouterr().out


def test_weights_only(model, tmp_path):
    keeper = callbacks.OrbaxCheckpoint(tmp_path, save_weights_only=True)
    trained = model.fit(X, Y, epochs=1, callbacks=[keeper], **COMMON)
    loaded = jk.load_model(tmp_path)
    np.testing.assert_array_equal(loaded.get_weights()[0], trained.get_weights()[0])
    assert loaded.state.opt_state is None
    with pytest.raises(errors.RestoreError, match="not the run"):
        _ = model.fit(X, Y, epochs=2, callbacks=[callbacks.OrbaxCheckpoint(tmp_path, resume=True)], **COMMON)


# -- states of callbacks ---------------------------------------------------------------------------------------------


class Cut(callbacks.Callback):
    """Ends a run with an exception."""

    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            raise RuntimeError("cut off")


def interrupted_and_whole(model, tmp_path, make, epoch=2):
    """A run that was cut off at the beginning of an epoch and resumed, and one that was not, with their callbacks."""
    whole = make()
    expected = model.fit(X, Y, epochs=4, callbacks=whole, **COMMON)
    with pytest.raises(RuntimeError, match="cut off"):
        _ = model.fit(
            X, Y, epochs=4, callbacks=[callbacks.BackupAndRestore(tmp_path / "b"), *make(), Cut(epoch)], **COMMON
        )
    resumed = make()
    result = model.fit(X, Y, epochs=4, callbacks=[callbacks.BackupAndRestore(tmp_path / "b"), *resumed], **COMMON)
    for a, b in zip(result.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert result.history == expected.history
    return resumed[0], whole[0]


STATES = {
    "plateau": (
        lambda: [callbacks.ReduceLROnPlateau("loss", 0.5, patience=2, min_delta=10.0)],
        ["best", "wait", "cooldown_counter"],
    ),
    "stopping": (
        lambda: [callbacks.EarlyStopping("loss", min_delta=10.0, patience=3, restore_best_weights=True)],
        ["best", "wait", "best_epoch", "stopped_epoch"],
    ),
    "schedule": (lambda: [callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)], []),
    "history": (lambda: [callbacks.History()], ["epoch", "history"]),
}


@pytest.mark.parametrize("name", STATES)
def test_states_come_back(name, model, tmp_path):
    make, attributes = STATES[name]
    resumed, whole = interrupted_and_whole(model, tmp_path, make)
    for attribute in attributes:
        assert getattr(resumed, attribute) == getattr(whole, attribute)


def test_the_best_of_a_model_checkpoint_comes_back(model, tmp_path):
    def make():
        saving = callbacks.ModelCheckpoint(tmp_path / "m", "loss", save_best_only=True, mode="max")
        return [saving]

    resumed, whole = interrupted_and_whole(model, tmp_path, make)
    assert resumed.best == whole.best is not None


def test_a_log_file_has_each_epoch_once(model, tmp_path):
    file = tmp_path / "log.csv"
    texts = []

    def make():
        texts.append(file.read_text() if file.exists() else "")
        return [callbacks.CSVLogger(file)]

    interrupted_and_whole(model, tmp_path, make)
    assert texts[1] == file.read_text() and len(file.read_text().splitlines()) == 5


def test_averages_in_the_place_of_weights_come_back(tmp_path):
    net = jk.Sequential([jk.Input((3,)), layers.Dense(1)])
    model = net.compile(jk.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9), "mse")
    interrupted_and_whole(model, tmp_path, lambda: [callbacks.SwapEMAWeights(swap_on_epoch=True)])


def test_a_state_must_be_plain(model, tmp_path):
    class Odd(callbacks.Callback):
        state_names = ("lock",)
        lock = threading.Lock()

    with pytest.raises(errors.ArgumentError, match="run/callbacks/Odd/lock: a lock cannot be saved"):
        _ = model.fit(X, Y, callbacks=[Odd(), callbacks.BackupAndRestore(tmp_path)], **COMMON)


# -- SIGTERM ---------------------------------------------------------------------------------------------------------


class Terminates(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_saves_and_ends_the_program(model, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    expected = model.fit(X, Y, epochs=2, **COMMON)
    with pytest.raises(SystemExit) as caught:
        _ = model.fit(X, Y, epochs=2, callbacks=[callbacks.BackupAndRestore(tmp_path, False), Terminates()], **COMMON)
    assert caught.value.code == 143 and signal.getsignal(signal.SIGTERM) is before
    assert checkpoints.steps(tmp_path) == [3]
    result = model.fit(X, Y, epochs=2, callbacks=[callbacks.BackupAndRestore(tmp_path, False)], **COMMON)
    np.testing.assert_array_equal(result.get_weights()[0], expected.get_weights()[0])
    assert result.history == expected.history


def test_a_handler_of_the_users_is_called_when_all_is_saved(model, tmp_path):
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(checkpoints.steps(tmp_path)))
    try:
        trained = model.fit(X, Y, epochs=2, callbacks=[callbacks.OrbaxCheckpoint(tmp_path), Terminates()], **COMMON)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [[3]] and int(trained.state.step) == 3


def test_no_handler_without_such_a_callback(model):
    installed = []

    class Looks(callbacks.Callback):
        def on_train_begin(self, logs=None):
            installed.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    _ = model.fit(X, Y, callbacks=[Looks()], **COMMON)
    assert installed == [before]
