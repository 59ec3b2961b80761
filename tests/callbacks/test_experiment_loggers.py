"""Loggers and searchers against stand-ins for the services, which keep what they are told."""

import sys
import types

import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import ArgumentError, NotBuiltError
from jkeras.models.searchers import KerasTunerSearcher, OptunaSearcher, domain

X = np.linspace(-1, 1, 32, dtype="float32").reshape(16, 2)
Y = X[:, :1]


def build(units=4, activation="relu"):
    net = jk.Sequential([jk.Input((2,)), layers.Dense(units, activation), layers.Dense(1)])
    return net.compile("adam", "mse")


def fit(callback, **options):
    return build().fit(X, Y, batch_size=8, epochs=2, validation_split=0.25, verbose=0, callbacks=[callback], **options)


class Wandb(types.ModuleType):
    """What of wandb is used."""

    def __init__(self, run=None):
        super().__init__("wandb")
        self.run, self.files = run, []

    def init(self, **options):
        self.options, self.run = options, WandbRun()
        return self.run

    def Artifact(self, name, type):  # noqa: N802  (W&B's name)
        return types.SimpleNamespace(name=name, add_file=lambda path: self.files.append(path))


class WandbRun:
    id = "1"

    def __init__(self):
        self.rows, self.settings, self.finished = [], {}, False
        self.config = types.SimpleNamespace(update=lambda values, allow_val_change: self.settings.update(values))

    def log(self, values):
        self.rows.append(values)

    def log_artifact(self, artifact):
        return types.SimpleNamespace(wait=lambda: None)

    def finish(self):
        self.finished = True


def test_wandb(monkeypatch):
    wandb = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    fit(jk.callbacks.WandbLogger("digits", tags=["a"], log_model=True))
    run = wandb.run
    assert wandb.options == {"project": "digits", "name": None, "tags": ["a"]} and run.finished
    assert [row["epoch/epoch"] for row in run.rows] == [0, 1] and wandb.files[0].endswith("model.keras")
    assert {"epoch/loss", "epoch/val_loss", "epoch/learning_rate"} <= set(run.rows[0])
    assert run.settings["epochs"] == 2 and run.settings["weights"] == 17 and run.settings["optimizer"] == "adam"
    assert run.settings["optimizer/beta_1"] == 0.9


def test_wandb_joins_an_active_run_and_writes_batches(monkeypatch):
    run = WandbRun()
    monkeypatch.setitem(sys.modules, "wandb", Wandb(run))
    fit(jk.callbacks.WandbLogger(log_freq=1))
    assert not run.finished and sum("batch/loss" in row for row in run.rows) == 4


def test_mlflow(monkeypatch):
    calls = []
    mlflow = types.ModuleType("mlflow")
    mlflow.active_run = lambda: None
    for name in (
        "set_tracking_uri",
        "set_experiment",
        "start_run",
        "log_params",
        "log_metrics",
        "log_artifact",
        "end_run",
    ):
        setattr(mlflow, name, lambda *args, _name=name, **options: calls.append((_name, args, options)))
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    fit(jk.callbacks.MLflowLogger("digits", "first", "sqlite://", log_model=True))
    names = [name for name, _, _ in calls]
    assert names == [
        "set_tracking_uri", "set_experiment", "start_run", "log_params", "log_metrics", "log_metrics", "log_artifact", "end_run",
    ]  # fmt: skip
    assert [options["step"] for name, _, options in calls if name == "log_metrics"] == [0, 1]
    assert all(isinstance(v, float | int) for v in calls[4][1][0].values())


@pytest.mark.parametrize("freq", [0, "batch", 1.5])
def test_a_wrong_frequency(monkeypatch, freq):
    monkeypatch.setitem(sys.modules, "wandb", Wandb())
    with pytest.raises(ArgumentError, match=r"WandbLogger\(log_freq=.*expected 'epoch' or a number of batches"):
        jk.callbacks.WandbLogger(log_freq=freq)


class TrialPruned(Exception):  # noqa: N818  (Optuna's name)
    pass


class Study:
    """A study that proposes the first values, then the last, and prunes its second trial."""

    def __init__(self):
        self.told = []

    def ask(self):
        last = bool(self.told)

        def suggest(name, low, high=None, log=False):
            return (low if high is None else (low, high))[-1 if last else 0]

        trial = types.SimpleNamespace(reported=[], should_prune=lambda: len(self.told) == 1)
        trial.report = lambda value, step: trial.reported.append((step, value))
        trial.suggest_categorical = trial.suggest_int = trial.suggest_float = suggest
        return trial

    def tell(self, trial, value, state):
        self.told.append((value, state))


