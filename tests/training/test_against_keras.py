"""Training gives Keras's numbers: same weights at the start, same order of samples, three epochs."""

import functools

import keras
import numpy as np
import pytest

import jkeras as jk

EPOCHS = 3
CLASSES = 3


def mlp(k, layers, l2=None):
    regularizer = None if l2 is None else k.regularizers.L2(l2)
    return k.Sequential(
        [
            k.Input((6,)),
            layers.Dense(8, activation="relu", kernel_regularizer=regularizer),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def cnn(k, layers, l2=None):
    regularizer = None if l2 is None else k.regularizers.L2(l2)
    return k.Sequential(
        [
            k.Input((6, 6, 2)),
            layers.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer=regularizer),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def lstm(k, layers, l2=None):
    regularizer = None if l2 is None else k.regularizers.L2(l2)
    return k.Sequential(
        [
            k.Input((5, 3)),
            layers.LSTM(4, kernel_regularizer=regularizer),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def two_inputs(k, layers, l2=None):
    regularizer = None if l2 is None else k.regularizers.L2(l2)
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    shared = layers.Dense(5, activation="tanh", kernel_regularizer=regularizer)
    joined = layers.Concatenate()([shared(a), layers.Dense(5)(b)])
    return k.Model([a, b], layers.Dense(CLASSES, activation="softmax")(joined))


SHAPES = {mlp: [(6,)], cnn: [(6, 6, 2)], lstm: [(5, 3)], two_inputs: [(4,), (3,)]}

# What is passed to `fit` and to the optimizer; 22 rows in batches of 8 leave a ragged batch of 6.
CASES = {
    "plain": {},
    "sample_weight": {"sample_weight": True},
    "class_weight": {"class_weight": {0: 0.5, 1: 2.0}},
    "validation_split": {"validation_split": 0.3},
    "l2": {"l2": 0.01},
    "clipnorm": {"clipnorm": 0.1},
}


@functools.cache
def data(build):
    rng = np.random.default_rng(7)
    x = [rng.normal(size=(22, *shape)).astype("float32") for shape in SHAPES[build]]
    return (x if len(x) > 1 else x[0]), rng.integers(0, CLASSES, 22), rng.random(22).astype("float32")


def fit_arguments(build, options):
    x, y, weight = data(build)
    arguments = {"x": x, "y": y, "batch_size": 8, "epochs": EPOCHS, "shuffle": False, "verbose": 0}
    for name in ("class_weight", "validation_split"):
        if name in options:
            arguments[name] = options[name]
    if options.get("sample_weight"):
        arguments["sample_weight"] = weight
    return arguments


def train_both(build, options):
    l2, clipnorm = options.get("l2"), options.get("clipnorm")
    ours = build(jk, jk.layers, l2)
    theirs = build(keras, keras.layers, l2)
    theirs.set_weights(ours.get_weights())
    compiled = {
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "weighted_metrics": ["sparse_categorical_crossentropy"],
    }
    ours = ours.compile(jk.optimizers.Adam(1e-2, clipnorm=clipnorm), **compiled)
    theirs.compile(keras.optimizers.Adam(1e-2, clipnorm=clipnorm), **compiled)
    arguments = fit_arguments(build, options)
    history = theirs.fit(**arguments).history
    return ours.fit(**arguments), theirs, history


# Every option with the MLP and every model with some options; the other pairs run with `-m slow`.
QUICK = {
    mlp: tuple(CASES),
    cnn: ("sample_weight", "clipnorm"),
    lstm: ("validation_split", "l2"),
    two_inputs: ("plain", "class_weight"),
}
PAIRS = [
    pytest.param(build, case, id=f"{build.__name__}-{case}", marks=[] if case in QUICK[build] else pytest.mark.slow)
    for build in SHAPES
    for case in CASES
]


@pytest.mark.parametrize(("build", "case"), PAIRS)
def test_training(build, case):
    ours, theirs, history = train_both(build, CASES[case])
    assert list(ours.history) == list(history)
    for name, values in history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    assert len(ours.get_weights()) == len(theirs.get_weights())
    for path, result, expected in zip(ours.weight_paths, ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4, err_msg=path)


@pytest.mark.parametrize("build", [mlp, two_inputs], ids=lambda build: build.__name__)
def test_evaluate_and_predict(build):
    ours, theirs, _ = train_both(build, {})
    x, y, weight = data(build)
    result = ours.evaluate(x, y, batch_size=8, sample_weight=weight, verbose=0)
    expected = theirs.evaluate(x, y, batch_size=8, sample_weight=weight, verbose=0)
    np.testing.assert_allclose(result, expected, rtol=1e-4)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


def several_outputs(k, layers):
    x = k.Input((4,))
    hidden = layers.Dense(5, activation="relu")(x)
    return k.Model(
        x, [layers.Dense(1, name="value")(hidden), layers.Dense(3, activation="softmax", name="kind")(hidden)]
    )


@pytest.mark.parametrize("form", ["list", "dict"])
def test_several_outputs(form, rng):
    x = rng.normal(size=(20, 4)).astype("float32")
    y = {"value": rng.normal(size=(20, 1)).astype("float32"), "kind": rng.integers(0, 3, 20)}
    compiled = {
        "loss": {"value": "mse", "kind": "sparse_categorical_crossentropy"},
        "loss_weights": {"value": 0.5, "kind": 2.0},
        "metrics": {"value": ["mae"], "kind": ["accuracy"]},
    }
    targets = y
    if form == "list":
        compiled = {name: list(value.values()) for name, value in compiled.items()}
        targets = list(y.values())
    ours, theirs = several_outputs(jk, jk.layers), several_outputs(keras, keras.layers)
    theirs.set_weights(ours.get_weights())
    ours, arguments = ours.compile("sgd", **compiled), {"epochs": 2, "batch_size": 8, "shuffle": False, "verbose": 0}
    theirs.compile("sgd", **compiled)
    history = theirs.fit(x, targets, **arguments).history
    ours = ours.fit(x, targets, **arguments)
    assert list(ours.history) == list(history)
    for name, values in history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=1e-4, err_msg=name)


def masked(k, layers):
    return k.Sequential(
        [
            k.Input((5,), dtype="int32"),
            layers.Embedding(7, 3, mask_zero=True),
            layers.LSTM(4, return_sequences=True),
            layers.Dense(2, activation="softmax"),
        ]
    )


def test_masks_reach_loss_and_metrics(rng):
    x = rng.integers(0, 7, (10, 5))
    x[:, 3:] = 0
    y = rng.integers(0, 2, (10, 5))
    ours, theirs = masked(jk, jk.layers), masked(keras, keras.layers)
    theirs.set_weights(ours.get_weights())
    compiled = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    theirs.compile(**compiled)
    ours = ours.compile(**compiled)
    arguments = {"batch_size": 4, "verbose": 0}
    np.testing.assert_allclose(ours.evaluate(x, y, **arguments), theirs.evaluate(x, y, **arguments), rtol=1e-4)
    # Keras on JAX loses the mask of the outputs for the metrics of a training step, though not for its loss.
    history = theirs.fit(x, y, epochs=2, shuffle=False, **arguments).history
    ours = ours.fit(x, y, epochs=2, shuffle=False, **arguments)
    np.testing.assert_allclose(ours.history["loss"], history["loss"], rtol=1e-4)
