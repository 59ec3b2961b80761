"""What tests and doctests share."""

import pytest

import jkeras as jk


@pytest.fixture(autouse=True)
def default_seed():
    """Each test begins with the seed that a program begins with, whatever ran before it in the same process."""
    jk.config.default_seed = 0
    yield
    jk.config.default_seed = 0