@pytest.fixture
def optuna(monkeypatch):
    module = types.ModuleType("optuna")
    module.TrialPruned = TrialPruned
    module.trial = types.SimpleNamespace(TrialState=types.SimpleNamespace(PRUNED="pruned", COMPLETE="complete"))
    module.samplers = types.SimpleNamespace(TPESampler=lambda seed: seed)
    module.create_study = lambda direction, sampler: Study()
    monkeypatch.setitem(sys.modules, "optuna", module)
    return module


def test_pruning(optuna):
    study = Study()
    study.told = [None]
    trial = study.ask()
    with pytest.raises(TrialPruned, match="val_loss was .* after epoch 1"):
        fit(jk.callbacks.OptunaPruning(trial))
    assert [step for step, _ in trial.reported] == [0]


def test_a_search(optuna):
    space = {"units": (2, 5), "activation": ["relu", "tanh"]}
    found = jk.search(build, space).fit(X, Y, trials=3, epochs=2, validation_split=0.25, verbose=0)
    assert [row["val_loss"] is None for row in found.table] == [False, True, False]
    assert found.table[0]["units"] == 2 and found.table[2]["activation"] == "tanh"
    assert found.best_value == min(row["val_loss"] for row in found.table if row["val_loss"] is not None)
    assert found.best.layers[0].units == found.best_setting["units"] and "cut off" in found._repr_html_()
    assert [state for _, state in found.searcher.study.told] == ["complete", "pruned", "complete"]
    assert "3 trials, best val_loss" in repr(found)


def test_a_search_with_a_sweep_in_each_trial(optuna):
    found = jk.search(build, {"units": (2, 5)}, swept={"learning_rate": [1e-30, 0.05]}, monitor="loss")
    with pytest.raises(NotBuiltError, match="No trial"):
        _ = found.best
    found = found.fit(X, Y, trials=1, epochs=3, verbose=0)
    assert found.best_setting == {"units": 2, "learning_rate": 0.05}
    assert found.best.evaluate(X, Y, verbose=0) < 10


class Oracle:
    objective = types.SimpleNamespace(name="val_loss")

    def __init__(self):
        self.values, self.told, self.ended = {}, [], []

    def get_space(self):
        def number(name, low, high, sampling):
            self.values[name] = high

        choice = lambda name, values: self.values.__setitem__(name, values[-1])  # noqa: E731
        return types.SimpleNamespace(Choice=choice, Int=number, Float=number)

    def update_space(self, table):
        pass

    def create_trial(self, tuner):
        return types.SimpleNamespace(hyperparameters=self.values, trial_id="7", status=None)

    def update_trial(self, trial, metrics):
        self.told.append((trial, metrics))

    def end_trial(self, trial):
        self.ended.append(trial.status)


def test_an_oracle_of_keras_tuner():
    oracle = Oracle()
    space = {"units": (2, 5), "activation": ["relu", "tanh"]}
    found = jk.search(build, space, searcher=KerasTunerSearcher(oracle))
    found = found.fit(X, Y, trials=1, validation_split=0.25, verbose=0)
    assert found.best_setting == {"units": 5, "activation": "tanh"} and oracle.ended == ["COMPLETED"]
    assert oracle.told == [("7", {"val_loss": found.best_value})]


WRONG = {
    "space": (lambda: jk.search(build, {"units": 3}), r"units=3: expected a list of values, a range \(low, high\)"),
    "a log from zero": (lambda: domain("rate", (0.0, 1.0, "log")), "above 0"),
    "an empty range": (lambda: domain("rate", (2, 1)), "expected a list"),
    "mode": (lambda: jk.search(build, {"units": (1, 2)}, mode="auto"), "expected 'min' or 'max'"),
    "build": (lambda: jk.search(None, {"units": (1, 2)}), "expected a function that makes a compiled model"),
    "no model": (lambda: jk.search(lambda units: 3, {"units": (1, 2)}).fit(X, Y), "gave 3, which is not a model"),
    "monitor": (lambda: jk.search(build, {"units": (1, 2)}, monitor="los").fit(X, Y, verbose=0), "Did you mean 'loss'"),
}


@pytest.mark.filterwarnings("ignore:OptunaPruning monitors")
@pytest.mark.parametrize(("call", "words"), WRONG.values(), ids=WRONG)
def test_wrong_searches(optuna, call, words):
    with pytest.raises(ArgumentError, match=words):
        call()


MISSING = {
    "wandb": lambda: jk.callbacks.WandbLogger(),
    "mlflow": lambda: jk.callbacks.MLflowLogger(),
    "optuna": lambda: OptunaSearcher(),
    "optuna ": lambda: jk.callbacks.OptunaPruning(None),
}


@pytest.mark.parametrize("extra", MISSING)
def test_a_missing_extra_is_named(monkeypatch, extra):
    monkeypatch.setitem(sys.modules, extra.strip(), None)
    with pytest.raises(ImportError, match=rf"pip install 'jkeras\[{extra.strip()}\]'"):
        MISSING[extra]()
