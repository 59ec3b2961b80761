"""Optimizers of the drop-in against those of Keras: the same weights, slots, names and configurations."""

import copy
import pickle

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from jkeras.keras import optimizers
from jkeras.keras.variables import Variable

SETTINGS = {
    "plain": {},
    "decayed and clipped": {"weight_decay": 0.01, "clipnorm": 0.5},
    "averaged": {"use_ema": True, "ema_overwrite_frequency": 2},
    "accumulated": {"gradient_accumulation_steps": 2},
    "scaled": {"loss_scale_factor": 4.0, "global_clipnorm": 1.0},
}


def _pair(name, rng, **arguments):
    """An optimizer of each library, built for the same two weights, and gradients for three steps."""
    arrays = [rng.normal(size=shape).astype("float32") for shape in ((4, 3), (3,))]
    gradients = [[jnp.asarray(rng.normal(size=a.shape), jnp.float32) for a in arrays] for _ in range(3)]
    ours = getattr(optimizers, name)(**arguments), [Variable(a, name=f"v{i}") for i, a in enumerate(arrays)]
    oracle = (
        getattr(keras.optimizers, name)(**arguments),
        [keras.Variable(a, name=f"v{i}") for i, a in enumerate(arrays)],
    )
    return ours, oracle, gradients


def _assert_same(ours, oracle):
    for mine, theirs in zip(ours, oracle, strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(theirs), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", sorted(optimizers.FACADES))
def test_updates_are_those_of_keras(name, setting, rng):
    (ours, weights), (oracle, expected), gradients = _pair(name, rng, learning_rate=0.05, **SETTINGS[setting])
    for step in gradients[:2]:
        ours.apply(step, weights)
        oracle.apply(step, expected)
    _assert_same(weights, expected)
    _assert_same(ours.variables, oracle.variables)
    assert ours.get_config() == oracle.get_config()
    if name != "Nadam":  # whose last variable has no name in Keras
        assert [v.name for v in ours.variables] == [v.name for v in oracle.variables]
    lists = [[v.value for v in ours.variables], gradients[2], [v.value for v in weights]]
    new_weights, new_slots = jax.jit(ours.stateless_apply)(*lists)
    _assert_same(weights, lists[2])  # nothing changed
    oracle.apply(gradients[2], expected)
    _assert_same(new_weights, expected)
    _assert_same(new_slots, oracle.variables)


def test_slots_have_names_and_attributes_of_keras(rng):
    (ours, weights), (oracle, expected), _ = _pair("Adam", rng, amsgrad=True)
    ours.build(weights)
    oracle.build(expected)
    assert [v.path for v in ours.variables] == [v.path for v in oracle.variables]
    assert [v.path for v in ours._velocity_hats] == [v.path for v in oracle._velocity_hats]


def test_the_learning_rate_is_a_cell(rng):
    (ours, weights), _, gradients = _pair("SGD", rng, learning_rate=0.5)
    before = [v.numpy() for v in weights]
    ours.learning_rate = 0.0
    ours.apply(gradients[0], weights)
    _assert_same(weights, before)
    ours.learning_rate.assign(1.0)
    ours.apply(gradients[0], weights)
    _assert_same(weights, [b - g for b, g in zip(before, gradients[0], strict=True)])
    ours.learning_rate = optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    assert float(ours.learning_rate) == 0.125 and int(ours.iterations) == 2 and len(ours.variables) == 1
    with pytest.raises(TypeError, match="not settable"):
        ours.learning_rate = 0.1


def test_a_subclass_calls_the_rule(rng):
    class Doubled(optimizers.Adam):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate * self.factor)

    (plain, weights), _, gradients = _pair("Adam", rng, learning_rate=0.02)
    copies = [Variable(v.numpy()) for v in weights]
    plain.apply(gradients[0], weights)
    doubled = Doubled(2.0, learning_rate=0.01)
    doubled.apply(gradients[0], copies)
    _assert_same(copies, weights)
    assert isinstance(doubled, optimizers.Optimizer) and not doubled.is_facade()


