"""The tutorials' programs are run by `test_tutorials.py`; they are no test modules."""

import sys

import keras
import pytest

import jkeras.keras

collect_ignore = ["tutorials"]


@pytest.fixture(autouse=True)
def fresh_names():
    """Automatic names are counted anew in each test, in both libraries."""
    keras.backend.clear_session(free_memory=False)
    jkeras.keras.backend.clear_session(free_memory=False)


@pytest.fixture
def without_keras(monkeypatch):
    """As if Keras itself had not been imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
        monkeypatch.delitem(sys.modules, name)
