"""Recurrent layers against Keras: outputs, gradients, weights, masks, configuration, types, shapes."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
import jkeras.graph.runtime as runtime
from jkeras import errors, layers
from jkeras.layers import recurrent

OURS = {**vars(layers), **vars(recurrent)}
X = (3, 4, 2)
SOME = {"return_sequences": True, "return_state": True}
BACK = {"go_backwards": True, "return_sequences": True}
RELU = {"activation": "relu", "recurrent_activation": "hard_sigmoid", "use_bias": False}


def cells(kind):
    """A stack of one cell of each kind."""
    return [kind["LSTMCell"](3), kind["GRUCell"](2, reset_after=False), kind["SimpleRNNCell"](2)]


# Name, a function from the classes of either side to the layer, the input's shape, whether masked, the initial states.
CASES = {
    "simple": (lambda k: k["SimpleRNN"](3), X, False, None),
    "simple states": (lambda k: k["SimpleRNN"](3, **SOME), X, True, [3]),
    "simple relu": (lambda k: k["SimpleRNN"](3, activation="relu", use_bias=False, **BACK), X, True, None),
    "lstm": (lambda k: k["LSTM"](3), X, False, None),
    "lstm masked": (lambda k: k["LSTM"](3), X, True, [3, 3]),
    "lstm states": (lambda k: k["LSTM"](3, **SOME), X, False, [3, 3]),
    "lstm back": (lambda k: k["LSTM"](3, **BACK), X, True, None),
    "lstm relu": (lambda k: k["LSTM"](3, unit_forget_bias=False, **RELU), X, False, None),
    "lstm zeros": (lambda k: k["LSTM"](3, zero_output_for_mask=True, **SOME), X, True, None),
    "lstm unroll": (lambda k: k["LSTM"](3, unroll=True, implementation=1, recurrent_dropout=0.5), X, True, None),
    "gru": (lambda k: k["GRU"](3), X, False, [3]),
    "gru masked": (lambda k: k["GRU"](3, **SOME), X, True, None),
    "gru back": (lambda k: k["GRU"](3, reset_after=False, **BACK), X, True, None),
    "gru relu": (lambda k: k["GRU"](3, **RELU), X, False, None),
    "gru dropout": (lambda k: k["GRU"](3, dropout=0.2, reset_after=False, recurrent_dropout=0.5), X, False, None),
    "rnn": (lambda k: k["RNN"](k["LSTMCell"](3), **SOME), X, True, None),
    "rnn stacked masked": (lambda k: k["RNN"](cells(k), **SOME), X, True, None),
    "rnn stacked back": (lambda k: k["RNN"](k["StackedRNNCells"](cells(k)[1:]), **BACK), X, False, None),
    "conv 1": (lambda k: k["ConvLSTM1D"](2, 3, padding="same", **SOME), (2, 3, 5, 2), False, None),
    "conv 2": (lambda k: k["ConvLSTM2D"](2, (2, 3), strides=(1, 2)), (2, 3, 4, 5, 2), False, None),
    "conv 2 dilated": (lambda k: k["ConvLSTM2D"](2, 2, dilation_rate=2, **BACK), (2, 3, 4, 5, 2), False, None),
    "conv 3": (lambda k: k["ConvLSTM3D"](1, 2, use_bias=False), (2, 2, 3, 3, 3, 1), False, None),
    "both": (lambda k: k["Bidirectional"](k["LSTM"](3)), X, False, None),
    "both masked": (lambda k: k["Bidirectional"](k["GRU"](2, return_sequences=True), "sum"), X, True, [2, 2]),
    "both states": (lambda k: k["Bidirectional"](k["LSTM"](2, **SOME), merge_mode=None), X, True, None),
    "both mul": (lambda k: k["Bidirectional"](k["SimpleRNN"](2, return_state=True), merge_mode="mul"), X, True, None),
    "both apart": (
        lambda k: k["Bidirectional"](k["LSTM"](2), "ave", backward_layer=k["GRU"](2, go_backwards=True)),
        X,
        True,
        None,
    ),
    "both rnn": (lambda k: k["Bidirectional"](k["RNN"](cells(k)[1:])), X, False, None),
    "time": (lambda k: k["TimeDistributed"](k["Dense"](3, activation="tanh")), X, True, None),
    "time nested": (
        lambda k: k["TimeDistributed"](k["TimeDistributed"](k["LSTM"](2))),
        (2, 2, 2, 3, 2),
        False,
        None,
    ),
}
THEIRS = vars(keras.layers)


def draw(case, rng):
    make, shape, masked, sizes = CASES[case]
    x = rng.normal(size=shape).astype("float32")
    call = {}
    if masked:
        call["mask"] = rng.random(shape[:2]) > 0.4
        call["mask"][0] = [False, *call["mask"][0, 1:-1], False]
    if sizes:
        call["initial_state"] = [rng.normal(size=(shape[0], n)).astype("float32") for n in sizes]
    return make, x, call


def nested(described, values):
    """Variables of ours with the given values, which come in Keras's order."""
    variables = {"params": {}, "state": {}}
    for weight, value in zip(described, values, strict=True):
        place = variables[weight.collection]
        for name in weight.path[:-1]:
            place = place.setdefault(name, {})
        place[weight.path[-1]] = jnp.asarray(value)
    return variables


