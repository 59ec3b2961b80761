"""Files of Keras 1 and 2: old names, old layouts of weights, old optimizers; and models that other people saved.

The old files are made by hand. What they must compute is computed with NumPy in the way of the old version, from the arrays as
that version kept them.
"""

import io
import json
import zipfile

import h5py
import jax
import numpy as np
import pytest

import jkeras as jk
from jkeras import layers
from jkeras.errors import RestoreError, UnknownNameError
from jkeras.files import config as configs
from jkeras.files import optimizer_order
from jkeras.models.model import known_classes


def write(path, config, weights, version="2.2.4", backend="tensorflow", training=None, optimizer=()):
    """An old file: a definition, arrays by layer (`{"dense_1": [array, ...]}`), and more."""
    with h5py.File(path, "w") as file:
        if version is not None:
            file.attrs["keras_version"] = np.bytes_(version)
        if backend is not None:
            file.attrs["backend"] = np.bytes_(backend)
        file.attrs["model_config"] = np.bytes_(json.dumps(config))
        if training is not None:
            file.attrs["training_config"] = np.bytes_(json.dumps(training))
            group = file.create_group("optimizer_weights")
            group.attrs["weight_names"] = np.asarray([np.bytes_(name) for name, _ in optimizer])
            for name, value in optimizer:
                group[name] = value
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.asarray([np.bytes_(name) for name in weights])
        for name, arrays in weights.items():
            inner = group.create_group(name)
            names = [f"{name}/{name}_{i}:0" for i in range(len(arrays))]
            inner.attrs["weight_names"] = np.asarray([np.bytes_(n) for n in names]) if names else np.zeros(0, "S1")
            for n, array in zip(names, arrays, strict=True):
                inner[n] = array
    return path


def drawn(rng, *shapes):
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=1e-5)


def sequential(*entries):
    return {"class_name": "Sequential", "config": [{"class_name": name, "config": config} for name, config in entries]}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def old_hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def convolved(x, kernel, bias, flip):
    """A valid convolution of NHWC images; Theano runs over the kernel back to front."""
    kernel = kernel[::-1, ::-1] if flip else kernel
    rows, columns = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(1, 2))
    return np.einsum("nhwcij,ijco->nhwo", windows, kernel) + bias


# -- names ---------------------------------------------------------------------------------------------------------

