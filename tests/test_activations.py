"""Activations against Keras: values, gradients, identifiers, configurations."""

import functools
import inspect
import json

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras import activations, registry
from jkeras.errors import ArgumentError, InputError, UnknownNameError
from jkeras.values.keys import key_of

KERAS_NAMES = sorted(
    name
    for name in dir(keras.activations)
    if not name.startswith("_") and name not in ("get", "serialize", "deserialize")
)
ARGUMENTS = [
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 1.5}),
    ("relu", {"max_value": 6}),
    ("relu", {"threshold": 0.5}),
    ("relu", {"negative_slope": 0.1, "max_value": 1.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 6}),
    ("relu", {"negative_slope": 0.2, "max_value": 2.0, "threshold": 0.5}),
    ("relu", {"negative_slope": -0.3, "threshold": -0.5}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 2.0}),
    ("gelu", {"approximate": True}),
    ("glu", {"axis": 0}),
    ("softmax", {"axis": 0}),
    ("softmax", {"axis": (0, 1)}),
    ("log_softmax", {"axis": 1}),
    ("sparsemax", {"axis": 0}),
    ("squareplus", {"b": 2}),
    ("hard_shrink", {"threshold": 1.0}),
    ("soft_shrink", {"threshold": 1.0}),
    ("threshold", {"threshold": 0.3, "default_value": -2.0}),
]
CASES = [(name, {}) for name in KERAS_NAMES if name != "threshold"] + ARGUMENTS
IDS = [name + "".join(f"-{k}={v}" for k, v in arguments.items()) for name, arguments in CASES]

# Where the formulas have kinks, and far out where careless ones overflow.
KINKS = np.array([-100, -6, -3, -1, -0.5, -0.0, 0.0, 0.5, 1, 1.5, 3, 6, 100, 20, -20, 0.3], np.float32).reshape(4, 4)


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.activations.{name}" for name, _ in CASES}


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_values_and_gradients_are_those_of_keras(name, arguments, rng):
    ours, theirs = getattr(activations, name), getattr(keras.activations, name)
    weight = rng.normal(size=(4, 4)).astype(np.float32)
    for x in (rng.normal(size=(4, 4)).astype(np.float32) * 2, KINKS):
        given, expected = ours(x, **arguments), theirs(x, **arguments)
        assert given.dtype == jnp.float32
        np.testing.assert_allclose(given, expected, rtol=1e-6, atol=1e-6)
        cotangent = weight[: expected.shape[0], : expected.shape[1]]
        # Compared without `jit`: the two would then be fused alike only by chance.
        (given,) = jax.vjp(lambda x: ours(x, **arguments), jnp.asarray(x))[1](cotangent)
        (expected,) = jax.vjp(lambda x: theirs(x, **arguments), jnp.asarray(x))[1](cotangent)
        if name == "exponential":
            given, expected = given / np.exp(np.minimum(x, 50)), expected / np.exp(np.minimum(x, 50))
        np.testing.assert_allclose(given, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_signatures_are_those_of_keras(name):
    ours = inspect.signature(getattr(activations, name)).parameters
    theirs = inspect.signature(getattr(keras.activations, name)).parameters
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


@pytest.mark.parametrize("name", [name for name in KERAS_NAMES if name != "threshold"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_small_types_are_kept(name, dtype):
    x = jnp.asarray([[0.5, -1.5, 2.0, 0.0]], dtype)
    given, expected = getattr(activations, name)(x), getattr(keras.activations, name)(x)
    assert given.dtype == expected.dtype
    np.testing.assert_allclose(np.float32(given), np.float32(expected), rtol=1e-2, atol=1e-3)


def test_plain_lists_are_taken():
    np.testing.assert_array_equal(activations.relu([-10.0, 5.0]), [0.0, 5.0])


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(hnp.arrays(np.float32, (3, 5), elements=st.floats(-30, 30, width=32)))
def test_softmax_is_a_distribution_that_a_shift_does_not_change(x):
    y = np.asarray(activations.softmax(x))
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-5)
    assert (y >= 0).all()
    np.testing.assert_allclose(y, activations.softmax(x + 7), atol=2e-5)


def test_glu_needs_an_even_axis():
    with pytest.raises(InputError, match="even size"):
        activations.glu(jnp.ones((2, 3)))


# -- identifiers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_every_name_is_found_and_written_as_keras_writes_it(name):
    function = activations.get(name)
    assert function is getattr(activations, name)
    written = activations.serialize(function)
    assert written == keras.activations.serialize(getattr(keras.activations, name))
    assert activations.deserialize(written) is function


def test_none_is_the_identity():
    assert activations.get(None) is activations.linear
    x = object()
    assert activations.linear(x) is x


def test_anything_callable_is_an_activation():
    assert activations.get(jax.nn.relu) is jax.nn.relu
    half = functools.partial(jnp.multiply, 0.5)
    assert activations.get(half) is half


def test_unknown_names_get_a_suggestion():
    with pytest.raises(UnknownNameError, match="Did you mean 'sigmoid'"):
        activations.get("sigmiod")
    with pytest.raises(ArgumentError):
        activations.get(3)


def cubed_here(x):
    return x**3


def test_functions_of_the_user_are_written_by_name():
    written = activations.serialize(cubed_here)
    assert written == keras.activations.serialize(cubed_here)
    assert activations.deserialize(written, {"cubed_here": cubed_here}) is cubed_here
    with pytest.raises(UnknownNameError):
        activations.deserialize(written)


def test_registered_functions_are_found_without_their_package():
    @registry.register("test_activations", "quartic")
    def quartic(x):
        return x**4

    written = activations.serialize(quartic)
    assert written["config"] == "test_activations>quartic"
    assert activations.deserialize(json.loads(json.dumps(written))) is quartic


def test_functions_without_a_name_cannot_be_written():
    with pytest.raises(ArgumentError, match="no name"):
        activations.serialize(functools.partial(jnp.multiply, 0.5))


def test_keys_are_equal_for_equal_functions():
    assert key_of(activations.get("relu")) == key_of(activations.relu) != key_of(activations.relu6)
