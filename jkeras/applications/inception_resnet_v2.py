"""Inception-ResNet V2 (Szegedy et al., 2016, https://arxiv.org/abs/1602.07261)."""

from __future__ import annotations

from jkeras.applications.application import Application, Options, dense_classifier
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from jkeras.applications.inception_parts import Conv, Pool, branches, down, stem
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import tf_kernels
from jkeras.layers.network_parts import CustomScaleLayer as CustomScaleLayer

# Blocks whose branches are concatenated.
_MIXED_5B = (
    (Conv(96, 1),),
    (Conv(48, 1), Conv(64, 5)),
    (Conv(64, 1), Conv(96, 3), Conv(96, 3)),
    (Pool("average", 1), Conv(64, 1)),
)
_MIXED_6A = ((down(384),), (Conv(256, 1), Conv(256, 3), down(384)), (Pool("max", 2),))
_MIXED_7A = (
    (Conv(256, 1), down(384)),
    (Conv(256, 1), down(288)),
    (Conv(256, 1), Conv(288, 3), down(320)),
    (Pool("max", 2),),
)
# Blocks whose branches are concatenated, scaled and added to their input.
_RESIDUAL = {
    "block35": ((Conv(32, 1),), (Conv(32, 1), Conv(32, 3)), (Conv(32, 1), Conv(48, 3), Conv(64, 3))),
    "block17": ((Conv(192, 1),), (Conv(128, 1), Conv(160, (1, 7)), Conv(192, (7, 1)))),
    "block8": ((Conv(192, 1),), (Conv(192, 1), Conv(224, (1, 3)), Conv(256, (3, 1)))),
}


def _residual(b: Blocks, x: Tensor, kind: str, number: int, scale: float, active: bool = True) -> Tensor:
    layers, name = b.layers, f"{kind}_{number}"
    mixed = b.concatenate(branches(b, x, _RESIDUAL[kind]), f"{name}_mixed")
    up = layers.Conv2D(b.channels(x), 1, padding="same", name=f"{name}_conv")(mixed)
    x = b.own_layer(CustomScaleLayer)(scale)([x, up])
    return b.activation(x, f"{name}_ac") if active else x


def _features(b: Blocks, x: Tensor, options: Options) -> Tensor:
    x = b.concatenate(branches(b, stem(b, x), _MIXED_5B), "mixed_5b")
    for number in range(1, 11):
        x = _residual(b, x, "block35", number, 0.17)
    x = b.concatenate(branches(b, x, _MIXED_6A), "mixed_6a")
    for number in range(1, 21):
        x = _residual(b, x, "block17", number, 0.1)
    x = b.concatenate(branches(b, x, _MIXED_7A), "mixed_7a")
    for number in range(1, 10):
        x = _residual(b, x, "block8", number, 0.2)
    x = _residual(b, x, "block8", 10, 1.0, active=False)
    return Conv(1536, 1).put(b, x, "conv_7b")


APPLICATIONS = {
    "InceptionResNetV2": Application(
        name="InceptionResNetV2",
        features=_features,
        classifier=dense_classifier(),
        files=tf_kernels(
            "inception_resnet_v2",
            "inception_resnet_v2",
            ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4"),
        ),
        summary="The Inception network with residual connections.",
        model_name="inception_resnet_v2",
        size=299,
        smallest=75,
        pools=(None, None),
        numbered=True,
    )
}
InceptionResNetV2: Network = of_values(APPLICATIONS["InceptionResNetV2"], __name__)

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]
