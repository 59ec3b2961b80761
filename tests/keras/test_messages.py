"""What is printed, and where it goes after `keras.config.disable_interactive_logging()`; what `summary` lists."""

import importlib

import keras as real
import numpy as np
import pytest
from absl import logging

import jkeras.keras as keras
from jkeras.errors import ArgumentError

io_utils = importlib.import_module("jkeras.keras.src.utils.io_utils")
SPOKEN = {
    "ReduceLROnPlateau": (
        lambda k: k.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=100, verbose=1),
        "ReduceLROnPlateau reducing learning rate to",
    ),
    "LearningRateScheduler": (
        lambda k: k.callbacks.LearningRateScheduler(lambda epoch: 0.5, verbose=1),
        "LearningRateScheduler setting learning rate to 0.5",
    ),
    "EarlyStopping": (
        lambda k: k.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=100, verbose=1),
        "early stopping",
    ),
}


@pytest.fixture
def logged():
    """The log at level INFO instead of standard output."""
    verbosity = logging.get_verbosity()
    keras.config.disable_interactive_logging()
    io_utils.set_logging_verbosity("INFO")
    yield
    keras.config.enable_interactive_logging()
    logging.set_verbosity(verbosity)


def compiled(k):
    model = k.Sequential([k.Input((2,)), k.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("name", SPOKEN)
def test_messages_of_callbacks_go_to_the_log(name, logged, caplog, capsys):
    make, text = SPOKEN[name]
    compiled(keras).fit(np.ones((4, 2)), np.ones((4, 1)), epochs=3, callbacks=[make(keras)])
    assert any(text in record.getMessage() for record in caplog.records)
    assert capsys.readouterr().out == ""


def test_a_summary_goes_to_the_log(logged, caplog, capsys):
    compiled(keras).summary()
    assert "Total params: 3" in caplog.text and capsys.readouterr().out == ""


def test_levels_and_questions(monkeypatch, capsys):
    with pytest.raises(ArgumentError, match="valid level"):
        io_utils.set_logging_verbosity("LOUD")
    answers = iter(["perhaps", "y", "n"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    assert io_utils.ask_to_proceed_with_overwrite("file") and not io_utils.ask_to_proceed_with_overwrite("file")
    io_utils.print_msg("said", line_break=False)
    assert capsys.readouterr().out == "said"


@pytest.mark.parametrize("options", [{}, {"show_trainable": True}])
def test_a_summary_lists_functions_between_layers(options):
    lines = []
    for k in (keras, real):
        inputs = k.Input((2,))
        outputs = k.ops.mean(k.layers.Dense(4, name="dense")(inputs))
        printed = []
        k.Model(inputs, outputs, name="m").summary(print_fn=lambda text, **_: printed.append(text), **options)  # noqa: B023
        rows = [row for row in printed[0].splitlines() if "(None" in row or "()" in row]
        lines.append([[cell.strip() for cell in row.split("│")[2:4]] for row in rows])
    assert lines[0] == lines[1] and ["()", "0"] in lines[0]
