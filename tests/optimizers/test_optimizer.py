"""What all optimizers share: rates, accumulation, averages, exclusions, types, and one compilation for many."""

import functools
import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest

import jkeras.keras
from jkeras import optimizers
from jkeras.errors import ArgumentError, InputError, RestoreError, SignatureError, UnknownNameError
from jkeras.files import optimizer_order
from jkeras.values.fields import field
from tests.optimizers.problem import SHAPES, assert_close, run_keras, run_ours, start
from tests.optimizers.test_rules import VARIANTS

PARAMS = {"dense/kernel": jnp.array([[1.0, -2.0], [0.5, 3.0]]), "dense/bias": jnp.array([0.1, -0.2])}
GRADIENTS = {"dense/kernel": jnp.array([[0.3, -0.1], [2.0, 0.7]]), "dense/bias": jnp.array([-1.0, 0.4])}


def step(optimizer, params=PARAMS, state=None, gradients=GRADIENTS):
    state = optimizer.init(params) if state is None else state
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state


@pytest.mark.parametrize("name", [*VARIANTS, "Optimizer"])
def test_signature_is_that_of_keras(name):
    ours = inspect.signature(getattr(optimizers, name)).parameters
    theirs = inspect.signature(getattr(keras.optimizers, name).__init__).parameters
    theirs = {k: p for k, p in theirs.items() if k not in ("self", "kwargs")}
    assert [k for k, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD] == list(theirs)
    for key, parameter in theirs.items():
        assert ours[key].default == parameter.default


def test_one_compilation_for_many_learning_rates():
    traces = []

    @functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
    def jitted(optimizer, params, state):
        traces.append(optimizer)
        return step(optimizer, params, state)

    for optimizer in (optimizers.Adam(0.1), optimizers.Adam(0.2, name="other")):
        params = jax.tree.map(jnp.copy, PARAMS)
        state = optimizer.init(params)
        params, state = jitted(optimizer.compile_key(), params, state)
        state = optimizer.set_learning_rate(state, 0.5)
        before = jax.tree.map(np.asarray, params)
        params, state = jitted(optimizer.compile_key(), params, state)
        np.testing.assert_allclose(np.abs(params["dense/bias"] - before["dense/bias"]), 0.5, rtol=1e-4)
    assert len(traces) == 1
    assert optimizers.Adam(0.1).compile_key() != optimizers.Adam(0.1, beta_1=0.8).compile_key()
    schedule = optimizers.schedules.CosineDecay(0.1, 5)
    assert optimizers.Adam(schedule).compile_key() == optimizers.Adam(schedule)


@pytest.mark.parametrize("name", VARIANTS)
def test_state_may_be_donated_with_the_weights(name):
    optimizer = getattr(optimizers, name)(use_ema=True)
    params = jax.tree.map(jnp.copy, PARAMS)
    state = jax.jit(optimizer.init)(params)
    leaves = jax.tree.leaves((params, state))
    assert len({leaf.unsafe_buffer_pointer() for leaf in leaves}) == len(leaves)
    assert all(not leaf.weak_type for leaf in leaves)
    updates, after = jax.eval_shape(optimizer.update, params, state, params)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), after) == jax.tree.map(lambda x: (x.shape, x.dtype), state)
    assert all(not leaf.weak_type for leaf in jax.tree.leaves((updates, after)))


def test_learning_rate_can_be_set_and_keeps_its_type():
    optimizer = optimizers.SGD(0.5)
    state = optimizers.set_learning_rate(optimizer, optimizer.init(PARAMS), 0.25)
    rate = optimizers.get_learning_rate(optimizer, state)
    assert (float(rate), rate.dtype, rate.weak_type) == (0.25, jnp.float32, False)
    assert float(optimizers.get_learning_rate(optimizer, optimizer.init(PARAMS))) == 0.5
    scheduled = optimizers.SGD(lambda step: 0.1)
    with pytest.raises(InputError, match="schedule"):
        scheduled.set_learning_rate(scheduled.init(PARAMS), 0.1)


