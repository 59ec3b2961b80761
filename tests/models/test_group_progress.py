"""What ensembles, sweeps and cross-validation print: one bar over all groups, or a line for each."""

import io
import sys

import numpy as np
import pytest

import jkeras as jk
from jkeras import layers

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
Y = X[:, :1]


@pytest.fixture(scope="module")
def model():
    return jk.Sequential([layers.Input((3,)), layers.Dense(1)]).compile("sgd", "mse")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_line_for_each_group(model, capsys):
    ensemble = jk.Ensemble(model, 4).fit(X, Y, epochs=3, verbose=2, group=2)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split(" - ")[0].split("/")[1] == "6" and "groups: 1/2 - loss: " in first
    assert second.startswith("6/6 - ") and "s/epoch - groups: 2/2 - loss: " in second
    assert len(ensemble.histories[0]["loss"]) == 3


def test_one_bar_for_all_groups(model, monkeypatch):
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    _ = jk.sweep(model, learning_rate=[0.1, 0.2, 0.3]).fit(X, Y, epochs=2, group=1)
    monkeypatch.undo()
    bars = [bar for bar in out.getvalue().split("\r") if bar.strip()]
    assert out.getvalue().count("\n") == 1 and "6/6" in bars[-1] and "groups: 3/3 - loss: " in bars[-1]


def test_epochs_left_out_count_as_done(model, capsys):
    stop = jk.callbacks.EarlyStopping("loss", patience=0, min_delta=1e9)
    _ = jk.Ensemble(model, 2).fit(X, Y, epochs=50, verbose=2, group=1, callbacks=[stop])
    assert capsys.readouterr().out.splitlines()[-1].startswith("100/100 - ")


def test_one_group_has_the_bars_of_fit(model, capsys):
    _ = jk.Ensemble(model, 2).fit(X, Y, epochs=2, verbose=2, group=2)
    assert [line.split(" - ")[0] for line in capsys.readouterr().out.splitlines()] == [
        "Epoch 1/2",
        "1/1",
        "Epoch 2/2",
        "1/1",
    ]


def test_folds(model, capsys):
    jk.cross_validate(model, X[:7], Y[:7], 2, group=1, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    # Seven rows make folds of two sizes, which train one after the other.
    assert [line for line in lines if line.startswith("Folds")] == ["Folds 1 of 2", "Folds 2 of 2"]
    jk.cross_validate(model, X[:7], Y[:7], 2, group=1)
    _ = jk.Ensemble(model, 2).fit(X, Y, verbose=0, group=1)
    assert capsys.readouterr().out == ""
