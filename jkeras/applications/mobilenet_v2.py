"""MobileNetV2 (Sandler et al., 2018, https://arxiv.org/abs/1801.04381)."""

from __future__ import annotations

from typing import Any

from jkeras.applications.application import Application, Options, dense_classifier
from jkeras.applications.face import Blocks, Tensor, divisible
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from jkeras.applications.mobile_options import prepare, square, warn_of_size
from jkeras.applications.signatures import MobileNetV2Network
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import WeightFile

# Filters, repetitions, stride of the first block, expansion.
STAGES = ((16, 1, 1, 1), (24, 2, 2, 6), (32, 3, 2, 6), (64, 4, 2, 6), (96, 3, 1, 6), (160, 3, 2, 6), (320, 1, 1, 6))
SIZES = (96, 128, 160, 192, 224)
WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)


def _norm(b: Blocks, x: Tensor, name: str, relu: str | None = None) -> Tensor:
    x = b.norm(x, name, epsilon=1e-3, momentum=0.999)
    return x if relu is None else b.layers.ReLU(6.0, name=relu)(x)


def _block(b: Blocks, inputs: Tensor, filters: int, stride: int, expansion: int, number: int) -> Tensor:
    layers, x, channels = b.layers, inputs, b.channels(inputs)
    name = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = layers.Conv2D(expansion * channels, 1, padding="same", use_bias=False, name=f"{name}expand")(x)
        x = _norm(b, x, f"{name}expand_BN", f"{name}expand_relu")
    if stride == 2:
        x = b.pad_for(x, 3, f"{name}pad")
    padding = "same" if stride == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=stride, use_bias=False, padding=padding, name=f"{name}depthwise")(x)
    x = _norm(b, x, f"{name}depthwise_BN", f"{name}depthwise_relu")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = _norm(b, x, f"{name}project_BN")
    return layers.Add(name=f"{name}add")([inputs, x]) if channels == filters and stride == 1 else x


def _features(b: Blocks, x: Tensor, options: Options) -> Tensor:
    layers, alpha = b.layers, options["alpha"]
    x = layers.Conv2D(divisible(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(x)
    x = _norm(b, x, "bn_Conv1", "Conv1_relu")
    number = 0
    for filters, count, stride, expansion in STAGES:
        for i in range(count):
            x = _block(b, x, divisible(int(filters * alpha)), stride if i == 0 else 1, expansion, number)
            number += 1
    x = layers.Conv2D(divisible(1280 * alpha) if alpha > 1 else 1280, 1, use_bias=False, name="Conv_1")(x)
    return _norm(b, x, "Conv_1_bn", "out_relu")


def _prepare(options: dict[str, Any]) -> None:
    tensor = options["input_tensor"]
    shape = tensor.shape[1:] if tensor is not None and options["input_shape"] is None else None
    prepare("MobileNetV2", options, SIZES, WIDTHS, "mobilenetv2_{alpha:0.2f}_{side}", shape)


def _file(options: Options) -> WeightFile:
    warn_of_size("MobileNetV2", options, SIZES)
    side = square(options["input_shape"], SIZES) or 224
    top = "" if options["include_top"] else "_no_top"
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(options['alpha'])}_{side}{top}.h5"
    return WeightFile(name, f"tensorflow/keras-applications/mobilenet_v2/{name}", None)


APPLICATIONS = {
    "MobileNetV2": Application(
        name="MobileNetV2",
        features=_features,
        classifier=dense_classifier(None),
        files=_file,
        summary="The network of inverted residuals for small devices.",
        protocol=MobileNetV2Network,
        pools=(None, None),
        prepare=_prepare,
        same_width=True,
    )
}
MobileNetV2: MobileNetV2Network = of_values(APPLICATIONS["MobileNetV2"], __name__)

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]
