"""A definition is the same program with weights in plain dicts as with weights in Flax's scopes: variables, outputs, updates,
random numbers."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.core.scope import LazyRng

import jkeras as jk
from jkeras import layers
from jkeras.graph import linen, passes
from tests.layers.contract import OURS
from tests.layers.covered import all_cases

CASES = {f"{case.name}-{number}": case for number, case in enumerate(all_cases())}
WEIGHTS, NOISE = jax.random.key(3), jax.random.key(4)


class Own(jk.Layer):
    """Weights without names, state that `call` changes, layers in a list and in `build`, one of them shared, own noise."""

    def __init__(self):
        super().__init__()
        shared = layers.Dense(4, kernel_regularizer="l2")
        self.blocks = [shared, layers.BatchNormalization(), shared]

    def build(self, input_shape):
        self.inner = layers.Dense(4)
        self.scale = self.add_weight((4,), "random_normal")
        self.count = self.add_weight((), "zeros", trainable=False)

    def call(self, x, training=False):
        self.count = self.count + 1
        for block in self.blocks:
            x = block(x)
        noise = jax.random.normal(self.make_rng(), x.shape) if training else 0.0
        return self.inner(x) * self.scale + noise


def nested():
    inputs = layers.Input((4,))
    inner = jk.Sequential([layers.Input((4,)), Own(), layers.Dropout(0.5)])
    return jk.Model(inputs, inner(inner(inputs)) + layers.Dense(4, name="last")(inputs))


MODELS = {
    "own layer": Own,
    "nested": nested,
    "repeated": lambda: layers.Repeat(jk.Sequential([layers.Dense(4), layers.BatchNormalization(), layers.Dropout(0.2)]), 3),
    "chain": lambda: jk.Sequential([layers.Input((4,)), Own(), layers.Reshape((2, 2)), layers.LSTM(3, dropout=0.1)]),
}  # fmt: skip


def text(function, *arguments):
    """The program of a function, without addresses in memory."""
    return re.sub(r"0x[0-9a-f]+", "", str(jax.make_jaxpr(function)(*arguments)))


def check(layer, inputs, options):
    module = linen.to_module(layer)

    def plain_init(key):
        return passes.run(layer, None, inputs, options, key=key, rng=LazyRng.create(NOISE, 1).as_jax_rng())[1]

    def flax_init(key):
        return {"params": {}, "state": {}, **module.init({"params": key, "dropout": NOISE}, *inputs, **options)}

    assert text(plain_init, WEIGHTS) == text(flax_init, WEIGHTS)
    variables = jax.eval_shape(plain_init, WEIGHTS)
    assert variables == jax.eval_shape(flax_init, WEIGHTS)
    for training in (False, True):

        def plain(variables, key, training=training):
            rng = LazyRng.create(key, 1).as_jax_rng()
            result, _ = passes.run(layer, variables, inputs, options, training=training, rng=rng)
            return result.outputs, result.state

        def flax(variables, key, training=training):
            outputs, updated = module.apply(
                variables, *inputs, training=training, rngs={"dropout": key}, mutable=["state"], **options
            )
            return outputs, updated.get("state", {})

        assert text(plain, variables, NOISE) == text(flax, variables, NOISE)
        assert jax.eval_shape(plain, variables, NOISE) == jax.eval_shape(flax, variables, NOISE)


@pytest.mark.parametrize("name", CASES)
def test_layers(name):
    case, rng = CASES[name], np.random.default_rng(0)
    inputs = tuple(case.arrays(shapes, rng, "float32") for shapes in case.inputs)
    named = {name: case.arrays(shapes, rng, "float32") for name, shapes in case.named.items()}
    call = {name: value for name, value in case.call.items() if name != "training"}
    check(case.make(OURS), inputs, {**call, **jax.tree.map(jnp.asarray, case.masks(rng)), **named})


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    check(MODELS[name](), (np.ones((5, 4), "float32"),), {})


def test_numbers_of_a_model():
    model, x = nested(), np.ones((5, 4), "float32")
    module, variables = model.to_flax()
    outputs, updated = module.apply(variables, x, training=True, rngs={"dropout": NOISE}, mutable=["state"])
    key = LazyRng.create(NOISE, 1).as_jax_rng()
    ours, state = model.apply(variables, x, training=True, rng=key, return_state=True)
    jax.tree.map(np.testing.assert_array_equal, outputs, ours)
    jax.tree.map(np.testing.assert_array_equal, updated["state"], state)
    assert int(state["sequential"]["own"]["variable_1"]) == 2
