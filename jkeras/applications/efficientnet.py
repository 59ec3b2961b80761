"""EfficientNet (Tan and Le, 2019, https://arxiv.org/abs/1905.11946)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from jkeras.applications.application import Application, Options
from jkeras.applications.efficient_blocks import CONV, classified, mobile_block, normalized
from jkeras.applications.face import Blocks, Tensor, divisible
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_none as preprocess_input
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import published

# Kernel size, repetitions, filters, expansion, stride of the first block.
STAGES = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
# The published weights were trained on images that were additionally divided by these.
_SCALES = tuple(1.0 / math.sqrt(deviation) for deviation in (0.229, 0.224, 0.225))


class Size(NamedTuple):
    """Width and depth relative to B0, the default image size, and the dropout rate before the classifier."""

    width: float
    depth: float
    image: int
    dropout: float
    checksums: tuple[str, str]


SIZES = {
    "B0": Size(1.0, 1.0, 224, 0.2, ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d")),
    "B1": Size(1.0, 1.1, 240, 0.2, ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432")),
    "B2": Size(1.1, 1.2, 260, 0.3, ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39")),
    "B3": Size(1.2, 1.4, 300, 0.3, ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226")),
    "B4": Size(1.4, 1.8, 380, 0.4, ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba")),
    "B5": Size(1.6, 2.2, 456, 0.4, ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f")),
    "B6": Size(1.8, 2.6, 528, 0.5, ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743")),
    "B7": Size(2.0, 3.1, 600, 0.5, ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a")),
}


def scaled(b: Blocks, x: Tensor, options: Options) -> Tensor:
    """Preprocesses images with values from 0 to 255."""
    layers = b.layers
    x = layers.Rescaling(1.0 / 255.0)(x)
    x = layers.Normalization(axis=b.axis, **b.face.normalization(b.channels(x), options["path"]))(x)
    return layers.Rescaling(list(_SCALES))(x) if options["weights"] == "imagenet" else x


def features(b: Blocks, x: Tensor, size: Size, drop_connect_rate: float = 0.2) -> Tensor:
    """Everything but the classifier, for preprocessed images."""
    layers = b.layers

    def filters_of(filters: int) -> int:
        return divisible(filters * size.width)

    x = b.pad_for(x, 3, "stem_conv_pad")
    x = layers.Conv2D(filters_of(32), 3, strides=2, use_bias=False, kernel_initializer=CONV, name="stem_conv")(x)
    x = normalized(b, x, "stem_bn", "stem_activation")
    counts = [math.ceil(size.depth * count) for _, count, *_ in STAGES]
    number = 0
    for stage, (kernel, _, filters, expansion, stride) in enumerate(STAGES):
        for i in range(counts[stage]):
            drop = drop_connect_rate * number / sum(counts)
            name = f"block{stage + 1}{chr(ord('a') + i)}_"
            strides = stride if i == 0 else 1
            x = mobile_block(b, x, kernel, filters_of(filters), expansion, strides, drop, name, padded=True)
            number += 1
    x = layers.Conv2D(
        filters_of(1280), 1, padding="same", use_bias=False, kernel_initializer=CONV, name="top_conv"
    )(x)  # fmt: skip
    return normalized(b, x, "top_bn", "top_activation")


def _features(size: Size) -> Callable[[Blocks, Tensor, Options], Tensor]:
    return lambda b, x, options: features(b, scaled(b, x, options), size)


def _efficientnet(key: str) -> Application:
    size, name = SIZES[key], f"efficientnet{key.lower()}"
    return Application(
        name=f"EfficientNet{key}",
        features=_features(size),
        classifier=lambda b, x, options: classified(b, x, options, size.dropout),
        files=published("keras-applications", (f"{name}.h5", f"{name}_notop.h5"), size.checksums),
        summary=f"EfficientNet {key}, for images of {size.image} pixels with values from 0 to 255.",
        model_name=name,
        size=size.image,
    )


APPLICATIONS = {f"EfficientNet{key}": _efficientnet(key) for key in SIZES}
EfficientNetB0: Network = of_values(APPLICATIONS["EfficientNetB0"], __name__)
EfficientNetB1: Network = of_values(APPLICATIONS["EfficientNetB1"], __name__)
EfficientNetB2: Network = of_values(APPLICATIONS["EfficientNetB2"], __name__)
EfficientNetB3: Network = of_values(APPLICATIONS["EfficientNetB3"], __name__)
EfficientNetB4: Network = of_values(APPLICATIONS["EfficientNetB4"], __name__)
EfficientNetB5: Network = of_values(APPLICATIONS["EfficientNetB5"], __name__)
EfficientNetB6: Network = of_values(APPLICATIONS["EfficientNetB6"], __name__)
EfficientNetB7: Network = of_values(APPLICATIONS["EfficientNetB7"], __name__)

__all__ = [*(f"EfficientNetB{number}" for number in range(8)), "decode_predictions", "preprocess_input"]
