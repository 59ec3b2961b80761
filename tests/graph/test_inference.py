"""What is known without tracing is what tracing finds."""

import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import activations, layers
from jkeras.graph import inference
from jkeras.graph.describe import Description, in_keras_order
from jkeras.graph.shapes import Shape

RULES = [
    layers.Dense(5),
    layers.Dense(5, "relu", use_bias=False, kernel_regularizer="l2", kernel_constraint="unit_norm"),
    layers.Dense(5, "softmax", trainable=False, dtype="mixed_bfloat16"),
    layers.Activation("gelu"),
    layers.Identity(),
    layers.ReLU(6.0),
    layers.LeakyReLU(),
    layers.ELU(),
    layers.PReLU(),
    layers.PReLU(shared_axes=[1]),
    layers.BatchNormalization(),
    layers.BatchNormalization(scale=False, dtype="float16"),
    layers.LayerNormalization(),
    layers.RMSNormalization(),
    layers.Dropout(0.3),
    layers.GaussianNoise(0.1),
    layers.GaussianDropout(0.1),
    layers.AlphaDropout(0.1),
    layers.SpatialDropout1D(0.1),
    layers.ActivityRegularization(0.1),
]
# Batch unknown; sizes inside known, in these ranks.
SHAPES = [(None, 4), (None, 6, 4), (3, 6, 4)]
ONE_PASS = [
    layers.Conv1D(3, 2),
    layers.MaxPooling1D(2),
    layers.GlobalAveragePooling1D(),
    layers.Flatten(),
    layers.Reshape((-1, 2)),
    layers.LSTM(3),
    layers.GRU(3, return_sequences=True, return_state=True),
    layers.Bidirectional(layers.LSTM(2)),
    layers.TimeDistributed(layers.Dense(2)),
    layers.UpSampling1D(2),
    layers.ZeroPadding1D(1),
    layers.RepeatVector(3),
    layers.Softmax(),
    layers.UnitNormalization(),
    layers.GroupNormalization(2),
    layers.EinsumDense("abc,cd->abd", output_shape=(None, 5)),
]


def ask(layer, shape):
    return inference._Question(layer, (Shape(shape, "float32"),), {})


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layer", RULES, ids=repr)
def test_rules_agree_with_tracing(layer, shape):
    if isinstance(layer, layers.SpatialDropout1D) and len(shape) != 3:
        return
    by_rule, traced = inference._by_rule(ask(layer, shape)), inference._by_tracing(ask(layer, shape))
    assert by_rule is not None
    assert by_rule.outputs.fill() == traced.outputs.fill()
    assert by_rule.weights == traced.weights
    assert by_rule.masked == traced.masked


@pytest.mark.parametrize("name", sorted(activations.TABLE))
def test_activations_that_keep_the_shape(name):
    function = activations.get(name)
    for dtype in ("float32", "bfloat16", "float16"):
        x = jax.ShapeDtypeStruct((3, 6), dtype)
        arguments = (0.1, 0.2) if name == "threshold" else ()
        output = jax.eval_shape(lambda x, f=function, a=arguments: f(x, *a), x)
        assert (output.shape, output.dtype) == (x.shape, x.dtype) or function not in activations.KEEP_SHAPE


@pytest.mark.parametrize("layer", RULES + ONE_PASS, ids=repr)
def test_one_pass_finds_what_two_find(layer, monkeypatch):
    shape = (None, 4) if isinstance(layer, layers.RepeatVector) else (None, 6, 4)
    once = inference._by_tracing(ask(layer, shape))
    monkeypatch.setattr(inference, "_keeps_batch", lambda question: False)
    assert once == inference._by_tracing(ask(layer, shape))


def test_unknown_time():
    for layer, expected in [
        (layers.Conv1D(3, 2), (None, None, 3)),
        (layers.GlobalMaxPooling1D(), (None, 4)),
        (layers.LSTM(2, return_sequences=True), (None, None, 2)),
        (layers.Dense(2), (None, None, 2)),
    ]:
        assert layer.compute_output_shape((None, None, 4)) == expected


def test_a_rule_is_not_inherited_by_another_call():
    class Half(layers.Dense):
        def call(self, inputs, training=None):
            return super().call(inputs)[..., :1]

    class Wide(layers.Dropout):
        def call(self, inputs, training=False):
            return jax.numpy.concatenate([inputs, inputs], -1)

    assert Half(4).compute_output_shape((None, 3)) == (None, 1)
    assert Wide(0.5).compute_output_shape((None, 3)) == (None, 6)


def test_equal_questions_are_asked_once():
    traces = []

    class Noted(jk.Layer):
        mixes_samples = False

        def __init__(self, size):
            super().__init__()
            self.size = size

        def call(self, x):
            traces.append(1)
            return x[:, : self.size]

    x = jk.Input((5,))
    assert [Noted(2)(x).shape, Noted(2)(x).shape, Noted(3)(x).shape] == [(None, 2), (None, 2), (None, 3)]
    assert len(traces) == 2


def nets():
    x = jk.Input((6, 4))
    shared = layers.Dense(4)
    frozen = layers.Conv1D(3, 2, trainable=False)
    yield jk.Model(x, layers.BatchNormalization()(frozen(shared(shared(x)))))
    yield jk.Sequential([layers.Input((6, 4)), layers.Bidirectional(layers.GRU(3)), layers.Dense(2, dtype="float16")])
    yield jk.Sequential([layers.Input((6,)), layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2), layers.Dense(1)])
    inner = jk.Model(x, layers.Dense(2)(x), name="inner")
    yield jk.Model(x, inner(x) + layers.Dense(2)(x), trainable=False)
    yield jk.Model(x, layers.Dense(3)(x), dtype="mixed_float16")
    block = layers.Dense(4)
    yield jk.Model(x, block(layers.TimeDistributed(block)(x)))


@pytest.mark.parametrize("number", range(6))
def test_weights_of_networks_are_those_of_a_pass_through_them(number):
    model = list(nets())[number]
    described = model.description
    assert isinstance(described, Description)
    assert described.weights == tuple(in_keras_order(described._traced.weights, model.definition))
    assert model.count_params() == sum(np.size(w) for w in model.get_weights())


def halved(depth):
    """A network that joins what it shrank and enlarged: sizes have to halve evenly."""
    inputs = x = layers.Input((None, 2))
    parts = []
    for _ in range(depth):
        parts.append(x)
        x = layers.MaxPooling1D(2)(x)
    for part in reversed(parts):
        x = layers.Concatenate()([layers.UpSampling1D(2)(x), part])
    return jk.Model(inputs, x)


@pytest.mark.parametrize(
    "make",
    [
        lambda: jk.Sequential([layers.Input((None, 2)), layers.Conv1D(3, 5), layers.GlobalMaxPooling1D()]),
        lambda: jk.Sequential([layers.Conv1D(3, 40, strides=4), layers.Conv1D(3, 3)]).build((None, None, 2)),
        lambda: halved(3),
        lambda: jk.Model(inputs := layers.Input((None, 2)), halved(3)(inputs)),
    ],
    ids=["a window", "a wide window, deferred", "even sizes", "a network in a network"],
)
def test_windows_fit_into_what_is_unknown(make):
    model = make()
    assert model.predict(np.ones((1, 64, 2)), verbose=0).shape[0] == 1
    model.summary(print_fn=lambda line: None)


def test_a_window_that_fits_into_nothing():
    with pytest.raises(ValueError, match="fit"):
        _ = jk.Sequential([layers.Input((None, 1, 2)), layers.Conv2D(3, 3)]).params