OLD_LAYERS = {
    "keras 1 dense": (
        "Dense",
        {"output_dim": 3, "init": "uniform", "W_regularizer": {"name": "WeightRegularizer", "l1": 0.1, "l2": 0.0},
         "b_regularizer": None, "bias": False, "W_constraint": {"name": "maxnorm", "m": 2, "axis": 0}},
        layers.Dense(3, use_bias=False, kernel_initializer="random_uniform", kernel_regularizer=jk.regularizers.L1L2(0.1, 0.0),
                     kernel_constraint=jk.constraints.MaxNorm(2, 0)),
    ),
    "keras 1 convolution": (
        "Convolution2D",
        {"nb_filter": 8, "nb_row": 3, "nb_col": 5, "border_mode": "same", "subsample": [2, 2], "dim_ordering": "tf"},
        layers.Conv2D(8, (3, 5), strides=(2, 2), padding="same", data_format="channels_last"),
    ),
    "keras 1 convolution of sequences": (
        "Convolution1D",
        {"nb_filter": 8, "filter_length": 3, "subsample_length": 2, "border_mode": "valid"},
        layers.Conv1D(8, 3, strides=2),
    ),
    "keras 1 atrous": (
        "AtrousConvolution2D",
        {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "atrous_rate": [2, 2], "dim_ordering": "th"},
        layers.Conv2D(2, 3, dilation_rate=2, data_format="channels_first"),
    ),
    "keras 1 lstm": (
        "LSTM",
        {"output_dim": 4, "init": "glorot_uniform", "inner_init": "orthogonal", "forget_bias_init": "one",
         "activation": "tanh", "inner_activation": "sigmoid", "dropout_W": 0.1, "dropout_U": 0.2, "consume_less": "cpu"},
        layers.LSTM(4, dropout=0.1, recurrent_dropout=0.2),
    ),
    "keras 2 gru": (
        "GRU",
        {"units": 4, "implementation": 1, "recurrent_activation": "sigmoid"},
        layers.GRU(4, reset_after=False),
    ),
    "cudnn": ("CuDNNGRU", {"units": 4}, layers.GRU(4, reset_after=True)),
    "keras 1 pooling": (
        "MaxPooling2D",
        {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid", "dim_ordering": "tf"},
        layers.MaxPooling2D(2, strides=2, data_format="channels_last"),
    ),
    "keras 1 pooling of sequences": ("MaxPooling1D", {"pool_length": 3, "stride": 2}, layers.MaxPooling1D(3, 2)),
    "keras 1 dropout": ("Dropout", {"p": 0.25}, layers.Dropout(0.25)),
    "keras 1 noise": ("GaussianNoise", {"sigma": 0.3}, layers.GaussianNoise(0.3)),
    "keras 1 normalization": (
        "BatchNormalization",
        {"mode": 0, "axis": 1, "momentum": 0.9, "epsilon": 1e-5, "beta_init": "zero", "gamma_init": "one"},
        layers.BatchNormalization(1, 0.9, 1e-5),
    ),
    "normalization of TensorFlow": (
        "BatchNormalizationV1",
        {"axis": [3], "momentum": 0.99, "epsilon": 0.001, "dtype": "float32"},
        layers.BatchNormalization(3),
    ),
    "a policy of TensorFlow": (
        "Dense",
        {"units": 2, "dtype": {"class_name": "Policy", "config": {"name": "mixed_bfloat16"}},
         "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None, "dtype": "float32"}}},
        layers.Dense(2, dtype="mixed_bfloat16"),
    ),
    "keras 2 leaky": ("LeakyReLU", {"alpha": 0.3}, layers.LeakyReLU(0.3)),
    "thresholded": ("ThresholdedReLU", {"theta": 1.5}, layers.ReLU(threshold=1.5)),
    "keras 1 merge": ("Merge", {"mode": "concat", "concat_axis": 1, "layers": []}, layers.Concatenate(1)),
    "keras 1 upsampling": ("UpSampling1D", {"length": 3}, layers.UpSampling1D(3)),
    "the old name of Keras's base": ("TimeDistributedDense", {"output_dim": 2}, layers.Dense(2)),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD_LAYERS)
def test_old_layers_in_todays_words(name):
    class_name, arguments, expected = OLD_LAYERS[name]
    entry = {"class_name": class_name, "config": {"name": "it", "trainable": True, **arguments}}
    found = configs.from_config(entry, known_classes())
    assert found == expected.replace(name="it")


def test_what_is_not_offered_any_more():
    for class_name, arguments, message in (
        ("BatchNormalization", {"mode": 2}, "mode"),
        ("Merge", {"mode": "sum2"}, "mode"),
    ):
        with pytest.raises(RestoreError, match=message):
            configs.from_config({"class_name": class_name, "config": {"name": "it", **arguments}}, known_classes())
    with pytest.raises(UnknownNameError, match="MaxoutDense"):
        configs.from_config({"class_name": "MaxoutDense", "config": {"name": "it"}}, known_classes())


def functional(modern):
    """A functional model as Keras 2.2 and TensorFlow 2.13 write it."""

    def entry(class_name, nodes, **config):
        found = {"class_name": class_name, "config": {"trainable": True, **config}, "name": config["name"]}
        if modern:
            found |= {"module": f"keras.src.layers.core.{class_name.lower()}", "registered_name": None}
        return {**found, "inbound_nodes": nodes}

    shape = {"class_name": "__tuple__", "items": [None, 4]} if modern else [None, 4]
    dense = {"activation": "relu", "use_bias": True}
    body = [
        entry("InputLayer", [], name="a", batch_input_shape=shape, dtype="float32", sparse=False),
        entry("InputLayer", [], name="b", batch_input_shape=shape, dtype="float32", sparse=False),
        entry("Dense", [[["a", 0, 0, {}]], [["b", 0, 0, {}]]], name="shared", units=3, **dense),
        entry("Concatenate", [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]], name="both", axis=-1),
        entry("Dropout", [[["both", 0, 0, {"training": False}]]], name="drop", rate=0.5, noise_shape=None, seed=None),
        entry("Dense", [[["drop", 0, 0, {}]]], name="out", units=2, activation="linear"),
    ]
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["out", 0, 0]]}
    config = {"name": "old", "layers": body, **ends}
    if not modern:
        return {"class_name": "Model", "config": config}
    place = {"module": "keras.src.engine.functional", "registered_name": "Functional"}
    return {"class_name": "Functional", "config": config, **place, "build_config": {"input_shape": [None, 4]}}


