"""A plugin of pytest: `pytest -p jkeras.pytest_plugin` runs the tests of a package that is written for Keras on jkeras."""

from __future__ import annotations

from jkeras.imports import as_keras


def pytest_load_initial_conftests() -> None:
    """Turns imports of keras to jkeras before the first of the tests is loaded; TensorFlow is what is installed."""
    as_keras(tensorflow=False)
