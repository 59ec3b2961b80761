"""Layers that draw random numbers in a pipeline: anew for each element, from the seed, the pass and the place alone."""

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers

IMAGES = np.full((8, 4, 4, 3), 100, "float32")
LAYER = layers.RandomBrightness(0.5)
MODEL = jk.Sequential([jk.Input((4, 4, 3)), LAYER])
CALLS = {
    "the layer itself": LAYER,
    "a layer in a function": lambda x: LAYER(x, training=True),
    "a pipeline": layers.Pipeline([LAYER]),
    "a model": lambda x: MODEL(x, training=True),
}
KINDS = {
    "numbered": lambda ds, function: ds.batch(2).map(function),
    "stream": lambda ds, function: ds.filter(lambda x: True).batch(2).map(function),
    "threads": lambda ds, function: ds.filter(lambda x: True).batch(2).map(function, num_parallel_calls=2),
}


def shown(data):
    """The brightness of each element."""
    return [tuple(float(np.mean(leaf)) for leaf in (x if isinstance(x, tuple) else (x,))) for x in data]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS)
def test_every_batch_of_every_pass_has_its_own_draw(call, kind):
    data = KINDS[kind](jk.data.Dataset.from_tensor_slices(IMAGES), CALLS[call])
    passes = [shown(data.iterate(number)) for number in (0, 1)]
    assert len({*passes[0], *passes[1]}) == 8
    assert passes == [shown(data.iterate(number)) for number in (0, 1)]
    begun, other = data.iterate(1), data.iterate(0)
    for _ in range(3):
        next(begun)
    other.set_state(begun.get_state())
    assert shown(other) == passes[1][3:]


ONE = jk.data.Dataset.from_tensor_slices(IMAGES[:2]).map(LAYER)
TOGETHER = {
    "two of one element": jk.data.Dataset.from_tensor_slices(IMAGES[:2]).map(lambda x: (LAYER(x), LAYER(x))),
    "zip": jk.data.Dataset.zip(ONE, ONE),
    "concatenate": ONE.concatenate(ONE),
    "repeat": ONE.repeat(2),
    "interleave": jk.data.Dataset.range(2).interleave(lambda _: ONE),
    "map after map": ONE.map(LAYER),
}


@pytest.mark.parametrize("how", TOGETHER)
def test_no_two_draws_are_alike(how):
    values = [value for element in shown(TOGETHER[how].iterate(0)) for value in element]
    assert len(set(values)) == len(values)


def test_the_default_seed_decides(monkeypatch):
    first = shown(ONE.iterate(0))
    monkeypatch.setattr(jk.config, "default_seed", jk.config.default_seed + 1)
    assert shown(ONE.iterate(0)) != first


def test_a_key_that_is_given_counts():
    data = jk.data.Dataset.from_tensor_slices(IMAGES[:2]).map(lambda x: LAYER(x, training=True, rng=jax.random.key(3)))
    assert len(set(shown(data))) == 1