@pytest.mark.parametrize("modern", [False, True])
def test_functional_models_of_keras_2(modern, tmp_path, rng):
    kernel, bias, last, last_bias = drawn(rng, (4, 3), (3,), (6, 2), (2,))
    a, b = drawn(rng, (5, 4), (5, 4))
    weights = {"a": [], "b": [], "shared": [kernel, bias], "both": [], "drop": [], "out": [last, last_bias]}
    path = write(tmp_path / "old.h5", functional(modern), weights, "2.13.1" if modern else "2.2.4")
    hidden = np.concatenate([np.maximum(x @ kernel + bias, 0) for x in (a, b)], axis=-1)
    model = jk.load_model(path)
    close(model([a, b]), hidden @ last + last_bias)
    if not modern:
        again = jk.models.model_from_json(
            json.dumps({**functional(False), "keras_version": "2.2.4", "backend": "theano"})
        )
        assert again.definition == model.definition


@pytest.mark.parametrize("first", [0, 1])
def test_models_in_models_of_keras_2(first, tmp_path, rng):
    """Keras 2 counted the applications of a model from 1, its own graph being number 0; other layers from 0."""

    def entry(class_name, nodes, **config):
        return {"class_name": class_name, "config": config, "name": config["name"], "inbound_nodes": nodes}

    def graph(name, entries, last):
        config = {
            "name": name,
            "layers": entries,
            "input_layers": [[entries[0]["name"], 0, 0]],
            "output_layers": [last],
        }
        return {"class_name": "Model", "name": name, "config": config}

    kernel, bias, scale, shift = drawn(rng, (3, 3), (3,), (3, 3), (3,))
    (x,) = drawn(rng, (4, 3))
    dense = entry("Dense", [[["i", 0, 0, {}]]], name="d", units=3)
    inner = graph("inner", [entry("InputLayer", [], name="i", batch_input_shape=[None, 3]), dense], ["d", 0, 0])
    nodes = [[["x", 0, 0, {}]], [["last", 0, 0, {}]]]
    outer = [
        entry("InputLayer", [], name="x", batch_input_shape=[None, 3]),
        {**inner, "inbound_nodes": nodes},
        entry("Dense", [[["inner", first, 0, {}]]], name="last", units=3),
    ]
    path = tmp_path / "old.h5"
    write(path, graph("outer", outer, ["inner", first + 1, 0]), {"inner": [kernel, bias], "last": [scale, shift]})
    expected = ((x @ kernel + bias) @ scale + shift) @ kernel + bias
    close(jk.load_model(path)(x), expected)


# -- layouts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "backend"), [("2.0.8", "theano"), ("2.0.8", "tensorflow"), ("1.2.2", None), ("1.2.2", "theano")]
)
def test_convolutions(version, backend, tmp_path, rng):
    """Theano's kernels back to front; those of Keras 1, `(filters, channels, rows, columns)`."""
    kernel, bias = drawn(rng, (3, 2, 3, 4), (4,))
    (x,) = drawn(rng, (2, 6, 5, 3))
    if version.startswith("1"):
        config = {"nb_filter": 4, "nb_row": 3, "nb_col": 2, "dim_ordering": "th", "batch_input_shape": [None, 3, 6, 5]}
        stored, entry = kernel.transpose(3, 2, 0, 1), "Convolution2D"
    else:
        config = {
            "filters": 4,
            "kernel_size": [3, 2],
            "data_format": "channels_first",
            "batch_input_shape": [None, 3, 6, 5],
        }
        stored, entry = kernel, "Conv2D"
    path = write(
        tmp_path / "old.h5", sequential((entry, {"name": "conv", **config})), {"conv": [stored, bias]}, version, backend
    )
    expected = convolved(x, kernel, bias, flip=backend == "theano")
    close(jk.load_model(path)(x.transpose(0, 3, 1, 2)), expected.transpose(0, 3, 1, 2))


