"""Mistakes that people make: each is an error of jkeras before anything is compiled, and says what to write instead."""

import numpy as np
import pytest

import jkeras as jk
from jkeras import callbacks, errors, layers, losses, optimizers
from jkeras.errors import ArgumentError, InputError, NotCompiledError, RestoreError, SignatureError, UnknownNameError

X = np.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)
Y = X[:, :1]
C = np.arange(16) % 2


def model(loss="mse", optimizer="sgd", units=1, activation=None, **options):
    net = jk.Sequential([jk.Input((4,)), layers.Dense(units, activation)])
    return net.compile(optimizer, loss, **options)


def classifier():
    return model("sparse_categorical_crossentropy", units=2, activation="softmax")


def two_inputs():
    a, b = jk.Input((4,), name="a"), jk.Input((4,), name="b")
    return jk.Model([a, b], layers.Dense(1)(layers.Add()([a, b]))).compile("sgd", "mse")


def fit(of=None, x=X, y=Y, **options):
    return (of or model()).fit(x, y, verbose=options.pop("verbose", 0), **options)


NAMES = {
    "optimizer": (lambda: model(optimizer="adm"), r"compile\(optimizer='adm'\).*Did you mean 'adam'\?"),
    "loss": (lambda: model("mean_square_error"), r"compile\(loss=.*Did you mean 'mean_squared_error'\?"),
    "metric": (lambda: model(metrics=["acuracy"]), r"compile\(metrics=.*'acuracy'. Did you mean 'accuracy'\?"),
    "activation": (lambda: layers.Dense(1, "rleu"), r"Dense\(activation='rleu'\).*Did you mean 'relu'\?"),
    "initializer": (lambda: layers.Dense(1, kernel_initializer="glorot"), "Did you mean 'glorot_normal'"),
    "regularizer": (lambda: layers.Dense(1, kernel_regularizer="l3"), "Known: 'l1', .*'l2'"),
    "constraint": (lambda: layers.Dense(1, kernel_constraint="maxnorm"), "Did you mean 'max_norm'"),
}

ARGUMENTS = {
    "padding": (lambda: layers.Conv2D(1, 3, padding="smae"), r"Conv2D\(padding='smae'\).*Did you mean 'same'"),
    "data_format": (lambda: layers.Conv2D(1, 3, data_format="channel_last"), "Did you mean 'channels_last'"),
    "dtype": (lambda: layers.Dense(1, dtype="flaot32"), "Did you mean 'float32'"),
    "policy": (lambda: jk.dtype_policies.DTypePolicy("mixed_float8"), r"DTypePolicy\(name='mixed_float8'\)"),
    "units": (lambda: layers.Dense(-1), r"Dense\(units=-1\): expected an integer of at least 1"),
    "rate": (lambda: layers.Dropout(50), r"Dropout\(rate=50\): expected a number in \[0, 1\]"),
    "momentum": (lambda: optimizers.Adam(beta_1=1.5), r"Adam\(beta_1=1.5\): expected a number in \[0, 1\]"),
    "smoothing": (lambda: losses.CategoricalCrossentropy(label_smoothing=2.0), r"label_smoothing=2.0\)"),
    "stddev": (lambda: jk.initializers.RandomNormal(stddev=-1), r"stddev=-1\): expected a number of at least 0"),
    "reduction": (lambda: losses.MeanSquaredError(reduction="avg"), "expected one of None, 'none', 'sum'"),
    "metrics in a string": (lambda: model(metrics="mae"), r"write `metrics=\['mae'\]`"),
    "jit_compile": (lambda: model(jit_compile="yes"), r"compile\(jit_compile='yes'\): expected one of 'auto'"),
    "mode": (lambda: callbacks.EarlyStopping(mode="minimum"), r"EarlyStopping\(mode='minimum'\): expected one of"),
    "patience": (lambda: callbacks.EarlyStopping(patience=-1), r"EarlyStopping\(patience=-1\)"),
    "schedule": (lambda: callbacks.LearningRateScheduler(0.1), r"LearningRateScheduler\(schedule=0.1\)"),
    "factor": (lambda: callbacks.ReduceLROnPlateau(factor=1.5), "expected a number below 1"),
    "checkpoint's path": (
        lambda: callbacks.ModelCheckpoint("x.foo"),
        r"ModelCheckpoint\('x.foo'\): '.foo' is not a known file format",
    ),
    "a class as callback": (lambda: fit(callbacks=[callbacks.EarlyStopping]), r"write `EarlyStopping\(...\)`"),
    "verbose": (lambda: fit(verbose=3), "verbose=3: expected 'auto', 0"),
    "class_weight": (
        lambda: fit(classifier(), y=C, class_weight={0: 1.0, 5: 2.0}),
        "class 5; .* has the classes 0 to 1",
    ),
    "class_weight in words": (
        lambda: fit(classifier(), y=C, class_weight="balanced"),
        "expected a weight for each class",
    ),
    "validation_split": (lambda: fit(validation_split=20), "validation_split=20: expected a number between 0 and 1"),
    "batch_size": (lambda: fit(batch_size=3.5), r"fit\(batch_size=3.5\)"),
    "epochs": (lambda: fit(epochs="3"), r"fit\(epochs='3'\)"),
    "loss for no output": (
        lambda: fit(model({"dens": "mse"})),
        r"names \['dens'\]; the model's outputs are \['dense'\]",
    ),
    "suffix": (lambda: model().save("m.kears"), r"save\('m.kears'\): .* Did you mean '.keras'\?"),
    "suffix of weights": (
        lambda: model().save_weights("m.npz"),
        "'.npz' is not a known file format. Known are .*`.weights.h5`.*'m', it becomes",
    ),
    "a class as layer": (lambda: jk.Sequential([layers.Dense]), r"got the class Dense: write `Dense\(...\)`"),
    "an array as layer": (lambda: jk.Sequential([X]), r"got \(16, 4\) float32 of type ndarray"),
    "a name twice": (
        lambda: jk.Sequential([jk.Input((4,)), *[layers.Dense(2, name="a") for _ in range(2)]]),
        "are named 'a'",
    ),
    "name of a layer": (lambda: model().get_layer("dens"), "Did you mean 'dense'"),
}