def test_learning_rates_of_many_models_at_once():
    optimizer = optimizers.SGD(1.0)
    states = jax.vmap(lambda _: optimizer.init(PARAMS))(jnp.arange(3))
    states = optimizer.set_learning_rate(states, jnp.array([0.1, 0.2, 0.3]))
    updates, _ = jax.vmap(optimizer.update, in_axes=(None, 0, None))(GRADIENTS, states, PARAMS)
    np.testing.assert_allclose(updates["dense/bias"][:, 0], [0.1, 0.2, 0.3], rtol=1e-6)


@pytest.mark.parametrize("kwargs", [{}, {"clipnorm": 0.1, "weight_decay": 0.05}])
def test_accumulated_gradients_equal_keras(kwargs):
    kwargs = {"learning_rate": 0.01, "gradient_accumulation_steps": 3, **kwargs}
    ours, theirs = optimizers.Adam(**kwargs), keras.optimizers.Adam(**kwargs)
    weights, gradients = run_keras(theirs)  # 20 gradients: 6 updates, and 2 gradients that wait
    params, state = run_ours(ours, gradients)
    for path in SHAPES:
        assert_close(params[path], weights[path])
    assert int(optimizers.get_iterations(state)) == 6
    variables = optimizer_order.variables(ours, state, list(SHAPES))
    for mine, expected in zip(variables, theirs.variables, strict=True):
        assert_close(mine.value, expected.value)
    restored = optimizer_order.read(ours, [v.value for v in variables], ours.init(params), list(SHAPES))
    jax.tree.map(np.testing.assert_array_equal, restored, state)


def test_schedules_count_updates_not_gradients():
    optimizer = optimizers.SGD(lambda step: 1.0 + step, gradient_accumulation_steps=2)
    params, state = PARAMS, None
    seen = []
    for _ in range(4):
        new, state = step(optimizer, params, state)
        seen.append(float((params["dense/bias"] - new["dense/bias"])[0] / GRADIENTS["dense/bias"][0]))
        params = new
    np.testing.assert_allclose(seen, [0, 1, 0, 2], atol=1e-6)


def test_models_side_by_side_accumulate_on_their_own():
    optimizer = optimizers.Adam(0.1, gradient_accumulation_steps=2)
    alone, state = step(optimizer)
    ahead, _ = step(optimizer, alone, state)
    states = jax.tree.map(lambda a, b: jnp.stack([a, b]), optimizer.init(PARAMS), state)
    updates, states = jax.vmap(optimizer.update, in_axes=(None, 0, None))(GRADIENTS, states, PARAMS)
    assert states.micro_step.tolist() == [1, 0] and states.iterations.tolist() == [0, 1]
    np.testing.assert_array_equal(updates["dense/bias"][0], 0.0)
    np.testing.assert_allclose(PARAMS["dense/bias"] + updates["dense/bias"][1], ahead["dense/bias"], rtol=1e-6)