def lstm(x, kernels, recurrents, biases, inner):
    """Gates in the order input, forget, cell, output."""
    h = c = np.zeros((x.shape[0], recurrents[0].shape[0]), "float32")
    for t in range(x.shape[1]):
        i, f, g, o = (x[:, t] @ k + h @ u + b for k, u, b in zip(kernels, recurrents, biases, strict=True))
        c = inner(f) * c + inner(i) * np.tanh(g)
        h = inner(o) * np.tanh(c)
    return h


def gates(rng, number, inputs, units):
    return tuple(drawn(rng, *[shape] * number) for shape in ((inputs, units), (units, units), (units,)))


def test_lstm_of_keras_1(tmp_path, rng):
    """Twelve arrays, three of each gate, input, cell, forget, output; and the hard sigmoid of that time."""
    kernels, recurrents, biases = gates(rng, 4, 3, 2)
    (x,) = drawn(rng, (2, 5, 3))
    arrays = [a for gate in (0, 2, 1, 3) for a in (kernels[gate], recurrents[gate], biases[gate])]
    config = {
        "output_dim": 2,
        "inner_activation": "hard_sigmoid",
        "activation": "tanh",
        "batch_input_shape": [None, 5, 3],
    }
    path = write(tmp_path / "old.h5", sequential(("LSTM", {"name": "it", **config})), {"it": arrays}, "1.2.2", None)
    model = jk.load_model(path)
    close(model(x), lstm(x, kernels, recurrents, biases, old_hard_sigmoid))
    model.save(tmp_path / "new.keras")
    close(jk.load_model(tmp_path / "new.keras")(x), model(x))


def test_hard_sigmoid_of_keras_2(tmp_path, rng):
    """The name stands for another function since Keras 3."""
    x = np.linspace(-4, 4, 9, dtype="float32").reshape(3, 3)
    config = sequential(("Activation", {"name": "it", "activation": "hard_sigmoid", "batch_input_shape": [None, 3]}))
    close(jk.load_model(write(tmp_path / "old.h5", config, {"it": []}))(x), old_hard_sigmoid(x))
    close(jk.load_model(write(tmp_path / "new.h5", config, {"it": []}, "3.1.0"))(x), np.clip(x / 6 + 0.5, 0, 1))
    old = jk.models.model_from_json(json.dumps({**config, "keras_version": "2.4.0"}))
    close(old(x), old_hard_sigmoid(x))


def test_cudnn_lstm(tmp_path, rng):
    """Kernels lie in memory as cuDNN has them, `(units, inputs)` for each gate; the biases add up."""
    units, inputs = 2, 3
    kernel, recurrent, bias = drawn(rng, (inputs, 4 * units), (units, 4 * units), (8 * units,))
    (x,) = drawn(rng, (2, 5, inputs))
    config = sequential(("CuDNNLSTM", {"name": "it", "units": units, "batch_input_shape": [None, 5, inputs]}))
    model = jk.load_model(write(tmp_path / "old.h5", config, {"it": [kernel, recurrent, bias]}))
    kernels = [part.reshape(units, inputs).T for part in np.hsplit(kernel, 4)]
    recurrents = [part.reshape(units, units).T for part in np.hsplit(recurrent, 4)]
    biases = np.split(bias[: 4 * units] + bias[4 * units :], 4)
    close(model(x), lstm(x, kernels, recurrents, biases, sigmoid))


