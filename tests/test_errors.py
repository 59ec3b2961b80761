"""The errors' page, and its examples: the mistake raises the error, what to write instead does not."""

import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from tests.errors_page import PAGE, classes, page, parts

CODED = [cls for cls in classes() if parts(cls)[1]]


@pytest.fixture
def names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    model = jk.Sequential([layers.Input((4,)), layers.Dense(1)]).compile("adam", "mse")
    return {"jk": jk, "layers": layers, "np": np, "model": model, "x": x, "y": x[:, :1]}


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("cls", CODED, ids=lambda cls: cls.__name__)
def test_mistakes(cls, names):
    code = parts(cls)[1]
    with pytest.raises(cls) as caught:
        exec(compile(code["The mistake"], cls.__name__, "exec"), dict(names))
    assert len(str(caught.value)) > 20
    if "Instead" in code:
        exec(compile(code["Instead"], cls.__name__, "exec"), dict(names))


def test_all_have_examples_or_advice():
    assert all(parts(cls)[1] or parts(cls)[2] for cls in classes())
