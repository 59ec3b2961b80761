"""`fit` trains in the memory of the variables, and leaves alone what others hold."""

import numpy as np
import pytest

import jkeras.keras as keras
from jkeras.keras import layers

X = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
Y = X[:, :1]


def compiled():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def test_arrays_that_a_user_holds_live_on():
    model = compiled()
    held, viewed, copied = model.layers[0].kernel.value, np.asarray(model.layers[1].kernel), model.get_weights()
    before = [np.array(held), np.array(viewed)]
    for _ in range(2):
        model.fit(X, Y, batch_size=4, verbose=0)
    np.testing.assert_array_equal(held, before[0])
    np.testing.assert_array_equal(viewed, before[1])
    np.testing.assert_array_equal(copied[0], before[0])
    assert not np.array_equal(model.layers[0].kernel, before[0])


def test_an_array_that_two_variables_share():
    first, second = compiled(), compiled()
    second.layers[0].kernel.assign(first.layers[0].kernel.value)
    shared = np.array(first.layers[0].kernel)
    second.fit(X, Y, batch_size=4, verbose=0)
    np.testing.assert_array_equal(first.layers[0].kernel, shared)
    first.fit(X, Y, batch_size=4, verbose=0)
    assert np.isfinite(first.predict(X, verbose=0)).all()


@pytest.mark.parametrize("hook", ["on_train_begin", "on_train_batch_end", "on_epoch_end"])
def test_a_run_that_fails_leaves_a_model_to_go_on_with(hook):
    def fail(*_):
        raise KeyError("stop")

    model = compiled()
    with pytest.raises(KeyError):
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[keras.callbacks.LambdaCallback(**{hook: fail})])
    assert np.isfinite(model.predict(X, verbose=0)).all()
    model.fit(X, Y, batch_size=4, verbose=0)


def test_two_runs_give_the_numbers_of_one_that_holds_everything():
    keras.utils.set_random_seed(1)
    plain, watched = compiled(), compiled()
    watched.set_weights(plain.get_weights())
    for _ in range(2):
        held = [variable.value for variable in (*watched.weights, *watched.optimizer.variables)]
        watched.fit(X, Y, batch_size=4, verbose=0, shuffle=False)
        plain.fit(X, Y, batch_size=4, verbose=0, shuffle=False)
        assert held
    for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
