"""Every update rule against Keras: weights, and the optimizer's variables in Keras's order."""

import jax
import keras
import numpy as np
import pytest

from jkeras import optimizers
from jkeras.files import optimizer_order
from tests.optimizers.problem import SHAPES, assert_close, run_keras, run_ours

# Rule -> variants of its own arguments.
VARIANTS = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "RMSprop": [{}, {"momentum": 0.5, "rho": 0.8}, {"momentum": 0.5, "centered": True, "epsilon": 1e-3}],
    "Adam": [{}, {"amsgrad": True, "beta_1": 0.8, "epsilon": 1e-3}],
    "AdamW": [{}, {"amsgrad": True, "weight_decay": 0.1}],
    "Adamax": [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}],
    "Nadam": [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.0, "epsilon": 1e-3}],
    "Adadelta": [{"learning_rate": 1.0}, {"rho": 0.5, "epsilon": 1e-2}],
    "Adafactor": [
        {},
        {"relative_step": False, "clip_threshold": 0.5, "beta_2_decay": -0.5},
        {"learning_rate": 0.5, "epsilon_2": 0.1},
    ],
    "Ftrl": [
        {},
        {"l1_regularization_strength": 0.05, "l2_regularization_strength": 0.1, "beta": 0.2},
        {"learning_rate_power": -0.7, "l2_shrinkage_regularization_strength": 0.1, "initial_accumulator_value": 0.5},
    ],
    "Lion": [{}, {"beta_1": 0.5, "beta_2": 0.8}],
    "Lamb": [{}, {"beta_1": 0.8, "epsilon": 1e-3}],
    "Muon": [
        {},
        {"nesterov": False, "rms_rate": None, "ns_steps": 3, "exclude_embeddings": False, "momentum": 0.5},
        {"exclude_layers": ["dense_1"], "adam_lr_ratio": 0.5, "adam_weight_decay": 0.1, "weight_decay": 0.02},
    ],
    "ScheduleFreeAdamW": [{}, {"warmup_steps": 5, "beta_1": 0.8}],
}

# What every rule shares: with `-m slow` each row is run with every rule, so that every rule meets decay and its exclusions,
# every bound, a schedule, averages and gradients that accumulate; otherwise each rule with one row in turn.
SHARED = [
    {"weight_decay": 0.05, "clipnorm": 0.1, "gradient_accumulation_steps": 3},
    {"global_clipnorm": 0.3, "learning_rate": ("CosineDecay", {"initial_learning_rate": 0.02, "decay_steps": 15})},
    {"clipvalue": 0.05, "loss_scale_factor": 4.0, "use_ema": True, "ema_momentum": 0.9},
]
# Names of weights, which the decay of the first row leaves alone.
EXCLUDED = ["bias", "embed"]

CASES = [
    pytest.param(name, kwargs, id=f"{name}-{'-'.join(kwargs) or 'plain'}", marks=[pytest.mark.slow] * slow)
    for number, (name, variants) in enumerate(VARIANTS.items())
    for kwargs, slow in [
        *((variant, False) for variant in variants),
        *((row, i != number % len(SHARED)) for i, row in enumerate(SHARED)),
    ]
]


def covered() -> set[str]:
    """The names that this module compares with Keras."""
    return {f"keras.optimizers.{name}" for name in VARIANTS}


def build(namespace, name, kwargs):
    kwargs = {"learning_rate": 0.01, **kwargs}
    if isinstance(kwargs["learning_rate"], tuple):
        schedule, config = kwargs["learning_rate"]
        kwargs["learning_rate"] = getattr(namespace.schedules, schedule)(**config)
    return getattr(namespace, name)(**kwargs)


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_equals_keras(name, kwargs):
    ours, theirs = build(optimizers, name, kwargs), build(keras.optimizers, name, kwargs)
    if kwargs.get("weight_decay") == 0.05:
        ours = ours.exclude_from_weight_decay(var_names=EXCLUDED)
        theirs.exclude_from_weight_decay(var_names=EXCLUDED)
    weights, gradients = run_keras(theirs)
    params, state = run_ours(ours, gradients)
    for path in SHAPES:
        assert_close(params[path], weights[path])

    variables = optimizer_order.variables(ours, state, list(SHAPES))
    assert len(variables) == len(theirs.variables)
    for mine, expected in zip(variables, theirs.variables, strict=True):
        assert_close(mine.value, expected.value)

    restored = optimizer_order.read(ours, [v.value for v in variables], ours.init(params), list(SHAPES))
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    for mine, expected in zip(jax.tree.leaves(restored), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(mine, expected)
        assert mine.dtype == expected.dtype


pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation does:DeprecationWarning"  # raised inside Keras when it reads a learning rate
)


def approximately(config):
    """Keras keeps the learning rate in float32 and counts the optimizers of a process in their names."""
    config = {k: v for k, v in config.items() if k != "name"}
    if isinstance(config["learning_rate"], float):
        config["learning_rate"] = float(np.float32(config["learning_rate"]))
    return config


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configuration(name, kwargs):
    ours, theirs = build(optimizers, name, kwargs), build(keras.optimizers, name, kwargs)
    assert approximately(ours.get_config()) == approximately(theirs.get_config())
    written, expected = optimizers.serialize(ours), keras.optimizers.serialize(theirs)
    for key in ("module", "class_name", "registered_name"):
        assert written[key] == expected[key]
    assert optimizers.deserialize(written) == ours
    if name != "Lamb":  # Keras 3.15 left Lamb out of the table that it reads configurations with
        assert approximately(keras.optimizers.deserialize(written).get_config()) == approximately(ours.get_config())
    assert optimizers.get(name.upper()) == getattr(optimizers, name)()


@pytest.mark.parametrize("name", VARIANTS)
def test_names_of_variables(name):
    ours, theirs = getattr(optimizers, name)(), getattr(keras.optimizers, name)()
    params = {"dense/kernel": np.zeros((2, 3), "float32"), "dense/bias": np.zeros(3, "float32")}
    with keras.name_scope("dense"):
        theirs.build([keras.Variable(value, name=path.split("/")[1]) for path, value in params.items()])
    names = [v.name for v in optimizer_order.variables(ours, ours.init(params), list(params))]
    expected = [v.name for v in theirs.variables]
    if name in ("Adafactor", "Nadam"):  # Keras leaves some of their variables without a name of their own
        assert len(names) == len(expected)
    else:
        assert names == expected
