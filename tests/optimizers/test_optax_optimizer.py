import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jkeras import optimizers
from jkeras.errors import ArgumentError, InputError

PARAMS = {"w": jnp.array([1.0, 2.0]), "nested": [jnp.array(3.0)]}


def test_is_the_transformation():
    transform = optax.adam(0.1)
    optimizer = optimizers.get(transform)
    state = optimizer.init(PARAMS)
    expected_state = transform.init(PARAMS)
    for _ in range(3):
        updates, state = optimizer.update(PARAMS, state, PARAMS)
        expected, expected_state = transform.update(PARAMS, expected_state, PARAMS)
        jax.tree.map(np.testing.assert_array_equal, updates, expected)
    assert int(optimizers.get_iterations(state)) == 3
    jax.tree.map(np.testing.assert_array_equal, optimizer.finalize(PARAMS, state), PARAMS)
    assert optimizer.scale_loss(2.0, state) == 2.0


def test_compared_by_identity():
    transform = optax.adam(0.1)
    assert optimizers.OptaxOptimizer(transform) == optimizers.get(transform)
    assert hash(optimizers.OptaxOptimizer(transform)) == hash(optimizers.get(transform))
    assert optimizers.get(optax.adam(0.1)) != optimizers.get(transform)
    assert optimizers.get(transform).compile_key() == optimizers.get(transform)


def test_injected_learning_rate_is_set_without_a_retrace():
    optimizer = optimizers.get(optax.inject_hyperparams(optax.sgd)(learning_rate=0.5))
    traces = []

    @jax.jit
    def step(state):
        traces.append(1)
        return optimizer.update(PARAMS, state, PARAMS)

    _, state = step(optimizer.init(PARAMS))
    assert float(optimizers.get_learning_rate(optimizer, state)) == 0.5
    updates, state = step(optimizers.set_learning_rate(optimizer, state, 0.25))
    np.testing.assert_allclose(updates["w"], -0.25 * PARAMS["w"])
    assert len(traces) == 1


def test_errors():
    optimizer = optimizers.get(optax.sgd(0.5))
    with pytest.raises(InputError, match="inject_hyperparams"):
        optimizer.get_learning_rate(optimizer.init(PARAMS))
    with pytest.raises(InputError, match="inject_hyperparams"):
        optimizer.set_learning_rate(optimizer.init(PARAMS), 0.1)
    with pytest.raises(ArgumentError, match="cannot be saved"):
        optimizers.serialize(optimizer)
    with pytest.raises(ArgumentError, match="Optax transformation"):
        optimizers.OptaxOptimizer("adam")
