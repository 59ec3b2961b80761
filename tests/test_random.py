"""Random arrays: the numbers of Keras for the same key, and seeds inside layers."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras import errors, layers, random
from jkeras.random_keys import as_key

CASES = [
    ("normal", ((3, 2), 1.0, 2.0)),
    ("uniform", ((3, 2), -1.0, 2.0)),
    ("randint", ((3, 2), 2, 9)),
    ("truncated_normal", ((3, 2), 1.0, 2.0)),
    ("categorical", (np.log([[0.2, 0.3, 0.5]] * 2).astype("float32"), 4)),
    ("dropout", (np.ones((3, 2), "float32"), 0.5)),
    ("dropout", (np.ones((3, 2), "float32"), 0.5, (None, 1))),
    ("shuffle", (np.arange(12).reshape(4, 3),)),
    ("gamma", ((3, 2), 2.0)),
    ("beta", ((3, 2), 2.0, 0.5)),
    ("binomial", ((3, 2), 4.0, 0.5)),
]


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.random.{name}" for name, _ in CASES}


@pytest.mark.parametrize(("name", "args"), CASES)
def test_equals_keras_for_the_same_key(name, args):
    ours = getattr(random, name)(*args, seed=jax.random.key(3))
    theirs = getattr(keras.random, name)(*map(as_tensor, args), seed=jax.random.key(3))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def as_tensor(value):
    return jnp.asarray(value) if isinstance(value, np.ndarray) else value


SEEDS = (0, 1, -1, 7**20, -(7**20), 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32, 2**63 - 1, -(2**63), 2**63, 2**64)


@pytest.mark.parametrize("kind", ["threefry2x32", "rbg"])
@pytest.mark.parametrize("x64", [False, True])
def test_keys_that_are_made_on_the_host_are_those_of_jax(kind, x64):
    def words(key, seed):
        try:
            return key_of_kind(key(seed))
        except OverflowError as error:
            return str(error)

    def key_of_kind(key):
        return str(jax.random.key_impl(key)), jax.random.key_data(key).tolist()

    with jax.enable_x64(x64), jax.default_prng_impl(kind):
        for seed in SEEDS:
            assert words(as_key, seed) == words(jax.random.key, seed), seed
            assert words(lambda seed: jax.jit(lambda: as_key(seed))(), seed) == words(jax.random.key, seed), seed


def test_seeds():
    assert jnp.array_equal(random.normal((2,)), random.normal((2,)))
    assert jnp.array_equal(random.normal((2,), seed=3), random.normal((2,), seed=jax.random.key(3)))
    assert not jnp.array_equal(random.normal((2,), seed=3), random.normal((2,), seed=4))
    with pytest.raises(errors.ArgumentError, match="seed='x'"):
        random.normal((2,), seed="x")
    with pytest.raises(errors.ArgumentError, match="rate=2"):
        random.dropout(jnp.ones(2), 2)
    with pytest.raises(errors.InputError, match="batch, classes"):
        random.categorical(jnp.ones(2), 1)


def test_a_layer_that_draws():
    class Sampling(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seed_generator = random.SeedGenerator(1337)

        def call(self, x):
            first = random.normal(x.shape, seed=self.seed_generator)
            return x + first, x + random.normal(x.shape, seed=self.seed_generator)

    layer, x = Sampling(), jnp.zeros((2, 3))
    assert [t.shape for t in layer(layers.Input((3,)))] == [(None, 3)] * 2
    one, two = layer.apply({}, x, rng=0)
    again, _ = layer.apply({}, x, rng=0)
    other, _ = layer.apply({}, x, rng=1)
    assert jnp.array_equal(one, again) and not jnp.array_equal(one, two) and not jnp.array_equal(one, other)
    assert jnp.isfinite(layer.apply({}, x)[0]).all()  # without a key, as in `predict`
    assert Sampling() == Sampling()
