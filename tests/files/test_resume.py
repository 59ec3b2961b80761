"""A run that was cut off goes on with the same bits, however its data comes; what does not fit is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, errors, layers
from jkeras.files.containers import checkpoints, json_arrays
from jkeras.training import device_memory
from tests.interruptions import Cut

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(4)
X = RNG.normal(size=(21, 3)).astype("float32")
Y = RNG.integers(0, 2, 21)
BATCHES = [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 21, 4)]


def network(units=5):
    return jk.Sequential([
        jk.Input((3,)), layers.Dense(units, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(2)
    ])  # fmt: skip


def compiled(units=5, rate=0.01):
    optimizer = jk.optimizers.Adam(jk.optimizers.schedules.ExponentialDecay(rate, 3, 0.9))
    return network(units).compile(
        optimizer, jk.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )


MODEL = compiled()


class Numbered(jk.utils.PyDataset):
    """Shuffles itself at the end of each epoch, too, as many sequences do."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)
        self.rows = np.arange(21)

    def __len__(self):
        return 6

    def __getitem__(self, index):
        rows = self.rows[4 * index : 4 * index + 4]
        return X[rows], Y[rows]

    def on_epoch_end(self):
        self.rng.shuffle(self.rows)


class Again:
    """What can be read again and again, from its beginning."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


class WithState:
    """An iterator that knows its place: skipping what was read would be wrong."""

    def __init__(self):
        self.place = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.place += 1
        return BATCHES[self.place * 7 % 5]

    def get_state(self):
        return {"place": self.place}

    def set_state(self, state):
        self.place = state["place"]
        self.__class__.restored = True


class IteratesWithState:
    """What can be read again and again; its iterators know their place."""

    def __iter__(self):
        return WithStateFinite()


class WithStateFinite(WithState):
    def __next__(self):
        if self.place == 6:
            raise StopIteration
        return super().__next__()


def generator():
    numbers = np.random.default_rng(1)
    while True:
        rows = numbers.integers(0, 21, 4)
        yield X[rows], Y[rows]


ARRAYS = {"x": X, "y": Y, "batch_size": 4}
DATA = {
    "device": lambda: ARRAYS,
    "device, parts of a pass": lambda: {**ARRAYS, "steps_per_epoch": 4},
    "device, ordered": lambda: {**ARRAYS, "shuffle": False},
    "batches in place": lambda: {**ARRAYS, "shuffle": "batch"},
    "host": lambda: ARRAYS,
    "numbered": lambda: {"x": Numbered()},
    "numbered, parts": lambda: {"x": Numbered(), "steps_per_epoch": 4},
    "again": lambda: {"x": Again(BATCHES)},
    "again, parts": lambda: {"x": Again(BATCHES), "steps_per_epoch": 4},
    "generator": lambda: {"x": generator(), "steps_per_epoch": 5},
    "iterator with a state": lambda: {"x": WithState(), "steps_per_epoch": 5},
    "iterable with states": lambda: {"x": IteratesWithState()},
}


def bits(model):
    state = model.state
    leaves = jax.tree.leaves(
        (state.params, state.model_state, state.opt_state, state.step, jax.random.key_data(state.rng))
    )
    return [np.asarray(leaf).tobytes() for leaf in leaves], model.history.history, model.history.epoch


def run(name, *extra, **options):
    return MODEL.fit(
        **DATA[name](), epochs=3, verbose=0, validation_data=(X[:8], Y[:8]), callbacks=list(extra), **options
    )


@pytest.mark.parametrize("name", DATA)
def test_resumed_runs_end_with_the_same_bits(name, tmp_path, monkeypatch):
    if name == "host":
        monkeypatch.setattr(device_memory, "device_budget", lambda *_: 0)
    expected = bits(run(name))
    # Cut off twice: in the first epoch and, counted from where that goes on, in a later one.
    for batches in (3, 7):
        with pytest.raises(RuntimeError, match="cut off"):
            run(name, callbacks.BackupAndRestore(tmp_path / "b", save_freq=2), Cut(batches))
    assert checkpoints.steps(tmp_path / "b") == [8]
    assert bits(run(name, callbacks.BackupAndRestore(tmp_path / "b", save_freq=2))) == expected
    assert not (tmp_path / "b").exists()


def test_a_validation_generator_goes_on(tmp_path):
    def fit(*extra):
        return MODEL.fit(
            **ARRAYS, epochs=3, verbose=0, validation_data=generator(), validation_steps=2, callbacks=list(extra)
        )

    expected = bits(fit())
    with pytest.raises(RuntimeError):
        fit(callbacks.BackupAndRestore(tmp_path), Cut(14))
    assert bits(fit(callbacks.BackupAndRestore(tmp_path))) == expected


def test_data_that_ends_too_early_is_an_error(tmp_path):
    with pytest.raises(RuntimeError):
        run("again", callbacks.BackupAndRestore(tmp_path, 2), Cut(5))
    with pytest.raises(errors.InputError, match="had read 4 batches, but the data ends after 2"):
        _ = MODEL.fit(Again(BATCHES[:2]), epochs=3, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path, 2)])


def test_hooks_that_are_called_again_do_not_count_twice(tmp_path):
    seen = []

    class Halves(callbacks.Callback):
        """Changes the model whenever an epoch begins."""

        def on_epoch_begin(self, epoch, logs=None):
            seen.append(epoch)
            self.model.set_weights([0.5 * weight for weight in self.model.get_weights()])

    expected = bits(run("device", Halves()))
    with pytest.raises(RuntimeError):
        run("device", Halves(), callbacks.BackupAndRestore(tmp_path, 2), Cut(9))
    seen.clear()
    assert bits(run("device", Halves(), callbacks.BackupAndRestore(tmp_path, 2))) == expected
    assert seen == [1, 2]


def test_a_run_that_was_stopped_stays_stopped(tmp_path):
    class Stops(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    keep = {"save_freq": "epoch", "delete_checkpoint": False}
    expected = bits(run("device", Stops(), callbacks.BackupAndRestore(tmp_path, **keep)))
    assert bits(run("device", Stops(), callbacks.BackupAndRestore(tmp_path, **keep))) == expected
    assert expected[2] == [0, 1]


def test_an_interrupted_run_keeps_the_last_checkpoint(tmp_path):
    class Interrupts(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3 and len(self.model.history) == 0:
                raise KeyboardInterrupt

    expected = bits(run("device"))
    with pytest.raises(KeyboardInterrupt):
        run("device", callbacks.BackupAndRestore(tmp_path, 2), Interrupts())
    assert checkpoints.steps(tmp_path) == [2]
    assert bits(run("device", callbacks.BackupAndRestore(tmp_path, 2))) == expected


def test_a_finished_run_begins_anew_or_is_kept(tmp_path):
    first = run("device", callbacks.BackupAndRestore(tmp_path / "b"))
    assert bits(run("device", callbacks.BackupAndRestore(tmp_path / "b"))) == bits(first)
    kept = run("device", callbacks.OrbaxCheckpoint(tmp_path / "o", resume=True))
    assert checkpoints.steps(tmp_path / "o") == [18] and bits(kept) == bits(first)
    # There is nothing left to do, so the model comes back; with more epochs it goes on.
    assert bits(run("device", callbacks.OrbaxCheckpoint(tmp_path / "o", resume=True))) == bits(first)
    longer = MODEL.fit(**ARRAYS, epochs=4, verbose=0, validation_data=(X[:8], Y[:8]),
                       callbacks=[callbacks.OrbaxCheckpoint(tmp_path / "o", resume=True)])  # fmt: skip
    assert longer.history.epoch == [0, 1, 2, 3] and int(longer.state.step) == 24


# -- reading checkpoints ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A directory with checkpoints in the middle and at the end of epochs, and the model at its end."""
    folder = tmp_path_factory.mktemp("kept")
    trained = run("device", callbacks.OrbaxCheckpoint(folder, save_freq=4, max_to_keep=None))
    return folder, trained


