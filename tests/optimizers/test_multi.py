import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest

from jkeras import optimizers
from jkeras.errors import ArgumentError, InputError
from jkeras.files import optimizer_order
from jkeras.optimizers import SGD, Adam, MultiOptimizer, OptimizerMap, RMSprop
from tests.optimizers.problem import SHAPES, assert_close, run_keras, run_ours

PARAMS = {"conv2d/kernel": jnp.ones(2), "dense/kernel": jnp.ones(3), "dense/bias": jnp.ones(1)}


def test_equals_keras():
    theirs = {"dense/.*": keras.optimizers.SGD(0.02, momentum=0.9), "quadratic/w": keras.optimizers.RMSprop(0.03)}
    theirs = keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.01), theirs))
    rules = {"dense/.*": SGD(0.02, momentum=0.9), "quadratic/w": RMSprop(0.03)}
    ours = MultiOptimizer(OptimizerMap(Adam(0.01), rules))
    weights, gradients = run_keras(theirs)
    params, state = run_ours(ours, gradients)
    for path in SHAPES:
        assert_close(params[path], weights[path])
    variables = optimizer_order.variables(ours, state, list(SHAPES))
    for mine, expected in zip(variables, theirs.variables, strict=True):
        assert_close(mine.value, expected.value)
    restored = optimizer_order.read(ours, [v.value for v in variables], ours.init(params), list(SHAPES))
    jax.tree.map(np.testing.assert_array_equal, restored, state)


def rates(optimizer):
    """The step that each weight takes for a gradient of one."""
    updates, _ = optimizer.update(jax.tree.map(jnp.ones_like, PARAMS), optimizer.init(PARAMS), PARAMS)
    return {path: round(-float(u[0]), 3) for path, u in updates.items()}


@pytest.mark.parametrize(
    "given",
    [
        [("conv*", SGD(0.1)), ("dense/(kernel|scale)", SGD(0.2)), ("*", SGD(0.3))],
        {"conv2d/.*": SGD(0.1), "dense/kernel": SGD(0.2), "dense/.*": SGD(0.3)},
        OptimizerMap(SGD(0.3), [["dense/*", SGD(0.2)], ["dense/bias", SGD(0.3)], ["*/kernel", SGD(0.1)]]),
        lambda w: SGD({"conv2d/kernel": 0.1, "dense/kernel": 0.2}.get(w.path, 0.3)) if w.name else None,
    ],
)
def test_ways_to_choose(given):
    assert rates(MultiOptimizer(given)) == {"conv2d/kernel": 0.1, "dense/kernel": 0.2, "dense/bias": 0.3}


def test_nested_weights_and_an_optax_transformation():
    optimizer = MultiOptimizer([("a/*", optax.sgd(0.5)), ("*", SGD(0.25))], loss_scale_factor=2.0)
    params = {"a": {"w": jnp.ones(1)}, "b": [jnp.ones(1)]}
    updates, state = optimizer.update(params, optimizer.init(params), params)
    assert updates["a"]["w"].tolist() == [-0.25] and updates["b"][0].tolist() == [-0.125]
    assert optimizer.scale_loss(3.0, state) == 6.0
    assert int(optimizers.get_iterations(state)) == 1


def test_averages_of_some_weights():
    optimizer = MultiOptimizer([("conv*", SGD(0.5, use_ema=True)), ("*", SGD(0.5))])
    _, state = optimizer.update(PARAMS, optimizer.init(PARAMS), PARAMS)
    final = optimizer.finalize(PARAMS, state)
    assert [final[path][0].item() for path in PARAMS] == [0.5, 1.0, 1.0]


@pytest.mark.filterwarnings("ignore:__array__ implementation does:DeprecationWarning")
def test_configuration():
    optimizer = MultiOptimizer(OptimizerMap("adam", {"encoder/.*": SGD(0.5)}))
    written = optimizers.serialize(optimizer)
    assert optimizers.deserialize(written) == optimizer
    theirs = keras.optimizers.deserialize(written)
    assert isinstance(theirs._optimizer_map["encoder/x"], keras.optimizers.SGD)
    assert optimizers.deserialize(keras.optimizers.serialize(theirs)).optimizer_map["encoder/x"] == SGD(0.5)
    other = MultiOptimizer(OptimizerMap("adam", {"encoder/.*": SGD(0.25)}))
    assert other != optimizer and other.compile_key() == optimizer.compile_key()
    assert list(optimizer.optimizer_map) == ["encoder/.*"] and len(optimizer.optimizer_map) == 1


def test_errors():
    with pytest.raises(InputError, match="dense/bias"):
        MultiOptimizer([("*/kernel", SGD())]).init(PARAMS)
    with pytest.raises(ArgumentError, match="other than a LossScaleOptimizer"):
        MultiOptimizer([("*", optimizers.LossScaleOptimizer("sgd"))])
    with pytest.raises(ArgumentError, match="each pattern once"):
        MultiOptimizer([("*", SGD()), ("*", Adam())])
    with pytest.raises(ArgumentError, match="expected pairs"):
        MultiOptimizer(["sgd"])
    with pytest.raises(ArgumentError, match="expected pairs"):
        MultiOptimizer(3)
    optimizer = MultiOptimizer([("*", SGD())])
    with pytest.raises(InputError, match="one learning rate per optimizer"):
        optimizer.get_learning_rate(optimizer.init(PARAMS))
    with pytest.raises(InputError, match="one learning rate per optimizer"):
        optimizer.set_learning_rate(optimizer.init(PARAMS), 0.1)
