"""The bar for loops of one's own shows the values that Keras's shows."""

import contextlib
import io
import re

import keras
import numpy as np
import pytest

from jkeras.errors import ArgumentError
from jkeras.utils import Progbar

STEPS = [[("loss", 1.0), ("step", 1)], [("loss", 3.0), ("step", 2)], [("step", 3)], [("loss", 4.0), ("step", 4)]]


@pytest.mark.parametrize("options", [{}, {"stateful_metrics": ["step"]}, {"stateless_metrics": ["loss"]}])
@pytest.mark.parametrize("by", ["update", "add"])
def test_values_equal_keras(options, by, capsys):
    shown = []
    for bar in (Progbar(4, verbose=2, **options), keras.utils.Progbar(4, verbose=2, **options)):
        for number, values in enumerate(STEPS, 1):
            getattr(bar, by)(number if by == "update" else 1, values)
        shown.append(re.sub(r"\d+\w?s(/step)?", "TIME", capsys.readouterr().out).split())
    assert shown[0] == shown[1]


def test_a_bar_and_silence(capsys):
    bar = Progbar(None, verbose=1)
    bar.update(3, [("loss", 0.5)])
    assert "loss: 0.5" in capsys.readouterr().out
    Progbar(2, verbose=0).update(2, [("loss", 0.5)])
    assert capsys.readouterr().out == ""
    with pytest.raises(ArgumentError, match="not both"):
        Progbar(2, stateful_metrics=[], stateless_metrics=[])


def test_the_bar_goes_where_standard_output_goes_when_it_is_drawn():
    bar, captured = Progbar(3, verbose=1, interval=0.0), io.StringIO()
    bar.update(1, [("loss", 0.0)])
    with contextlib.redirect_stdout(captured):
        bar.update(2, [("loss", 2.0)])
    assert "loss: 1.0" in captured.getvalue()


@pytest.mark.parametrize("verbose", [1, 2])
def test_no_steps_at_all_and_several_values(verbose, capsys):
    Progbar(0, verbose=verbose).update(0, finalize=True)
    for values in ([0.0, 1.0, 2.0], np.array([0.0, 2.0])):
        Progbar(1, verbose=verbose).update(1, [("loss", values)], finalize=True)
    assert capsys.readouterr().out.count("loss: 1.0000") == 2
