"""Every old spelling gives what the new one gives, and one warning that says what to write."""

import pickle
import re
import warnings

import numpy as np
import pytest

import jkeras.keras
from jkeras.files.dialects import old_names
from jkeras.imports import keras_imports
from jkeras.scripts import OldSpellingWarning
from jkeras.scripts.old_modules import FUNCTIONS, GONE, MODULES, NAMES, GoneError, keras3_names
from tests.keras_names import aliases, canonical_names

SILENT = pytest.mark.filterwarnings("ignore::jkeras.scripts.OldSpellingWarning")
# Keras warns of these, too.
SHAPES = pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")

# An old spelling, the new one, and the shape of an input where their numbers are compared as well.
LAYERS = [
    ("Dense(output_dim=3, init='uniform', bias=False)", "Dense(3, kernel_initializer='uniform', use_bias=False)", (2, 4)),
    ("Dense(3, W_regularizer='l2', b_constraint='non_neg')",
     "Dense(3, kernel_regularizer='l2', bias_constraint='non_neg')", None),
    ("Convolution2D(4, 3, 5, border_mode='same')", "Conv2D(4, (3, 5), padding='same')", (1, 6, 6, 2)),
    ("Conv2D(4, 3, 3, subsample=(2, 2))", "Conv2D(4, (3, 3), strides=(2, 2))", None),
    ("Convolution2D(nb_filter=4, nb_row=3, nb_col=2)", "Conv2D(4, [3, 2])", None),
    ("Convolution2D(4, (3, 3), dim_ordering='th')", "Conv2D(4, (3, 3), data_format='channels_first')", None),
    ("Convolution1D(4, 3, subsample_length=2)", "Conv1D(4, 3, strides=2)", None),
    ("Convolution1D(nb_filter=4, filter_length=3)", "Conv1D(4, 3)", None),
    ("Convolution3D(4, 3, 3, 3)", "Conv3D(4, (3, 3, 3))", None),
    ("AtrousConvolution2D(4, 3, 3, atrous_rate=(2, 2))", "Conv2D(4, (3, 3), dilation_rate=(2, 2))", None),
    ("Deconvolution2D(4, 3, 3, (None, 8, 8, 4), border_mode='same')", "Conv2DTranspose(4, (3, 3), padding='same')", None),
    ("SeparableConvolution2D(4, 3, 3)", "SeparableConv2D(4, (3, 3))", None),
    ("MaxPooling2D((2, 2), border_mode='same')", "MaxPooling2D((2, 2), padding='same')", None),
    ("MaxPooling1D(pool_length=2, stride=1)", "MaxPooling1D(2, strides=1)", None),
    ("UpSampling1D(length=2)", "UpSampling1D(2)", None),
    ("LSTM(output_dim=3, inner_activation='hard_sigmoid', dropout_W=0.2)",
     "LSTM(3, recurrent_activation='hard_sigmoid', dropout=0.2)", None),
    ("GRU(3, consume_less='gpu')", "GRU(3, reset_after=False)", None),
    ("CuDNNGRU(3)", "GRU(3, reset_after=True)", None),
    ("CuDNNLSTM(3)", "LSTM(3)", None),
    ("SimpleRNN(3, inner_init='orthogonal', U_regularizer='l1')", "SimpleRNN(3, recurrent_regularizer='l1')", None),
    ("Embedding(9, 2, init='uniform', W_constraint='unit_norm')",
     "Embedding(9, 2, 'uniform', embeddings_constraint='unit_norm')", None),
    ("BatchNormalization(gamma_init='one', mode=0)", "BatchNormalization(gamma_initializer='ones')", None),
    ("Dropout(p=0.25)", "Dropout(0.25)", None),
    ("SpatialDropout2D(p=0.5, dim_ordering='tf')", "SpatialDropout2D(0.5, data_format='channels_last')", None),
    ("GaussianNoise(sigma=0.5)", "GaussianNoise(0.5)", None),
    ("ThresholdedReLU(0.5)", "ReLU(threshold=0.5)", (2, 4)),
    ("ThresholdedReLU()", "ReLU(threshold=1.0)", None),
    ("PReLU(init='uniform')", "PReLU('uniform')", None),
    ("TimeDistributedDense(3)", "Dense(3)", None),
]  # fmt: skip


def config(layer):
    return {key: value for key, value in layer.get_config().items() if key not in ("name", "seed")}


