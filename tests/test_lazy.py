"""Names that are loaded when first used: checkers see those of run time, and nothing is loaded before."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import jkeras as jk
from jkeras.errors import ExtraError

LAZY = ("jkeras", "jkeras.callbacks", "jkeras.config", "jkeras.layers", "jkeras.models", "jkeras.saving")


@pytest.mark.parametrize("name", LAZY)
def test_checkers_see_the_names_of_run_time(name):
    module = importlib.import_module(name)
    tree = ast.parse(Path(module.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    seen = {alias.asname: node.module for node in block.body for alias in node.names}
    assert seen == module._TABLE


@pytest.mark.smoke
def test_an_import_alone_loads_nothing():
    code = (
        "import sys, jkeras, jkeras.layers, jkeras.callbacks; dir(jkeras), dir(jkeras.layers);"
        " print(sorted(name for name in sys.modules if name.split('.')[0] in ('jkeras', 'jax', 'numpy', 'optax', 'flax')))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert ast.literal_eval(printed) == ["jkeras", "jkeras.callbacks", "jkeras.errors", "jkeras.layers", "jkeras.lazy"]


@pytest.mark.parametrize("first", ["jkeras", "jkeras.keras"])
def test_threads_load_names_at_once(first):
    code = f"""
import sys, threading
import {first} as package
sys.setswitchinterval(1e-6)
names = "layers.Dense models.Sequential losses.Huber optimizers.Adam callbacks.EarlyStopping saving.load_model".split()
start, failed = threading.Barrier(len(names)), []

def load(name):
    start.wait()
    try:
        folder, name = name.split(".")
        getattr(getattr(package, folder), name)
    except Exception as error:
        failed.append(repr(error))

threads = [threading.Thread(target=load, args=(name,)) for name in names]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(failed)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_all_names_are_imported_by_a_star():
    names = {}
    exec("from jkeras import *", names)
    exec("from jkeras.layers import *", names)
    assert {"Sequential", "Dense", "TextVectorization", "losses", "sweep"} <= set(names)


@pytest.mark.parametrize("package", [jk, jk.layers, jk.callbacks])
def test_tools_may_ask_for_what_no_module_has(package, monkeypatch):
    monkeypatch.setattr("jkeras.lazy.suggestion", lambda *names: pytest.fail("looked for similar names"))
    assert not hasattr(package, "__wrapped__")
    with pytest.raises(AttributeError, match=f"'{package.__name__}' has no attribute '__code__'$"):
        _ = package.__code__


EXTRAS = {
    "matplotlib": (
        lambda: jk.History({"loss": [1.0]}).plot(),
        "plot_history needs matplotlib: pip install 'jkeras[plot]'",
    ),
    "pandas": (lambda: jk.History({"loss": [1.0]}).to_pandas(), "History.to_pandas needs pandas: pip install pandas"),
    "PIL": (lambda: jk.utils.array_to_img(np.ones((2, 2, 3))), "pictures needs PIL: pip install pillow"),
}


@pytest.mark.parametrize("package", EXTRAS)
def test_a_package_that_is_missing_is_named(package, monkeypatch):
    call, words = EXTRAS[package]
    for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ExtraError, match=re.escape(words)):
        call()


# How each face is imported, and what its programs load besides Flax and Optax, the functions for arrays.
FACES = {
    "values": ("import jkeras as k", []),
    "objects": ("import jkeras.keras as k", ["jkeras.ops"]),
}


@pytest.mark.parametrize("face", FACES)
def test_training_loads_no_package_that_it_does_not_use(face, tmp_path):
    statement, used = FACES[face]
    code = f"""
{statement}
import sys
import numpy as np

def loaded():
    return [name for name in ("flax", "optax", "jkeras.ops") if name in sys.modules]

layers = k.layers
inputs = layers.Input((6, 4))
x = layers.LSTM(3)(layers.Dropout(0.1)(layers.BatchNormalization()(layers.Conv1D(4, 2)(inputs))))
model = k.Model(inputs, layers.Dense(2, kernel_regularizer="l2")(x))
x, y = np.ones((8, 6, 4), "float32"), np.ones((8, 2), "float32")
model = model.compile(k.optimizers.AdamW(1e-2), "mse", metrics=["mae"]) or model
trained = model.fit(x, y, batch_size=4, epochs=2, validation_split=0.5, callbacks=[k.callbacks.ReduceLROnPlateau()], verbose=0)
model = trained if hasattr(trained, "predict") else model
model.evaluate(x, y, verbose=0), model.predict(x, verbose=0), model(x)
model.save({str(tmp_path / "model.keras")!r})
model.save_weights({str(tmp_path / "model.weights.h5")!r})
before = loaded()
again = k.models.load_model({str(tmp_path / "model.keras")!r}).fit(x, y, verbose=0)
print([before, loaded()])
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert ast.literal_eval(printed.splitlines()[-1]) == [used, ["jkeras.ops"]]
