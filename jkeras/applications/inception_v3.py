"""Inception V3 (Szegedy et al., 2015, https://arxiv.org/abs/1512.00567)."""

from __future__ import annotations

from jkeras.applications.application import Application, Options, dense_classifier
from jkeras.applications.face import Blocks, Tensor
from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from jkeras.applications.inception_parts import Conv, Pool, branches, down, stem
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values
from jkeras.applications.weight_files import tf_kernels


def _small_windows(pooled: int) -> tuple[tuple[Conv | Pool, ...], ...]:
    return (
        (Conv(64, 1),),
        (Conv(48, 1), Conv(64, 5)),
        (Conv(64, 1), Conv(96, 3), Conv(96, 3)),
        (Pool("average", 1), Conv(pooled, 1)),
    )


def _strips(narrow: int) -> tuple[tuple[Conv | Pool, ...], ...]:
    """7 x 7 convolutions factorized into 1 x 7 and 7 x 1."""
    row, column = (1, 7), (7, 1)
    return (
        (Conv(192, 1),),
        (Conv(narrow, 1), Conv(narrow, row), Conv(192, column)),
        (Conv(narrow, 1), Conv(narrow, column), Conv(narrow, row), Conv(narrow, column), Conv(192, row)),
        (Pool("average", 1), Conv(192, 1)),
    )


# The branches that each block concatenates, in order; without the two blocks whose branches split at their ends.
BLOCKS = (
    _small_windows(32),
    _small_windows(64),
    _small_windows(64),
    (
        (down(384),),
        (Conv(64, 1), Conv(96, 3), down(96)),
        (Pool("max", 2),),
    ),
    _strips(128),
    _strips(160),
    _strips(160),
    _strips(192),
    (
        (Conv(192, 1), down(320)),
        (Conv(192, 1), Conv(192, (1, 7)), Conv(192, (7, 1)), down(192)),
        (Pool("max", 2),),
    ),
)


def _split(b: Blocks, x: Tensor, name: str | None) -> Tensor:
    """Concatenates a 1 x 3 and a 3 x 1 convolution."""
    parts = [Conv(384, kernel).put(b, x) for kernel in ((1, 3), (3, 1))]
    return b.concatenate(parts, name)


def _wide_block(b: Blocks, x: Tensor, number: int) -> Tensor:
    narrow = Conv(320, 1).put(b, x)
    middle = _split(b, Conv(384, 1).put(b, x), f"mixed9_{number}")
    deep = _split(b, Conv(384, 3).put(b, Conv(448, 1).put(b, x)), None)
    pooled = Conv(192, 1).put(b, Pool("average", 1).put(b, x))
    return b.concatenate([narrow, middle, deep, pooled], f"mixed{9 + number}")


def _features(b: Blocks, x: Tensor, options: Options) -> Tensor:
    x = stem(b, x)
    for number, block in enumerate(BLOCKS):
        x = b.concatenate(branches(b, x, block), f"mixed{number}")
    return _wide_block(b, _wide_block(b, x, 0), 1)


APPLICATIONS = {
    "InceptionV3": Application(
        name="InceptionV3",
        features=_features,
        classifier=dense_classifier(),
        files=tf_kernels(
            "inception_v3", "inception_v3", ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63")
        ),
        summary="The third version of Inception, a network of branches with windows of several sizes.",
        model_name="inception_v3",
        size=299,
        smallest=75,
        pools=(None, None),
        numbered=True,
    )
}
InceptionV3: Network = of_values(APPLICATIONS["InceptionV3"], __name__)

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]