@pytest.mark.parametrize(("old", "new", "shape"), LAYERS, ids=[row[0] for row in LAYERS])
def test_a_layer(old, new, shape, session, said):
    import keras

    layer, notes = said(lambda: eval(f"keras.layers.{old}", {"keras": keras}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        today = eval(f"keras.layers.{new}", {"keras": keras})
    assert type(layer) is type(today) and config(layer) == config(today)
    assert len(notes) == len(set(notes)) and all("write `" in note or "leave it out" in note for note in notes)
    if shape is not None:
        x = np.linspace(-1, 1, int(np.prod(shape)), dtype="float32").reshape(shape)
        today.build(shape)
        layer.build(shape)
        layer.set_weights(today.get_weights())
        np.testing.assert_array_equal(layer(x), today(x))


@pytest.mark.parametrize("line", ["Embedding(9, 2, dropout=0.2)", "BatchNormalization(mode=2)"])
def test_what_a_layer_of_today_cannot_do(line, session):
    import keras

    with pytest.raises(ValueError, match="Keras 1 is not supported"):
        eval(f"keras.layers.{line}", {"keras": keras})


@SILENT
def test_old_classes_are_todays(session, tmp_path):
    from keras.layers import Convolution2D, Dense
    from keras.models import Sequential, load_model

    class Mine(Convolution2D):
        pass

    layer = Convolution2D(2, 3, 3)
    assert (
        type(layer) is jkeras.keras.layers.Conv2D
        and isinstance(layer, Convolution2D)
        and issubclass(Mine, Convolution2D)
    )
    assert isinstance(Mine(2, 3), jkeras.keras.layers.Conv2D)
    model = Sequential()
    model.add(Dense(output_dim=2, batch_input_shape=(4, 3)))
    assert model.input_shape == (4, 3) and model.layers[0].output_shape == (4, 2)
    model.save(tmp_path / "model.keras")
    assert type(load_model(tmp_path / "model.keras").layers[0]) is jkeras.keras.layers.Dense
    assert pickle.loads(pickle.dumps(Dense(output_dim=5))).units == 5


@SILENT
def test_layers_over_time_know_their_input(session):
    import keras

    model = keras.Sequential([keras.layers.SimpleRNN(2, input_dim=3, input_length=5)])
    assert model.input_shape == (None, 5, 3)


@SILENT
def test_sequences_begin_anew(session):
    import keras

    model = keras.Sequential()
    model.add(keras.layers.SimpleRNN(1, stateful=True, batch_input_shape=(1, 2, 1), name="rnn"))
    x = np.ones((1, 2, 1), "float32")
    first, second = np.asarray(model(x)), np.asarray(model(x))
    model.reset_states()
    assert first != second and np.array_equal(model(x), first)
    model.get_layer("rnn").reset_states()
    assert np.array_equal(model(x), first)
    metric = keras.metrics.Sum()
    metric.update_state([3.0])
    metric.reset_states()
    assert metric.result().numpy() == 0


@SILENT
def test_merge(session):
    import keras

    a, b = keras.Input((2,)), keras.Input((2,))
    x = [np.array([[1.0, 2.0]], "float32"), np.array([[3.0, 5.0]], "float32")]
    expected = {
        "sum": [[4, 7]],
        "mul": [[3, 10]],
        "ave": [[2, 3.5]],
        "max": [[3, 5]],
        "concat": [[1, 2, 3, 5]],
        "dot": [[13]],
    }
    outputs = [keras.layers.merge([a, b], mode=mode) for mode in expected]
    for found, wanted in zip(keras.Model([a, b], outputs)(x), expected.values(), strict=True):
        np.testing.assert_allclose(found, wanted)
    with pytest.raises(ValueError, match="mode='sub'"):
        keras.layers.merge([a, b], mode="sub")


# -- optimizers, models, callbacks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam"])
def test_lr(name, session, said):
    import keras

    optimizer, notes = said(lambda: getattr(keras.optimizers, name)(lr=0.25, decay=0.0))
    assert float(optimizer.learning_rate) == 0.25 and notes == [
        f"`{name}(lr=...)` is an old spelling; write `{name}(learning_rate=...)`."
    ]
    rate, notes = said(lambda: optimizer.lr)
    assert rate is optimizer.learning_rate and "optimizer.learning_rate" in notes[0]


def test_decay_is_that_of_its_time(session, said):
    import keras

    weight = keras.Variable(np.float32([1.0]))
    optimizer, notes = said(lambda: keras.optimizers.SGD(0.5, decay=0.25, nesterov=True))
    assert "InverseTimeDecay(0.5, 1, 0.25)" in notes[0] and optimizer.nesterov
    expected = 1.0
    for step in range(3):
        optimizer.apply([np.float32([1.0])], [weight])
        expected -= 0.5 / (1 + 0.25 * step)
    np.testing.assert_allclose(weight.numpy(), [expected], rtol=1e-6)


def small(keras, units=1):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, "sigmoid", kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["accuracy"])
    return model


@pytest.fixture
def data(rng):
    return rng.normal(size=(12, 3)).astype("float32"), np.arange(12).reshape(-1, 1) % 2


def batches(x, y, size=4):
    while True:
        for first in range(0, len(x), size):
            yield x[first : first + size], y[first : first + size]


def test_methods_of_models(session, data, said):
    import keras

    x, y = data
    wanted = small(keras).fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0, validation_data=(x, y)).history
    cases = {
        "epochs": lambda m: m.fit(x, y, nb_epoch=2, batch_size=4, shuffle=False, verbose=0, validation_data=(x, y)),
        "fit(": lambda m: m.fit_generator(
            batches(x, y), samples_per_epoch=12, nb_epoch=2, validation_data=batches(x, y), nb_val_samples=12, verbose=0
        ),
        "workers": lambda m: m.fit_generator(batches(x, y), 3, 2, validation_data=(x, y), workers=2, verbose=0),
    }
    for note, case in cases.items():
        history, notes = said(lambda case=case: case(small(keras)))
        assert any(note in one for one in notes) or note == "workers"
        np.testing.assert_allclose(history.history["loss"], wanted["loss"], rtol=1e-5)
        np.testing.assert_allclose(history.history["val_loss"], wanted["val_loss"], rtol=1e-5)
    model = history.model
    values, notes = said(lambda: (history.history["acc"], history.history["val_acc"]))
    assert (
        values == (history.history["accuracy"], history.history["val_accuracy"]) and 'history["accuracy"]' in notes[0]
    )
    with pytest.raises(KeyError):
        history.history["f1"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpellingWarning)
        loss, _ = model.evaluate_generator(batches(x, y), val_samples=12)
        np.testing.assert_allclose(loss, model.evaluate(x, y, verbose=0)[0], rtol=1e-5)
        found = model.predict(x, verbose=0)
        np.testing.assert_allclose(model.predict_generator(batches(x, y), 3), found, rtol=1e-5)
        np.testing.assert_array_equal(model.predict_classes(x), found > 0.5)
        np.testing.assert_allclose(model.predict_proba(x), found)
    with pytest.raises(ValueError, match="to_json"):
        model.to_yaml()


