"""Distillation on both faces: losses and the trained student are Keras's."""

import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.keras as ours
from jkeras import layers
from jkeras.errors import ArgumentError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(16, 6)).astype("float32"), RNG.integers(0, 3, size=16)


def network(home, hidden, weights=None):
    model = home.Sequential([home.Input((6,)), home.layers.Dense(8, name=hidden), home.layers.Dense(3)])
    if weights is not None:
        model = model.set_weights(weights) or model
    return model


def distilled(home, weights, loss):
    """The losses of two epochs, and the student's weights."""
    part = home.distillation
    kinds = [part.LogitsDistillation(2.0, loss), part.FeatureDistillation("mse", "teach", "learn")]
    student = network(home, "learn", weights[1])
    model = part.Distiller(network(home, "teach", weights[0]), student, kinds, [1.0, 0.5], student_loss_weight=0.3)
    compiled = model.compile("sgd", home.losses.SparseCategoricalCrossentropy(from_logits=True))
    fitted = (compiled or model).fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    return fitted.history["loss"], (fitted.student if home is jk else student).get_weights()


@pytest.mark.parametrize("home", [jk, ours])
def test_students_are_those_of_keras(home):
    weights = [network(keras, name).get_weights() for name in ("teach", "learn")]
    want_losses, want = distilled(keras, weights, keras.losses.KLDivergence())
    losses, result = distilled(home, weights, home.losses.KLDivergence())
    np.testing.assert_allclose(losses, want_losses, rtol=1e-5)
    for a, b in zip(result, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


TEACHER = jk.Sequential([jk.Input((6,)), layers.Dense(3)])
OTHER = jk.Sequential([jk.Input((5,)), layers.Dense(3)])
LOSS = jk.distillation.LogitsDistillation()
REFUSED = [
    (lambda: jk.distillation.LogitsDistillation(-1), "temperature=-1"),
    (lambda: jk.distillation.FeatureDistillation([None]), "not None"),
    (lambda: jk.distillation.Distiller(TEACHER, TEACHER, "mse"), "distillation_losses='mse'"),
    (lambda: jk.distillation.Distiller(TEACHER, OTHER, LOSS), "input_shape"),
    (lambda: jk.distillation.Distiller(TEACHER, TEACHER, LOSS, student_loss_weight=2), "student_loss_weight=2"),
    (lambda: jk.distillation.Distiller(TEACHER, TEACHER, [LOSS], [1, 2]), "2 distillation_loss_weights"),
    (lambda: jk.distillation.Distiller(TEACHER, TEACHER, jk.distillation.FeatureDistillation("mse", "no")), "'no'"),
]


@pytest.mark.parametrize(("make", "words"), REFUSED)
def test_mistakes_are_named(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()
