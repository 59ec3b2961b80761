"""Regularizers against Keras: values, gradients, configurations, identifiers."""

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras import regularizers
from jkeras.errors import ArgumentError, InputError, UnknownNameError
from jkeras.values.config import serialize

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L1", {"l1": None}),
    ("L2", {}),
    ("L2", {"l2": 2}),
    ("L2", {"l2": None}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("L1L2", {"l1": None, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 2.0, "mode": "columns"}),
]


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.regularizers.{name}" for name, _ in CASES}


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_values_gradients_and_configurations_are_those_of_keras(name, arguments, rng):
    ours, theirs = getattr(regularizers, name)(**arguments), getattr(keras.regularizers, name)(**arguments)
    assert ours.get_config() == pytest.approx(theirs.get_config())
    x = jnp.asarray(rng.normal(size=(4, 3)), jnp.float32).at[0, 0].set(0)
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-6)
    np.testing.assert_allclose(jax.grad(ours)(x), jax.grad(theirs)(x), rtol=1e-6, atol=1e-6)
    assert ours(x).shape == () and ours(x).dtype == jnp.float32
    small = x.astype(jnp.bfloat16)
    if name != "OrthogonalRegularizer":  # Keras's goes to float32 there
        assert ours(small).dtype == theirs(small).dtype
    assert regularizers.deserialize(json.loads(json.dumps(regularizers.serialize(ours)))) == ours
    reopened = keras.regularizers.deserialize(regularizers.serialize(ours))
    np.testing.assert_allclose(reopened(x), ours(x), rtol=1e-6)


def test_one_row_is_orthogonal():
    assert regularizers.OrthogonalRegularizer()(jnp.ones((1, 3))) == 0
    with pytest.raises(InputError, match="matrices"):
        regularizers.OrthogonalRegularizer()(jnp.ones(3))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "0.1", True])
def test_factors_are_finite_and_not_negative(value):
    with pytest.raises(ArgumentError, match=r"L2\(l2="):
        regularizers.L2(value)


def test_mode_is_checked():
    with pytest.raises(ArgumentError, match="mode"):
        regularizers.OrthogonalRegularizer(mode="diagonal")


@pytest.mark.parametrize("name", ["l1", "L1", "l2", "L2", "l1l2", "L1L2", "orthogonal_regularizer"])
def test_names_are_those_of_keras(name):
    assert type(regularizers.get(name)).__name__ == type(keras.regularizers.get(name)).__name__


def test_lower_case_names_are_the_classes():
    names = ("l1", "l2", "l1_l2", "orthogonal_regularizer")
    for name in names:
        assert getattr(regularizers, name).__name__ == getattr(keras.regularizers, name).__name__
    assert regularizers.l2(0.5) == regularizers.L2(0.5) != regularizers.L2(0.1)


def test_get():
    assert regularizers.get(None) is None
    assert regularizers.get(regularizers.L1) == regularizers.L1()
    assert regularizers.get({"class_name": "L2", "config": {"l2": 0.5}}) == regularizers.L2(0.5)
    with pytest.raises(UnknownNameError, match="Did you mean"):
        regularizers.get("ortogonal")
    with pytest.raises(ArgumentError):
        regularizers.get(0.01)


def test_functions_are_wrapped_so_that_equal_ones_are_equal():
    def make(factor):
        return lambda x: factor * jnp.sum(jnp.abs(x))

    one, same, other = (regularizers.get(make(f)) for f in (0.5, 0.5, 0.1))
    assert one == same != other and hash(one) == hash(same)
    assert one(jnp.ones(4)) == 2


def largest(x):
    return jnp.max(x)


def test_functions_are_written_as_functions():
    written = serialize(regularizers.get(largest))
    assert written == keras.regularizers.serialize(largest)
    assert regularizers.deserialize(written, {"largest": largest}) == regularizers.get(largest)


class Halved(regularizers.Regularizer):
    def __init__(self, l2=0.0):
        self.l2 = l2

    def __call__(self, x):
        return self.l2 * jnp.sum(x**2) / 2

    def get_config(self):
        return {"l2": float(self.l2)}


def test_classes_of_the_user():
    regularizer = Halved(l2=0.5)
    assert regularizer == Halved(0.5) and regularizer(jnp.ones(4)) == 1
    written = serialize(regularizer)
    assert written["config"] == {"l2": 0.5} and written["class_name"] == "Halved"
    assert regularizers.deserialize(written, {"Halved": Halved}) == regularizer
    assert regularizers.get(Halved) == Halved()


class Penalty:
    """Not one of ours, but callable, as Keras allows."""

    def __call__(self, x):
        return jnp.sum(x)


def test_callable_objects():
    assert regularizers.get(Penalty())(jnp.ones(3)) == 3
    assert regularizers.get(Penalty)(jnp.ones(3)) == 3
    assert regularizers.Regularizer()(jnp.ones(3)) == 0
