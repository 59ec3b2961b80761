"""The kinds of models that real Keras 2 writes for the tests: `make.py` runs this in an environment of Keras 2 alone.

Each kind is a function that gives a model, its inputs, its targets, and what to compile it with. Everything is tiny; nothing
is random in training, so that losses can be compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

rng = np.random.default_rng(3)


@dataclasses.dataclass
class Kind:
    """A model with its data.

    Attributes:
        model: not compiled.
        x: an input, or a list or dict of them.
        y: the targets; None if the model is not trained.
        compiled: arguments of `compile`.
        prepare: is called after `compile` and training, before the file is written.
    """

    model: Any
    x: Any
    y: Any = None
    compiled: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    prepare: Callable[[Any], None] = lambda model: None


KINDS: dict[str, Callable[[], Kind]] = {}


def kind(make: Callable[[], Kind]) -> Callable[[], Kind]:
    KINDS[make.__name__] = make
    return make


def numbers(*shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def whole(high: int, *shape: int) -> np.ndarray:
    return rng.integers(0, high, shape).astype("int32")


def regression(model: Any, x: Any, **compiled: Any) -> Kind:
    """A kind that is trained to random targets."""
    first = x[0] if isinstance(x, list) else x
    shape = [tuple(o.shape[1:]) for o in tf.nest.flatten(model.outputs)] if model.built else [(2,)]
    y = [numbers(len(first), *s) for s in shape]
    return Kind(
        model, x, y[0] if len(y) == 1 else y, {"optimizer": keras.optimizers.SGD(0.05), "loss": "mse"} | compiled
    )


# -- layers --------------------------------------------------------------------------------------------------------------


@kind
def dense() -> Kind:
    model = keras.Sequential([L.Input((4,)), L.Dense(5, "relu"), L.Dropout(0.0), L.Dense(3, "softmax")])
    compiled = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    return Kind(model, numbers(8, 4), whole(3, 8), compiled)


@kind
def convolutions() -> Kind:
    x = inputs = L.Input((8, 8, 4))
    x = L.Conv2D(4, 3, padding="same", groups=2, activation="relu")(x)
    x = L.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = L.BatchNormalization()(x)
    x = L.SeparableConv2D(6, 3, strides=2, padding="same", depth_multiplier=2)(x)
    x = L.Conv2DTranspose(3, 3, strides=2, padding="same", use_bias=False)(x)
    x = L.MaxPooling2D()(x)
    x = L.Conv2D(2, (2, 3), dilation_rate=2, name="dilated")(L.ZeroPadding2D(2)(x))
    return regression(keras.Model(inputs, L.GlobalAveragePooling2D()(x)), numbers(8, 8, 8, 4))


@kind
def convolutions_of_series() -> Kind:
    x = inputs = L.Input((12, 3))
    x = L.Conv1D(4, 3, padding="causal", activation="tanh")(x)
    x = L.SeparableConv1D(4, 3, padding="same")(x)
    x = L.DepthwiseConv1D(3, depth_multiplier=2)(x)
    x = L.Conv1DTranspose(3, 3, strides=2, output_padding=1)(x)
    x = L.AveragePooling1D(2)(L.Cropping1D(1)(L.ZeroPadding1D(1)(L.UpSampling1D(2)(x))))
    return regression(keras.Model(inputs, L.GlobalMaxPooling1D(keepdims=True)(x)), numbers(8, 12, 3))


@kind
def convolutions_of_volumes() -> Kind:
    x = inputs = L.Input((4, 4, 4, 2))
    x = L.Conv3D(3, 2, padding="same")(x)
    x = L.Conv3DTranspose(2, 2, strides=2)(x)
    x = L.MaxPooling3D()(x)
    x = L.AveragePooling3D(2, strides=1)(L.Cropping3D(1)(L.UpSampling3D(2)(L.ZeroPadding3D(1)(x))))
    return regression(keras.Model(inputs, L.GlobalAveragePooling3D()(x)), numbers(8, 4, 4, 4, 2))


@kind
def recurrent() -> Kind:
    model = keras.Sequential(
        [
            L.Input((5, 3)),
            L.LSTM(4, return_sequences=True),
            L.GRU(4, return_sequences=True),
            L.GRU(3, reset_after=False, return_sequences=True, recurrent_activation="hard_sigmoid"),
            L.LSTM(3, unit_forget_bias=False, return_sequences=True, go_backwards=True, use_bias=False),
            L.SimpleRNN(2, activation="relu"),
        ]
    )
    return regression(model, numbers(8, 5, 3), optimizer="rmsprop")


@kind
def bidirectional() -> Kind:
    x = inputs = L.Input((5, 3))
    x = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
    x = L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode="sum")(x)
    backward = L.SimpleRNN(3, go_backwards=True, name="back")
    x = L.Bidirectional(L.SimpleRNN(2), backward_layer=backward, merge_mode="concat")(x)
    return regression(keras.Model(inputs, x), numbers(8, 5, 3), optimizer="adam")


@kind
def seen_and_remembered() -> Kind:
    model = keras.Sequential(
        [
            L.Input((3, 5, 5, 2)),
            L.ConvLSTM2D(2, 3, padding="same", return_sequences=True),
            L.ConvLSTM2D(2, 2),
        ]
    )
    return regression(model, numbers(4, 3, 5, 5, 2))


@kind
def seen_in_both_directions() -> Kind:
    x = inputs = L.Input((3, 4, 4, 2))
    x = L.Bidirectional(L.ConvLSTM2D(2, 2, return_sequences=True))(x)
    x = L.Bidirectional(L.ConvLSTM2D(1, 2), merge_mode="ave")(x)
    return regression(keras.Model(inputs, x), numbers(4, 3, 4, 4, 2))


@kind
def sequence_to_sequence() -> Kind:
    source, target = L.Input((4, 3), name="source"), L.Input((5, 2), name="target")
    _, h, c = L.LSTM(3, return_state=True, name="encoder")(source)
    x = L.LSTM(3, return_sequences=True, name="decoder")(target, initial_state=[h, c])
    _, state = L.GRU(2, return_state=True)(source)
    z = L.GRU(2)(target, initial_state=state)
    outputs = [L.Dense(2, name="words")(x), z]
    return regression(keras.Model([source, target], outputs), [numbers(8, 4, 3), numbers(8, 5, 2)], optimizer="adam")


@kind
def cells() -> Kind:
    x = inputs = L.Input((4, 3))
    x = L.RNN(L.LSTMCell(2), return_sequences=True)(x)
    x = L.RNN([L.GRUCell(2), L.SimpleRNNCell(3)])(x)
    return regression(keras.Model(inputs, x), numbers(8, 4, 3))


@kind
def attention() -> Kind:
    x = inputs = L.Input((6, 4))
    other = L.Input((5, 4))
    x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 3, name="heads")(x, other)]))
    x = L.MultiHeadAttention(2, 2, value_dim=3, output_shape=4, use_bias=False)(x, x, use_causal_mask=True)
    x = L.Attention(use_scale=True)([x, other])
    x = L.AdditiveAttention()([x, other, other])
    model = keras.Model([inputs, other], L.GlobalAveragePooling1D()(x))
    return regression(model, [numbers(8, 6, 4), numbers(8, 5, 4)], optimizer="adam")


@kind
def words() -> Kind:
    model = keras.Sequential(
        [
            L.Embedding(10, 3, input_length=6, mask_zero=True),
            L.LSTM(4),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    compiled = {"optimizer": "rmsprop", "loss": "binary_crossentropy", "metrics": ["acc"]}
    return Kind(model, whole(10, 8, 6), whole(2, 8, 1), compiled)


@kind
def masked() -> Kind:
    x = numbers(8, 5, 3)
    x[:, 3:] = 0.5
    model = keras.Sequential([L.Masking(0.5, input_shape=(5, 3)), L.GRU(3, return_sequences=True), L.LSTM(2)])
    return regression(model, x)


@kind
def distributed_in_time() -> Kind:
    x = inputs = L.Input((3, 6, 6, 1))
    x = L.TimeDistributed(L.Conv2D(2, 3))(x)
    x = L.TimeDistributed(keras.Sequential([L.Flatten(), L.Dense(3)]))(x)
    return regression(keras.Model(inputs, L.Flatten()(x)), numbers(8, 3, 6, 6, 1))


@kind
def connected_locally() -> Kind:
    x = inputs = L.Input((6, 5, 2))
    x = L.LocallyConnected2D(3, (3, 2), strides=(1, 2), activation="relu")(x)
    x = L.Reshape((-1, 3))(x)
    x = L.LocallyConnected1D(2, 3)(x)
    x = L.LocallyConnected1D(2, 2, implementation=2, use_bias=False, padding="same")(x)
    return regression(keras.Model(inputs, L.Flatten()(x)), numbers(8, 6, 5, 2))


@kind
def normalizations() -> Kind:
    x = inputs = L.Input((4, 6))
    x = L.BatchNormalization(momentum=0.9, epsilon=1e-4, scale=False)(x)
    x = L.LayerNormalization(axis=[1, 2], center=False)(x)
    x = L.BatchNormalization(axis=1)(x)
    if hasattr(L, "GroupNormalization"):
        x = L.GroupNormalization(3)(x)
    return regression(keras.Model(inputs, L.UnitNormalization()(x)), numbers(8, 4, 6))


@kind
def activations() -> Kind:
    x = inputs = L.Input((6,))
    for layer in (
        L.LeakyReLU(0.2),
        L.ELU(0.5),
        L.PReLU(),
        L.ReLU(2.0, 0.1, 0.05),
        L.ThresholdedReLU(0.01),
        L.Softmax(),
    ):
        x = layer(x)
    names = "elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign swish tanh"
    known = [name for name in names.split() if hasattr(keras.activations, name)]
    parts = [L.Dense(2, activation=name, name=f"dense_{name}")(x) for name in known]
    parts += [L.Activation("relu")(x), L.Activation(keras.activations.hard_sigmoid)(x)]
    return regression(keras.Model(inputs, L.Concatenate()(parts)), numbers(8, 6))


@kind
def merges() -> Kind:
    one, other = L.Input((4, 3)), L.Input((4, 3))
    made = [cls()([one, other]) for cls in (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum)]
    made += [L.Dot(axes=2, normalize=True)([one, other]), L.Dot((1, 1))([one, other])]
    x = L.Concatenate(axis=-1)([*made[:6], made[6]])
    x = L.Dense(2)(L.Flatten()(L.Concatenate()([x, L.concatenate([one, other])])))
    return regression(keras.Model([one, other], [x, L.Flatten()(made[7])]), [numbers(8, 4, 3), numbers(8, 4, 3)])


@kind
def shapes() -> Kind:
    x = inputs = L.Input((4, 6, 2))
    x = L.ZeroPadding2D(((1, 0), (0, 2)))(x)
    x = L.Cropping2D(((1, 0), (2, 0)))(x)
    x = L.UpSampling2D((2, 1), interpolation="bilinear")(x)
    x = L.AveragePooling2D((2, 3), padding="same")(L.Permute((2, 1, 3))(x))
    x = L.RepeatVector(3)(L.Dense(4)(L.Flatten()(x)))
    x = L.Reshape((2, -1))(x)
    x = L.EinsumDense("abc,cd->abd", output_shape=(2, 3), bias_axes="d")(x)
    x = L.ActivityRegularization(l1=0.01, l2=0.02)(x)
    return regression(keras.Model(inputs, x), numbers(8, 4, 6, 2))


@kind
def noises() -> Kind:
    x = inputs = L.Input((4, 6))
    for layer in (
        L.Dropout(0.2, seed=1),
        L.SpatialDropout1D(0.1),
        L.GaussianNoise(0.1),
        L.GaussianDropout(0.2),
        L.AlphaDropout(0.1),
    ):
        x = layer(x)
    return Kind(
        keras.Model(inputs, L.Dense(2)(x)), numbers(8, 4, 6), numbers(8, 4, 2), {"optimizer": "sgd", "loss": "mse"}
    )


# -- structures ------------------------------------------------------------------------------------------------------------


@kind
def two_ends() -> Kind:
    left, right = L.Input((4,), name="left"), L.Input((3,), name="right")
    x = L.concatenate([L.Dense(3)(left), L.Dense(2)(right)])
    outputs = [L.Dense(2, name="number")(x), L.Dense(3, activation="softmax", name="class")(x)]
    compiled = {
        "optimizer": "adam",
        "loss": {"number": "mae", "class": "categorical_crossentropy"},
        "loss_weights": {"number": 0.5, "class": 2.0},
        "metrics": {"number": ["mse"], "class": ["accuracy", "top_k_categorical_accuracy"]},
    }
    y = {"number": numbers(8, 2), "class": np.eye(3, dtype="float32")[whole(3, 8)]}
    return Kind(keras.Model([left, right], outputs), {"left": numbers(8, 4), "right": numbers(8, 3)}, y, compiled)


@kind
def shared() -> Kind:
    one, other = L.Input((4,)), L.Input((4,))
    layer = L.Dense(3, activation="tanh", name="both")
    twice = L.Dense(3, name="twice")
    x = L.Subtract()([twice(layer(one)), twice(twice(layer(other)))])
    return regression(keras.Model([one, other], x), [numbers(8, 4), numbers(8, 4)])


@kind
def nested() -> Kind:
    inner = keras.Sequential([L.Input((4,)), L.Dense(4), L.BatchNormalization()], name="inner")
    a, b = L.Input((4,)), L.Input((4,))
    two = keras.Model([a, b], [L.Dense(3)(L.Add()([a, b])), L.Multiply()([a, b])], name="two")
    inputs = L.Input((4,))
    first, second = two([inner(inputs), inputs])
    again, _ = two([second, inner(inner(inputs))])
    deep = keras.Sequential([keras.Sequential([L.Dense(3), keras.Sequential([L.Dense(2)])]), L.Dense(2)])
    outputs = deep(L.Concatenate()([first, second, again]))
    return regression(keras.Model(inputs, outputs), numbers(8, 4), optimizer="adam")


@kind
def without_shape() -> Kind:
    model = keras.Sequential([L.Dense(3, activation="relu"), L.Dense(2)])
    x = numbers(8, 4)
    model(x)
    return Kind(model, x, numbers(8, 2), {"optimizer": "adam", "loss": "mse"})


@kind
def frozen() -> Kind:
    model = keras.Sequential([L.Input((4,)), L.Dense(3, name="a"), L.BatchNormalization(), L.Dense(2, name="b")])
    model.layers[0].trainable = False
    model.layers[1].trainable = False
    return regression(model, numbers(8, 4), optimizer="adam")


@kind
def frozen_after_compile() -> Kind:
    model = keras.Sequential([L.Input((4,)), L.Dense(3, name="a"), L.Dense(2, name="b")])

    def prepare(model: Any) -> None:
        model.layers[0].trainable = False

    return dataclasses.replace(regression(model, numbers(8, 4), optimizer="adam"), prepare=prepare)


@kind
def thawed_after_compile() -> Kind:
    model = keras.Sequential([L.Input((4,)), L.Dense(3, name="a", trainable=False), L.Dense(2, name="b")])

    def prepare(model: Any) -> None:
        model.layers[0].trainable = True

    return dataclasses.replace(regression(model, numbers(8, 4), optimizer="adam"), prepare=prepare)


@kind
def mixed_precision() -> Kind:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = keras.Sequential([L.Input((4,)), L.Dense(3, activation="relu"), L.Dense(2, dtype="float32")])
    finally:
        keras.mixed_precision.set_global_policy("float32")
    return Kind(
        model,
        numbers(8, 4),
        numbers(8, 2),
        {"optimizer": keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam()), "loss": "mse"},
    )


# -- preprocessing -----------------------------------------------------------------------------------------------------------


@kind
def numbers_prepared() -> Kind:
    normalization = L.Normalization()
    normalization.adapt(numbers(20, 4) * 3 + 1)
    given = L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0])
    x = inputs = L.Input((4,))
    x = L.Concatenate()([normalization(x), given(x), L.Normalization(invert=True, mean=1.0, variance=4.0)(x)])
    x = L.Concatenate()([x, L.CategoryEncoding(5, "multi_hot")(L.Discretization([-1.0, 0.0, 1.0])(inputs))])
    return regression(keras.Model(inputs, L.Dense(2)(x)), numbers(8, 4), optimizer="adam")


@kind
def pictures_prepared() -> Kind:
    x = inputs = L.Input((9, 8, 3))
    x = L.Rescaling(1 / 127.5, -1.0)(x)
    x = L.CenterCrop(6, 6)(L.Resizing(8, 8)(x))
    for layer in (
        L.RandomFlip("horizontal"),
        L.RandomRotation(0.1),
        L.RandomZoom(0.1),
        L.RandomTranslation(0.1, 0.1),
        L.RandomContrast(0.1),
        L.RandomBrightness(0.1),
    ):
        x = layer(x)
    model = keras.Model(inputs, L.Conv2D(2, 3)(x))
    return Kind(
        model,
        rng.uniform(0, 255, (8, 9, 8, 3)).astype("float32"),
        numbers(8, 4, 4, 2),
        {"optimizer": "sgd", "loss": "mse"},
    )


@kind
def texts() -> Kind:
    vectors = L.TextVectorization(output_sequence_length=4, vocabulary=["the", "cat", "sat", "mat"], name="words")
    x = inputs = L.Input((1,), dtype="string")
    x = L.Embedding(8, 3)(vectors(x))
    model = keras.Model(inputs, L.Dense(2)(L.Flatten()(x)))
    return Kind(
        model,
        np.array([["the cat"], ["A mat, THE cat sat!"], [""], ["sat sat"]], dtype=object),
        numbers(4, 2),
        {"optimizer": "adam", "loss": "mse"},
    )


@kind
def texts_adapted() -> Kind:
    vectors = L.TextVectorization(max_tokens=9, output_mode="tf_idf")
    vectors.adapt(np.array(["the cat sat", "the mat", "a cat"], dtype=object))
    return Kind(
        keras.Sequential([L.Input((1,), dtype="string"), vectors]),
        np.array([["the cat"], ["mat mat dog"]], dtype=object),
    )


@kind
def strings() -> Kind:
    x = inputs = L.Input((2,), dtype="string")
    one = L.StringLookup(vocabulary=["a", "b", "c"], output_mode="multi_hot")(x)
    other = L.StringLookup(vocabulary=["b", "d"], num_oov_indices=2)(x)
    hashed = L.Hashing(7)(x)
    return Kind(keras.Model(inputs, [one, other, hashed]), np.array([["a", "b"], ["d", "e"], ["c", ""]], dtype=object))


@kind
def strings_out() -> Kind:
    x = inputs = L.Input((2,), dtype="int64")
    word = L.StringLookup(vocabulary=["a", "b"], invert=True)(x)
    number = L.IntegerLookup(vocabulary=[1, 3, 5])(x)
    return Kind(keras.Model(inputs, [word, number]), np.array([[1, 2], [0, 5]]))