def test_attributes_count_at_once(rng):
    (ours, weights), (oracle, expected), gradients = _pair("SGD", rng, learning_rate=0.1, momentum=0.9)
    for optimizer, values in ((ours, weights), (oracle, expected)):
        optimizer.apply(gradients[0], values)
        optimizer.momentum = 0.5
        optimizer.clipvalue = 0.1
        optimizer.apply(gradients[1], values)
    _assert_same(weights, expected)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_loss_scale_falls_and_rises(compiled, rng):
    def run(library, make):
        optimizer = library.LossScaleOptimizer(library.SGD(0.5), initial_scale=8.0, dynamic_growth_steps=2)
        weights = [make(np.ones(2, "float32"))]
        optimizer.build(weights)
        apply = jax.jit(optimizer.stateless_apply) if compiled else optimizer.stateless_apply
        values, slots = [w.value for w in weights], [v.value for v in optimizer.variables]
        for gradient in (8.0, np.inf, 4.0, 4.0, 8.0):
            values, slots = apply(slots, [jnp.full(2, gradient)], values)
        return [*values, *slots]

    _assert_same(run(optimizers, Variable), run(keras.optimizers, keras.Variable))


def test_each_weight_has_its_optimizer():
    weights = [Variable(np.ones(2, "float32"), name=name) for name in ("kernel", "bias")]
    chosen = optimizers.OptimizerMap(optimizers.SGD(1.0), {"bias": optimizers.SGD(0.1)})
    multi = optimizers.MultiOptimizer(chosen, loss_scale_factor=2.0)
    multi.apply([jnp.full(2, 2.0), jnp.full(2, 2.0)], weights)
    _assert_same(weights, [np.zeros(2), np.full(2, 0.9)])
    again = optimizers.deserialize(optimizers.serialize(multi))
    assert float(again.optimizers[0].learning_rate) == pytest.approx(0.1) and again.loss_scale_factor == 2.0
    with pytest.raises(AttributeError, match="individual sub-optimizers"):
        _ = multi.learning_rate


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda o, v, g: o.apply(g), ValueError, "already be built"),
        (lambda o, v, g: o.apply([None, None], v), ValueError, "No gradients provided"),
        (lambda o, v, g: o.set_weights([]), ValueError, "not yet been built"),
        (lambda o, v, g: o.stateless_apply([], g, []), ValueError, "must be built"),
        (lambda o, v, g: (o.build(v), o.apply(g[:1])), ValueError, "Got 1 gradients for the 2"),
        (lambda o, v, g: (o.build(v), o.apply(g[:1], [Variable(np.ones(2))])), ValueError, "Unknown variable"),
        (lambda o, v, g: (o.build(v), o.exclude_from_weight_decay(var_names=["v"])), ValueError, "before the optimizer is built"),
        (lambda o, v, g: optimizers.Adam(lr=0.1), ValueError, "not recognized"),
        (lambda o, v, g: optimizers.get("adamm"), ValueError, "adam"),
    ],
)  # fmt: skip
def test_mistakes(mistake, error, message, rng):
    (ours, weights), _, gradients = _pair("Adam", rng)
    with pytest.raises(error, match=message):
        mistake(ours, weights, gradients[0])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copies_go_on_by_themselves(copied, rng):
    (ours, weights), _, gradients = _pair("Adam", rng)
    ours.apply(gradients[0], weights)
    other, others = copied((ours, weights))
    other.apply(gradients[1], others)
    ours.apply(gradients[1], weights)
    _assert_same(others, weights)
    assert int(other.iterations) == int(ours.iterations) == 2


def test_variables_in_attributes_are_the_optimizers(rng):
    class Counting(optimizers.SGD):
        def build(self, variables):
            super().build(variables)
            self.count = Variable(0.0, name="count")
            self.sums = {"of": [Variable(jnp.zeros(v.shape)) for v in variables]}

        def update_step(self, gradient, variable, learning_rate):
            self.count.assign_add(1.0)
            self.sums["of"][self._get_variable_index(variable)].assign_add(gradient)
            super().update_step(gradient, variable, learning_rate)

    _, _, gradients = _pair("SGD", rng)
    weights = [Variable(np.zeros(g.shape, "float32")) for g in gradients[0]]
    optimizer = Counting(0.1)
    optimizer.build(weights)
    assert len(optimizer.variables) == 5
    _, slots = optimizer.stateless_apply(
        [v.value for v in optimizer.variables], gradients[0], [w.value for w in weights]
    )
    assert float(slots[2]) == 2.0 and float(optimizer.count.numpy()) == 0.0
    _assert_same(slots[3:], gradients[0])
