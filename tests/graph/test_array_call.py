"""Models and layers that are called on arrays: the compiled program's answers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


RUNS = []


class Watched(jk.layers.Layer):
    """Counts how often Python runs it."""

    def call(self, inputs):
        RUNS.append(1)
        return 2 * inputs


def around(layer):
    return jk.Sequential([jk.Input((4,)), jk.layers.Dense(4), layer])


def runs_of(model, times=3):
    RUNS.clear()
    for _ in range(times):
        model(X)
    return len(RUNS)


def test_the_second_call_runs_the_compiled_program():
    model = around(Watched(name="second_call")).init(0)
    model(X)
    assert runs_of(model) == 0


@pytest.mark.parametrize("training", [False, True])
def test_answers_are_those_of_apply(training):
    model = jk.Sequential([jk.Input((4,)), jk.layers.Dense(5), jk.layers.BatchNormalization()]).init(0)
    expected = model.apply(model.params, X, training=training)
    np.testing.assert_allclose(model(X, training=training), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model(jnp.asarray(X), training=training), expected, rtol=1e-6, atol=1e-6)


def test_a_layer_taken_from_a_model():
    model = around(Watched(name="taken")).init(0)
    dense = model.layers[0]
    np.testing.assert_allclose(dense(X), X @ model.get_weights()[0] + model.get_weights()[1], rtol=1e-5)


def test_eagerly_where_that_is_asked_for():
    model = around(Watched(name="eager")).init(0).compile("sgd", "mse", run_eagerly=True)
    assert runs_of(model) == 3
    with jax.disable_jit():
        assert runs_of(around(Watched(name="no_jit")).init(0)) == 3


def test_errors_are_raised_once_with_their_place():
    model = around(jk.layers.Dense(2, name="last")).init(0)
    with pytest.raises(jk.errors.InputError, match="5"):
        model(np.zeros((3, 5), "float32"))


def test_inside_a_users_transformations():
    model = around(jk.layers.Dense(1)).init(0)
    gradient = jax.grad(lambda x: model(x).sum())(jnp.asarray(X))
    assert gradient.shape == X.shape
    np.testing.assert_allclose(jax.vmap(lambda row: model(row[None])[0])(X), model(X), rtol=1e-5, atol=1e-6)


def test_a_model_that_a_users_program_was_given():
    model = around(jk.layers.Dense(1)).init(0)
    for program in (lambda model: model(X), lambda model: model(jnp.asarray(X), training=True)):
        np.testing.assert_allclose(jax.jit(program)(model), model(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(jax.jit(lambda: model(X))(), model(X), rtol=1e-5, atol=1e-6)


def test_a_changed_model_answers_with_its_own_weights():
    model = around(jk.layers.Dense(1)).init(0)
    before = np.asarray(model(X))
    doubled = model.set_weights([2 * weight for weight in model.get_weights()])
    assert not np.allclose(doubled(X), before)
    np.testing.assert_array_equal(model(X), before)
