"""Networks of `jkeras.applications` as functions that take the input shape first and return fresh weights."""

from __future__ import annotations

from jkeras import layers
from jkeras.applications.application import dense_classifier
from jkeras.applications.face import Blocks
from jkeras.applications.value_face import VALUES
from jkeras.errors import ArgumentError, InputError
from jkeras.graph.symbolic import SymbolicTensor
from jkeras.types import ActivationLike

POOLINGS: dict[str, type[layers.GlobalAveragePooling2D] | type[layers.GlobalMaxPooling2D]] = {
    "avg": layers.GlobalAveragePooling2D,
    "max": layers.GlobalMaxPooling2D,
}
ImageShape = tuple[int | None, int | None, int]


def channels_of(x: SymbolicTensor) -> int:
    """The size of the last axis.

    Raises:
        InputError: it is unknown.
    """
    channels = x.shape[-1]
    if channels is None:
        raise InputError(f"{x!r}: expected a tensor with a known number of channels.")
    return channels


def blocks() -> Blocks:
    """The building blocks of networks, as immutable values."""
    return Blocks(VALUES)


def head(
    x: SymbolicTensor, include_top: bool, pooling: str | None, classes: int, activation: ActivationLike
) -> SymbolicTensor:
    """Adds a classifier, a pooling layer, or nothing on top of features `(batch, height, width, channels)`.

    Raises:
        ArgumentError: `pooling` is not None, "avg" or "max".
    """
    if pooling is not None and pooling not in POOLINGS:
        raise ArgumentError(f"pooling={pooling!r}: expected None, 'avg' or 'max'.")
    if include_top:
        options = {"classes": classes, "classifier_activation": activation}
        x = dense_classifier()(blocks(), x, options)
    elif pooling is not None:
        x = POOLINGS[pooling](name=f"{pooling}_pool")(x)
    return x
