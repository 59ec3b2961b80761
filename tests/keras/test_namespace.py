"""The drop-in namespace offers what jkeras offers, under Keras's names, and scripts find it."""

import importlib
import inspect
import runpy
import subprocess
import sys

import pytest

import jkeras as jk
import jkeras.keras as keras
from jkeras.run import keras_imports, run_script

SCRIPT = """
import sys
import tensorflow as tf
import keras
from keras.layers import Dense
from tensorflow.keras import layers, models
from keras.utils.np_utils import to_categorical
from tensorflow.keras.preprocessing.sequence import pad_sequences
import keras.backend as K

assert layers.Dense is Dense is tf.keras.layers.Dense is keras.layers.Dense
assert K.epsilon() == 1e-7 and to_categorical([1], 2).shape == (1, 2)
model = models.Sequential([layers.Dense(2)])
result = sys.argv[1:]
"""


def test_every_layer_is_there():
    for name in dir(jk.layers):
        value = getattr(jk.layers, name)
        if not name.startswith("_") and inspect.isclass(value) and issubclass(value, jk.Layer):
            assert issubclass(getattr(keras.layers, name), keras.layers.Layer)


@pytest.mark.parametrize("name", ["losses", "optimizers", "callbacks", "initializers", "regularizers", "ops", "utils"])
def test_modules_have_the_names_of_jkeras(name):
    ours = importlib.import_module(f"jkeras.{name}")
    public = [n for n in dir(ours) if not n.startswith("_") and not inspect.ismodule(getattr(ours, n))]
    mirror = importlib.import_module(f"jkeras.keras.{name}")
    assert public and all(hasattr(mirror, n) for n in public) and set(public) <= set(dir(mirror))


def test_an_added_layer_appears(monkeypatch):
    class Added(jk.Layer):
        def call(self, x):
            return x

    monkeypatch.setattr(jk.layers, "Added", Added, raising=False)
    assert keras.layers.Added()(jk.Input((3,))).shape == (None, 3)


@pytest.mark.parametrize("path", ["losses.MeanSquareError", "layers.Dence", "optimizers.Adamm", "Sequentiall"])
def test_a_misspelt_name(path):
    module, _, name = f"jkeras.keras.{path}".rpartition(".")
    with pytest.raises(AttributeError):
        getattr(importlib.import_module(module), name)


def test_a_script_runs(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    before = {name: sys.modules.get(name) for name in ("keras", "tensorflow")}
    names = run_script(script, ["a", "--flag"])
    assert names["result"] == ["a", "--flag"] and isinstance(names["model"], keras.Sequential)
    assert before == {name: sys.modules.get(name) for name in before}


def test_the_command_line(tmp_path, monkeypatch, capsys):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT + "print('given', result)")
    monkeypatch.setattr(sys, "argv", ["jkeras", "run", str(script), "--epochs", "3"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("jkeras", run_name="__main__")
    assert end.value.code == 0 and "given ['--epochs', '3']" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import tensorflow as tf; tf.GradientTape()", "tf.GradientTape"),
        ("import tensorflow.io", "tensorflow.io"),
        ("from tensorflow import signal", "signal"),
        ("import keras; keras.applications", "applications"),
        ("from keras.layers import Dence", "Dence"),
    ],
)
def test_what_is_not_offered_is_named(line, named):
    with keras_imports(), pytest.raises((ImportError, AttributeError), match=named):
        exec(line, {})


@pytest.mark.smoke
def test_keras_and_tensorflow_are_not_imported():
    code = (
        "import sys, jkeras.keras, jkeras.run; jkeras.keras.Sequential([jkeras.keras.layers.Dense(1)]);"
        " assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
