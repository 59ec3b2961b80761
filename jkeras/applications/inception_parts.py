"""What both Inception networks are made of: branches of convolutions and poolings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jkeras.applications.face import Blocks, Tensor


class Conv(NamedTuple):
    """A convolution, normalized and active.

    Attributes:
        filters: how many.
        kernel: its size, or height and width.
        strides: the strides of the window.
        padding: at the edges.
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
    """A convolution of 3 by 3 that halves the size."""
    return Conv(filters, 3, 2, "valid")


class Pool(NamedTuple):
    """A pooling of 3 by 3: "average" at the same size, or "max" with stride 2."""

    kind: str
    strides: int

    def put(self, b: Blocks, x: Tensor) -> Tensor:
        """On features."""
        kind = b.layers.AveragePooling2D if self.kind == "average" else b.layers.MaxPooling2D
        return kind(3, strides=self.strides, padding="same" if self.strides == 1 else "valid")(x)


def chain(b: Blocks, x: Tensor, parts: Iterable[Conv | Pool]) -> Tensor:
    """One part after the other."""
    for part in parts:
        x = part.put(b, x)
    return x


def branches(b: Blocks, x: Tensor, block: Sequence[Sequence[Conv | Pool]]) -> list[Tensor]:
    """Chains of the same features."""
    return [chain(b, x, parts) for parts in block]


def stem(b: Blocks, x: Tensor) -> Tensor:
    """Images at an eighth of their size."""
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