def test_cudnn_gru(tmp_path, rng):
    """The gates update, reset, new; a bias for the input and one for the state."""
    units, inputs = 2, 3
    kernel, recurrent, bias = drawn(rng, (inputs, 3 * units), (units, 3 * units), (6 * units,))
    (x,) = drawn(rng, (2, 5, inputs))
    config = sequential(("CuDNNGRU", {"name": "it", "units": units, "batch_input_shape": [None, 5, inputs]}))
    model = jk.load_model(write(tmp_path / "old.h5", config, {"it": [kernel, recurrent, bias]}))
    kernels = [part.reshape(units, inputs).T for part in np.hsplit(kernel, 3)]
    recurrents = [part.reshape(units, units).T for part in np.hsplit(recurrent, 3)]
    of_input, of_state = np.split(bias[: 3 * units], 3), np.split(bias[3 * units :], 3)
    h = np.zeros((2, units), "float32")
    for t in range(5):
        ours = [x[:, t] @ k + b for k, b in zip(kernels, of_input, strict=True)]
        state = [h @ u + b for u, b in zip(recurrents, of_state, strict=True)]
        z, r = sigmoid(ours[0] + state[0]), sigmoid(ours[1] + state[1])
        h = (1 - z) * np.tanh(ours[2] + r * state[2]) + z * h
    close(model(x), h)


def test_gru_of_keras_1_and_2(tmp_path, rng):
    """Nine arrays, three of each gate; the reset gate comes before the product with the recurrent kernel."""
    kernels, recurrents, biases = gates(rng, 3, 3, 2)
    (x,) = drawn(rng, (2, 4, 3))
    h = np.zeros((2, 2), "float32")
    for t in range(4):
        z, r = (sigmoid(x[:, t] @ kernels[i] + h @ recurrents[i] + biases[i]) for i in (0, 1))
        h = z * h + (1 - z) * np.tanh(x[:, t] @ kernels[2] + (r * h) @ recurrents[2] + biases[2])
    first = sequential(("GRU", {"name": "it", "output_dim": 2, "inner_activation": "sigmoid", "inner_init": "orthogonal",
                                "batch_input_shape": [None, 4, 3]}))  # fmt: skip
    arrays = [a for gate in range(3) for a in (kernels[gate], recurrents[gate], biases[gate])]
    close(jk.load_model(write(tmp_path / "one.h5", first, {"it": arrays}, "1.1.0", None))(x), h)
    second = sequential(("GRU", {"name": "it", "units": 2, "recurrent_activation": "sigmoid", "implementation": 1,
                                 "batch_input_shape": [None, 4, 3]}))  # fmt: skip
    arrays = [np.concatenate(parts, axis=-1) for parts in (kernels, recurrents, biases)]
    close(jk.load_model(write(tmp_path / "two.h5", second, {"it": arrays}))(x), h)


def test_bidirectional(tmp_path, rng):
    """Of Keras 1, with twelve arrays for each direction, and of Keras 2."""
    forward, backward = gates(rng, 4, 3, 2), gates(rng, 4, 3, 2)
    (x,) = drawn(rng, (2, 4, 3))
    expected = np.concatenate([lstm(x, *forward, sigmoid), lstm(x[:, ::-1], *backward, sigmoid)], axis=-1)

    def config(**options):
        inner = {"class_name": "LSTM", "config": {"name": "inner", "activation": "tanh", **options}}
        outer = {"name": "it", "layer": inner, "merge_mode": "concat", "batch_input_shape": [None, 4, 3]}
        return sequential(("Bidirectional", outer))

    first = [side[part][gate] for side in (forward, backward) for gate in (0, 2, 1, 3) for part in range(3)]
    old = config(output_dim=2, inner_activation="sigmoid", inner_init="orthogonal")
    close(jk.load_model(write(tmp_path / "one.h5", old, {"it": first}, "1.2.2", None))(x), expected)
    second = [np.concatenate(side[part], axis=-1) for side in (forward, backward) for part in range(3)]
    new = config(units=2, recurrent_activation="sigmoid", implementation=2)
    close(jk.load_model(write(tmp_path / "two.h5", new, {"it": second}))(x), expected)


