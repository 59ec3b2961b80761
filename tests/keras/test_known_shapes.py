"""Shapes by rule, where layers have one, are those that tracing `call` gives."""

import functools

import pytest

from jkeras import keras
from jkeras.keras import layers

CASES = {
    "dense": (lambda: layers.Dense(3, activation="softmax"), (None, 2, 4)),
    "strides": (lambda: layers.Conv2D(4, (3, 2), strides=2, activation="relu"), (None, 9, None, 3)),
    "dilation": (
        lambda: layers.Conv2D(4, 3, dilation_rate=2, padding="same", data_format="channels_first"),
        (2, 3, 9, 8),
    ),
    "causal": (lambda: layers.Conv1D(4, 3, strides=2, padding="causal"), (None, 11, 2)),
    "normalization": (lambda: layers.LayerNormalization(dtype="mixed_float16"), (None, 3)),
    "last step": (lambda: layers.LSTM(5), (None, None, 3)),
    "all steps": (lambda: layers.GRU(5, return_sequences=True, dtype="mixed_bfloat16"), (2, 4, 3)),
    "a cell": (lambda: layers.RNN(layers.SimpleRNNCell(3)), (None, 4, 2)),
}


@pytest.mark.parametrize(("make", "shape"), CASES.values(), ids=CASES)
def test_a_shape_by_rule_is_that_of_the_computation(make, shape):
    layer = make()

    class Computes(type(layer)):
        @functools.wraps(type(layer).call)  # the signature
        def call(self, *args, **kwargs):  # of a user's own: there is no rule for it
            return super().call(*args, **kwargs)

    other = Computes.from_config(layer.get_config())
    known, computed = layer(keras.Input(batch_shape=shape)), other(keras.Input(batch_shape=shape))
    assert (known.shape, known.dtype) == (computed.shape, computed.dtype)


def test_a_window_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="window does not fit"):
        layers.Conv2D(4, 5)(keras.Input((3, 3, 1)))


def test_what_a_user_changes_has_no_rule():
    class Doubled(layers.Conv1D):
        def convolution_op(self, inputs, kernel):
            outputs = super().convolution_op(inputs, kernel)
            return keras.ops.concatenate([outputs, outputs], axis=1)

    assert Doubled(2, 1, use_bias=False)(keras.Input((4, 3))).shape == (None, 8, 2)


def test_scaled_images_have_the_shape_that_is_asked_for():
    images, two = keras.KerasTensor((None, None, 20, 3)), keras.KerasTensor((2,))
    for shape in ((None, 10, 12, 3), (2, 10, 12, 3)):
        scaled = keras.ops.image.scale_and_translate(images, shape, two, two, (1, 2), "linear")
        assert scaled.shape == shape and scaled.dtype == images.dtype
