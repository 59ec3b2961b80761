"""Guests from other JAX libraries: functions, Linen modules, NNX modules."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jkeras import errors, layers
from jkeras.graph.describe import describe
from jkeras.layers.foreign import FlaxLayer, JaxLayer
from tests.layers.contract import case, check, is_first

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)


class Linen(nn.Module):
    """A module with parameters, batch statistics and dropout."""

    @nn.compact
    def __call__(self, inputs, training=False):
        x = nn.Dense(5)(inputs)
        x = nn.BatchNorm(use_running_average=not training, momentum=0.5)(x)
        return nn.Dropout(0.5, deterministic=not training)(x)


class Nnx(nnx.Module):
    """The same as an object."""

    def __init__(self, rngs):
        self.dense = nnx.Dense(3, 5, rngs=rngs) if hasattr(nnx, "Dense") else nnx.Linear(3, 5, rngs=rngs)
        self.norm = nnx.BatchNorm(5, momentum=0.5, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, inputs):
        return self.drop(self.norm(self.dense(inputs)))


def init(rng, inputs):
    return {"w": jax.random.normal(rng, (inputs.shape[-1], 2))}, jnp.zeros((), jnp.int32)


def call(params, state, inputs, training):
    return inputs @ params["w"], state + 1


GUEST = {"renamed": True, "configuration": False, "training": False}
MLP = nn.Sequential([nn.Dense(5), nn.tanh, nn.Dense(2)])
# Initial values are given, since Keras needs TensorFlow to find their shapes.
CASES = {
    "function": case("JaxLayer", {"call_fn": lambda inputs: jnp.sin(inputs)}, (4, 3), **GUEST),
    "weights": case(
        "JaxLayer",
        {
            "call_fn": lambda params, inputs: inputs @ params["w"] + params["b"],
            "params": {"b": np.zeros(2, "float32"), "w": np.ones((3, 2), "float32")},
        },
        (4, 3),
        **GUEST,
    ),
    "linen": case("FlaxLayer", {"module": MLP, "variables": MLP.init(jax.random.key(0), X)}, (4, 3), **GUEST),
}


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


def test_a_function_with_parameters_and_state():
    layer = JaxLayer(call, init)
    variables = layer.init(0, X)
    assert variables["params"]["w"].shape == (3, 2)
    outputs, state = layer.apply(variables, X, return_state=True)
    np.testing.assert_allclose(outputs, X @ variables["params"]["w"], rtol=1e-6)
    assert [int(leaf) for leaf in jax.tree.leaves(state)] == [1]
    assert layer(layers.Input((3,))).shape == (None, 2)
    assert layer == JaxLayer(call, init) and JaxLayer(call, init, seed=1) != layer
    described = describe(layer, X).weights
    assert [(w.name, w.trainable) for w in described] == [("w", True), ("state.value", False)] or len(described) == 2
    gradient = jax.grad(lambda v: layer.apply(v, X).sum(), allow_int=True)(variables)["params"]["w"]
    np.testing.assert_allclose(gradient, jnp.broadcast_to(X.sum(0)[:, None], (3, 2)), rtol=1e-5)


def test_a_function_with_given_parameters_and_a_key():
    def noisy(params, rng, inputs):
        return inputs + params if rng is None else inputs + params + jax.random.normal(rng, inputs.shape)

    layer = JaxLayer(noisy, params=np.ones(3, "float32"))
    variables = layer.init(0, X)
    np.testing.assert_allclose(layer.apply(variables, X), X + 1)
    one, two = (layer.apply(variables, X, training=True, rng=key) for key in (0, 1))
    assert not jnp.array_equal(one, two)


def test_linen_module():
    layer = FlaxLayer(Linen())
    variables = layer.init(0, X)
    outputs, state = layer.apply(variables, X, training=True, rng=0, return_state=True)
    assert outputs.shape == (4, 5) and 0 < int((outputs == 0).sum()) < 20
    means = [leaf for leaf in jax.tree.leaves(state) if leaf.shape == (5,)]
    assert len(means) == 2 and not jnp.allclose(means[0], jax.tree.leaves(variables["state"])[0])
    assert layer(layers.Input((3,))).shape == (None, 5)
    assert layer == FlaxLayer(Linen())
    # What Flax computes with the same variables.
    theirs = Linen().init(jax.random.key(1), X)
    ours = FlaxLayer(Linen(), variables=theirs)
    np.testing.assert_allclose(ours.apply(ours.init(0, X), X), Linen().apply(theirs, X), rtol=1e-6)


def test_nnx_module():
    module = Nnx(nnx.Rngs(0))
    before = jax.tree.leaves(nnx.state(module, nnx.Param))
    layer = FlaxLayer(module)
    variables = layer.init(0, X)
    assert layer(layers.Input((3,))).shape == (None, 5)
    still = layer.apply(variables, X)
    module.eval()
    np.testing.assert_allclose(still, module(X), rtol=1e-5)
    outputs, state = jax.jit(lambda v: layer.apply(v, X, training=True, rng=0, return_state=True))(variables)
    assert 0 < int((outputs == 0).sum()) < 20
    assert not jnp.allclose(layer.apply({**variables, "state": state}, X), still)
    assert all(a is b for a, b in zip(before, jax.tree.leaves(nnx.state(module, nnx.Param)), strict=True))
    assert [w.trainable for w in describe(layer, X).weights] == [True] * 4 + [False] * 2


def test_a_guest_in_a_layer():
    class Block(layers.Layer):
        def build(self, input_shape):
            self.inner = FlaxLayer(nn.Dense(4))

        def call(self, x):
            return self.inner(x) + self.inner(x)

    block = Block()
    variables = block.init(0, X)
    assert jax.tree.map(jnp.shape, variables["params"]) == {"inner": {"bias": (4,), "kernel": (3, 4)}}
    dense = nn.Dense(4).apply({"params": variables["params"]["inner"]}, X)
    np.testing.assert_allclose(block.apply(variables, X), 2 * dense, rtol=1e-6)


def test_mistakes_are_named():
    with pytest.raises(errors.ArgumentError, match="flax.linen.Module or flax.nnx.Module"):
        FlaxLayer(lambda x: x)
    with pytest.raises(errors.ArgumentError, match="must take 'inputs'"):
        JaxLayer(lambda x: x)
    with pytest.raises(errors.ArgumentError, match="init_fn"):
        JaxLayer(call)
    layer = JaxLayer(lambda state, inputs: (inputs, (state, state)), state=np.zeros(()))
    with pytest.raises(errors.InputError, match="structure"):
        layer.apply(layer.init(0, X), X)
