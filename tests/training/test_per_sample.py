"""Derivatives per sample against those of single samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3)).astype("float32")
Y = RNG.normal(size=(6, 2)).astype("float32")


@pytest.fixture(scope="module")
def model():
    net = [layers.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2, kernel_regularizer="l2")]
    return jk.Sequential(net).compile("sgd", "mse")


def loss_of(model, params, x, y):
    kernel = params["dense_1"]["kernel"]
    return jnp.mean((model.apply(params, x) - y) ** 2) + 0.01 * jnp.sum(kernel**2)


def test_gradients_of_single_samples(model):
    found = jk.per_sample_gradients(model, X, Y)
    for i in range(6):
        grads = jax.grad(lambda p, i=i: loss_of(model, p, X[i : i + 1], Y[i : i + 1]))(model.params)
        np.testing.assert_allclose(found["dense/kernel"][i], grads["dense"]["kernel"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found["dense_1/kernel"][i], grads["dense_1"]["kernel"], rtol=1e-5, atol=1e-6)


def test_parts_add_up(model):
    whole = jax.grad(lambda p: loss_of(model, p, X, Y))(model.params)
    for parts in (1, 3):
        grads, loss = jk.accumulated_gradients(model, X, Y, parts=parts)
        np.testing.assert_allclose(grads["dense/kernel"], whole["dense"]["kernel"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(loss, loss_of(model, model.params, X, Y), rtol=1e-5)
    with pytest.raises(errors.ArgumentError, match="6 rows"):
        jk.accumulated_gradients(model, X, Y, parts=4)


def test_jacobian(model):
    found = jk.jacobian(model, X)
    eps = 1e-2
    for j in range(3):
        step = eps * np.eye(3, dtype="float32")[j]
        slope = (model.predict(X + step, verbose=0) - model.predict(X - step, verbose=0)) / (2 * eps)
        np.testing.assert_allclose(found[:, :, j], slope, atol=1e-3)
