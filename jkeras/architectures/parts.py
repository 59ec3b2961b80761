"""What the image networks share: heads, and the padding of strided convolutions."""

from __future__ import annotations

from jkeras import layers
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.types import ActivationLike

POOLINGS: dict[str, type[layers.GlobalAveragePooling2D] | type[layers.GlobalMaxPooling2D]] = {
    "avg": layers.GlobalAveragePooling2D,
    "max": layers.GlobalMaxPooling2D,
}


def head(
    x: SymbolicTensor,
    include_top: bool,
    pooling: str | None,
    classes: int,
    activation: ActivationLike,
    pool_name: str | None = "avg_pool",
) -> SymbolicTensor:
    """A classifier, a pooling, or nothing on top of features `(batch, height, width, channels)`.

    Raises:
        ArgumentError: another pooling than None, "avg" and "max".
    """
    if pooling is not None and pooling not in POOLINGS:
        raise ArgumentError(f"pooling={pooling!r}: expected None, 'avg' or 'max'.")
    if include_top:
        x = layers.GlobalAveragePooling2D(name=pool_name)(x)
        x = layers.Dense(classes, activation=activation, name="predictions")(x)
    elif pooling is not None:
        x = POOLINGS[pooling](name=None if pool_name is None else f"{pooling}_pool")(x)
    return x


def channels_of(x: SymbolicTensor) -> int:
    """The size of the last axis.

    Raises:
        InputError: it is not known.
    """
    channels = x.shape[-1]
    if channels is None:
        raise InputError(f"{x!r}: expected a tensor whose number of channels is known.")
    return channels


def padding_for(x: SymbolicTensor, kernel_size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros around an image so that a "valid" convolution of stride 2 sees what PyTorch-style padding shows it."""
    half = kernel_size // 2
    height, width = ((half - (1 - size % 2 if size else 1), half) for size in x.shape[1:3])
    return height, width


def divisible(value: float, divisor: int = 8) -> int:
    """The nearest multiple of the divisor that is not more than 10 % below the value."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
