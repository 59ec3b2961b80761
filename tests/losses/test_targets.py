"""Targets that cannot be right are refused before anything is compiled; all others pass."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import losses
from jkeras.errors import InputError

IDS = np.array([0, 2, 1, 2])
ONE_HOT = np.eye(3)[IDS]

WRONG = [
    ("categorical_crossentropy", IDS, (None, 3), "sparse_categorical_crossentropy"),
    ("categorical_crossentropy", IDS[:, None], (None, 3), r"to_categorical\(y, 3\)"),
    ("categorical_crossentropy", np.ones((4, 2)), (None, 3), "one-hot"),
    ("categorical_focal_crossentropy", IDS, (None, 3), "to_categorical"),
    ("categorical_crossentropy", np.ones((4, 7), int), (None, 7, 3), "to_categorical"),
    ("sparse_categorical_crossentropy", ONE_HOT, (None, 3), "`categorical_crossentropy`"),
    ("sparse_categorical_crossentropy", IDS, (None, 2), "3 units"),
    ("sparse_categorical_crossentropy", IDS + 1, (None, 3), "y - 1"),
    ("sparse_categorical_crossentropy", IDS - 1, (None, 3), "ignore_class=-1"),
    ("sparse_categorical_crossentropy", IDS + 0.5, (None, 3), "whole numbers"),
    ("sparse_categorical_crossentropy", np.zeros((4, 5), int), (None, 6, 3), "class ids"),
    ("binary_crossentropy", IDS, (None, 1), "from 0 to 1"),
    ("binary_crossentropy", np.array([-1, 1, 1, -1]), (None, 1), "hinge"),
    ("binary_crossentropy", IDS, (None, 3), "sparse_categorical_crossentropy"),
    ("binary_focal_crossentropy", 2 * ONE_HOT, (None, 3), "from 0 to 1"),
    ("mse", np.ones(3), (None, 3), "shape"),
    ("mse", np.ones((4, 2)), (None, 3), "units"),
    ("mae", np.ones((4, 5)), (None, 5, 2), "shape"),
    ("hinge", np.ones((4, 3)), (None, 2), "shape"),
    ("mse", np.array(["a", "b"]), (None, 1), "np.unique"),
    ("mse", np.array([object()]), (None, 1), "numbers"),
    ("ctc", IDS, (None, 7, 4), "labels"),
    ("ctc", np.array([[1, 9]]), (None, 7, 4), "class ids"),
    ("circle", ONE_HOT, (None, 5), "embeddings"),
    ("categorical_generalized_cross_entropy", ONE_HOT, (None, 3), "class ids"),
]

RIGHT = [
    ("categorical_crossentropy", ONE_HOT, (4, 3)),
    ("categorical_crossentropy", ONE_HOT.astype(int), (4, 3)),
    ("categorical_crossentropy", ONE_HOT * 0.5 + 0.1, (4, 3)),
    ("sparse_categorical_crossentropy", IDS, (4, 3)),
    ("sparse_categorical_crossentropy", IDS[:, None], (4, 3)),
    ("sparse_categorical_crossentropy", IDS.astype("float32"), (4, 3)),
    ("sparse_categorical_crossentropy", np.zeros((4, 6), "uint8"), (4, 6, 3)),
    ("sparse_categorical_crossentropy", np.zeros((4, 6, 1), "uint8"), (4, 6, 3)),
    ("sparse_categorical_crossentropy", np.zeros(4, bool), (4, 2)),
    ("binary_crossentropy", np.array([0, 1, 1, 0]), (4, 1)),
    ("binary_crossentropy", np.array([[0], [1], [1], [0]]), (4,)),
    ("binary_crossentropy", np.array([True, False]), (2, 1)),
    ("binary_crossentropy", np.ones((4, 3)) * 0.3, (4, 3)),
    ("binary_crossentropy", np.ones((4, 5)), (4, 5, 1)),
    ("mse", np.ones(4), (4, 1)),
    ("mse", np.ones((4, 1)), (4,)),
    ("mse", np.ones(4), (4,)),
    ("mse", np.ones((4, 1)), (4, 3)),
    ("mse", np.ones((4, 5, 1)), (4, 5)),
    ("mse", np.ones((4, 5)), (4, 5, 1)),
    ("mae", np.ones((4, 5, 2), "float16"), (4, 5, 2)),
    ("hinge", np.array([-1, 1, 1, -1]), (4, 1)),
    ("poisson", np.arange(4), (4, 1)),
    ("ctc", np.array([[1, 0], [2, 1], [1, 1], [3, 0]]), (4, 7, 4)),
    ("dice", np.ones((4, 5, 5, 1)), (4, 5, 5, 1)),
    ("circle", IDS, (4, 5)),
    ("categorical_generalized_cross_entropy", IDS, (4, 3)),
]


@pytest.mark.parametrize(("name", "y_true", "shape", "advice"), WRONG)
def test_wrong_targets(name, y_true, shape, advice):
    with pytest.raises(InputError, match=advice) as caught:
        losses.check_targets(losses.as_loss(name), y_true, shape, "output 'digits'")
    assert "output 'digits'" in str(caught.value)


@pytest.mark.parametrize(("name", "y_true", "shape"), RIGHT)
def test_right_targets(name, y_true, shape, rng):
    loss = losses.as_loss(name)
    losses.check_targets(loss, y_true, (None, *shape[1:]), "the output")
    # What passes is computed as Keras computes it.
    y_pred = rng.uniform(0.1, 0.9, size=shape).astype("float32")
    theirs = getattr(keras.losses, type(loss).__name__)()
    found, expected = jax.jit(lambda p: (loss(y_true, p), theirs(jnp.asarray(y_true), p)))(y_pred)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_ignored_class_may_be_outside():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    losses.check_targets(loss, np.array([-1, 0, 1]), (None, 2), "the output")
    with pytest.raises(InputError, match="from 0 to 2"):
        losses.check_targets(loss, np.array([-1, 0, 2]), (None, 2), "the output")


def test_class_axis_in_front():
    loss = losses.SparseCategoricalCrossentropy(axis=1)
    losses.check_targets(loss, np.zeros((2, 5, 5), int), (None, 3, 5, 5), "the output")


def test_missing_values_and_empty_targets_pass():
    losses.check_targets(losses.as_loss("bce"), np.array([0.0, np.nan]), (None, 1), "the output")
    losses.check_targets(losses.as_loss("bce"), np.zeros((0, 1)), (None, 1), "the output")


def test_users_losses_are_asked_for_numbers_only():
    mine = losses.as_loss(lambda y_true, y_pred: jnp.mean(y_pred, -1))
    losses.check_targets(mine, np.ones((4, 9)), (None, 3), "the output")
    with pytest.raises(InputError, match="numbers"):
        losses.check_targets(mine, np.array(["a"]), (None, 3), "the output")


def test_complex_targets_are_refused_where_the_loss_computes_in_real_numbers():
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "complex64")
    model = jk.Sequential([jk.Input((3,)), jk.layers.Dense(1)]).compile("sgd", "mse")
    for use in (model.fit, model.evaluate):
        with pytest.raises(InputError, match="got complex targets; it computes in float32"):
            _ = use(x, y, verbose=0)
    with pytest.raises(InputError, match="got complex targets"):
        _ = model.train_on_batch(x, y)
