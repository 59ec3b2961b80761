"""The drop-in namespace offers what jkeras offers, under Keras's names, and scripts find it."""

import functools
import importlib
import inspect
import pickle
import runpy
import subprocess
import sys
from types import ModuleType

import pytest

import jkeras as jk
import jkeras.keras as keras
from jkeras.run import keras_imports, run_script
from tests.keras_names import canonical_names, find

SCRIPT = """
import sys
import tensorflow as tf
import keras
from keras.layers import Dense
from tensorflow.keras import layers, models
from keras.utils.np_utils import to_categorical
from tensorflow.keras.preprocessing.sequence import pad_sequences
import keras.backend as K

from keras.layers import *
assert "Mapping" not in globals() and InputSpec is keras.InputSpec
assert layers.Dense is Dense is tf.keras.layers.Dense is keras.layers.Dense
assert K.epsilon() == 1e-7 and to_categorical([1], 2).shape == (1, 2)
model = models.Sequential([layers.Dense(2)])
result = sys.argv[1:]
"""


def test_every_layer_is_there():
    for name in sorted({*dir(jk.layers)} - {"Repeat"}):
        value = getattr(jk.layers, name)
        if not name.startswith("_") and inspect.isclass(value) and issubclass(value, jk.Layer):
            layer = getattr(keras.layers, name)
            assert issubclass(layer, keras.layers.Layer) and layer.build.__name__ == "build"  # in messages


def test_layers_of_values_alone_are_not_there():
    assert "Repeat" not in dir(keras.layers)
    with pytest.raises(AttributeError, match=r"`jkeras.layers.Repeat` is a layer of immutable models"):
        _ = keras.layers.Repeat


def test_what_jkeras_has_under_a_name_of_keras_is_there():
    missing = [
        name for name in canonical_names() if find("jkeras", name) is not None and find("jkeras.keras", name) is None
    ]
    assert not missing


@pytest.mark.parametrize(
    "name", ["layers", "losses", "optimizers", "callbacks", "initializers", "ops", "random", "utils"]
)
def test_names_are_listed(name):
    mirror = importlib.import_module(f"jkeras.keras.{name}")
    names = [found.rpartition(".")[2] for found in canonical_names() if found.rpartition(".")[0] == f"keras.{name}"]
    offered = {found for found in names if hasattr(mirror, found)}
    assert offered and offered <= set(dir(mirror))


MODULES = """activations backend callbacks config constraints distillation dtype_policies export initializers layers losses
    metrics models ops optimizers optimizers.schedules preprocessing.image quantizers random regularizers saving utils"""

INSIDE = {
    "": {*MODULES.split(), *keras.homes.MIRRORS, "applications", "src"},
    "ops": {"image", "linalg", "nn", "numpy"},
    "optimizers": {"schedules"},
}


@pytest.mark.parametrize("name", ["", *MODULES.split()])
def test_a_star_binds_what_keras_has_and_nothing_else(name):
    place = f"keras.{name}".rstrip(".")
    module = importlib.import_module(f"jkeras.{place}")
    names = [found.rpartition(".")[2] for found in canonical_names() if found.rpartition(".")[0] == place]
    assert {found for found in names if hasattr(module, found)} <= set(module.__all__)  # also what nobody has used yet
    bound = {}
    exec(f"from jkeras.{place} import *", bound)
    modules = {found for found, value in bound.items() if isinstance(value, ModuleType)}
    assert modules <= INSIDE.get(name, set())


@pytest.mark.parametrize("face", [jk, keras], ids=["values", "objects"])
@pytest.mark.parametrize("name", ["ops", "ops.image", "ops.linalg", "ops.nn", "ops.numpy", "random", "activations"])
def test_functions_are_pickled_by_the_name_that_users_know(face, name):
    module = functools.reduce(getattr, name.split("."), face)
    functions = [
        value for value in vars(module).values() if inspect.isfunction(value) and not value.__name__.startswith("_")
    ]
    assert functions and all(pickle.loads(pickle.dumps(function)) is function for function in functions)


@pytest.mark.parametrize(
    ("inside", "public"),
    [
        ("layers.core.dense.Dense", "layers.Dense"),
        ("backend.Variable", "Variable"),
        ("backend.common.keras_tensor.KerasTensor", "KerasTensor"),
        ("ops.operation.Operation", "Operation"),
        ("models.functional.Functional", "models.Functional"),
        ("saving.serialization_lib.deserialize_keras_object", "saving.deserialize_keras_object"),
        ("utils.tracking.Tracker", None),
    ],
)
def test_the_inside_of_keras_finds_public_objects(inside, public):
    module, _, name = f"jkeras.keras.src.{inside}".rpartition(".")
    found = getattr(importlib.import_module(module), name)
    assert public is None or found is find("jkeras.keras", f"keras.{public}")


def test_an_added_layer_appears(monkeypatch):
    class Added(jk.Layer):
        def call(self, x):
            return x

    monkeypatch.setattr(jk.layers, "Added", Added, raising=False)
    assert keras.layers.Added()(keras.Input((3,))).shape == (None, 3)


@pytest.mark.parametrize("path", ["losses.MeanSquareError", "layers.Dence", "optimizers.Adamm", "Sequentiall"])
def test_a_misspelt_name(path):
    module, _, name = f"jkeras.keras.{path}".rpartition(".")
    with pytest.raises(AttributeError):
        getattr(importlib.import_module(module), name)


def test_a_script_runs(tmp_path, without_keras):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    before = {name: sys.modules.get(name) for name in ("keras", "tensorflow")}
    names = run_script(script, ["a", "--flag"])
    assert names["result"] == ["a", "--flag"] and isinstance(names["model"], keras.Sequential)
    assert before == {name: sys.modules.get(name) for name in before}


def test_the_command_line(tmp_path, monkeypatch, capsys, without_keras):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT + "print('given', result)")
    monkeypatch.setattr(sys, "argv", ["jkeras", "run", str(script), "--epochs", "3"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("jkeras", run_name="__main__")
    assert end.value.code == 0 and "given ['--epochs', '3']" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import tensorflow as tf; tf.estimator.Estimator()", "tf.estimator"),
        ("import tensorflow.lite", "tf.lite"),
        ("from tensorflow import signal", "signal"),
        ("import keras; keras.applications.VGG17", "applications.*VGG17"),
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
