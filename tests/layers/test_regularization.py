"""Layers of noise against Keras: exactly in inference, by their statistics in training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jkeras import errors, layers
from jkeras.graph.describe import describe
from tests.layers.contract import case, check, check_precisions, check_signature, is_first

X = (2, 4, 3)
RANDOM = {"training": False, "mask": True}
CASES = {
    "dropout": case("Dropout", {"rate": 0.3, "seed": 1}, X, **RANDOM),
    "dropout shape": case("Dropout", {"rate": 0.3, "noise_shape": (None, 1, 3)}, X, **RANDOM),
    "dropout none": case("Dropout", {"rate": 0}, X),
    "spatial 1": case("SpatialDropout1D", {"rate": 0.3}, X, **RANDOM),
    "spatial 2": case("SpatialDropout2D", {"rate": 0.3, "data_format": "channels_first"}, (2, 3, 4, 2), **RANDOM),
    "spatial 3": case("SpatialDropout3D", {"rate": 0.3, "seed": 3}, (2, 3, 4, 2, 2), **RANDOM),
    "gaussian dropout": case("GaussianDropout", {"rate": 0.3}, X, **RANDOM),
    "gaussian noise": case("GaussianNoise", {"stddev": 0.3}, X, **RANDOM),
    "alpha": case("AlphaDropout", {"rate": 0.3, "noise_shape": [2, 1, 3]}, X, **RANDOM),
    "activity": case("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, X, mask=True),
}


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", ["dropout"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


WRONG = [
    (lambda: layers.Dropout(1.5), r"rate=1.5.*\[0, 1\]"),
    (lambda: layers.GaussianDropout(1), r"rate=1.*\[0, 1\)"),
    (lambda: layers.GaussianNoise(-1), r"stddev=-1"),
    (lambda: layers.ActivityRegularization(l1=-1.0), r"l1=-1.0.*at least 0"),
]


@pytest.mark.parametrize(("make", "words"), WRONG)
def test_wrong_arguments_fail_at_once(make, words):
    with pytest.raises(errors.ArgumentError, match=words):
        make()


def test_dropout_keeps_the_mean_and_the_share():
    x = jnp.ones((200, 100))
    outputs = layers.Dropout(0.3).apply({}, x, training=True, rng=0)
    kept = outputs != 0
    assert abs(float(kept.mean()) - 0.7) < 0.02
    np.testing.assert_allclose(outputs[kept], 1 / 0.7, rtol=1e-5)


def test_masks_are_shared_along_axes():
    x = jnp.ones((8, 5, 6))
    for layer in (layers.SpatialDropout1D(0.5), layers.Dropout(0.5, noise_shape=(None, 1, None))):
        outputs = np.asarray(layer.apply({}, x, training=True, rng=1))
        np.testing.assert_array_equal(outputs, np.broadcast_to(outputs[:, :1], outputs.shape))
        assert 0 < (outputs == 0).mean() < 1


@pytest.mark.parametrize(
    "layer", [layers.AlphaDropout(0.3), layers.GaussianDropout(0.2), layers.GaussianNoise(0.5)], ids=repr
)
def test_noise_keeps_the_mean(layer):
    x = jax.random.normal(jax.random.key(0), (300, 100))
    outputs = layer.apply({}, x, training=True, rng=3)
    assert abs(float(outputs.mean())) < 0.02
    spread = {"AlphaDropout": 1.0, "GaussianDropout": 1.25**0.5, "GaussianNoise": 1.25**0.5}[type(layer).__name__]
    assert abs(float(outputs.std()) - spread) < 0.02


def test_noise_depends_on_the_key_and_the_seed_alone():
    x = jnp.ones((4, 9))
    draw = lambda seed, rng: layers.Dropout(0.5, seed=seed).apply({}, x, training=True, rng=rng)  # noqa: E731
    np.testing.assert_array_equal(draw(1, 5), draw(1, 5))
    assert not np.array_equal(draw(1, 5), draw(1, 6))
    assert not np.array_equal(draw(1, 5), draw(2, 5))


def test_activity_regularization_is_a_loss_and_mixes_samples():
    layer = layers.ActivityRegularization(l2=0.1)
    assert describe(layer, (2, 3)).losses == 1
    assert layer.mixes_samples


def test_a_penalty_on_the_output_survives_the_configuration_of_any_layer():
    layer = layers.Flatten(activity_regularizer="l2")
    again = layers.Flatten.from_config(layer.get_config())
    assert again.activity_regularizer == layer.activity_regularizer is not None
