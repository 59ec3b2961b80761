"""The bar for loops of one's own shows the values that Keras's shows."""

import re

import keras
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
