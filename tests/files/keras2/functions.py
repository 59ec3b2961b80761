"""Functions of TensorFlow between the layers of models of Keras 2; see `models.py`."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers as L
from models import Kind, kind, numbers, regression


@kind
def arithmetic() -> Kind:
    x, y = L.Input((4, 3)), L.Input((4, 3))
    made = [x + y, x - y, x * y, x / (tf.abs(y) + 1.0), 2.0 - x, 2 * x, x**2, -x, tf.maximum(x, y), tf.minimum(x, 0.5)]
    made += [tf.exp(x), tf.sqrt(tf.abs(y)), tf.square(x), tf.sigmoid(x), tf.tanh(y), tf.nn.relu(x), tf.math.softplus(y)]
    made += [tf.clip_by_value(x, -0.5, 0.5), tf.math.log(tf.abs(x) + 1.0), tf.nn.softmax(x), tf.math.sign(y)]
    made += [
        tf.where(x > 0, x, y),
        tf.cast(x > y, "float32"),
        tf.math.abs(x),
        tf.sin(x),
        tf.cos(y),
        1.0 / (x * x + 1.0),
    ]
    return regression(keras.Model([x, y], tf.concat(made, axis=-1)), [numbers(8, 4, 3), numbers(8, 4, 3)])


@kind
def reductions() -> Kind:
    x, y = L.Input((4, 3)), L.Input((4, 3))
    made = [
        tf.reduce_mean(x, axis=1),
        tf.reduce_sum(y, 1),
        tf.reduce_max(x, axis=-1),
        tf.reduce_min(y, axis=[1], keepdims=True),
    ]
    made += [x[:, 0], y[:, :, 1], x[:, 1:3, ::2], tf.expand_dims(y, 1), tf.reshape(x, (-1, 12))]
    made += [
        tf.transpose(x, [0, 2, 1]),
        tf.matmul(x, y, transpose_b=True),
        tf.stack([x, y], axis=1),
        tf.squeeze(x[:, :1], axis=1),
    ]
    made += [tf.tile(x, [1, 2, 1]), tf.pad(y, [[0, 0], [1, 1], [0, 0]]), tf.argmax(x, axis=-1)]
    made += [tf.gather(x, [0, 2], axis=1), tf.norm(y, axis=-1), tf.math.l2_normalize(x, axis=-1), tf.reverse(x, [1])]
    made += [
        tf.split(x, 2, axis=1)[1],
        tf.unstack(y, axis=1)[0],
        tf.cumsum(x, axis=1),
        tf.one_hot(tf.argmax(y, axis=-1), 3),
    ]
    made = [L.Flatten()(tf.cast(m, "float32")) for m in made]
    return regression(keras.Model([x, y], L.Dense(2)(L.Concatenate()(made))), [numbers(8, 4, 3), numbers(8, 4, 3)])


@kind
def products() -> Kind:
    x = L.Input((4, 3))  # Keras 2 leaves out the tensors that `einsum` is applied to when it writes this
    return Kind(keras.Model(x, tf.einsum("abc,abd->acd", x, x)), numbers(8, 4, 3))


@kind
def last_places() -> Kind:
    x = L.Input((4, 3))
    return regression(keras.Model(x, L.Dense(2)(x[..., -1])), numbers(8, 4, 3))


@kind
def backend_functions() -> Kind:
    K = keras.backend
    x, y = L.Input((4, 3)), L.Input((4, 3))
    made = [
        K.mean(x, axis=1),
        K.sum(y, axis=-1),
        K.max(x, axis=1),
        K.sqrt(K.abs(y)),
        K.square(x),
        K.exp(x),
        K.softmax(y),
    ]
    made += [
        K.relu(x),
        K.sigmoid(y),
        K.tanh(x),
        K.clip(y, -0.3, 0.3),
        K.concatenate([x, y], axis=-1),
        K.expand_dims(x, 1),
    ]
    made += [K.permute_dimensions(x, (0, 2, 1)), K.l2_normalize(x, axis=-1), K.reshape(y, (-1, 12))]
    made = [L.Flatten()(m) for m in made]
    return regression(keras.Model([x, y], L.Dense(2)(L.Concatenate()(made))), [numbers(8, 4, 3), numbers(8, 4, 3)])