OLD_KERNELS = {
    # today's layer; what Keras 1 wrote; how its kernel looked.
    "sequences": (
        layers.Conv1D(4, 3), (6, 2), "Convolution1D", {"nb_filter": 4, "filter_length": 3},
        lambda k: k[:, None],
    ),
    "volumes": (
        layers.Conv3D(2, (1, 2, 3), data_format="channels_first"), (3, 4, 4, 4), "Convolution3D",
        {"nb_filter": 2, "kernel_dim1": 1, "kernel_dim2": 2, "kernel_dim3": 3, "dim_ordering": "th"},
        lambda k: k.transpose(4, 3, 0, 1, 2),
    ),
    "transposed": (
        layers.Conv2DTranspose(2, 3), (4, 4, 3), "Deconvolution2D",
        {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "dim_ordering": "tf"},
        lambda k: k.transpose(0, 1, 3, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD_KERNELS)
def test_other_kernels_of_keras_1(name, tmp_path):
    layer, shape, class_name, arguments, old = OLD_KERNELS[name]
    expected = jk.Sequential([jk.Input(shape), layer]).init(1)
    kernel, bias = expected.get_weights()
    config = sequential((class_name, {"name": "it", "batch_input_shape": [None, *shape], **arguments}))
    model = jk.load_model(write(tmp_path / "old.h5", config, {"it": [old(kernel), bias]}, "1.2.0", None))
    for one, other in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("size", "padding", "natural"),
    [(9, "valid", True), (10, "valid", False), (8, "same", True), (7, "same", False), (None, "same", True)],
)
@pytest.mark.parametrize("order", ["tf", "th"])
def test_transposed_convolutions_of_keras_1_are_told_the_size_of_their_output(size, padding, natural, order):
    shape, output = [4, 4, 3], [None, size, size, 2]
    if order == "th":
        shape, output = [3, 4, 4], [None, 2, size, size]
    arguments = {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "subsample": [2, 2], "border_mode": padding}
    arguments |= {"dim_ordering": order, "output_shape": output, "name": "it", "batch_input_shape": [None, *shape]}
    text = json.dumps({**sequential(("Deconvolution2D", arguments)), "keras_version": "1.2.0"})
    if not natural:
        with pytest.raises(RestoreError, match=r"'it' \(Deconvolution2D\), as Keras 1\.2\.0 .*output_shape=\[None"):
            jk.models.model_from_json(text)
        return
    size = size or 8
    found = jk.models.model_from_json(text).output_shape
    assert found == ((None, size, size, 2) if order == "tf" else (None, 2, size, size))


def test_the_first_keras_files(tmp_path):
    """Keras 2.12 and 2.13: the list of layers has another name, and so have modules."""
    model = jk.Sequential([jk.Input((3,)), layers.Dense(4, activation="hard_sigmoid_keras2"), layers.Dense(2)]).init(1)
    model.save(tmp_path / "new.keras")
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"].replace(b"hard_sigmoid_keras2", b"hard_sigmoid"))
    config["module"] = "keras.src.engine.sequential"
    buffer = io.BytesIO()
    with h5py.File(io.BytesIO(members["model.weights.h5"]), "r") as old, h5py.File(buffer, "w") as new:
        old.copy("layers", new, "_layer_checkpoint_dependencies")
    with zipfile.ZipFile(tmp_path / "old.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.13.1", "date_saved": "2023-07-01@00:00:00"}))
        archive.writestr("model.weights.h5", buffer.getvalue())
    loaded = jk.load_model(tmp_path / "old.keras")
    assert loaded.definition == model.definition
    for one, other in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


# -- optimizers ----------------------------------------------------------------------------------------------------


def dense(units, inputs):
    first = {"name": "b", "units": units, "batch_input_shape": [None, inputs]}
    return sequential(("Dense", first), ("Dense", {"name": "a", "units": 1}))


SHAPES = [(4, 3), (3,), (3, 1), (1,)]


def slot_by_slot(slots):
    return [array for slot in slots for array in slot]


def weight_by_weight(slots):
    return [slot[i] for i in range(len(SHAPES)) for slot in slots]


def by_name(slots):
    """Before 2.1 the order was that of the names: the layer `a`, which is the second, came first, biases before kernels."""
    return [slot[i] for slot in slots for i in (3, 2, 1, 0)]


ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False, "decay": 0.0}
NEW_ADAM = {"name": "Adam", "jit_compile": False, "is_legacy_optimizer": False, "amsgrad": False}
SGD = {"lr": 0.01, "momentum": 0.9, "decay": 0.0, "nesterov": True}

