import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest

from jkeras import optimizers
from jkeras.errors import ArgumentError
from jkeras.files import optimizer_order
from tests.optimizers.problem import SHAPES, assert_close, gradient, keras_weights, start


def test_equals_keras_with_steps_that_overflow():
    config = {"initial_scale": 8.0, "dynamic_growth_steps": 3}
    ours = optimizers.LossScaleOptimizer(optimizers.Adam(0.01, clipnorm=0.5), **config)
    theirs = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01, clipnorm=0.5), **config)
    variables = keras_weights()
    theirs.build(list(variables.values()))
    params = jax.tree.map(jnp.asarray, start())
    state = ours.init(params)
    weights, their_state = [params[path] for path in SHAPES], [v.value for v in theirs.variables]
    apply = jax.jit(theirs.stateless_apply)

    @jax.jit
    def step(params, state, gradients):
        updates, state = ours.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    for index in range(12):
        scale = float(state.dynamic_scale)
        gradients = jax.tree.map(lambda g, scale=scale: g * scale, gradient(params))
        if index in (4, 9):
            gradients["dense/bias"] = gradients["dense/bias"].at[1].set(np.inf if index == 4 else np.nan)
        weights, their_state = apply(their_state, [gradients[path] for path in SHAPES], weights)
        params, state = step(params, state, gradients)
    for path, expected in zip(SHAPES, weights, strict=True):
        assert_close(params[path], expected)
    mine = optimizer_order.variables(ours, state, list(SHAPES))
    for variable, expected in zip(mine, their_state, strict=True):
        assert_close(variable.value, expected)
    assert int(optimizers.get_iterations(state)) == 10
    restored = optimizer_order.read(ours, [v.value for v in mine], ours.init(params), list(SHAPES))
    jax.tree.map(np.testing.assert_array_equal, restored, state)


def test_scaled_loss_and_rate():
    optimizer = optimizers.LossScaleOptimizer("sgd", initial_scale=4.0)
    state = optimizer.init({"w": jnp.ones(2)})
    assert float(optimizer.scale_loss(jnp.float16(3.0), state)) == 12.0
    assert optimizer.scale_loss(jnp.float16(3.0), state).dtype == jnp.float32
    state = optimizer.set_learning_rate(state, 0.5)
    assert float(optimizer.get_learning_rate(state)) == 0.5
    params = {"w": jnp.ones(2)}
    updates, state = optimizer.update({"w": jnp.array([4.0, 8.0], jnp.float16)}, state, params)
    assert updates["w"].tolist() == [-0.5, -1.0]
    static = optimizers.SGD(0.5, loss_scale_factor=2.0)
    assert static.scale_loss(3.0, None) == 6.0
    assert static.update({"w": jnp.array([2.0, 4.0])}, static.init(params), params)[0]["w"].tolist() == [-0.5, -1.0]


def test_half_precision_weights_and_an_optax_transformation():
    optimizer = optimizers.LossScaleOptimizer(optax.sgd(0.5), initial_scale=2.0)
    params = {"w": jnp.ones(2, jnp.float16)}
    updates, state = optimizer.update(params, optimizer.init(params), params)
    assert updates["w"].dtype == jnp.float16 and updates["w"].tolist() == [-0.25, -0.25]
    assert int(state.iterations) == 1


def test_averages_of_the_inner_optimizer():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.5, use_ema=True), initial_scale=1.0)
    params = {"w": jnp.ones(2)}
    _, state = optimizer.update(params, optimizer.init(params), params)
    assert optimizer.finalize(params, state)["w"].tolist() == [0.5, 0.5]


@pytest.mark.filterwarnings("ignore:__array__ implementation does:DeprecationWarning")
def test_configuration():
    ours = optimizers.LossScaleOptimizer(optimizers.SGD(0.5, loss_scale_factor=3.0), 16.0)
    theirs = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), 16.0)
    config, expected = ours.get_config(), theirs.get_config()
    config["inner_optimizer"]["config"].pop("name"), expected["inner_optimizer"]["config"].pop("name")
    assert {**config, "name": None} == {**expected, "name": None}
    assert optimizers.deserialize(optimizers.serialize(ours)) == ours
    assert optimizers.LossScaleOptimizer.from_config({**ours.get_config(), "clipnorm": None, "use_ema": False}) == ours
    keys = {
        optimizers.LossScaleOptimizer(optimizers.SGD(rate), scale).compile_key()
        for rate, scale in [(0.1, 1.0), (0.2, 2.0)]
    }
    assert len(keys) == 1
    for inner in (None, ours):
        with pytest.raises(ArgumentError):
            optimizers.LossScaleOptimizer(inner)
