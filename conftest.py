"""What tests and doctests share."""

import gc

import pytest

import jkeras as jk

# The first has every name that it is asked for, pytest's own included. The examples of the second are those of
# `jkeras.applications`; `tests/applications/test_docstrings.py` runs one of each module on objects.
collect_ignore = ["jkeras/keras/src", "jkeras/keras/applications.py"]
# Are run with real Keras 2, for which there is an environment of its own.
collect_ignore_glob = ["tests/files/keras2/*.py"]


@pytest.fixture(autouse=True)
def default_seed():
    """Each test begins with the seed that a program begins with, whatever ran before it in the same process."""
    jk.config.default_seed = 0
    yield
    jk.config.default_seed = 0


@pytest.fixture(autouse=True, scope="session")
def example_names(doctest_namespace):
    """What examples use without importing it: functions of `ops` are found under their public names, too."""
    import jax  # not before the settings of `tests/conftest.py`

    doctest_namespace.update(jax=jax, jnp=jax.numpy, ops=jk.ops, activations=jk.activations)


def pytest_collection_finish():
    """Collects garbage rarely: thousands of tests and of traced programs stay alive, and looking through them takes a tenth
    of the time. What is cyclic and dies is small; memory at the end is the same."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