# Version, class, arguments, the name of the first array, the order of the others, slots, empty arrays at the end.
OLD_OPTIMIZERS = {
    "keras 2 adam": ("2.2.4", "Adam", {"lr": 0.01, **ADAM}, "Adam/iterations:0", slot_by_slot, 2, 4),
    "tensorflow": ("2.4.0", "Adam", {"name": "Adam", "learning_rate": 0.01, **ADAM}, "Adam/iter:0", slot_by_slot, 2, 0),
    "keras 2.13": ("2.13.1", "Custom>Adam", {"learning_rate": 0.01, **NEW_ADAM}, "iteration:0", weight_by_weight, 2, 0),
    "keras 2.0 momentum": ("2.0.5", "SGD", SGD, "SGD/iterations:0", by_name, 1, 0),
}


@pytest.mark.parametrize("name", OLD_OPTIMIZERS)
def test_old_optimizers(name, tmp_path, rng):
    version, class_name, config, first, order, slots, placeholders = OLD_OPTIMIZERS[name]
    state = [drawn(rng, *SHAPES) for _ in range(slots)]
    weights = drawn(rng, *SHAPES)
    empty = [np.zeros(1, "float32")] * placeholders
    arrays = [np.asarray(7, "int64"), *order(state), *empty]
    names = [first, *[f"training/slot_{i}:0" for i in range(len(arrays) - 1)]]
    training = {"optimizer_config": {"class_name": class_name, "config": config}, "loss": "mse", "metrics": ["mae"]}
    training |= {"sample_weight_mode": None, "loss_weights": None}
    path = tmp_path / "old.h5"
    stored = list(zip(names, arrays, strict=True))
    write(path, dense(3, 4), {"b": weights[:2], "a": weights[2:]}, version, "tensorflow", training, stored)
    rename(path)
    loaded = jk.load_model(path)
    found = optimizer_order.variables(
        loaded.recipe.optimizer, loaded.state.opt_state, [info.name for info in loaded.description.weights]
    )
    expected = [np.int32(7), np.float32(0.01), *weight_by_weight(state)]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.value, other, rtol=1e-6)
    assert int(loaded.state.step) == 7
    assert [type(m).__name__ for m in jk.load_model(path, compile=False).layers] == ["Dense", "Dense"]


def rename(path):
    """The names of weights as Keras 2 gave them, by which the oldest versions ordered the optimizer's state."""
    with h5py.File(path, "r+") as file:
        for layer in ("a", "b"):
            group = file["model_weights"][layer]
            arrays = [group[f"{layer}/{layer}_{i}:0"][()] for i in range(2)]
            del group[layer]
            names = [f"{layer}/kernel:0", f"{layer}/bias:0"]
            group.attrs["weight_names"] = np.asarray([np.bytes_(n) for n in names])
            for n, array in zip(names, arrays, strict=True):
                group[n] = array


def test_decay_becomes_a_schedule(tmp_path, rng):
    training = {
        "optimizer_config": {"class_name": "SGD", "config": {"lr": 0.1, "decay": 0.5, "momentum": 0.0}},
        "loss": "mse",
    }
    weights = drawn(rng, *SHAPES)
    path = write(tmp_path / "old.h5", dense(3, 4), {"b": weights[:2], "a": weights[2:]}, training=training)
    schedule = jk.load_model(path).recipe.optimizer.learning_rate
    np.testing.assert_allclose([float(schedule(i)) for i in range(3)], [0.1, 0.1 / 1.5, 0.1 / 2.0], rtol=1e-6)


# -- models of other people ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "apple_gru.keras",
        "dino_lstm.keras",
        "electricity_transformer.keras",
        "fer2013_mini_XCEPTION.102-0.66.hdf5",
        "mnist_gosolna.keras",
        "mnist_moonflower.h5",
    ],
)
def test_models_of_other_people(name, shared_data):
    path = shared_data / "keras_models" / name
    if not path.is_file():
        pytest.skip(f"{name} is not present")
    expected = np.load(f"{path}.expected.npz")
    model = jk.load_model(path)
    predict = jax.jit(
        lambda variables, x: model.apply(variables, x), compiler_options={"xla_backend_optimization_level": 0}
    )
    np.testing.assert_allclose(predict(model.variables, expected["x0"]), expected["y0"], atol=1e-4, rtol=1e-4)
    assert model.recipe is not None and model.state.opt_state is not None
