"""Weights drawn kind by kind have the bits of weights drawn by one program."""

import jax
import numpy as np
import pytest
from flax.core.scope import LazyRng

import jkeras as jk
from jkeras.graph import apply, drawing
from jkeras.graph.variables import key_of
from jkeras.initializers import draws
from jkeras.random_keys import as_key, folded


class Residual(jk.layers.Layer):
    def __init__(self, units: int):
        self.first = jk.layers.Dense(units, kernel_initializer="he_normal")
        self.second = jk.layers.Dense(units)

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(1,), initializer="ones", name="scale")
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, inputs):
        return inputs + self.scale * self.second(self.first(inputs))


def stack(layers):
    return jk.Sequential([jk.Input((8,)), *layers])


def convolutional():
    blocks = []
    for _ in range(4):
        blocks += [jk.layers.Conv2D(3, 3, padding="same"), jk.layers.BatchNormalization()]
    return jk.Sequential([jk.Input((5, 5, 3)), *blocks])


MODELS = {
    "dense": lambda: stack([jk.layers.Dense(8) for _ in range(6)]),
    "own layers": lambda: stack([Residual(8) for _ in range(4)]),
    "nested": lambda: stack([stack([jk.layers.Dense(8), Residual(8)]) for _ in range(4)]),
    "convolutions": convolutional,
    "recurrent": lambda: jk.Sequential(
        [jk.Input((4, 8)), *(jk.layers.GRU(8, return_sequences=True) for _ in range(5))]
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", [0, 7])
def test_bits_are_those_of_one_program(name, seed, monkeypatch):
    model = MODELS[name]()
    assert drawing.are_alike(model.description.weights)
    drawn = model.init(seed)
    monkeypatch.setattr(drawing, "WEIGHTS_PER_PROGRAM", 10**6)
    whole = model.init(seed)
    assert jax.tree.structure(drawn.variables) == jax.tree.structure(whole.variables)
    for a, b in zip(jax.tree.leaves(drawn.variables), jax.tree.leaves(whole.variables), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


def test_inside_a_users_program():
    model = MODELS["dense"]()
    traced = jax.jit(lambda key: apply.initialize(model, key, model.input_specs))(as_key(3))
    for a, b in zip(jax.tree.leaves(traced), jax.tree.leaves(dict(model.init(as_key(3), (None, 8)))), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)  # the compiler of a user's program rounds otherwise


def test_few_weights_are_drawn_by_one_program():
    apart = stack([jk.layers.Dense(3), jk.layers.Dense(4, kernel_initializer="orthogonal")])
    assert not drawing.are_alike(apart.description.weights)
    assert drawing.are_alike(stack([jk.layers.Dense(3), jk.layers.Dense(4)]).description.weights)


def test_small_weights_of_all_shapes_share_a_program():
    jax.clear_caches()
    model = jk.Sequential([jk.Input((9, 9, 2)), jk.layers.Conv2D(3, 3), jk.layers.Flatten(), jk.layers.Dense(5)])
    assert drawing.are_alike(model.description.weights)
    _ = model.init(0)
    assert draws._program()._cache_size() == 1


@pytest.mark.parametrize("number", [0, 1, 2**31, 2**32 - 1])
def test_keys_made_on_the_host_are_those_of_jax(number):
    key = as_key(2**31 + 7)
    assert folded(key, number) == jax.random.fold_in(key, np.uint32(number))
    assert jax.jit(lambda key: folded(key, number))(key) == folded(key, number)
    other = jax.random.key(1, impl="rbg")
    assert folded(other, number) == jax.random.fold_in(other, np.uint32(number))


def test_keys_of_weights_are_those_of_flax():
    for weight in MODELS["own layers"]().description.weights:
        place = LazyRng.create(as_key(5), *weight.path[:-1], weight.number)
        assert key_of(as_key(5), weight) == place.as_jax_rng()
