"""The protocol: identifiers, users' losses, independence of rows, shapes that must not broadcast."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jkeras import losses
from jkeras.errors import ArgumentError, InputError, UnknownNameError


def spec(*shape, dtype="float32"):
    return jax.ShapeDtypeStruct(shape, dtype)


@pytest.mark.parametrize(
    "name", ["mse", "MSE", "mae", "mape", "msle", "bce", "BCE", "kld", "huber", "log_cosh", "ctc", "dice", "circle"]
)
def test_names_of_functions(name):
    function = losses.get(name)
    assert function.__name__ == keras.losses.get(name).__name__
    assert losses.get(function) is function
    assert type(losses.as_loss(name)).function is function
    assert getattr(losses, name) is function


def test_get():
    assert losses.get(None) is None
    assert losses.get("MeanSquaredError") == losses.MeanSquaredError()
    assert losses.get(losses.Huber) == losses.Huber()
    assert losses.get({"class_name": "Huber", "config": {"delta": 2.0}}) == losses.Huber(2.0)
    with pytest.raises(UnknownNameError, match="'mean_squared_error'"):
        losses.get("mean_square_error")
    with pytest.raises(ArgumentError):
        losses.get(3)
    with pytest.raises(ArgumentError, match="None"):
        losses.as_loss(None)


def test_equal_losses_are_equal():
    def scaled(factor):
        return losses.as_loss(lambda y_true, y_pred: factor * jnp.abs(y_true - y_pred))

    assert scaled(2) == scaled(2)
    assert scaled(2) != scaled(3)
    assert losses.as_loss("mse") == losses.MeanSquaredError()
    assert hash(losses.Huber(1.0)) == hash(losses.Huber())
    partial = losses.as_loss(functools.partial(losses.huber, delta=0.5))
    assert float(partial(jnp.ones((2, 1)), jnp.zeros((2, 1)))) == pytest.approx(0.375)


def test_a_class_in_the_manner_of_keras():
    class Scaled(losses.Loss):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * jnp.mean(jnp.square(y_true - y_pred), axis=-1)

    loss = Scaled(3.0, reduction="sum")
    assert loss.name == "scaled"
    assert float(loss(jnp.zeros((2, 2)), jnp.ones((2, 2)))) == 6.0
    assert loss == Scaled(3.0, reduction="sum") != Scaled(2.0, reduction="sum")
    assert Scaled.from_config(loss.get_config()) == loss
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()(jnp.zeros(2), jnp.zeros(2))


@pytest.mark.parametrize("reduction", ["average", 3])
def test_unknown_reduction(reduction):
    with pytest.raises(ArgumentError, match="reduction"):
        losses.MeanSquaredError(reduction=reduction)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "expected"),
    [
        (losses.MeanSquaredError(), spec(4, 1), spec(4, 1), True),
        (losses.SparseCategoricalCrossentropy(), spec(4, dtype="int32"), spec(4, 9), True),
        (losses.Dice(), spec(4, 5, 5, 1), spec(4, 5, 5, 1), False),
        (losses.Dice(axis=(1, 2, 3)), spec(4, 5, 5, 1), spec(4, 5, 5, 1), True),
        (losses.Tversky(), spec(4, 5), spec(4, 5), False),
        (losses.Circle(), spec(4), spec(4, 5), False),
        (losses.as_loss(lambda t, p: jnp.mean((t - p) ** 2)), spec(4, 1), spec(4, 1), False),
        (losses.as_loss(lambda t, p: jnp.mean((t - p) ** 2, axis=0)), spec(4, 4), spec(4, 4), False),
        (losses.as_loss(lambda t, p: jnp.abs(t - p)), spec(4, 1), spec(4, 1), True),
        (losses.as_loss(lambda t, p: (t - p).reshape(4, 2)), spec(4, 2), spec(4, 2), False),
    ],
)
def test_per_sample(loss, y_true, y_pred, expected):
    assert losses.per_sample(loss, y_true, y_pred) is expected


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ((None,), (None, 1), losses.BinaryCrossentropy()),
        ((None, 1), (None, 1), losses.BinaryCrossentropy()),
        ((None,), (None, 3), losses.SparseCategoricalCrossentropy()),
        ((None, 1), (None, 3), losses.SparseCategoricalCrossentropy()),
        ((8, 5), (8, 5, 3), losses.SparseCategoricalCrossentropy()),
        ((None, 3), (None, 3), losses.CategoricalCrossentropy()),
    ],
)
def test_crossentropy_by_shape(y_true, y_pred, expected):
    assert losses.crossentropy_for(y_true, y_pred) == expected


@settings(deadline=None, max_examples=10)
@given(
    n=st.integers(1, 5), name=st.sampled_from(["MeanSquaredError", "Huber", "BinaryCrossentropy", "Hinge", "Poisson"])
)
def test_a_vector_never_meets_a_column_by_broadcasting(n, name):
    rng = np.random.default_rng(n)
    loss = getattr(losses, name)()
    y_true = rng.integers(0, 2, size=n).astype("float32")
    y_pred = rng.uniform(0.1, 0.9, size=n).astype("float32")
    expected = float(loss(y_true[:, None], y_pred[:, None]))
    assert float(loss(y_true, y_pred[:, None])) == pytest.approx(expected, rel=1e-6)
    assert float(loss(y_true[:, None], y_pred)) == pytest.approx(expected, rel=1e-6)


def test_weights_and_masks_broadcast_from_the_left():
    y_true, y_pred = jnp.zeros((3, 3, 2)), jnp.arange(18.0).reshape(3, 3, 2)
    rows = jnp.array([1.0, 0.0, 2.0])
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    by_step = loss(y_true, y_pred, jnp.broadcast_to(rows[:, None], (3, 3)))
    assert float(loss(y_true, y_pred, rows)) == pytest.approx(float(by_step))
    masked = losses.MeanSquaredError()(y_true, y_pred, mask=rows > 0)
    assert float(masked) == pytest.approx(float(losses.MeanSquaredError()(y_true[::2], y_pred[::2])))
    with pytest.raises(InputError, match=r"sample_weight of shape \(4,\)"):
        loss(y_true, y_pred, jnp.ones(4))


def test_nothing_to_average_is_zero():
    loss = losses.MeanSquaredError()
    y = jnp.ones((2, 1))
    value, gradient = jax.value_and_grad(lambda p: loss(y, p, mask=jnp.zeros(2, bool)))(2 * y)
    assert float(value) == 0 and not gradient.any()


def test_cosine_similarity_has_a_gradient_at_zero():
    gradient = jax.grad(lambda p: losses.CosineSimilarity()(jnp.ones((1, 2)), p))(jnp.zeros((1, 2)))
    assert np.isfinite(gradient).all()


def test_runs_in_the_loss_dtype():
    y = jnp.ones((2, 1), jnp.bfloat16)
    assert losses.MeanSquaredError()(y, y).dtype == jnp.float32
    assert losses.MeanSquaredError(dtype="bfloat16")(y, y).dtype == jnp.bfloat16


def test_trees_of_predictions():
    def total(y_true, y_pred):
        return jnp.abs(y_true["a"] - y_pred["a"]) + jnp.abs(y_true["b"] - y_pred["b"])

    y = {"a": np.ones(2), "b": np.zeros(2)}
    p = {"a": np.zeros(2), "b": np.zeros(2)}
    assert float(losses.as_loss(total)(y, p)) == 1.0
