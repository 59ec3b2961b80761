"""Every argument of every callback on both faces: nonsense is refused by name, and a typo by the nearest name."""

import inspect

import numpy as np
import pytest

import jkeras as jk
import jkeras.keras
from jkeras import callbacks
from jkeras.callbacks.argument_checks import CHECKS
from jkeras.errors import ArgumentError, SignatureError

GOOD = {
    "filepath": "m.keras",
    "filename": "log.csv",
    "directory": "d",
    "backup_dir": "b",
    "schedule": lambda epoch: 0.1,
}
NAMES = """BackupAndRestore CSVLogger EarlyStopping LambdaCallback LearningRateScheduler ModelCheckpoint OrbaxCheckpoint
    ReduceLROnPlateau RemoteMonitor SwapEMAWeights TensorBoard TerminateOnNaN""".split()
CASES = [getattr(library.callbacks, name) for library in (jk, jk.keras) for name in NAMES]


@pytest.mark.parametrize("callback", dict.fromkeys(CASES), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_nonsense_is_refused_by_name(callback, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parameters = inspect.signature(callback).parameters
    good = {name: value for name, value in GOOD.items() if name in parameters}
    callback(**good)
    names = [name for name in parameters if name in CHECKS]
    assert names
    for name in names:
        for value in (object(), 1j):
            with pytest.raises(ArgumentError, match=rf"^{callback.__name__}\({name}=.*expected"):
                callback(**{**good, name: value})
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        typo = f"{max(parameters, key=len)}s"
        with pytest.raises(SignatureError, match=rf"'{typo}'.*Did you mean '{typo[:-1]}'"):
            callback(**good, **{typo: 1})


def test_what_keras_takes_is_let_through(tmp_path):
    stop = callbacks.EarlyStopping(restore_best_weights=1, verbose=True, min_delta=1, baseline=None, start_from_epoch=3)
    assert stop.min_delta == 1 and stop.restore_best_weights
    assert callbacks.CSVLogger(tmp_path / "log.csv", append=0).filename == tmp_path / "log.csv"


class Mine(callbacks.EarlyStopping):
    def __init__(self, limit, **options):
        super().__init__(**options)
        self.limit = limit


def test_classes_of_ones_own_are_called_by_their_names():
    assert Mine(3, patience=2).limit == 3
    with pytest.raises(ArgumentError, match=r"^Mine\(monitor=3\): expected a string"):
        Mine(3, monitor=3)


@pytest.mark.parametrize("library", [jk, jk.keras], ids=["values", "objects"])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ModelCheckpoint", "file/m.keras"),
        ("ModelCheckpoint", "file/below/{epoch}-{loss:.2f}.keras"),
        ("ModelCheckpoint", "file/{epoch}/m.keras"),
        ("BackupAndRestore", "file"),
        ("OrbaxCheckpoint", "file/below"),
        ("CSVLogger", "file/log.csv"),
        ("TensorBoard", "file/logs"),
    ],
)
def test_what_cannot_be_written_is_found_before_the_first_step(library, name, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    steps = []

    class Steps(library.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(batch)

    model = library.Sequential([library.Input((3,)), library.layers.Dense(2)])
    model = model.compile("sgd", "mse") or model
    callbacks = [Steps(), getattr(library.callbacks, name)(path)]
    with pytest.raises(jk.errors.SaveError, match="file is a file, not a directory"):
        _ = model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0, callbacks=callbacks)
    assert not steps