@SILENT
def test_callbacks_follow_accuracy_under_its_old_name(session, data, tmp_path):
    import keras
    from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau, TensorBoard

    stop = EarlyStopping(monitor="val_acc", patience=9)
    checkpoint = ModelCheckpoint(
        str(tmp_path / "{epoch}-{val_acc:.1f}.hdf5"), save_weights_only=True, monitor="val_acc"
    )
    seen = []

    class Sees(Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs.get("val_acc"), logs["acc"], logs.get("f1")))

    history = small(keras).fit(*data, validation_split=0.5, verbose=0, callbacks=[Sees(), stop, checkpoint]).history
    assert seen == [(history["val_accuracy"][0], history["accuracy"][0], None)] and "acc" not in set(history)
    assert stop.monitor == checkpoint.monitor == "val_accuracy"
    (file,) = tmp_path.glob("1-*.hdf5")
    small(keras).load_weights(str(file))
    assert ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5 and TensorBoard(str(tmp_path), write_grads=True)


@SILENT
def test_callbacks_follow_accuracy_of_what_has_no_configuration(session, data):
    import keras

    class Warmup(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1 * keras.ops.minimum(keras.ops.cast(step, "float32") / 10, 1)

    model, stop = small(keras), keras.callbacks.EarlyStopping(monitor="val_acc", patience=9)
    model.compile(
        keras.optimizers.SGD(Warmup()), lambda y, p: keras.losses.mean_squared_error(y, p), metrics=["accuracy"]
    )
    model.fit(*data, validation_split=0.5, verbose=0, callbacks=[stop])
    assert stop.monitor == "val_accuracy"


@pytest.mark.parametrize("best", [False, True])
def test_a_checkpoint_after_every_so_many_epochs(best, session, data, tmp_path, said):
    import keras
    from keras.callbacks import ModelCheckpoint

    path = str(tmp_path / "{epoch}.weights.h5")
    options = {"save_weights_only": True, "save_best_only": best, "monitor": "loss"}
    old, notes = said(lambda: ModelCheckpoint(path, period=2, **options))
    assert "save_freq=2 * batches_per_epoch" in notes[0]
    every = ModelCheckpoint(path, save_freq=2 * 3, **options)
    saved = []
    for checkpoint in (old, every, ModelCheckpoint(path, **options)):
        small(keras).fit(*data, batch_size=4, epochs=5, verbose=0, callbacks=[checkpoint])
        saved.append(sorted(file.name[0] for file in tmp_path.glob("*.h5")))
        for file in tmp_path.glob("*.h5"):
            file.unlink()
    assert saved == [["2", "4"], ["2", "4"], ["1", "2", "3", "4", "5"]]
    with pytest.raises(ValueError, match="expected a number of epochs"):
        ModelCheckpoint(path, period=0)


@SILENT
def test_shapes_of_layers(session):
    import keras

    inputs = keras.Input((4,))
    layer = keras.layers.Dense(3)
    model = keras.Model(inputs, keras.layers.Concatenate()([layer(inputs), inputs]))
    assert layer.input_shape == layer.input.shape == (None, 4) and layer.output_shape == layer.output.shape == (None, 3)
    first, *_, last = model.layers
    assert first.input_shape == first.output_shape == [(None, 4)]
    assert last.input_shape == [tensor.shape for tensor in last.input] and last.output_shape == (None, 7)
    with pytest.raises(AttributeError, match="never been called"):
        _ = keras.layers.Dense(3).input_shape


# -- modules and names --------------------------------------------------------------------------------------------------------


@SILENT
def test_old_modules_and_names(session):
    import importlib

    import keras

    for module in MODULES:
        assert importlib.import_module(f"keras.{module}").__name__ == f"keras.{module}"
    for module, names in NAMES.items():
        for old, new in names.items():
            assert callable(getattr(getattr(keras, module), old))
            assert hasattr(getattr(jkeras.keras, module), new), (module, new)
    assert keras.objectives.mean_squared_error is jkeras.keras.losses.mean_squared_error
    assert keras.layers.core.Dense is keras.engine.topology.Dense is jkeras.keras.layers.Dense
    assert keras.constraints.maxnorm(m=3).max_value == 3 and keras.regularizers.l1l2(l1=1, l2=2).l2 == 2
    namespace = {}
    exec("from keras.layers import *", namespace)
    assert {"Convolution2D", "Dense", *FUNCTIONS["layers"]} <= set(namespace) and "Merge" not in namespace


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in GONE.items() for name in names])
def test_what_is_gone_says_what_to_write(module, name, session):
    import keras

    with pytest.raises(GoneError, match="write "):
        getattr(getattr(keras, module), name)
    with pytest.raises(ImportError, match="write "):
        exec(f"from keras.{module} import {name}")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("layers.Dence", "Did you mean 'Dense'? Keras 3 has no such name."),
        ("layers.TFSMLayer", "Keras 3 has it, jkeras has not."),
        ("layers.Adam", "Keras 3 has no such name, but keras.optimizers.Adam."),
        ("no_such_module", "Keras 3 has no such name."),
    ],
)
def test_a_name_that_is_missing(name, said, session):
    module, _, inner = f"keras.{name}".rpartition(".")
    with pytest.raises(ImportError, match=f"{inner}.*{re.escape(said)}"):
        exec(f"from {module} import {inner}", {})


def test_the_names_of_keras_3_are_those_of_the_reference():
    assert keras3_names() == {*canonical_names(), *aliases()}


def test_nothing_is_left_behind():
    keras_model, dense = jkeras.keras.Model, jkeras.keras.layers.Dense
    with keras_imports():
        assert hasattr(keras_model, "fit_generator")
    assert not hasattr(keras_model, "fit_generator") and not hasattr(np.zeros(1), "numpy")
    with pytest.raises(ValueError, match="output_dim"):
        dense(output_dim=3)
    for name in set(old_names.CLASSES) - set(NAMES["layers"]) - {"Model", "ThresholdedReLU"}:
        assert hasattr(jkeras.keras.layers, name), name


def test_locally_connected_layers(session):
    import keras

    layer = keras.layers.LocallyConnected2D(3, (3, 2), activation="relu")
    assert layer(np.ones((2, 6, 5, 2), "float32")).shape == (2, 4, 4, 3)
    assert [tuple(weight.shape) for weight in layer.weights] == [(16, 12, 3), (4, 4, 3)]
