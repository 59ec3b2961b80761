"""Recurrent layers against Keras, and what masks, dropout and states mean."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import jkeras as jk
from jkeras import errors, layers
from jkeras.graph.describe import describe
from jkeras.layers import recurrent
from tests.layers.contract import (
    OURS,
    SOME_FLOAT32,
    THEIRS,
    built,
    case,
    check,
    check_precisions,
    check_signature,
    is_first,
    nested,
    quick,
)
from tests.layers.drawing import Draw, drawn

X = (3, 4, 2)
SOME = {"return_sequences": True, "return_state": True}
BACK = {"go_backwards": True, "return_sequences": True}
RELU = {"activation": "relu", "recurrent_activation": "hard_sigmoid", "use_bias": False}
MASKED = {"mask": True, "nested": True}
PLAIN = {"nested": True, "unknown": (1,)}
NOISY = {"dropout": 0.2, "recurrent_dropout": 0.5}


def cells(kind):
    """A stack of one cell of each kind."""
    return [kind["LSTMCell"](3), kind["GRUCell"](2, reset_after=False), kind["SimpleRNNCell"](2)]


def states(*sizes):
    """Initial states of the given sizes."""
    return {"initial_state": [(3, size) for size in sizes]}


def around(name, first=0, more=None, **options):
    """The arguments of a wrapper of a layer of the given class."""
    key = "cell" if first == "cell" else "layer"
    return lambda kind: {key: kind[name](**options), **(more(kind) if callable(more) else more or {})}


CASES = {
    "simple": case("SimpleRNN", {"units": 3}, X, **PLAIN),
    "simple states": case("SimpleRNN", {"units": 3, **SOME}, X, named=states(3), **MASKED),
    "simple relu": case("SimpleRNN", {"units": 3, "activation": "relu", "use_bias": False, **BACK}, X, **MASKED),
    "lstm": case("LSTM", {"units": 3}, X, **PLAIN),
    "lstm masked": case("LSTM", {"units": 3}, X, named=states(3, 3), **MASKED),
    "lstm states": case("LSTM", {"units": 3, **SOME}, X, named=states(3, 3), **PLAIN),
    "lstm back": case("LSTM", {"units": 3, "kernel_regularizer": "l2", **BACK}, X, **MASKED),
    "lstm relu": case("LSTM", {"units": 3, "unit_forget_bias": False, **RELU}, X, **PLAIN),
    "lstm zeros": case("LSTM", {"units": 3, "zero_output_for_mask": True, **SOME}, X, **MASKED),
    "lstm unroll": case("LSTM", {"units": 3, "unroll": True, **NOISY}, X, training=False, **MASKED),
    "gru": case("GRU", {"units": 3}, X, named=states(3), **PLAIN),
    "gru masked": case("GRU", {"units": 3, **SOME}, X, **MASKED),
    "gru back": case("GRU", {"units": 3, "reset_after": False, **BACK}, X, **MASKED),
    "gru relu": case("GRU", {"units": 3, **RELU}, X, **PLAIN),
    "gru dropout": case("GRU", {"units": 3, "reset_after": False, **NOISY}, X, training=False, **PLAIN),
    "rnn": case("RNN", around("LSTMCell", "cell", SOME, units=3), X, **MASKED),
    "rnn stacked masked": case("RNN", lambda kind: {"cell": cells(kind), **SOME}, X, **MASKED),
    "rnn stacked back": case("RNN", lambda k: {"cell": k["StackedRNNCells"](cells(k)[1:]), **BACK}, X, **PLAIN),
    "conv 1": case("ConvLSTM1D", {"filters": 2, "kernel_size": 3, "padding": "same", **SOME}, (2, 3, 5, 2), **PLAIN),
    "conv 2": case("ConvLSTM2D", {"filters": 2, "kernel_size": (2, 3), "strides": (1, 2)}, (2, 3, 4, 5, 2), **PLAIN),
    "conv 2 dilated": case(
        "ConvLSTM2D", {"filters": 2, "kernel_size": 2, "dilation_rate": 2, **BACK}, (2, 3, 4, 5, 2), **PLAIN
    ),
    "conv 3": case("ConvLSTM3D", {"filters": 1, "kernel_size": 2, "use_bias": False}, (2, 2, 3, 3, 3, 1), **PLAIN),
    "both": case("Bidirectional", around("LSTM", units=3), X, **PLAIN),
    "both masked": case(
        "Bidirectional",
        around("GRU", 0, {"merge_mode": "sum"}, units=2, return_sequences=True),
        X,
        named=states(2, 2),
        **MASKED,
    ),
    "both states": case("Bidirectional", around("LSTM", 0, {"merge_mode": None}, units=2, **SOME), X, **MASKED),
    "both mul": case(
        "Bidirectional", around("SimpleRNN", 0, {"merge_mode": "mul"}, units=2, return_state=True), X, **MASKED
    ),
    "both apart": case(
        "Bidirectional",
        lambda k: {
            "layer": k["LSTM"](2),
            "merge_mode": "ave",
            "backward_layer": k["GRU"](2, go_backwards=True),
        },
        X,
        **MASKED,
    ),
    "both rnn": case("Bidirectional", lambda kind: {"layer": kind["RNN"](cells(kind)[1:])}, X, **PLAIN),
    "time": case("TimeDistributed", around("Dense", units=3, activation="tanh"), X, **MASKED),
    "time nested": case(
        "TimeDistributed",
        lambda kind: {"layer": kind["TimeDistributed"](kind["LSTM"](2))},
        (2, 2, 2, 3, 2),
        **PLAIN,
    ),
    "simple cell": case("SimpleRNNCell", {"units": 3}, (3, 2), [(3, 3)], apart=True),
    "lstm cell": case("LSTMCell", {"units": 3}, (3, 2), [(3, 3), (3, 3)], apart=True),
    "gru cell": case("GRUCell", {"units": 3, "reset_after": False}, (3, 2), [(3, 3)], apart=True),
    "stacked cells": case(
        "StackedRNNCells",
        lambda kind: {"cells": cells(kind)},
        (3, 2),
        [[(3, 3), (3, 3)], [(3, 2)], [(3, 2)]],
        apart=True,
        nested=True,
    ),
}


def recurrent_layer(draw: Draw):
    """SimpleRNN, LSTM, GRU with any arguments, alone or in both directions."""
    name, units = draw.of("SimpleRNN", "LSTM", "GRU"), draw.size(1, 3)
    flags = ("go_backwards", "return_sequences", "return_state", "zero_output_for_mask", "use_bias")
    arguments = {"units": units} | draw.some(**dict.fromkeys(flags, (True, False)), activation=("relu", "tanh"))
    own = {
        "LSTM": {"recurrent_activation": ("sigmoid", "hard_sigmoid"), "unit_forget_bias": (True, False)},
        "GRU": {"recurrent_activation": ("sigmoid", "hard_sigmoid"), "reset_after": (True, False)},
    }
    arguments |= draw.some(**own.get(name, {})) | draw.weights("kernel", "recurrent", "bias")
    shape = (3, draw.size(1, 4), draw.size(1, 3))
    if draw.of(True, False, False):
        arguments.pop("go_backwards", None)
        mode = draw.of("sum", "mul", "concat", "ave", None)
        return case(
            "Bidirectional",
            lambda kind: {"layer": kind[name](**arguments), "merge_mode": mode},
            shape,
            mask=draw.of(True, False),
            nested=True,
        )
    return case(name, arguments, shape, mask=draw.of(True, False), nested=True)


DRAWN = drawn(recurrent_layer, 7)


@pytest.mark.parametrize("name", CASES)
def test_contract(name, rng):
    check(CASES[name], rng, eager=is_first(CASES, name))


@pytest.mark.parametrize("name", DRAWN)
def test_contract_with_arguments_drawn_at_random(name, rng):
    check(DRAWN[name], rng, eager=False)


@pytest.mark.parametrize("name", ["lstm masked", "conv 1"])
def test_other_types(name, rng):
    check_precisions(CASES[name], rng, SOME_FLOAT32)


@pytest.mark.parametrize("name", sorted({one.name for one in CASES.values()}))
def test_signature_is_that_of_keras(name):
    check_signature(name)


def attribute_paths(layer, prefix=""):
    """The attributes through which Keras reaches the weights of a layer."""
    for name in ("forward_layer", "backward_layer", "cell", "layer"):
        inner = getattr(layer, name, None)
        if isinstance(inner, keras.layers.Layer):
            yield from attribute_paths(inner, f"{prefix}{name}/")
    yield from (f"{prefix}{weight.name}" for weight in layer._trainable_variables)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn", "conv 2", "both states", "both mul", "time nested"])
def test_weights_nest_as_attributes_do(name):
    one = CASES[name]
    theirs = built(one.make(THEIRS), *one.inputs)
    x = jax.ShapeDtypeStruct(one.inputs[0], "float32")
    assert [w.name for w in describe(one.make(OURS), x).weights] == list(attribute_paths(theirs))


@pytest.mark.parametrize("cell", ["SimpleRNNCell", "LSTMCell", "GRUCell"])
def test_cells_tell_their_sizes_as_in_keras(cell):
    ours, theirs = OURS[cell](3), THEIRS[cell](3)
    size = theirs.state_size
    assert (ours.state_size, ours.output_size) == (list(size) if isinstance(size, tuple) else size, 3)
    assert [s.shape for s in ours.get_initial_state(2)] == [s.shape for s in theirs.get_initial_state(2)]


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
    with pytest.raises(errors.InputError, match="batches of constant size"):
        layer.apply(variables, x[:1, :3])


def test_stateful_equals_keras(rng):
    x = rng.normal(size=(2, 3, 2)).astype("float32")
    theirs = keras.layers.GRU(2, stateful=True)
    theirs.build(x.shape)
    values = [rng.normal(size=w.shape).astype("float32") for w in theirs.weights]
    theirs.set_weights(values)
    ours = recurrent.GRU(2, stateful=True)
    described = [w for w in describe(ours, x).weights if w.collection == "params"]
    variables = {**nested(described, values), "state": ours.init(0, x)["state"]}
    for _ in range(2):
        outputs, state = ours.apply(variables, x, return_state=True)
        variables["state"] = state
        np.testing.assert_allclose(outputs, theirs(x), rtol=1e-5, atol=1e-5)


def test_stateful_needs_to_know_the_batch_size():
    layer = recurrent.LSTM(2, stateful=True)
    with pytest.raises(errors.InputError, match=r"batch size must be known.*\(None, 4, 3\)"):
        layer(layers.Input((4, 3)))
    assert layer(layers.Input((4, 3), batch_size=5)).shape == (5, 2)
    assert layer.mixes_samples and not recurrent.LSTM(2).mixes_samples
    with pytest.raises(errors.InputError, match="rnn_state"):
        layer.reset_states()


def test_initial_states_may_be_symbolic(rng):
    def build(kind, make_input, make_model):
        sequence, state = make_input((None, 2)), make_input((3,))
        _, *states = kind["LSTM"](3, return_state=True)(sequence)
        return make_model([sequence, state], kind["LSTM"](3)(sequence, initial_state=[state, states[1]]))

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