def test_a_new_learning_rate_stays_on_the_mesh():
    mesh = jax.make_mesh((4,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    optimizer = optimizers.SGD(0.5)
    state = jax.device_put(optimizer.init(PARAMS), everywhere)
    assert optimizer.set_learning_rate(state, 0.1).learning_rate.sharding == everywhere


@pytest.mark.parametrize("frequency", [None, 4])
def test_moving_averages_equal_keras(frequency):
    kwargs = {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": frequency}
    ours, theirs = optimizers.SGD(**kwargs), keras.optimizers.SGD(**kwargs)
    weights, gradients = run_keras(theirs)
    params, state = run_ours(ours, gradients)
    for path in SHAPES:
        assert_close(params[path], weights[path])
    for mine, expected in zip(optimizer_order.variables(ours, state, list(SHAPES)), theirs.variables, strict=True):
        assert_close(mine.value, expected.value)
    final = ours.finalize(params, state)
    for path in SHAPES:
        np.testing.assert_array_equal(final[path], state.average[path])
    unchanged = ours.finalize(params, ours.init(params))
    jax.tree.map(np.testing.assert_array_equal, unchanged, params)


class Doubling(optimizers.SGD):
    def finalize(self, params, state):
        return jax.tree.map(lambda value: 2 * value, params)


FINALIZING = {
    "plain": (optimizers.SGD(0.1), False),
    "averages": (optimizers.SGD(0.1, use_ema=True), True),
    "of a user": (Doubling(0.1), True),
    "scaled": (optimizers.LossScaleOptimizer(optimizers.SGD(0.1)), False),
    "scaled averages": (optimizers.LossScaleOptimizer(optimizers.SGD(0.1, use_ema=True)), True),
    "several": (optimizers.MultiOptimizer([("*", optimizers.SGD(0.1, use_ema=True))]), True),
    "of Optax": (optimizers.get(optax.sgd(0.1)), False),
}


@pytest.mark.parametrize(("optimizer", "finalizes"), FINALIZING.values(), ids=FINALIZING)
def test_an_optimizer_says_whether_it_gives_other_weights_at_the_end(optimizer, finalizes):
    assert optimizer.finalizes == finalizes
    assert (optimizer.finalize(PARAMS, optimizer.init(PARAMS)) is not PARAMS) == finalizes


def test_exclusion_from_weight_decay_makes_a_new_optimizer():
    optimizer = optimizers.SGD(0.0, weight_decay=0.5)
    # The decay is in proportion to the learning rate, so a rate of zero would hide it.
    optimizer = optimizer.replace(learning_rate=0.1)
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    for excluded, decayed in [
        (optimizer, {"dense/kernel", "dense/bias"}),
        (optimizer.exclude_from_weight_decay(var_names=["bias"]), {"dense/kernel"}),
        (optimizer.exclude_from_weight_decay(var_list=["dense/kernel"]), {"dense/bias"}),
    ]:
        params, _ = step(excluded, gradients=zeros)
        assert {path for path in params if not np.array_equal(params[path], PARAMS[path])} == decayed
    assert optimizer.exclude_from_weight_decay(var_names=["bias"]) != optimizer
    assert optimizer.exclude_from_weight_decay(var_names=["bias"]).compile_key().weight_decay_exclusions == ("bias",)


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm"])
def test_clipping_of_zero_and_infinite_gradients(clip):
    optimizer = optimizers.SGD(1.0, **{clip: 1.0})
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    params, _ = step(optimizer, gradients=zeros)
    jax.tree.map(np.testing.assert_array_equal, params, PARAMS)
    params, _ = step(optimizer, gradients={**zeros, "dense/bias": jnp.array([jnp.inf, 0.0])})
    assert not np.isfinite(params["dense/bias"]).all()


@pytest.mark.parametrize("name", VARIANTS)
def test_half_precision(name):
    optimizer = getattr(optimizers, name)(0.01)
    half = jax.tree.map(lambda x: x.astype(jnp.bfloat16), GRADIENTS)
    exact, _ = step(optimizer, gradients=jax.tree.map(lambda x: x.astype(jnp.float32), half))
    params, _ = step(optimizer, gradients=half)
    jax.tree.map(np.testing.assert_array_equal, params, exact)
    assert all(p.dtype == jnp.float32 for p in jax.tree.leaves(params))
    low = jax.tree.map(lambda x: x.astype(jnp.bfloat16), PARAMS)
    params, state = step(optimizer, params=low, gradients=half)
    assert all(p.dtype == jnp.bfloat16 for p in jax.tree.leaves((params, state.slots)))


def test_any_tree_and_any_optax_program():
    nested = {"b": [PARAMS["dense/kernel"]], "a": (PARAMS["dense/bias"], {"c": jnp.array(2.0)})}
    gradients = jax.tree.map(jnp.ones_like, nested)
    transform = optax.chain(optax.clip(0.5), optimizers.Muon(0.1).to_optax())
    updates, _ = transform.update(gradients, transform.init(nested), nested)
    assert jax.tree.structure(updates) == jax.tree.structure(nested)
    flat, _ = step(optimizers.Muon(0.1), params={"x": nested["a"][0]}, gradients={"x": 0.5 * gradients["a"][0]})
    np.testing.assert_allclose(nested["a"][0] + updates["a"][0], flat["x"], rtol=1e-6)


def test_a_rule_of_ones_own():
    class Decaying(optimizers.Optimizer):
        learning_rate: float = field(default=0.1, convert=float)
        factor: float = 0.5

        def slot_groups(self):
            return (("memory",),)

        def update_step(self, gradient, variable, slots, scalars):
            memory = self.factor * slots["memory"] + gradient
            return -scalars["learning_rate"] * memory, {"memory": memory}

    class Written(optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, factor=0.5, **kwargs):
            super().__init__(learning_rate=learning_rate, **kwargs)
            self.factor = factor

        slot_groups, update_step = Decaying.slot_groups, Decaying.update_step

    for cls in (Decaying, Written):
        optimizer = cls(factor=0.0, weight_decay=0.1)
        assert optimizer == cls(factor=0.0, weight_decay=0.1) != cls(factor=0.0)
        params, _state = step(optimizer)
        expected = PARAMS["dense/bias"] * (1 - 0.01) - 0.1 * GRADIENTS["dense/bias"]
        np.testing.assert_allclose(params["dense/bias"], expected, rtol=1e-6)
        assert optimizer.compile_key() == cls(0.3, factor=0.0, weight_decay=0.1).compile_key()
        assert optimizers.deserialize(optimizers.serialize(optimizer), {cls.__name__: cls}) == optimizer


def test_identifiers():
    assert optimizers.get(None) is None
    assert optimizers.get("rmsprop") == optimizers.get(optimizers.RMSprop) == optimizers.RMSprop()
    assert optimizers.get({"class_name": "ADAM", "config": {"learning_rate": 0.5}}) == optimizers.Adam(0.5)
    assert repr(optimizers.Adam(0.5)) == "Adam(learning_rate=0.5)"
    with pytest.raises(UnknownNameError, match="Did you mean 'adam'"):
        optimizers.get("adm")
    with pytest.raises(ArgumentError, match="expected an optimizer"):
        optimizers.get(3)
    with pytest.raises(ArgumentError, match="expected an optimizer"):
        optimizers.get(lambda x: x)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("Adam", {"learning_rate": 1}),
        ("Adam", {"learning_rate": "0.1"}),
        ("Adam", {"clipnorm": 1.0, "clipvalue": 1.0}),
        ("Adam", {"gradient_accumulation_steps": 1}),
        ("Adam", {"use_ema": True, "ema_momentum": 2.0}),
        ("Adam", {"use_ema": True, "ema_overwrite_frequency": -1}),
        ("SGD", {"momentum": 1.5}),
        ("AdamW", {"weight_decay": None}),
        ("Lion", {"beta_1": 0.0}),
        ("Ftrl", {"learning_rate_power": 0.5}),
        ("Ftrl", {"l1_regularization_strength": -1.0}),
        ("Ftrl", {"initial_accumulator_value": -1.0}),
    ],
)
def test_arguments_that_keras_refuses_are_refused(name, kwargs):
    with pytest.raises(ValueError):
        getattr(keras.optimizers, name)(**kwargs)
    with pytest.raises(ArgumentError):
        getattr(optimizers, name)(**kwargs)


# With these a step is no step: weights would stay as they are, or be no numbers. Infinite bounds bound nothing.
NO_STEPS = {
    "learning_rate": [np.inf, -np.inf, np.nan],
    "weight_decay": [np.inf, np.nan, -0.1],
    "epsilon": [np.inf, np.nan, -1e-7],
    "epsilon_1": [np.inf, np.nan, -1e-7],
    "epsilon_2": [np.inf, np.nan, -1e-7],
    "loss_scale_factor": [np.inf, np.nan, 0.0, -2.0],
    "initial_scale": [np.inf, np.nan, 0.0, -2.0],
    "initial_learning_rate": [np.inf, np.nan],
    "decay_rate": [np.inf, np.nan],
    "inner_optimizer": [None, "sdg", object(), 3],
    "dynamic_growth_steps": [0, -1, 2.5, "many"],
}


@pytest.mark.parametrize("face", [optimizers, jkeras.keras.optimizers], ids=["values", "objects"])
@pytest.mark.parametrize("name", NO_STEPS)
def test_numbers_that_make_no_step_are_refused(name, face):
    decays = "ExponentialDecay InverseTimeDecay PolynomialDecay CosineDecay CosineDecayRestarts".split()
    classes = [getattr(face, name) for name in (*VARIANTS, "LossScaleOptimizer")]
    classes += [getattr(face.schedules, name) for name in decays]
    good = {
        "inner_optimizer": face.SGD(),
        "initial_learning_rate": 0.1,
        "decay_steps": 3,
        "first_decay_steps": 3,
        "decay_rate": 0.5,
    }
    found = [(cls, inspect.signature(cls).parameters) for cls in classes]
    found = [(cls, parameters) for cls, parameters in found if name in parameters]
    for cls, parameters in found:
        settings = {key: value for key, value in good.items() if key in parameters}
        for value in NO_STEPS[name]:
            with pytest.raises((ArgumentError, UnknownNameError), match=rf"{name}=|sdg"):
                cls(**{**settings, name: value})
    assert found


def test_errors():
    optimizer = optimizers.Adam()
    with pytest.raises(SignatureError, match="Did you mean 'beta_1'"):
        optimizers.Adam(beta1=0.9)
    with pytest.raises(InputError, match="needs the weights"):
        optimizer.update(GRADIENTS, optimizer.init(PARAMS))
    state = optimizer.init(PARAMS)
    values = [v.value for v in optimizer_order.variables(optimizer, state, list(PARAMS))]
    with pytest.raises(RestoreError, match="expected 6"):
        optimizer_order.read(optimizer, [*values, values[-1]], state, list(PARAMS))
    with pytest.raises(RestoreError, match="ends at array 5"):
        optimizer_order.read(optimizer, values[:-1], state, list(PARAMS))
    with pytest.raises(RestoreError, match="shape"):
        optimizer_order.read(optimizer, values, state, list(reversed(PARAMS)))


def test_first_weights_are_not_changed():
    before = start()
    params, _ = step(optimizers.Adam(), params=before, gradients=before)
    for path, value in start().items():
        np.testing.assert_array_equal(before[path], value)
        assert not np.array_equal(params[path], value)


@pytest.mark.parametrize("cls", [optimizers.Adam, optimizers.AdamW, optimizers.SGD, optimizers.Muon])
def test_weights_do_not_decay_by_less_than_nothing(cls):
    with pytest.raises(ArgumentError, match=rf"{cls.__name__}\(weight_decay=-1\): expected a number of at least 0"):
        cls(weight_decay=-1)


@pytest.mark.parametrize("bound", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_a_bound_of_zero_or_less_is_none_as_in_keras(bound):
    params, gradients = {"w": jnp.ones(3)}, {"w": jnp.full(3, 5.0)}

    def update(optimizer):
        return optimizer.update(gradients, optimizer.init(params), params)[0]["w"].tolist()

    free = update(optimizers.SGD(0.1))
    assert update(optimizers.SGD(0.1, **{bound: -1})) == update(optimizers.SGD(0.1, **{bound: 0})) == free
    assert update(optimizers.SGD(0.1, **{bound: 0.5})) != free
