"""The building blocks of both Inception networks: branches of convolutions and pooling layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jkeras.applications.face import Blocks, Tensor


class Conv(NamedTuple):
    """A convolution with batch normalization and activation.

    Attributes:
        filters: the number of filters.
        kernel: the kernel size, or height and width.
        strides: the strides of the window.
        padding: the padding.
    """

    filters: int
    kernel: int | tuple[int, int]
    strides: int = 1
    padding: str = "same"

    def put(self, b: Blocks, x: Tensor, name: str | None = None) -> Tensor:
        """On features."""
        x = b.layers.Conv2D(
            self.filters, self.kernel, strides=self.strides, padding=self.padding, use_bias=False, name=name
        )(x)
        x = b.norm(x, name and f"{name}_bn", scale=False)
        return b.activation(x, name and f"{name}_ac")


def down(filters: int) -> Conv:
    """A 3 x 3 convolution that halves the size."""
    return Conv(filters, 3, 2, "valid")


class Pool(NamedTuple):
    """3 x 3 pooling: "average" at the same size, or "max" with stride 2."""

    kind: str
    strides: int

    def put(self, b: Blocks, x: Tensor) -> Tensor:
        """On features."""
        kind = b.layers.AveragePooling2D if self.kind == "average" else b.layers.MaxPooling2D
        return kind(3, strides=self.strides, padding="same" if self.strides == 1 else "valid")(x)


def chain(b: Blocks, x: Tensor, parts: Iterable[Conv | Pool]) -> Tensor:
    """Applies parts in sequence."""
    for part in parts:
        x = part.put(b, x)
    return x


def branches(b: Blocks, x: Tensor, block: Sequence[Sequence[Conv | Pool]]) -> list[Tensor]:
    """Applies several chains to the same features."""
    return [chain(b, x, parts) for parts in block]


def stem(b: Blocks, x: Tensor) -> Tensor:
    """The stem, which reduces images to an eighth of their size."""
    return chain(
        b,
        x,
        (
            Conv(32, 3, 2, "valid"),
            Conv(32, 3, 1, "valid"),
            Conv(64, 3),
            Pool("max", 2),
            Conv(80, 1, 1, "valid"),
            Conv(192, 3, 1, "valid"),
            Pool("max", 2),
        ),
    )