def test_models_come_from_checkpoints(kept):
    folder, _ = kept
    assert checkpoints.steps(folder) == [4, 8, 12, 16]
    loaded, restored = jk.load_model(folder), MODEL.restore(folder)
    assert bits(loaded) == bits(restored)
    assert int(loaded.state.step) == 16 and loaded.recipe == MODEL.recipe and loaded.history.epoch == [0, 1]
    early = MODEL.restore(folder, step=4)
    assert int(early.state.step) == 4 and len(early.history) == 0
    assert int(jk.load_model(folder / "step-000000004").state.step) == 4
    assert int(network().restore(folder).state.step) == 16  # not compiled: without the optimizer's state
    filled = network().init(1).load_weights(folder)
    assert all(map(np.array_equal, filled.get_weights(), loaded.get_weights()))
    with pytest.raises(errors.RestoreError, match="no checkpoint of step 5; there are 4, 8, 12, 16"):
        _ = MODEL.restore(folder, step=5)
    with pytest.raises(errors.RestoreError, match="no saved model"):
        _ = MODEL.restore(folder / "nothing")


REFUSED = {
    "model": (lambda: compiled(units=6), ["model/config/layers/1/config/units: 5 in the checkpoint, 6 here",
                                          "params/dense/kernel: float32[3, 5] in the save, float32[3, 6] in the model"]),
    "recipe": (lambda: compiled(rate=0.1), ["initial_learning_rate: 0.01 in the checkpoint, 0.1 here"]),
    "loss": (lambda: MODEL.compile("sgd", "sparse_categorical_crossentropy"), ["recipe/loss", "opt_state/"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(name, kept):
    make, parts = REFUSED[name]
    resume = callbacks.OrbaxCheckpoint(kept[0], resume=True)
    for attempt in (lambda: make().restore(kept[0]), lambda: make().fit(**ARRAYS, verbose=0, callbacks=[resume])):
        with pytest.raises(errors.RestoreError) as caught:
            attempt()
        for part in parts:
            assert part in str(caught.value)


def test_other_data_and_other_callbacks_are_refused(kept):
    resume = callbacks.OrbaxCheckpoint(kept[0], resume=True)
    with pytest.raises(errors.RestoreError) as caught:
        _ = MODEL.fit(
            X[:20], Y[:20], batch_size=5, verbose=0, shuffle=False, callbacks=[resume, callbacks.EarlyStopping("loss")]
        )
    parts = (
        "data/rows: 21 in the checkpoint, 20 here",
        "data/batch_size: 4",
        "data/shuffle",
        "callbacks/EarlyStopping: here",
    )
    for part in parts:
        assert part in str(caught.value)


def test_the_checkpoint_before_is_used_when_the_latest_is_damaged(tmp_path):
    with pytest.raises(RuntimeError):
        run("device", callbacks.BackupAndRestore(tmp_path, 2, double_checkpoint=True), Cut(7))
    assert checkpoints.steps(tmp_path) == [4, 6]
    config = tmp_path / "step-000000006" / "config.json"
    config.write_text(config.read_text()[:-30])
    with pytest.raises(errors.RestoreError, match="damaged"):
        run("device", callbacks.BackupAndRestore(tmp_path, 2))
    with pytest.warns(UserWarning, match="Resuming from the previous checkpoint"):
        resumed = run("device", callbacks.BackupAndRestore(tmp_path, 2, double_checkpoint=True))
    assert bits(resumed) == bits(run("device"))


def test_a_failed_save_is_an_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError):
        run("device", callbacks.BackupAndRestore(tmp_path / "file", 2))


def test_a_model_that_cannot_be_written_down_is_resumed(tmp_path):
    class Halved:
        def apply(self, x):
            return x * 0.5

    class Own(jk.Model):
        def __init__(self, activation):
            super().__init__()
            self.dense = layers.Dense(2, activation=activation.apply)

        def call(self, x):
            return self.dense(x)

    def fit(*extra):
        model = Own(Halved()).compile("sgd", jk.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model.fit(**ARRAYS, epochs=2, verbose=0, callbacks=list(extra))

    expected = fit()
    with pytest.raises(RuntimeError):
        fit(callbacks.BackupAndRestore(tmp_path, 2), Cut(5))
    with pytest.raises(errors.RestoreError, match="model.restore"):
        jk.load_model(tmp_path)
    assert bits(fit(callbacks.BackupAndRestore(tmp_path, 2))) == bits(expected)


VALUES = {
    "numbers": {"a": 1, "b": -0.5, "nan": [float("inf")], "none": None, "true": True},
    "nested": {"t": (1, [2, (3,)]), 5: {"x": b"bytes\x00"}},
    "small arrays": {
        "f": np.arange(3, dtype="float32"),
        "i": np.int64(2**40),
        "d": np.float64(0.1),
        "e": np.zeros((0, 2)),
    },
    "large arrays": {"w": [np.ones((40, 40), "float32")], "long": np.arange(5000)},
}


@pytest.mark.parametrize("name", VALUES)
def test_packing_gives_back_what_it_got(name):
    packed, arrays = json_arrays.pack(VALUES[name], "here")
    result = json_arrays.unpack(json.loads(json.dumps(packed)), arrays)
    assert repr(result) == repr(VALUES[name])
    if name.endswith("arrays"):
        assert jax.tree.all(jax.tree.map(np.array_equal, result, VALUES[name]))


@pytest.mark.parametrize(
    "damaged", [{"array": "missing"}, {"what": 1}, {"dict": 3}, {"array": ["float32", [7], ""]}, {}]
)
def test_damaged_packing(damaged):
    with pytest.raises(errors.RestoreError, match="damaged"):
        json_arrays.unpack(damaged, {})


def test_runs_that_are_killed_end_with_the_same_bits():
    command = [sys.executable, "-m", "tests.files.kill_test", "--kills", "3", "--mode", "device"]
    # Each run compiles the same, so all of it is kept.
    setting = {**os.environ, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=setting)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kills: 3" in done.stdout
