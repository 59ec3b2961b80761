"""Users' own cells in `RNN`, layers in `TimeDistributed`, wrappers: what runs inside the loop over time."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers
from jkeras.graph import passes
from jkeras.layers import recurrent


class Mixing(jk.Layer):
    """A cell with a sublayer, a weight and two states, written the way Keras taught."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, 1]
        self.output_size = 2 * units
        self.mix = layers.Dense(units, activation="tanh")

    def build(self, input_shape):
        self.gain = self.add_weight((self.units,), "ones", name="gain")

    def call(self, inputs, states):
        hidden, total = states
        hidden = self.mix(jnp.concatenate([inputs, hidden], axis=-1)) * self.gain
        total = total + jnp.sum(hidden, -1, keepdims=True)
        return jnp.concatenate([hidden, hidden * total], axis=-1), [hidden, total]


class KerasMixing(keras.layers.Layer):
    """The same for Keras."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, 1]
        self.output_size = 2 * units
        self.mix = keras.layers.Dense(units, activation="tanh")

    def build(self, input_shape):
        self.gain = self.add_weight((self.units,), "ones", name="gain")
        self.mix.build((None, input_shape[-1] + self.units))

    def call(self, inputs, states):
        hidden, total = states
        hidden = self.mix(keras.ops.concatenate([inputs, hidden], axis=-1)) * self.gain
        total = total + keras.ops.sum(hidden, -1, keepdims=True)
        return keras.ops.concatenate([hidden, hidden * total], axis=-1), [hidden, total]


@pytest.mark.parametrize("arguments", [{"return_sequences": True, "return_state": True}, {"go_backwards": True}])
def test_a_custom_cell_equals_keras(arguments, rng):
    x = rng.normal(size=(3, 5, 2)).astype("float32")
    ours, theirs = recurrent.RNN(Mixing(3), **arguments), keras.layers.RNN(KerasMixing(3), **arguments)
    theirs.build(x.shape)
    gain, kernel, bias = values = [rng.normal(size=w.shape).astype("float32") for w in theirs.weights]
    params = {"cell": {"gain": gain, "mix": {"kernel": kernel, "bias": bias}}}

    def loss(params, x):
        outputs = ours.apply({"params": params, "state": {}}, x)
        return sum(jnp.sum(jnp.sin(y)) for y in jax.tree.leaves(outputs)), outputs

    def wanted(values, x):
        outputs = theirs.stateless_call(values, [], x)[0]
        return sum(jnp.sum(jnp.sin(y)) for y in jax.tree.leaves(outputs)), outputs

    (_, outputs), (one, gradient) = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))(params, x)
    (_, expected), (other, other_gradient) = jax.jit(jax.value_and_grad(wanted, (0, 1), has_aux=True))(values, x)
    one = [one["cell"]["gain"], one["cell"]["mix"]["kernel"], one["cell"]["mix"]["bias"]]
    ours_all, theirs_all = (outputs, one, gradient), (expected, other, other_gradient)
    for a, b in zip(jax.tree.leaves(ours_all), jax.tree.leaves(theirs_all), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5, rtol=2e-5)
    assert ours(layers.Input((None, 2))) is not None


def test_an_output_unlike_the_state_is_repeated_where_masked(rng):
    x = rng.normal(size=(2, 4, 2)).astype("float32")
    layer = recurrent.RNN(Mixing(3), return_sequences=True)
    variables = layer.init(0, x)
    mask = np.array([[True, False, True, True], [False, True, False, True]])
    y = layer.apply(variables, x, mask=mask)
    np.testing.assert_array_equal(y[0, 1], y[0, 0])
    np.testing.assert_array_equal(y[1, 0], np.zeros(6))
    np.testing.assert_array_equal(y[1, 2], y[1, 1])


class Busy(jk.Layer):
    """A cell that does all that a layer may do: state, losses, dropout, an activity penalty in a sublayer."""

    state_size = 2

    def __init__(self):
        super().__init__()
        self.drop = Halving()
        self.scale = layers.Dense(2, activity_regularizer="l2", kernel_initializer="identity")

    def build(self, input_shape):
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def call(self, inputs, states, training=None):
        self.count = self.count + 1
        self.add_loss(jnp.sum(inputs))
        return self.scale(self.drop(inputs)), [states[0] + self.count]


class Halving(jk.Layer):
    """Dropout of one half, with its own random numbers in every call."""

    def call(self, inputs, training=None):
        if not training:
            return inputs
        return inputs * 2 * jax.random.bernoulli(self.make_rng(), 0.5, inputs.shape)


def test_state_losses_and_random_numbers_inside_the_loop():
    x = np.ones((3, 6, 2), "float32")
    layer = recurrent.RNN(Busy(), return_sequences=True, return_state=True)
    variables = layer.init(0, x)
    run = jax.jit(
        lambda v: (lambda r: (r[0].outputs, r[1]["state"], sum(r[0].run.losses)))(passes.run(layer, v, (x,), {}))
    )
    (outputs, states), after, losses = run(variables)
    np.testing.assert_allclose(after["cell"]["count"], 6)
    np.testing.assert_allclose(states, np.full((3, 2), 1 + 2 + 3 + 4 + 5 + 6))
    np.testing.assert_allclose(losses, 36 + 0.01 * 36 / 3, rtol=1e-6)
    np.testing.assert_array_equal(outputs, x)
    outputs, _ = jax.jit(lambda v: layer.apply(v, x, training=True, rng=0))(variables)
    assert set(np.unique(outputs)) == {0.0, 2.0}
    assert len({np.asarray(step).tobytes() for step in np.moveaxis(np.asarray(outputs), 1, 0)}) > 3


class Bare:
    """A cell that is no layer."""

    state_size = 2

    def __call__(self, inputs, states):
        total = states[0] + inputs
        return total, [total]

    call = __call__


def test_a_cell_may_be_any_object(rng):
    x = rng.normal(size=(2, 5, 2)).astype("float32")
    y = recurrent.RNN(Bare(), return_sequences=True)(x)
    np.testing.assert_allclose(y, np.cumsum(x, axis=1), atol=1e-5)
    stacked = recurrent.RNN([Bare(), Bare()])(x)
    np.testing.assert_allclose(stacked, np.cumsum(np.cumsum(x, axis=1), axis=1)[:, -1], atol=1e-5)


def test_a_built_in_cell_with_another_call_is_heard(rng):
    class Negative(recurrent.GRUCell):
        def call(self, inputs, states, training=None):
            output, states = super().call(inputs, states, training)
            return -output, states

    x = rng.normal(size=(2, 4, 3)).astype("float32")
    for wrap in (lambda cell: cell, lambda cell: [cell]):
        negative, plain = recurrent.RNN(wrap(Negative(2))), recurrent.RNN(wrap(recurrent.GRUCell(2)))
        variables = plain.init(0, x)
        np.testing.assert_allclose(negative.apply(variables, x), -plain.apply(variables, x), atol=1e-6)


class Wrong(jk.Layer):
    state_size = 2

    def call(self, inputs, states):
        return inputs, [states[0][:, :1]]


class Late(jk.Layer):
    """A cell that uses a sublayer for the first time in a later step, which it cannot know of."""

    state_size = 2

    def __init__(self):
        super().__init__()
        self.calls = iter(range(9))
        self.first, self.other = layers.Dense(2), layers.Dense(2)

    def call(self, inputs, states):
        return (self.first if next(self.calls) == 0 else self.other)(inputs), [states[0]]


def test_what_a_cell_must_not_do():
    x = np.ones((2, 3, 2), "float32")
    with pytest.raises(errors.InputError, match=r"Wrong returned states of the shapes \(2, 1\) after.*\(2, 2\)"):
        recurrent.RNN(Wrong())(x)
    with pytest.raises(errors.InputError, match="other is used in a later time step but not in the first"):
        recurrent.RNN(Late()).init(0, x)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_stack_gives_the_same_cell_by_cell_and_step_by_step(backwards, rng):
    class Stack(recurrent.StackedRNNCells):
        can_run = False

    x = rng.normal(size=(3, 5, 2)).astype("float32")
    mask = rng.random((3, 5)) > 0.4
    arguments = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    arguments["zero_output_for_mask"] = backwards
    cells = [recurrent.LSTMCell(3, dropout=0.5), recurrent.GRUCell(2, recurrent_dropout=0.5), recurrent.LSTMCell(2)]
    one, other = recurrent.RNN(recurrent.StackedRNNCells(cells), **arguments), recurrent.RNN(Stack(cells), **arguments)
    variables = one.init(0, x)
    both = jax.jit(lambda v: [rnn.apply(v, x, mask=mask, training=True, rng=0) for rnn in (one, other)])(variables)
    for a, b in zip(*map(jax.tree.leaves, both), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


# -- never unrolled ---------------------------------------------------------------------------------------------------


def count_operations(jaxpr):
    total = 0
    for equation in jaxpr.eqns:
        total += 1
        for value in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda v: hasattr(v, "eqns")):
            inner = getattr(value, "jaxpr", value)
            total += count_operations(inner) if hasattr(inner, "eqns") else 0
    return total


class Centered(jk.Layer):
    """Couples the samples of a batch, and keeps a moving mean."""

    def build(self, input_shape):
        self.mean = self.add_weight((input_shape[-1],), "zeros", trainable=False, name="mean")
        self.shift = self.add_weight((input_shape[-1],), "zeros", name="shift")

    def call(self, inputs, training=None):
        if not training:
            return inputs - self.mean + self.shift
        mean = jnp.mean(inputs, axis=0)
        self.mean = 0.9 * self.mean + 0.1 * mean
        return inputs - mean + self.shift


@pytest.mark.parametrize(
    "make",
    [
        lambda: recurrent.LSTM(2, unroll=True),
        lambda: recurrent.Bidirectional(recurrent.GRU(2)),
        lambda: recurrent.RNN([recurrent.LSTMCell(2), Mixing(2)]),
        lambda: recurrent.TimeDistributed(layers.Dense(2)),
        lambda: recurrent.TimeDistributed(Centered()),
    ],
)
def test_the_program_does_not_grow_with_time(make):
    layer = make()
    variables = layer.init(0, (2, 3, 2))
    sizes = []
    for time in (3, 30):
        x = jnp.ones((2, time, 2))
        sizes.append(
            count_operations(jax.make_jaxpr(lambda v, x: layer.apply(v, x, training=True))(variables, x).jaxpr)
        )
    assert sizes[0] == sizes[1]


# -- TimeDistributed and Wrapper --------------------------------------------------------------------------------------


def test_time_distributed_steps_one_after_another_where_samples_are_coupled(rng):
    x = rng.normal(size=(4, 5, 2)).astype("float32")
    layer, inner = recurrent.TimeDistributed(Centered()), Centered()
    variables = layer.init(0, x)
    outputs, state = jax.jit(lambda v: layer.apply(v, x, training=True, return_state=True))(variables)
    own = {name: tree["layer"] for name, tree in variables.items()}
    for step in range(5):
        expected, own_state = inner.apply(own, x[:, step], training=True, return_state=True)
        own = {**own, "state": own_state}
        np.testing.assert_allclose(outputs[:, step], expected, atol=1e-6)
    np.testing.assert_allclose(state["layer"]["mean"], own["state"]["mean"], atol=1e-6)
    after = layer.apply({**variables, "state": state}, x)
    np.testing.assert_allclose(after, x - state["layer"]["mean"], atol=1e-6)


def test_time_distributed_batch_normalization_equals_keras(rng):
    x = rng.normal(size=(3, 4, 2)).astype("float32")
    ours = recurrent.TimeDistributed(layers.BatchNormalization())
    theirs = keras.layers.TimeDistributed(keras.layers.BatchNormalization())
    theirs.build(x.shape)
    variables = ours.init(0, x)
    names = [weight.name for weight in theirs.weights]
    outputs, state = jax.jit(lambda v: ours.apply(v, x, training=True, return_state=True))(variables)
    values = [v.value for v in theirs.trainable_variables], [v.value for v in theirs.non_trainable_variables]
    expected, after = jax.jit(lambda v: theirs.stateless_call(*v, x, training=True))(values)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert names[2:] == ["moving_mean", "moving_variance"]
    for name, value in zip(names[2:], after, strict=True):
        np.testing.assert_allclose(state["layer"][name], value, atol=1e-6)


def test_time_distributed_draws_for_every_step_and_keeps_masks(rng):
    x = np.ones((2, 6, 4), "float32")
    layer = recurrent.TimeDistributed(Halving())
    y = np.asarray(layer.apply(layer.init(0, x), x, training=True, rng=0))
    assert len({step.tobytes() for step in np.moveaxis(y, 1, 0)}) > 3

    inputs = layers.Input((None, 3))
    hidden = recurrent.TimeDistributed(layers.Dense(2))(layers.Masking()(inputs))
    model = jk.Model(inputs, recurrent.SimpleRNN(2)(hidden)).init(0)
    data = rng.normal(size=(2, 5, 3)).astype("float32")
    data[:, 3:] = 0
    np.testing.assert_allclose(model(data), model(data[:, :3]), atol=1e-6)


def test_time_distributed_hands_masks_on(rng):
    x = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    layer = recurrent.TimeDistributed(recurrent.LSTM(2))
    variables = layer.init(0, x)
    mask = rng.random((2, 3, 4)) > 0.4
    own = {name: tree.get("layer", {}) for name, tree in variables.items()}
    expected = [recurrent.LSTM(2).apply(own, x[:, i], mask=mask[:, i]) for i in range(3)]
    np.testing.assert_allclose(layer.apply(variables, x, mask=mask), np.stack(expected, 1), atol=1e-6)
    with pytest.raises(errors.InputError, match="first two axes"):
        layer.apply(variables, x, mask=mask[:, :2])
    with pytest.raises(errors.InputError, match="at least 3 axes"):
        recurrent.TimeDistributed(layers.Dense(2))(layers.Input((3,)))


def test_bidirectional_layers_are_copies(rng):
    cell = recurrent.LSTMCell(2)
    layer = recurrent.Bidirectional(recurrent.RNN(cell))
    x = np.ones((1, 3, 2), "float32")
    params = layer.init(0, x)["params"]
    assert params.keys() == {"forward_layer", "backward_layer"}
    kernels = [np.asarray(params[name]["cell"]["kernel"]) for name in params]
    assert np.abs(kernels[0] - kernels[1]).max() > 0
    assert (layer.forward_layer.name, layer.backward_layer.name) == ("forward_rnn", "backward_rnn")
    assert layer.replace(merge_mode="sum").replace(merge_mode="concat") == layer
    assert recurrent.Bidirectional(recurrent.GRU(2, return_sequences=True)).forward_layer.zero_output_for_mask


def test_bidirectional_takes_initial_weights(rng):
    weights = [rng.normal(size=shape).astype("float32") for shape in [(3, 8), (2, 8), (8,)] * 2]
    layer = recurrent.Bidirectional(recurrent.LSTM(2), weights=weights)
    params = layer.init(0, (1, 4, 3))["params"]
    for direction, own in (("forward_layer", weights[:3]), ("backward_layer", weights[3:])):
        for name, expected in zip(("kernel", "recurrent_kernel", "bias"), own, strict=True):
            np.testing.assert_array_equal(params[direction]["cell"][name], expected)
    with pytest.raises(errors.ArgumentError, match="no known order"):
        recurrent.Bidirectional(recurrent.RNN(recurrent.LSTMCell(2)), weights=weights)


def test_bidirectional_needs_states_for_both_directions(rng):
    layer, x = recurrent.Bidirectional(recurrent.GRU(2)), np.ones((1, 3, 2), "float32")
    with pytest.raises(errors.InputError, match="as many for each direction"):
        layer.apply(layer.init(0, x), x, initial_state=[np.zeros((1, 2), "float32")])


def test_a_wrapper_of_ones_own(rng):
    class Twice(recurrent.Wrapper):
        def call(self, inputs):
            return self.layer(self.layer(inputs))

    x = rng.normal(size=(2, 3)).astype("float32")
    layer = Twice(layers.Dense(3))
    variables = layer.init(0, x)
    kernel = variables["params"]["layer"]["kernel"]
    np.testing.assert_allclose(layer.apply(variables, x), x @ kernel @ kernel, atol=1e-5)
    assert layer.get_config()["layer"]["class_name"] == "Dense"
    assert Twice.from_config(layer.get_config()).layer.units == 3
