"""What `import keras` and `import tensorflow` find, and for whom; the ways in."""

import importlib
import importlib.util
import subprocess
import sys
import types

import pytest

from jkeras.imports import AlreadyImportedError, as_keras, keras_imports
from jkeras.run import run_module, run_script

# A module as it lies among the installed packages: it asks for TensorFlow as libraries do.
LIBRARY = """
import importlib.util
import keras
from keras.src.utils import tracking
from keras.src.saving import serialization_lib, saving_lib
try:
    import tensorflow as tf
except ImportError:
    tf = None
found = importlib.util.find_spec("tensorflow")
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library that counts as installed, though it is not."""
    (tmp_path / "a_library.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(tmp_path)
    known = sys.modules["jkeras.imports"]._is_installed
    monkeypatch.setattr("jkeras.imports._is_installed", lambda file: str(tmp_path) in file or known(file))
    yield "a_library"
    sys.modules.pop("a_library", None)


def test_the_stand_in_for_tensorflow_is_for_the_user(library):
    real = importlib.util.find_spec("tensorflow") is not None
    names = {}
    with keras_imports():
        exec("import tensorflow.keras.layers, importlib.util\nfound = importlib.util.find_spec('tensorflow')", names)
        module = importlib.import_module(library)
        exec("import tensorflow as again", names)
        assert names["tensorflow"].keras.layers.Dense is module.keras.layers.Dense
    assert names["found"] is not None and names["tensorflow"] is names["again"] is not module.tf
    assert (module.found is not None) is (module.tf is not None) is real


def test_modules_inside_of_keras_are_modules(library):
    with keras_imports():
        module = importlib.import_module(library)
        assert isinstance(module.tracking, types.ModuleType) and callable(module.serialization_lib.in_safe_mode)
        assert module.keras.src.utils.tracking.Tracker and module.keras.src.backend.standardize_shape((2, 3)) == (2, 3)
        for line in ("from keras.src.backend import no_such_function", "import keras.src.no_such_module"):
            with pytest.raises(ImportError, match=line.rpartition(" ")[2]):
                exec(line, {})


def test_a_module_is_run(tmp_path, monkeypatch, without_keras):
    package = tmp_path / "a_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text(
        "import sys, keras, tensorflow as tf\nresult = (keras.__name__, __name__, sys.argv[1:])"
    )
    monkeypatch.chdir(tmp_path)
    assert run_module("a_package.train", ["--epochs", "3"])["result"] == ("keras", "__main__", ["--epochs", "3"])


def test_keras_that_is_there_already_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    (script := tmp_path / "script.py").write_text("import keras")
    for way in (as_keras, lambda: run_script(script), lambda: run_module("this")):
        with pytest.raises(AlreadyImportedError, match="before anything imports keras"):
            way()


def test_a_session_of_tests(tmp_path):
    (tmp_path / "conftest.py").write_text("import keras")
    (tmp_path / "test_it.py").write_text(
        "import importlib.util, keras, jkeras\njkeras.as_keras()\ndef test_it(): assert keras.Layer is jkeras.keras.Layer\n"
        "def test_tensorflow():\n    found = importlib.util.find_spec('tensorflow')\n"
        "    assert found is None or type(found.loader).__name__ != 'KerasFinder'\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "jkeras.pytest_plugin",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
