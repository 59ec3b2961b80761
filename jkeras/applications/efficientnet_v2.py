"""EfficientNetV2 (Tan and Le, 2021, https://arxiv.org/abs/2104.00298)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from jkeras.applications.application import Application, Options
from jkeras.applications.efficient_blocks import classified, convolved, fused_block, mobile_block, normalized
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_none as preprocess_input
from jkeras.applications.signatures import EfficientNetV2Network
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import published

MOMENTUM = 0.9
DROP_CONNECT_RATE = 0.2


class Stage(NamedTuple):
    """Blocks of one kind: whether they are fused, their number, filters, expansion, and the stride of the first."""

    fused: bool
    repeats: int
    filters: int
    expansion: int
    stride: int


class Size(NamedTuple):
    """Filters of the stem, stages, width and depth relative to these, and the default image size."""

    stem: int
    stages: tuple[Stage, ...]
    width: float
    depth: float
    image: int
    checksums: tuple[str, str]


def _stages(*rows: tuple[int, int, int, int, int]) -> tuple[Stage, ...]:
    return tuple(Stage(bool(fused), *rest) for fused, *rest in rows)


_B = _stages(
    (1, 1, 16, 1, 1), (1, 2, 32, 4, 2), (1, 2, 48, 4, 2), (0, 3, 96, 4, 2), (0, 5, 112, 6, 1), (0, 8, 192, 6, 2)
)
_S = _stages(
    (1, 2, 24, 1, 1), (1, 4, 48, 4, 2), (1, 4, 64, 4, 2), (0, 6, 128, 4, 2), (0, 9, 160, 6, 1), (0, 15, 256, 6, 2)
)
_M = _stages(
    (1, 3, 24, 1, 1), (1, 5, 48, 4, 2), (1, 5, 80, 4, 2), (0, 7, 160, 4, 2), (0, 14, 176, 6, 1), (0, 18, 304, 6, 2),
    (0, 5, 512, 6, 1),
)  # fmt: skip
_L = _stages(
    (1, 4, 32, 1, 1), (1, 7, 64, 4, 2), (1, 7, 96, 4, 2), (0, 10, 192, 4, 2), (0, 19, 224, 6, 1), (0, 25, 384, 6, 2),
    (0, 7, 640, 6, 1),
)  # fmt: skip
SIZES = {
    "B0": Size(32, _B, 1.0, 1.0, 224, ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff")),
    "B1": Size(32, _B, 1.0, 1.1, 240, ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37")),
    "B2": Size(32, _B, 1.1, 1.2, 260, ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb")),
    "B3": Size(32, _B, 1.2, 1.4, 300, ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856")),
    "S": Size(24, _S, 1.0, 1.0, 384, ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070")),
    "M": Size(24, _M, 1.0, 1.0, 480, ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342")),
    "L": Size(32, _L, 1.0, 1.0, 480, ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615")),
}


def _scaled(b: Blocks, x: Tensor, small: bool) -> Tensor:
    """Images with values from 0 to 255 as the network wants them."""
    layers = b.layers
    if not small or b.channels(x) != 3:
        return layers.Rescaling(scale=1.0 / 128.0, offset=-1)(x)
    x = layers.Rescaling(scale=1.0 / 255)(x)
    variance = [0.229**2, 0.224**2, 0.225**2]
    return layers.Normalization(mean=[0.485, 0.456, 0.406], variance=variance, axis=b.axis)(x)


def _features(key: str) -> Callable[[Blocks, Tensor, Options], Tensor]:
    size = SIZES[key]

    def filters_of(filters: int) -> int:
        return max(8, int(filters * size.width + 4) // 8 * 8)

    def features(b: Blocks, x: Tensor, options: Options) -> Tensor:
        if options["include_preprocessing"]:
            x = _scaled(b, x, key.startswith("B"))
        x = convolved(b, x, filters_of(size.stem), "stem_conv", 3, 2)
        x = normalized(b, x, "stem_bn", "stem_activation", momentum=MOMENTUM)
        # The rates grow with the number of preceding blocks, as if the network were only as deep as the smallest.
        whole, number = sum(stage.repeats for stage in size.stages), 0
        for place, stage in enumerate(size.stages, 1):
            for i in range(math.ceil(size.depth * stage.repeats)):
                block = (3, filters_of(stage.filters), stage.expansion, stage.stride if i == 0 else 1)
                drop, name = DROP_CONNECT_RATE * number / whole, f"block{place}{chr(ord('a') + i)}_"
                if stage.fused:
                    x = fused_block(b, x, *block, drop, name, momentum=MOMENTUM)
                else:
                    x = mobile_block(b, x, *block, drop, name, padded=False, momentum=MOMENTUM)
                number += 1
        x = convolved(b, x, filters_of(1280), "top_conv")
        return normalized(b, x, "top_bn", "top_activation", momentum=MOMENTUM)

    return features


def _efficientnet(key: str) -> Application:
    size, name = SIZES[key], f"efficientnetv2-{key.lower()}"
    return Application(
        name=f"EfficientNetV2{key}",
        features=_features(key),
        classifier=lambda b, x, options: classified(b, x, options, 0.2),
        files=published(
            "tensorflow/keras-applications/efficientnet_v2", (f"{name}.h5", f"{name}_notop.h5"), size.checksums
        ),
        summary=f"EfficientNetV2 {key}, for images of {size.image} pixels with values from 0 to 255.",
        protocol=EfficientNetV2Network,
        model_name=name,
        size=size.image,
    )


APPLICATIONS = {f"EfficientNetV2{key}": _efficientnet(key) for key in SIZES}
EfficientNetV2B0: EfficientNetV2Network = of_values(APPLICATIONS["EfficientNetV2B0"], __name__)
EfficientNetV2B1: EfficientNetV2Network = of_values(APPLICATIONS["EfficientNetV2B1"], __name__)
EfficientNetV2B2: EfficientNetV2Network = of_values(APPLICATIONS["EfficientNetV2B2"], __name__)
EfficientNetV2B3: EfficientNetV2Network = of_values(APPLICATIONS["EfficientNetV2B3"], __name__)
EfficientNetV2S: EfficientNetV2Network = of_values(APPLICATIONS["EfficientNetV2S"], __name__)
EfficientNetV2M: EfficientNetV2Network = of_values(APPLICATIONS["EfficientNetV2M"], __name__)
EfficientNetV2L: EfficientNetV2Network = of_values(APPLICATIONS["EfficientNetV2L"], __name__)

__all__ = [*(f"EfficientNetV2{key}" for key in SIZES), "decode_predictions", "preprocess_input"]
