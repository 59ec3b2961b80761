"""MobileNetV3 (Howard et al., 2019, https://arxiv.org/abs/1905.02244)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jkeras.applications.application import Application, Options
from jkeras.applications.face import Blocks, Tensor, divisible
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_none as preprocess_input
from jkeras.applications.mobile_options import check_width, warn_of_size
from jkeras.applications.signatures import MobileNetV3Network
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import WeightFile


class Block(NamedTuple):
    """An inverted residual.

    Attributes:
        expansion: how much wider it is inside.
        filters: channels of the result.
        wide: whether its kernel is 5 x 5 instead of 3 x 3.
        stride: the stride of its depthwise convolution.
        squeezed: whether it uses squeeze and excitation.
        swish: whether its activation is hard swish instead of ReLU.
    """

    expansion: float
    filters: int
    wide: bool
    stride: int
    squeezed: bool
    swish: bool


def _table(*rows: tuple[float, int, int, int, int, int]) -> tuple[Block, ...]:
    return tuple(Block(e, f, bool(wide), stride, bool(se), bool(swish)) for e, f, wide, stride, se, swish in rows)


BLOCKS = {
    "small": _table(
        (1, 16, 0, 2, 1, 0),
        (72 / 16, 24, 0, 2, 0, 0),
        (88 / 24, 24, 0, 1, 0, 0),
        (4, 40, 1, 2, 1, 1),
        (6, 40, 1, 1, 1, 1),
        (6, 40, 1, 1, 1, 1),
        (3, 48, 1, 1, 1, 1),
        (3, 48, 1, 1, 1, 1),
        (6, 96, 1, 2, 1, 1),
        (6, 96, 1, 1, 1, 1),
        (6, 96, 1, 1, 1, 1),
    ),
    "large": _table(
        (1, 16, 0, 1, 0, 0),
        (4, 24, 0, 2, 0, 0),
        (3, 24, 0, 1, 0, 0),
        (3, 40, 1, 2, 1, 0),
        (3, 40, 1, 1, 1, 0),
        (3, 40, 1, 1, 1, 0),
        (6, 80, 0, 2, 0, 1),
        (2.5, 80, 0, 1, 0, 1),
        (2.3, 80, 0, 1, 0, 1),
        (2.3, 80, 0, 1, 0, 1),
        (6, 112, 0, 1, 1, 1),
        (6, 112, 0, 1, 1, 1),
        (6, 160, 1, 2, 1, 1),
        (6, 160, 1, 1, 1, 1),
        (6, 160, 1, 1, 1, 1),
    ),
}
# The number of features before the classifier.
LAST = {"small": 1024, "large": 1280}
CHECKSUMS = {
    "large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0_float": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0_float": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}


def _active(b: Blocks, x: Tensor, swish: bool) -> Tensor:
    return b.activation(x, function="hard_swish") if swish else b.layers.ReLU()(x)


def _norm(b: Blocks, x: Tensor, name: str) -> Tensor:
    return b.norm(x, name, epsilon=1e-3, momentum=0.999)


def _pointwise(b: Blocks, x: Tensor, filters: int, name: str, *, use_bias: bool = False) -> Tensor:
    return b.layers.Conv2D(filters, kernel_size=1, padding="same", use_bias=use_bias, name=name)(x)


def _excited(b: Blocks, x: Tensor, name: str) -> Tensor:
    layers, wide = b.layers, b.channels(x)
    scale = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}squeeze_excite_avg_pool")(x)
    scale = _pointwise(b, scale, divisible(wide * 0.25), f"{name}squeeze_excite_conv", use_bias=True)
    scale = layers.ReLU(name=f"{name}squeeze_excite_relu")(scale)
    scale = _pointwise(b, scale, wide, f"{name}squeeze_excite_conv_1", use_bias=True)
    scale = layers.ReLU(6.0)(scale + 3.0) * (1.0 / 6.0)  # the hard sigmoid
    return layers.Multiply(name=f"{name}squeeze_excite_mul")([x, scale])


def _block(b: Blocks, inputs: Tensor, block: Block, filters: int, number: int) -> Tensor:
    layers, x, channels = b.layers, inputs, b.channels(inputs)
    name = f"expanded_conv_{number}_" if number else "expanded_conv_"
    if number:
        x = _pointwise(b, x, divisible(channels * block.expansion), f"{name}expand")
        x = _active(b, _norm(b, x, f"{name}expand_bn"), block.swish)
    kernel = 5 if block.wide else 3
    if block.stride == 2:
        x = b.pad_for(x, kernel, f"{name}depthwise_pad")
    padding = "same" if block.stride == 1 else "valid"
    x = layers.DepthwiseConv2D(
        kernel, strides=block.stride, padding=padding, use_bias=False, name=f"{name}depthwise"
    )(x)  # fmt: skip
    x = _active(b, _norm(b, x, f"{name}depthwise_bn"), block.swish)
    if block.squeezed:
        x = _excited(b, x, name)
    x = _norm(b, _pointwise(b, x, filters, f"{name}project"), f"{name}project_bn")
    return layers.Add(name=f"{name}add")([inputs, x]) if block.stride == 1 and channels == filters else x


def _features(size: str) -> Callable[[Blocks, Tensor, Options], Tensor]:
    def features(b: Blocks, x: Tensor, options: Options) -> Tensor:
        layers, swish = b.layers, not options["minimalistic"]
        if options["include_preprocessing"]:
            x = layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(x)
        x = layers.Conv2D(16, kernel_size=3, strides=(2, 2), padding="same", use_bias=False, name="conv")(x)
        x = _active(b, _norm(b, x, "conv_bn"), swish)
        for number, block in enumerate(BLOCKS[size]):
            if options["minimalistic"]:
                block = block._replace(wide=False, squeezed=False, swish=False)
            x = _block(b, x, block, divisible(block.filters * options["alpha"]), number)
        x = _pointwise(b, x, divisible(b.channels(x) * 6), "conv_1")
        return _active(b, _norm(b, x, "conv_1_bn"), swish)

    return features


def _classifier(size: str) -> Callable[[Blocks, Tensor, Options], Tensor]:
    def classifier(b: Blocks, x: Tensor, options: Options) -> Tensor:
        layers, alpha = b.layers, options["alpha"]
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = _pointwise(b, x, divisible(LAST[size] * alpha) if alpha > 1 else LAST[size], "conv_2", use_bias=True)
        x = _active(b, x, not options["minimalistic"])
        if options["dropout_rate"] > 0:
            x = layers.Dropout(options["dropout_rate"])(x)
        x = _pointwise(b, x, options["classes"], "logits", use_bias=True)
        x = layers.Flatten()(x)
        return layers.Activation(options["classifier_activation"], name="predictions")(x)

    return classifier


def _prepare(network: str) -> Callable[[dict[str, Any]], None]:
    def prepare(options: dict[str, Any]) -> None:
        check_width(network, options, (1.0,) if options["minimalistic"] else (0.75, 1.0))

    return prepare


def _file(size: str) -> Callable[[Options], WeightFile]:
    def choose(options: Options) -> WeightFile:
        warn_of_size(f"MobileNetV3{size.title()}", options, (224,))
        key = f"{size}{'_minimalistic' if options['minimalistic'] else ''}_224_{float(options['alpha'])}_float"
        name = f"weights_mobilenet_v3_{key}{'' if options['include_top'] else '_no_top_v2'}.h5"
        checksum = CHECKSUMS[key][0 if options["include_top"] else 1]
        return WeightFile(name, f"tensorflow/keras-applications/mobilenet_v3/{name}", checksum)

    return choose


def _mobilenet(size: str) -> Application:
    name = f"MobileNetV3{size.title()}"
    return Application(
        name=name,
        features=_features(size),
        classifier=_classifier(size),
        files=_file(size),
        summary=f"The {size} network for phones, for images with values from 0 to 255.",
        protocol=MobileNetV3Network,
        model_name=name,
        prepare=_prepare(name),
        any_size=True,
        same_width=True,
    )


APPLICATIONS = {f"MobileNetV3{size.title()}": _mobilenet(size) for size in BLOCKS}
MobileNetV3Small: MobileNetV3Network = of_values(APPLICATIONS["MobileNetV3Small"], __name__)
MobileNetV3Large: MobileNetV3Network = of_values(APPLICATIONS["MobileNetV3Large"], __name__)

__all__ = ["MobileNetV3Small", "MobileNetV3Large", "decode_predictions", "preprocess_input"]
