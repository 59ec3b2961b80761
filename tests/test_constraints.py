"""Constraints against Keras: values, configurations, identifiers."""

import json

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras import constraints
from jkeras.errors import ArgumentError, UnknownNameError
from jkeras.values.config import serialize

CASES = [
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}),
    ("UnitNorm", {"axis": [0, 1]}),
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 1.0, "axis": -1}),
    ("MaxNorm", {"max_value": 0.5, "axis": [0, 1]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 0.7, "axis": 1}),
]


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.constraints.{name}" for name, _ in CASES}


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_values_and_configurations_are_those_of_keras(name, arguments, rng):
    ours, theirs = getattr(constraints, name)(**arguments), getattr(keras.constraints, name)(**arguments)
    assert ours.get_config() == theirs.get_config()
    for scale in (0.1, 1, 10):
        w = (rng.normal(size=(4, 3, 2)) * scale).astype(np.float32)
        w[:, 0] = 0
        np.testing.assert_allclose(ours(w), theirs(w), rtol=1e-6, atol=1e-7)
        assert ours(jnp.asarray(w, jnp.bfloat16)).dtype == theirs(jnp.asarray(w, jnp.bfloat16)).dtype
    assert constraints.deserialize(json.loads(json.dumps(serialize(ours)))) == ours
    np.testing.assert_allclose(keras.constraints.deserialize(serialize(ours))(w), ours(w), rtol=1e-6, atol=1e-7)


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(hnp.arrays(np.float32, (3, 4), elements=st.floats(-1e3, 1e3, width=32)), st.floats(0.1, 10))
def test_projections_reach_their_sets(w, limit):
    norms = np.linalg.norm(np.asarray(constraints.MaxNorm(limit)(w)), axis=0)
    assert (norms <= limit * (1 + 1e-5)).all()
    assert (np.asarray(constraints.NonNeg()(w)) >= 0).all()


@pytest.mark.parametrize("name", ["max_norm", "MaxNorm", "min_max_norm", "non_neg", "unit_norm", "NonNeg"])
def test_names_are_those_of_keras(name):
    assert type(constraints.get(name)).__name__ == type(keras.constraints.get(name)).__name__
    assert getattr(constraints, name).__name__ == getattr(keras.constraints, name).__name__


def test_get():
    assert constraints.get(None) is None
    assert constraints.get(constraints.UnitNorm) == constraints.UnitNorm()
    assert constraints.get(constraints.max_norm(3)) == constraints.MaxNorm(3)
    with pytest.raises(UnknownNameError, match="Did you mean 'non_neg'"):
        constraints.get("nonneg_")
    with pytest.raises(ArgumentError):
        constraints.get(2)
    with pytest.raises(ArgumentError, match="axis"):
        constraints.UnitNorm(axis="rows")


def absolute(w):
    return jnp.abs(w)


class Clipped(constraints.Constraint):
    def __init__(self, limit=1.0):
        self.limit = limit

    def __call__(self, w):
        return jnp.clip(w, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}


def test_functions_and_classes_of_the_user():
    wrapped = constraints.get(absolute)
    assert wrapped == constraints.get(absolute) and hash(wrapped) == hash(constraints.get(absolute))
    assert wrapped(jnp.array([-1.0])) == 1
    assert serialize(wrapped) == keras.constraints.serialize(absolute)
    assert constraints.deserialize(serialize(wrapped), {"absolute": absolute}) == wrapped
    assert Clipped(2.0) == Clipped(2.0) != Clipped(3.0)
    assert constraints.get(Clipped)(jnp.array([5.0])) == 1
    assert constraints.deserialize(serialize(Clipped(2.0)), {"Clipped": Clipped}) == Clipped(2.0)
    np.testing.assert_array_equal(constraints.Constraint()(jnp.ones(2)), [1, 1])
