"""Policies per model and per layer: a few steps as Keras makes them, and the types of everything on the way."""

import contextlib

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk

# Policy: what it computes in, what it keeps weights in, how near the numbers are to Keras's after a few steps.
POLICIES = {
    "mixed_bfloat16": ("bfloat16", "float32", 2e-2),
    "mixed_float16": ("float16", "float32", 4e-3),
    "bfloat16": ("bfloat16", "bfloat16", 4e-2),
    "float64": ("float64", "float64", 1e-6),  # Keras rounds its epsilon and momentum to float32
}
RNG = np.random.default_rng(5)
X = RNG.normal(size=(12, 6, 2))
Y = RNG.integers(0, 3, 12)


@contextlib.contextmanager
def policy(name):
    """Both sides with a default policy."""
    keras.config.set_dtype_policy(name)
    jk.config.set_dtype_policy(name)
    # The loss is computed in the default float type.
    floatx = "float64" if name == "float64" else "float32"
    keras.config.set_floatx(floatx)
    jk.config.set_floatx(floatx)
    try:
        with jax.enable_x64(name == "float64"):
            yield
    finally:
        for side in (keras, jk):
            side.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        jk.config.set_dtype_policy(None)


def network(k, last=None):
    return k.Sequential(
        [
            k.Input((6, 2)),
            k.layers.Conv1D(4, 3, activation="relu"),
            k.layers.BatchNormalization(),
            k.layers.Flatten(),
            k.layers.Dense(3, activation="softmax", dtype=last),
        ]
    )


def trained(name, last=None, optimizer=("SGD", 0.0625), **compiled):
    """Ours and Keras's after three steps, and Keras's logs."""
    ours, theirs = network(jk, last), network(keras, last)
    theirs.set_weights(ours.get_weights())
    rule, rate = optimizer
    ours = ours.compile(getattr(jk.optimizers, rule)(rate), "sparse_categorical_crossentropy", **compiled)
    theirs.compile(getattr(keras.optimizers, rule)(rate), "sparse_categorical_crossentropy", **compiled)
    arguments = {"batch_size": 4, "epochs": 1, "shuffle": False, "verbose": 0}
    history = theirs.fit(X, Y, **arguments).history
    return ours.fit(X, Y, **arguments), theirs, history


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_of_the_whole_model(name):
    compute, kept, tolerance = POLICIES[name]
    with policy(name):
        ours, theirs, history = trained(name)
        assert {str(w.dtype) for w in jax.tree.leaves(ours.params)} == {kept}
        assert [str(w.dtype) for w in ours.weights] == [str(w.dtype) for w in theirs.weights]
        for layer, other in zip(ours.layers, theirs.layers, strict=True):
            assert (layer.compute_dtype, layer.variable_dtype) == (other.compute_dtype, other.variable_dtype)
        outputs, expected = ours(X.astype(compute)), theirs(X.astype(compute))
        assert str(outputs.dtype) == str(expected.dtype) == compute
        np.testing.assert_allclose(np.float64(outputs), np.float64(expected), atol=2 * tolerance)
        np.testing.assert_allclose(ours.history["loss"], history["loss"], rtol=tolerance)
        for path, got, wanted in zip(ours.weight_paths, ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(
                np.float64(got), np.float64(wanted), atol=tolerance, rtol=tolerance, err_msg=path
            )


def test_the_last_layer_in_float32():
    name = "mixed_float16"
    with policy(name):
        ours, _theirs, history = trained(name, last="float32", optimizer=("Adam", 0.01))
        assert str(ours(X.astype("float32")).dtype) == "float32"
        np.testing.assert_allclose(ours.history["loss"], history["loss"], rtol=POLICIES[name][2])
        assert ours.predict(X[:4], verbose=0).dtype == np.float32


def test_one_layer_of_another_type():
    x = np.float32(X)
    ours, theirs = network(jk, "bfloat16"), network(keras, "bfloat16")
    theirs.set_weights(ours.get_weights())
    assert [str(w.dtype) for w in ours.weights] == [str(w.dtype) for w in theirs.weights]
    assert str(ours(x).dtype) == "bfloat16"
    np.testing.assert_allclose(np.float32(ours(x)), np.float32(theirs(x)), atol=0.02)


# -- the scale of the loss in float16 ---------------------------------------------------------------------------------


def test_float16_scales_the_loss_by_itself():
    with policy("mixed_float16"):
        ours, theirs, _ = trained("mixed_float16", optimizer=("Adam", 0.01))
        assert type(ours.recipe.optimizer).__name__ == type(theirs.optimizer).__name__ == "LossScaleOptimizer"
        state = ours.state.opt_state
        assert float(state.dynamic_scale) == float(theirs.optimizer.dynamic_scale)
        assert int(state.iterations) == int(theirs.optimizer.inner_optimizer.iterations)
        assert ours.recipe.optimizer.get_config()["inner_optimizer"]["class_name"] == "Adam"
        assert ours.learning_rate == pytest.approx(0.01)
        again = ours.compile(jk.optimizers.LossScaleOptimizer("sgd", initial_scale=2.0), "mse")
        assert again.recipe.optimizer == jk.optimizers.LossScaleOptimizer("sgd", initial_scale=2.0)


@pytest.mark.parametrize(("name", "asked"), [("mixed_float16", False), ("mixed_bfloat16", True), ("float16", True)])
def test_nothing_else_is_scaled(name, asked):
    model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1)], dtype=name).compile("sgd", "mse", auto_scale_loss=asked)
    assert model.recipe.optimizer == jk.optimizers.SGD()


def test_small_gradients_survive():
    """A loss whose gradients float16 rounds to zero trains when it is scaled, and not otherwise."""

    def tiny(y, y_pred):
        return 2e-8 * jnp.sum(jnp.square(y - y_pred), axis=-1)

    def moved(**compiled):
        model = jk.Sequential([jk.Input((2,)), jk.layers.Dense(1, kernel_initializer="ones")], dtype="mixed_float16")
        model = model.compile(jk.optimizers.SGD(1e6), tiny, **compiled)
        model = model.fit(np.ones((4, 2)), np.zeros((4, 1)), epochs=1, verbose=0)
        return not np.array_equal(model.get_weights()[0], np.ones((2, 1)))

    assert moved()
    assert not moved(auto_scale_loss=False)
