import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jkeras import optimizers
from jkeras.errors import ArgumentError, UnknownNameError
from jkeras.optimizers import schedules

rates = st.floats(1e-4, 1.0)
lengths = st.integers(1, 50)
DRAWN = {
    "ExponentialDecay": {
        "initial_learning_rate": rates,
        "decay_steps": lengths,
        "decay_rate": st.floats(0.1, 1.5),
        "staircase": st.booleans(),
    },
    "InverseTimeDecay": {
        "initial_learning_rate": rates,
        "decay_steps": lengths,
        "decay_rate": st.floats(0.1, 2.0),
        "staircase": st.booleans(),
    },
    "PolynomialDecay": {
        "initial_learning_rate": rates,
        "decay_steps": lengths,
        "end_learning_rate": rates,
        "power": st.sampled_from([0.5, 1.0, 2.0]),
        "cycle": st.booleans(),
    },
    "CosineDecay": {
        "initial_learning_rate": rates,
        "decay_steps": lengths,
        "alpha": st.floats(0, 1),
        "warmup_target": st.none() | rates,
        "warmup_steps": st.integers(0, 20),
    },
    "CosineDecayRestarts": {
        "initial_learning_rate": rates,
        "first_decay_steps": lengths,
        "t_mul": st.sampled_from([1.0, 1.5, 2.0]),
        "m_mul": st.sampled_from([0.5, 1.0]),
        "alpha": st.floats(0, 0.5),
    },
}
STEPS = [0, 1, 2, 3, 7, 10, 25, 49, 50, 51, 99, 150]


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.optimizers.schedules.{name}" for name in (*DRAWN, "PiecewiseConstantDecay")}


@pytest.mark.parametrize("name", DRAWN)
def test_equals_keras(name):
    @settings(max_examples=8, deadline=None, derandomize=True)
    @given(st.fixed_dictionaries(DRAWN[name]))
    def check(config):
        ours, theirs = getattr(schedules, name)(**config), getattr(keras.optimizers.schedules, name)(**config)
        values = jax.vmap(ours)(jnp.array(STEPS))
        # Keras branches on the step of a warm-up, so that one is evaluated step by step.
        one_by_one = config.get("warmup_target") is not None
        expected = [float(theirs(step)) for step in STEPS] if one_by_one else np.asarray(theirs(np.array(STEPS)))
        # A restart falls on a step or beside it by the rounding of a logarithm: leave those steps out.
        if name == "CosineDecayRestarts" and config["t_mul"] != 1:
            keep = np.abs(np.asarray(values) - expected) < 1e-5
            assert keep.mean() > 0.5
            values, expected = values[keep], expected[keep]
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-7)
        assert values.dtype == jnp.float32
        assert ours.get_config() == theirs.get_config()

    check()


def test_piecewise_constant_equals_keras():
    config = {"boundaries": [3, 10, 50], "values": [1.0, 0.5, 0.25, 0.1]}
    ours = schedules.PiecewiseConstantDecay(**config)
    theirs = keras.optimizers.schedules.PiecewiseConstantDecay(**config)
    steps = [0, 2, 3, 4, 10, 11, 50, 51]
    np.testing.assert_allclose([ours(s) for s in steps], [theirs(s) for s in steps])
    assert ours.get_config() == theirs.get_config()
    assert float(schedules.PiecewiseConstantDecay([], [0.5])(3)) == 0.5


def test_serialized_as_keras():
    ours, theirs = schedules.ExponentialDecay(0.1, 10, 0.9), keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    assert schedules.serialize(ours) == keras.optimizers.schedules.serialize(theirs)
    assert schedules.deserialize(schedules.serialize(ours)) == ours
    assert optimizers.SGD.from_config(optimizers.SGD(ours).get_config()) == optimizers.SGD(ours)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (optax.linear_schedule(1.0, 0.0, 4), [1.0, 0.75, 0.5]),
        (lambda step: 1.0 / (step + 1), [1.0, 0.5, 1 / 3]),
        (lambda: 0.5, [0.5, 0.5, 0.5]),
        (schedules.PolynomialDecay(1.0, 4, 0.0), [1.0, 0.75, 0.5]),
    ],
)
def test_functions_are_schedules(rate, expected):
    optimizer = optimizers.SGD(rate)
    params = {"w": jnp.zeros(2)}
    state = optimizer.init(params)
    for value in expected:
        assert float(optimizers.get_learning_rate(optimizer, state)) == pytest.approx(value)
        updates, state = optimizer.update({"w": jnp.ones(2)}, state, params)
        np.testing.assert_allclose(updates["w"], -value, rtol=1e-6)


def test_custom_schedule_is_read_back():
    class Halving(schedules.LearningRateSchedule):
        start: float = 1.0

        def __call__(self, step):
            return self.start * 0.5**step

    optimizer = optimizers.SGD(Halving(0.5))
    written = optimizers.serialize(optimizer)
    assert optimizers.deserialize(written, {"Halving": Halving}) == optimizer
    with pytest.raises(UnknownNameError):
        optimizers.deserialize(written)


def test_errors():
    with pytest.raises(ArgumentError, match="decay_steps=0"):
        schedules.ExponentialDecay(0.1, 0, 0.9)
    with pytest.raises(ArgumentError, match="one value more"):
        schedules.PiecewiseConstantDecay([1], [0.1])
    with pytest.raises(NotImplementedError):
        schedules.LearningRateSchedule()(0)
