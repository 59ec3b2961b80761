"""Scripts' tests run inside a session in which old spellings are read; what is said about them is checked, not raised."""

import pytest

from jkeras.imports import keras_imports
from jkeras.scripts import OldSpellingWarning


@pytest.fixture
def session():
    """`import keras` and `import tensorflow` as a script sees them."""
    with keras_imports():
        yield


@pytest.fixture
def said():
    """A function that runs code and gives its value and what was said about its spelling."""

    def run(function):
        with pytest.warns(OldSpellingWarning) as record:
            value = function()
        return value, [str(warning.message) for warning in record if warning.category is OldSpellingWarning]

    return run
