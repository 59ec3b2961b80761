"""The shapes in annotations are those that arrays have: calls are checked by jaxtyping and beartype."""

from __future__ import annotations

import types

import jax.numpy as jnp
import pytest
from beartype import beartype
from jaxtyping import TypeCheckError, jaxtyped

import jkeras as jk
from jkeras import layers

X, IMAGES, SEQUENCES = jnp.ones((2, 6)), jnp.ones((2, 8, 8, 3)), jnp.ones((2, 5, 3))
LAYERS = [
    (layers.Dense(4, activation="relu"), X),
    (layers.EinsumDense("ab,bc->ac", 4), X),
    (layers.Embedding(9, 4), jnp.ones((2, 5), "int32")),
    (layers.Activation("tanh"), X),
    (layers.ReLU(), X),
    (layers.PReLU(), X),
    (layers.Softmax(), X),
    (layers.Conv1D(4, 3), SEQUENCES),
    (layers.Conv2D(4, 3, 2), IMAGES),
    (layers.Conv2DTranspose(4, 3), IMAGES),
    (layers.DepthwiseConv2D(3), IMAGES),
    (layers.SeparableConv2D(4, 3), IMAGES),
    (layers.MaxPooling2D(), IMAGES),
    (layers.GlobalAveragePooling2D(keepdims=True), IMAGES),
    (layers.UpSampling2D(), IMAGES),
    (layers.ZeroPadding2D(), IMAGES),
    (layers.Cropping2D(), IMAGES),
    (layers.Flatten(), IMAGES),
    (layers.Reshape((3, 2)), X),
    (layers.Permute((2, 1)), SEQUENCES),
    (layers.RepeatVector(3), X),
    (layers.BatchNormalization(), X),
    (layers.LayerNormalization(), X),
    (layers.GroupNormalization(3), IMAGES),
    (layers.UnitNormalization(), X),
    (layers.RMSNormalization(), X),
    (layers.Dropout(0.5), X),
    (layers.GaussianNoise(0.5), X),
    (layers.LSTM(4, return_sequences=True), SEQUENCES),
    (layers.Rescaling(2.0), IMAGES),
    (layers.Resizing(4, 4), IMAGES),
]


def check_calls(monkeypatch: pytest.MonkeyPatch, cls: type) -> None:
    """Lets the `call` of a class check its arguments and its result for the length of a test."""
    owner = next(base for base in cls.__mro__ if "call" in vars(base))
    monkeypatch.setattr(owner, "call", jaxtyped(typechecker=beartype)(vars(owner)["call"]))


@pytest.mark.parametrize(("layer", "inputs"), LAYERS, ids=lambda value: type(value).__name__)
def test_layers_give_the_shapes_that_they_are_annotated_with(layer, inputs, monkeypatch) -> None:
    check_calls(monkeypatch, type(layer))
    outputs = layer.apply(layer.init(0, inputs), inputs)
    assert outputs.shape[0] == inputs.shape[0]


def test_other_shapes_and_types_than_annotated_are_found(monkeypatch) -> None:
    call = jaxtyped(typechecker=beartype)(layers.Dense.call)
    layer = types.SimpleNamespace(
        units=4,
        kernel=jnp.ones((6, 5)),
        use_bias=False,
        activation=lambda outputs: outputs,
        quantization_mode=None,
        _with_adapters=lambda kernel: kernel,
    )
    with pytest.raises(TypeCheckError):
        call(layer, X)
    check_calls(monkeypatch, layers.ReLU)
    with pytest.raises(TypeCheckError):
        layers.ReLU()(X > 0)


@pytest.mark.parametrize("loss", [jk.losses.MeanSquaredError(), jk.losses.Huber(), jk.losses.BinaryCrossentropy()])
def test_losses_take_and_give_what_they_are_annotated_with(loss) -> None:
    call = jaxtyped(typechecker=beartype)(jk.losses.Loss.__call__)
    assert call(loss, jnp.ones((4, 1)), jnp.full((4, 1), 0.5)).shape == ()