def in_order(described, variables):
    """The leaves of variables (or of their gradients) in Keras's order."""
    leaves = []
    for weight in described:
        place = variables[weight.collection]
        for name in weight.path:
            place = place[name]
        leaves.append(place)
    return leaves


def quick(function):
    """The function compiled, quickly rather than well."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def with_gradients(function):
    """The function along with its gradients."""
    return quick(jax.value_and_grad(function, (0, 1), has_aux=True))


def summed(outputs):
    return sum(jnp.sum(jnp.sin(y)) for y in jax.tree.leaves(outputs))


@pytest.mark.parametrize("case", CASES)
def test_equals_keras(case, rng):
    make, x, call = draw(case, rng)
    ours, theirs = make(OURS), make(THEIRS)
    theirs.build(x.shape)
    described = runtime.describe(ours, x, **call).weights
    assert [w.path[-1] for w in described] == [w.path.split("/")[-1] for w in theirs.weights]
    assert [w.shape for w in described] == [tuple(w.shape) for w in theirs.weights]
    values = [rng.normal(size=w.shape, scale=0.5).astype("float32") for w in described]
    rest = [v.value for v in theirs.non_trainable_variables]

    def loss(variables, x):
        outputs = ours.apply(variables, x, **call)
        return summed(outputs), jax.tree.leaves(outputs)

    def wanted_loss(weights, x):
        outputs = theirs.stateless_call(weights, rest, x, **call)[0]
        return summed(outputs), jax.tree.leaves(outputs)

    got, (gradients, gradient) = with_gradients(loss)(nested(described, values), x)
    wanted, wanted_gradients = with_gradients(wanted_loss)(values, x)
    result = jax.tree.leaves((got, in_order(described, gradients), gradient))
    for one, other in zip(result, jax.tree.leaves((wanted, wanted_gradients)), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("case", CASES)
def test_described_as_keras_does(case, rng):
    make, x, call = draw(case, rng)
    ours, theirs = make(OURS), make(THEIRS)
    config = ours.get_config()
    assert config.keys() == theirs.get_config().keys()
    again = type(ours).from_config(config)
    assert again.get_config() == config
    assert make(OURS) == ours and hash(make(OURS)) == hash(ours)
    # Real Keras reads the configuration, up to what it numbers itself.
    names = {"name": theirs.name}
    assert type(theirs).from_config({**config, **names}).get_config().keys() == config.keys()
    # Unknown batch and time stay unknown.
    shape = (None, None, *x.shape[2:])
    symbolic = jax.tree.leaves(ours(layers.Input(shape[1:])), is_leaf=lambda leaf: hasattr(leaf, "shape"))
    wanted = jax.tree.leaves(runtime.describe(ours, x).outputs)
    for one, other in zip(symbolic, wanted, strict=True):
        known = tuple(None if i == 0 or (i == 1 and one.shape[1] is None) else n for i, n in enumerate(other.shape))
        assert one.shape == known
    if getattr(ours, "return_sequences", isinstance(ours, recurrent.TimeDistributed)):
        assert symbolic[0].shape[1] is None


def attribute_paths(layer, prefix=""):
    """The attributes through which Keras reaches the weights of a layer."""
    for name in ("forward_layer", "backward_layer", "cell", "layer"):
        inner = getattr(layer, name, None)
        if isinstance(inner, keras.layers.Layer):
            yield from attribute_paths(inner, f"{prefix}{name}/")
    yield from (f"{prefix}{weight.name}" for weight in layer._trainable_variables)


@pytest.mark.parametrize("case", ["lstm", "gru", "rnn", "conv 2", "both states", "both mul", "time nested"])
def test_weights_nest_as_attributes_do(case, rng):
    make, x, _ = draw(case, rng)
    theirs = make(THEIRS)
    theirs.build(x.shape)
    assert [w.name for w in runtime.describe(make(OURS), x).weights] == list(attribute_paths(theirs))


@pytest.mark.parametrize("case", ["lstm masked", "gru masked", "rnn stacked masked", "conv 1", "time"])
def test_mixed_precision(case, rng):
    make, x, call = draw(case, rng)
    layer = make(OURS).replace(dtype="mixed_bfloat16")
    described = runtime.describe(layer, x, **call).weights
    assert {weight.dtype for weight in described} == {"float32"}
    variables = nested(described, [rng.normal(size=w.shape, scale=0.3).astype("float32") for w in described])
    outputs, exact = quick(lambda v: (layer.apply(v, x, **call), make(OURS).apply(v, x, **call)))(variables)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(outputs)} == {"bfloat16"}
    for one, other in zip(jax.tree.leaves(outputs), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(one.astype("float32"), other, atol=0.05)


@pytest.mark.parametrize("cell", ["SimpleRNNCell", "LSTMCell", "GRUCell"])
def test_cells_equal_keras(cell, rng):
    ours, theirs = OURS[cell](3), THEIRS[cell](3)
    x, count = rng.normal(size=(2, 4)).astype("float32"), len(ours.get_initial_state(2))
    states = [rng.normal(size=(2, 3)).astype("float32") for _ in range(count)]
    theirs(x, states)
    described = runtime.describe(ours, x, states).weights
    values = [rng.normal(size=w.shape).astype("float32") for w in described]
    theirs.set_weights(values)
    got, wanted = ours.apply(nested(described, values), x, states), theirs(x, states)
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert ours.get_config().keys() == theirs.get_config().keys()
    size = theirs.state_size
    assert (ours.state_size, ours.output_size) == (list(size) if isinstance(size, tuple) else size, 3)


def test_forget_gate_bias_starts_at_one():
    zeros = recurrent.LSTM(2, bias_initializer="zeros").init(0, (1, 2, 3))["params"]["cell"]["bias"]
    np.testing.assert_array_equal(zeros, [0, 0, 1, 1, 0, 0, 0, 0])
    drawn = recurrent.LSTM(2, bias_initializer="random_normal").init(0, (1, 2, 3))["params"]["cell"]["bias"]
    assert len(set(np.asarray(drawn).tolist())) == 7


# -- masks ------------------------------------------------------------------------------------------------------------


def chain(kind, first):
    return [first, kind["LSTM"](3, return_sequences=True), kind["LSTM"](2), kind["Dense"](2)]


@pytest.mark.parametrize("kind", ["masking", "embedding"])
def test_masks_travel_through_a_model(kind, rng):
    if kind == "masking":
        x = rng.normal(size=(3, 4, 2)).astype("float32")
        x[:, 2:] *= np.array([0, 1, 0], "float32")[:, None, None]
        ours, theirs = chain(OURS, layers.Masking()), chain(THEIRS, keras.layers.Masking())
        inputs, their_inputs = layers.Input((None, 2)), keras.Input((None, 2))
    else:
        x = np.array([[1, 2, 0, 0], [0, 3, 0, 1], [4, 4, 4, 4]])
        ours = chain(OURS, layers.Embedding(5, 2, mask_zero=True))
        theirs = chain(THEIRS, keras.layers.Embedding(5, 2, mask_zero=True))
        inputs, their_inputs = layers.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    model = jk.Sequential([inputs, *ours]).init(0)
    other = keras.Sequential([their_inputs, *theirs])
    values = [rng.normal(size=w.shape).astype("float32") for w in other.weights]
    other.set_weights(values)
    model = model.set_weights(values)
    np.testing.assert_allclose(model(x), other(x), atol=1e-5)
    # Without the masks the result is another one.
    unmasked = [recurrent.LSTM(3, return_sequences=True), recurrent.LSTM(2), layers.Dense(2)]
    hidden = x if kind == "masking" else values[0][x]
    bare = jk.Sequential([layers.Input((None, 2)), *unmasked]).init(0)
    bare = bare.set_weights(values if kind == "masking" else values[1:])
    assert np.abs(bare(hidden) - model(x)).max() > 1e-3


@pytest.mark.parametrize("make", [lambda: recurrent.LSTM(3), lambda: recurrent.RNN([recurrent.GRUCell(3)])])
def test_a_padded_sequence_ends_where_the_short_one_does(make, rng):
    x = rng.normal(size=(2, 6, 2)).astype("float32")
    layer = make().replace(return_state=True)
    variables = layer.init(0, x)
    mask = np.arange(6) < np.array([[4], [4]])
    padded, short = quick(lambda v: (layer.apply(v, x, mask=mask), layer.apply(v, x[:, :4])))(variables)
    for one, other in zip(jax.tree.leaves(padded), jax.tree.leaves(short), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("name", ["LSTM", "ConvLSTM1D"])
def test_a_mask_per_feature_counts_where_any_does(name, rng):
    shape = (2, 3, 4, 2) if name == "ConvLSTM1D" else (2, 3, 4)
    layer = OURS[name](*((2, 2) if name == "ConvLSTM1D" else (2,)))
    x = rng.normal(size=shape).astype("float32")
    variables = layer.init(0, x)
    wide = rng.random((2, 3, 4)) > 0.7
    one, other = quick(lambda v: [layer.apply(v, x, mask=mask) for mask in (wide, wide.any(-1))])(variables)
    np.testing.assert_array_equal(one, other)


# -- dropout ----------------------------------------------------------------------------------------------------------


def plain(dropout, recurrent_dropout):
    """A recurrent layer that adds up its inputs, so that its outputs show what was dropped."""
    return recurrent.SimpleRNN(
        4,
        activation="linear",
        kernel_initializer="identity",
        recurrent_initializer="identity",
        dropout=dropout,
        recurrent_dropout=recurrent_dropout,
        return_sequences=True,
    )


def test_dropout_masks_are_shared_over_time_and_drawn_anew_for_each_sequence():
    x = jnp.ones((5, 6, 4))
    layer = plain(0.5, 0.0)
    variables = layer.init(0, x)
    np.testing.assert_allclose(layer.apply(variables, x)[:, -1], 6)
    one = layer.apply(variables, x, training=True, rng=0)
    steps = np.diff(one, axis=1, prepend=0)
    np.testing.assert_array_equal(steps, np.broadcast_to(steps[:, :1], steps.shape))
    assert set(np.unique(steps)) == {0.0, 2.0}
    assert not np.array_equal(one, layer.apply(variables, x, training=True, rng=1))
    state = plain(0.0, 0.5).apply(variables, x, training=True, rng=0)
    doubled = [float(sum(2.0**i for i in range(n + 1))) for n in range(6)]
    assert all(
        np.allclose(row, 1) or np.allclose(row, doubled) for row in np.moveaxis(np.asarray(state), 1, 2).reshape(-1, 6)
    )
    twice = layers.Input((6, 4))
    model = jk.Model(twice, [layer(twice), layer(twice)]).init(0)
    first, second = model.apply(model.params, x, training=True, rng=0)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "ConvLSTM1D", "stacked"])
def test_dropout_changes_training_alone_and_keeps_the_mean(name, rng):
    x = rng.normal(size=(64, 3, 4, 2) if name == "ConvLSTM1D" else (64, 3, 4)).astype("float32")
    arguments = {"dropout": 0.3, "recurrent_dropout": 0.3}
    if name == "stacked":
        layer = recurrent.RNN([recurrent.GRUCell(3, **arguments), recurrent.LSTMCell(3, **arguments)])
    else:
        layer = OURS[name](*((2, 2) if name == "ConvLSTM1D" else (3,)), **arguments)
    variables = layer.init(0, x)
    both = quick(lambda v: (layer.apply(v, x), layer.apply(v, x, training=True, rng=0)))
    kept, dropped = both(variables)
    assert np.abs(dropped - kept).max() > 0.05
    assert abs(float(np.mean(dropped - kept))) < 0.05


# -- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda **k: recurrent.LSTM(2, **k), lambda **k: recurrent.RNN(cells(OURS), **k)])
def test_stateful_continues_where_the_batch_before_ended(make, rng):
    x = rng.normal(size=(2, 6, 3)).astype("float32")
    layer = make(stateful=True)
    variables = layer.init(0, x[:, :3])
    assert all(np.all(np.asarray(leaf) == 0) for leaf in jax.tree.leaves(variables["state"]))

    @quick
    def run(variables):
        _, state = layer.apply(variables, x[:, :3], return_state=True)
        second = layer.apply({**variables, "state": state}, x[:, 3:])
        return second, make().apply({"params": variables["params"], "state": {}}, x)

    second, whole = run(variables)
    np.testing.assert_allclose(second, whole, atol=1e-6)
    with pytest.raises(errors.InputError, match="batches of one size"):
        layer.apply(variables, x[:1, :3])


def test_stateful_needs_to_know_the_batch_size():
    layer = recurrent.LSTM(2, stateful=True)
    with pytest.raises(errors.InputError, match=r"batch size must be known.*\(None, 4, 3\)"):
        layer(layers.Input((4, 3)))
    assert layer(layers.Input((4, 3), batch_size=5)).shape == (5, 2)
    assert layer.couples_samples and not recurrent.LSTM(2).couples_samples
    with pytest.raises(errors.InputError, match="rnn_state"):
        layer.reset_states()


def test_initial_states_may_be_symbolic(rng):
    def build(kind, Input, Model):
        sequence, state = Input((None, 2)), Input((3,))
        _, *states = kind["LSTM"](3, return_state=True)(sequence)
        return Model([sequence, state], kind["LSTM"](3)(sequence, initial_state=[state, states[1]]))

    model = build(OURS, layers.Input, jk.Model).init(0)
    other = build(THEIRS, keras.Input, keras.Model)
    values = [rng.normal(size=w.shape).astype("float32") for w in other.weights]
    other.set_weights(values)
    x = [rng.normal(size=(2, 4, 2)).astype("float32"), rng.normal(size=(2, 3)).astype("float32")]
    np.testing.assert_allclose(model.set_weights(values)(x), other(x), atol=1e-5)


def test_initial_states_must_fit():
    layer = recurrent.LSTM(3)
    x = np.ones((2, 4, 5), "float32")
    variables = layer.init(0, x)
    with pytest.raises(errors.InputError, match=r"states of the shapes \(2, 3\).*it needs \(2, 3\), \(2, 3\)"):
        layer.apply(variables, x, initial_state=np.ones((2, 3), "float32"))
    with pytest.raises(errors.InputError, match=r"mask of shape \(2, 3\).*needs \(2, 4\)"):
        layer.apply(variables, x, mask=np.ones((2, 3), bool))
    with pytest.raises(errors.InputError, match="3 axes"):
        layer(layers.Input((5,)))
    with pytest.raises(errors.InputError, match="smaller than its kernel"):
        recurrent.ConvLSTM2D(2, 5)(layers.Input((3, 4, 8, 1)))


# -- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: recurrent.LSTM(0), "LSTM.units=0.*at least 1"),
        (lambda: recurrent.GRU(2, activation="tanhh"), "tanh"),
        (lambda: recurrent.LSTM(2, dropout=1.5), "dropout=1.5"),
        (lambda: recurrent.LSTM(2, use_cudnn="yes"), "use_cudnn='yes'"),
        (lambda: recurrent.RNN(layers.Dense(2)), "state_size"),
        (lambda: recurrent.StackedRNNCells([]), "list of cells"),
        (lambda: recurrent.Bidirectional(layers.Dense(2)), "go_backwards"),
        (lambda: recurrent.Bidirectional(recurrent.LSTM(2), "add"), "merge_mode='add'"),
        (lambda: recurrent.Bidirectional(recurrent.LSTM(2), backward_layer=recurrent.LSTM(2)), "go_backwards=False"),
        (
            lambda: recurrent.Bidirectional(
                recurrent.LSTM(2), backward_layer=recurrent.LSTM(2, go_backwards=True, return_state=True)
            ),
            "same return_state",
        ),
        (lambda: recurrent.TimeDistributed("dense"), "layer='dense'"),
        (lambda: recurrent.ConvLSTM2D(2, (1, 2, 3)), "kernel_size"),
        (lambda: recurrent.ConvLSTM1D(2, 2, strides=2, dilation_rate=2), "one of them to be 1"),
        (lambda: recurrent.ConvLSTM1D(2, 2, padding="sane"), "Did you mean 'same'"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(errors.ArgumentError, match=message):
        make()


def test_every_ready_layer_is_an_rnn():
    assert isinstance(recurrent.LSTM(2), recurrent.RNN)
    assert "cell" not in recurrent.LSTM._fields
    with pytest.raises(errors.SignatureError, match="LSTM.. has no argument 'unitz'.*units"):
        recurrent.LSTM(unitz=2)
