"""Xception (Chollet, 2016, https://arxiv.org/abs/1610.02357)."""

from __future__ import annotations

from jkeras.applications.application import Application, Options, dense_classifier
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import tf_kernels

# The number and the filters of both convolutions, for blocks that downsample.
_ENTRY = ((2, 128, 128), (3, 256, 256), (4, 728, 728))
_EXIT = (13, 728, 1024)


def _separable(b: Blocks, x: Tensor, filters: int, name: str, active: str | None = None) -> Tensor:
    """A separable convolution with batch normalization, preceded by an activation if that has a name."""
    x = x if active is None else b.activation(x, active)
    x = b.layers.SeparableConv2D(filters, (3, 3), padding="same", use_bias=False, name=name)(x)
    return b.norm(x, f"{name}_bn")


def _smaller(b: Blocks, x: Tensor, number: int, first: int, second: int) -> Tensor:
    """Two separable convolutions and pooling, plus a convolution of the input."""
    layers, name = b.layers, f"block{number}"
    residual = layers.Conv2D(second, (1, 1), strides=(2, 2), padding="same", use_bias=False)(x)
    residual = b.norm(residual)
    x = _separable(b, x, first, f"{name}_sepconv1", None if number == 2 else f"{name}_sepconv1_act")
    x = _separable(b, x, second, f"{name}_sepconv2", f"{name}_sepconv2_act")
    x = layers.MaxPooling2D((3, 3), strides=(2, 2), padding="same", name=f"{name}_pool")(x)
    return layers.Add()([x, residual])


def _features(b: Blocks, x: Tensor, options: Options) -> Tensor:
    layers = b.layers
    for name, filters, strides in (("block1_conv1", 32, (2, 2)), ("block1_conv2", 64, (1, 1))):
        x = layers.Conv2D(filters, (3, 3), strides=strides, use_bias=False, name=name)(x)
        x = b.activation(b.norm(x, f"{name}_bn"), f"{name}_act")
    for number, first, second in _ENTRY:
        x = _smaller(b, x, number, first, second)
    for number in range(5, 13):
        residual = x
        for i in (1, 2, 3):
            name = f"block{number}_sepconv{i}"
            x = _separable(b, x, 728, name, f"{name}_act")
        x = layers.Add()([x, residual])
    x = _smaller(b, x, *_EXIT)
    for name, filters in (("block14_sepconv1", 1536), ("block14_sepconv2", 2048)):
        x = b.activation(_separable(b, x, filters, name), f"{name}_act")
    return x


APPLICATIONS = {
    "Xception": Application(
        name="Xception",
        features=_features,
        classifier=dense_classifier(),
        files=tf_kernels(
            "xception", "xception", ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97")
        ),
        summary="The network of depthwise separable convolutions.",
        model_name="xception",
        size=299,
        smallest=71,
        pools=(None, None),
    )
}
Xception: Network = of_values(APPLICATIONS["Xception"], __name__)

__all__ = ["Xception", "decode_predictions", "preprocess_input"]