DATA = {
    "shape of x": (lambda: fit(x=X[:, :3]), r"data of shape \(16, 3\).*the model's input has shape \(None, 4\)"),
    "x without features": (lambda: fit(x=X[:, 0]), "An axis is missing"),
    "shape of y": (lambda: fit(y=np.zeros((16, 3))), r"have shape \(16, 3\), its predictions \(16, 1\)"),
    "length of y": (lambda: fit(y=Y[:-1]), "x has 16, y has 15"),
    "no y": (lambda: fit(y=None), "there is no y for it"),
    "no x": (lambda: fit(x=None), "x is None"),
    "no y to validate on": (lambda: fit(validation_data=X), "there is no y in validation_data"),
    "lists of different lengths": (lambda: fit(x=[[1, 2], [3]], y=[1, 2]), "rows of different lengths"),
    "strings": (lambda: fit(x=np.full((16, 4), "a")), "x holds strings"),
    "no rows": (lambda: fit(x=X[:0], y=Y[:0]), "The data is empty"),
    "NaN": (lambda: fit(model(check_finite=True), x=np.where(X > 0.9, np.nan, X)), "NaN .*first in sample 15"),
    "weights of samples": (lambda: fit(sample_weight=np.ones(3)), "sample_weight has 3"),
    "too few inputs": (
        lambda: fit(two_inputs(), x=X),
        r"2 inputs, \['a', 'b'\]; it was called on 1 array. Pass a list",
    ),
    "too many inputs": (lambda: fit(x=[X, X]), r"1 input, \['.*'\]; it was called on 2 arrays. Pass one array"),
    "name of an input": (lambda: fit(two_inputs(), x={"a": X, "c": X}), r"with the keys \['a', 'c'\]"),
    "class ids": (lambda: fit(classifier(), y=C * 7), "have 2 classes, 0 to 1. Give the last layer 8 units"),
    "one-hot or not": (lambda: fit(classifier(), y=np.eye(2)[C]), "use `categorical_crossentropy`"),
    "rank of a layer": (lambda: layers.Conv2D(2, 3)(jk.Input((4,))), "expects an input with 4 axes. Put a `Reshape"),
    "a small picture": (lambda: layers.Conv2D(2, 5)(jk.Input((4, 4, 1))), r"an output of shape \(0, 0, 2\)"),
    "axis": (lambda: layers.LayerNormalization(axis=5)(jk.Input((4,))), "axis=5, but its input has 2 axes"),
    "axes of Dot": (
        lambda: layers.Dot(5)([jk.Input((4,)), jk.Input((4,))]),
        r"axes=5, but an input of shape \(None, 4\)",
    ),
    "ids": (lambda: layers_on_ids().predict(np.full((2, 3), 5), verbose=0), r"got the id 5; its table has ids 0 to 2"),
}


def layers_on_ids():
    return jk.Sequential([jk.Input((3,), dtype="int32"), layers.Embedding(3, 2)])


OTHERS = {
    "an argument": (lambda: layers.Dense(unit=3), SignatureError, "Did you mean 'units'"),
    "initials": (lambda: optimizers.Adam(lr=0.1), SignatureError, "'lr'. Did you mean 'learning_rate'"),
    "not compiled": (lambda: jk.Sequential([layers.Dense(1)]).fit(X, Y), NotCompiledError, r"model = model.compile\("),
    "no file": (lambda: jk.load_model("missing.keras"), RestoreError, "There is no file missing.keras"),
    "no weights": (lambda: layers.Dense(2)(X), errors.NotBuiltError, "belongs to no model"),
}

CASES = {
    **{name: (call, UnknownNameError, words) for name, (call, words) in NAMES.items()},
    **{name: (call, ArgumentError, words) for name, (call, words) in ARGUMENTS.items()},
    **{name: (call, InputError, words) for name, (call, words) in DATA.items()},
    **OTHERS,
}


@pytest.mark.parametrize(("call", "error", "words"), CASES.values(), ids=CASES)
def test_mistake(call, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, errors.JkerasError)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("monitor", "words"),
    [
        ("val_loss", "Pass validation_data or validation_split to `fit`, or monitor 'loss'"),
        ("los", "Did you mean 'loss'"),
    ],
)
def test_a_monitor_that_is_not_in_the_logs(monitor, words):
    # Known only at the end of an epoch, since other callbacks may add to the logs; a warning, as in Keras.
    with pytest.warns(UserWarning, match=words):
        fit(callbacks=[callbacks.EarlyStopping(monitor)])


def test_what_is_no_mistake(tmp_path):
    callbacks.EarlyStopping(patience=float("inf"))
    trained = fit(classifier(), y=C, class_weight={0: 1.0})
    trained.save(tmp_path / "run.2024-01")
    trained.save(tmp_path / "best" / "model.h5")
    callbacks.ModelCheckpoint(tmp_path / "model.{epoch}-{val_loss:.2f}")


def test_a_typo_in_the_name_of_a_layer():
    with pytest.raises(AttributeError, match="'Dens'. Did you mean 'Dense'?"):
        layers.Dens(3)
