"""`jk.profile` measures, writes a trace, and leaves the model as it was."""

import numpy as np
import pytest

import jkeras as jk
from jkeras.errors import ArgumentError
from jkeras.profiling import profile


def test_profile(tmp_path, rng):
    x, y = rng.random((40, 3), dtype=np.float32), rng.random((40, 1), dtype=np.float32)
    model = jk.Sequential([jk.Input((3,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    before = [np.asarray(weight) for weight in model.weights]
    found = profile(model, x, y, batch_size=8, steps=3, folder=tmp_path)
    assert found.steps == 3 and found.step_seconds > 0 and found.compile_seconds > 0
    assert "step" in str(found) and str(tmp_path) in str(found)
    assert any(path.is_file() for path in tmp_path.rglob("*.xplane.pb"))
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_steps_must_be_a_number():
    with pytest.raises(ArgumentError, match="at least 1"):
        profile(None, np.zeros((4, 1)), steps=0)
