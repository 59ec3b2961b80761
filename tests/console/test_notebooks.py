"""A notebook keeps one output for each bar, one picture for each plot, and a table for each value."""

import contextlib
import io
import re
import sys
import threading
import types

import numpy as np
import pytest

import jkeras as jk
from jkeras.console.progress import ProgressBar, resolve_verbosity
from jkeras.models.history import History


@pytest.fixture
def outputs(monkeypatch):
    """The outputs of a cell, as IPython keeps them, and standard output as a kernel has it."""
    shown = []

    class Handle:
        def __init__(self, place):
            self.place = place

        def update(self, bundle, raw):
            shown[self.place] = bundle

    def display(value, raw=False, display_id=False):
        shown.append(value)
        return Handle(len(shown) - 1)

    class OutStream(io.StringIO):
        def isatty(self):
            return True

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: None
    ipython.version_info = (9, 0)
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display, ipython.display.Image = display, bytes
    kernel = types.ModuleType("ipykernel.iostream")
    kernel.OutStream = OutStream
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    monkeypatch.setitem(sys.modules, "ipykernel.iostream", kernel)
    return shown


def kernel():
    """While the block runs, standard output is a kernel's."""
    return contextlib.redirect_stdout(sys.modules["ipykernel.iostream"].OutStream())


def test_a_run_leaves_one_output_for_each_epoch(outputs):
    x = np.ones((64, 3), "float32")
    model = jk.Sequential([jk.Input((3,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    with kernel() as text:
        model = model.fit(x, x[:, :1], epochs=3, validation_split=0.25)
    assert len(outputs) == 3 and not text.getvalue()
    for number, output in enumerate(outputs, 1):
        assert re.fullmatch(
            rf"Epoch {number}/3\n2/2 ━+ \d+s \S+/step - loss: \S+ - val_loss: \S+", output["text/plain"]
        )
        assert "\x1b" not in output["text/html"] and "<b>2/2</b>" in output["text/html"]
    with kernel():
        assert model.evaluate(x, x[:, :1]) >= 0 and len(outputs) == 4


def test_compiling_is_said_in_the_same_output(outputs):
    with kernel():
        bar, seen = ProgressBar(3, verbose=1), threading.Event()
        with bar.waiting("compiling train step"):
            for _ in range(40):
                if outputs and "compiling train step ... " in outputs[0]["text/plain"]:
                    seen.set()
                    break
                seen.wait(0.05)
        assert seen.is_set()
        bar.update(1, {"loss": 0.5})
        bar.finish({"loss": 0.25})
    assert len(outputs) == 1 and outputs[0]["text/plain"].endswith("loss: 0.2500")


def test_what_is_captured_gets_plain_lines(outputs):
    with kernel(), contextlib.redirect_stdout(io.StringIO()):  # as `%%capture` does
        assert resolve_verbosity("auto") == 2


def test_a_figure_is_shown_once(outputs, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.close("all")
    history = History({"loss": [3.0, 2.0]}, [0, 1])
    figure = history.plot()
    assert plt.get_fignums()  # the end of the cell would show it
    monkeypatch.setattr(plt, "get_backend", lambda: "inline")
    figure._ipython_display_()
    assert not plt.get_fignums()
    assert len(outputs) == 1 and outputs[0].startswith(b"\x89PNG")


def values():
    x = np.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)
    y = x[:, :1]
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(1, name="last")], name="small").compile("sgd", "mse")
    trained = model.fit(x, y, epochs=14, verbose=0)
    folds = jk.cross_validate(model, x, y, folds=2)
    sweep = jk.sweep(model, learning_rate=[0.1, 0.2])
    times = jk.profiling.Profile(1.0, 0.1, 0.1, 0.01, 0.0, 0.0, 0.0, 2, (), "no trace", "folder")
    return {
        "small": (trained, [r'Model: "small"', r"last \(Dense\)", "Total params: 5"]),
        "history": (trained.history, ["History of 14 epochs", r">14</td>", r"\.\.\."]),
        "folds": (folds, ["Cross-validation of 2 folds", "mean", "std"]),
        "sweep": (sweep, ["learning_rate", "not trained"]),
        "profile": (times, ["Time of training", "compile, once", "1000.000", "no trace"]),
    }


def test_values_are_tables(outputs):
    for name, (value, words) in values().items():
        text = value._repr_html_()
        for word in words:
            assert re.search(word.replace('"', "&quot;"), text), (name, word, text)
        assert text.count("<table") == text.count("</table>") >= 1
    assert not outputs


def test_epochs_count_from_one(tmp_path):
    pytest.importorskip("pandas")
    history = History({"loss": [3.0, 2.0]}, [4, 5])
    assert list(history.to_pandas().index) == [5, 6]
    history.to_csv(tmp_path / "logs.csv")
    assert (tmp_path / "logs.csv").read_text().split() == ["epoch,loss", "5,3.0", "6,2.0"]
    assert ">5</td>" in history._repr_html_() and history.epoch == [4, 5]
    figure = history.plot()
    assert list(figure.axes[0].lines[0].get_xdata()) == [5, 6]
