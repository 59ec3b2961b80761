"""MobileNet (Howard et al., 2017, https://arxiv.org/abs/1704.04861)."""

from __future__ import annotations

from typing import Any

from jkeras.applications.application import Application, Options
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from jkeras.applications.mobile_options import prepare, square, warn_of_size
from jkeras.applications.signatures import MobileNetNetwork
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import WeightFile
from jkeras.errors import ArgumentError

# The filters and stride of each block.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
SIZES = (128, 160, 192, 224)
WIDTHS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}


def _active(b: Blocks, x: Tensor, name: str) -> Tensor:
    return b.layers.ReLU(6.0, name=f"{name}_relu")(b.norm(x, f"{name}_bn"))


def _block(b: Blocks, x: Tensor, filters: int, stride: int, number: int, options: Options) -> Tensor:
    layers = b.layers
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        (3, 3),
        padding="same" if stride == 1 else "valid",
        depth_multiplier=options["depth_multiplier"],
        strides=(stride, stride),
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = _active(b, x, f"conv_dw_{number}")
    x = layers.Conv2D(
        int(filters * options["alpha"]), (1, 1), padding="same", use_bias=False, name=f"conv_pw_{number}"
    )(x)  # fmt: skip
    return _active(b, x, f"conv_pw_{number}")


def _features(b: Blocks, x: Tensor, options: Options) -> Tensor:
    first = int(32 * options["alpha"])
    x = b.layers.Conv2D(first, (3, 3), padding="same", use_bias=False, strides=(2, 2), name="conv1")(x)
    x = _active(b, x, "conv1")
    for number, (filters, stride) in enumerate(BLOCKS, 1):
        x = _block(b, x, filters, stride, number, options)
    return x


def _classifier(b: Blocks, x: Tensor, options: Options) -> Tensor:
    layers = b.layers
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(options["dropout"], name="dropout")(x)
    x = layers.Conv2D(options["classes"], (1, 1), padding="same", name="conv_preds")(x)
    x = layers.Reshape((options["classes"],), name="reshape_2")(x)
    return layers.Activation(options["classifier_activation"], name="predictions")(x)


def _prepare(options: dict[str, Any]) -> None:
    if options["weights"] == "imagenet" and options["depth_multiplier"] != 1:
        raise ArgumentError(
            f"MobileNet(depth_multiplier={options['depth_multiplier']}): with weights='imagenet' it must be 1."
        )
    prepare("MobileNet", options, SIZES, tuple(WIDTHS), "mobilenet_{alpha:0.2f}_{side}")


def _file(options: Options) -> WeightFile:
    warn_of_size("MobileNet", options, SIZES)
    side = square(options["input_shape"], SIZES) or 224
    name = f"mobilenet_{WIDTHS[options['alpha']]}_{side}_tf{'' if options['include_top'] else '_no_top'}.h5"
    return WeightFile(name, f"tensorflow/keras-applications/mobilenet/{name}", None)


APPLICATIONS = {
    "MobileNet": Application(
        name="MobileNet",
        features=_features,
        classifier=_classifier,
        files=_file,
        summary="The network of depthwise separable convolutions for small devices.",
        protocol=MobileNetNetwork,
        pools=(None, None),
        prepare=_prepare,
    )
}
MobileNet: MobileNetNetwork = of_values(APPLICATIONS["MobileNet"], __name__)

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]
