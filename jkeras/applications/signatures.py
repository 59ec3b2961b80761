"""The signatures of the networks: Keras's parameters in Keras's order, which differs between families.

Each class is the type of some networks; their signatures are derived from it.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import Literal, Protocol

from jkeras.graph.symbolic import SymbolicTensor
from jkeras.models.model import Model
from jkeras.types import ActivationLike

# "imagenet", a file path, or None for fresh weights.
Weights = str | os.PathLike[str] | None
ImageShape = Sequence[int | None] | None
Pooling = Literal["avg", "max"] | None


class Network(Protocol):
    """The signature of most networks; `docstrings.ARGUMENTS` describes the arguments."""

    def __call__(
        self,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: SymbolicTensor | None = None,
        input_shape: ImageShape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: ActivationLike = "softmax",
        name: str = ...,
    ) -> Model: ...


class EfficientNetV2Network(Protocol):
    """`Network` with `include_preprocessing`: whether the model rescales images itself."""

    def __call__(
        self,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: SymbolicTensor | None = None,
        input_shape: ImageShape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: ActivationLike = "softmax",
        include_preprocessing: bool = True,
        name: str = ...,
    ) -> Model: ...


class ConvNeXtNetwork(Protocol):
    """`Network` with `include_preprocessing`: whether the model rescales images itself."""

    def __call__(
        self,
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Weights = "imagenet",
        input_tensor: SymbolicTensor | None = None,
        input_shape: ImageShape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: ActivationLike = "softmax",
        name: str = ...,
    ) -> Model: ...


class MobileNetNetwork(Protocol):
    """`Network` with `alpha` (a multiplier of all widths), `depth_multiplier` and the rate of `dropout`."""

    def __call__(
        self,
        input_shape: ImageShape = None,
        alpha: float = 1.0,
        depth_multiplier: int = 1,
        dropout: float = 0.001,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: SymbolicTensor | None = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: ActivationLike = "softmax",
        name: str | None = None,
    ) -> Model: ...


class MobileNetV2Network(Protocol):
    """`Network` with `alpha`, a multiplier of all widths."""

    def __call__(
        self,
        input_shape: ImageShape = None,
        alpha: float = 1.0,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: SymbolicTensor | None = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: ActivationLike = "softmax",
        name: str | None = None,
    ) -> Model: ...


class MobileNetV3Network(Protocol):
    """`Network` with `alpha`, `minimalistic` (no large kernels, squeeze and excitation, or hard swish) and `dropout_rate`."""

    def __call__(
        self,
        input_shape: ImageShape = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: SymbolicTensor | None = None,
        classes: int = 1000,
        pooling: Pooling = None,
        dropout_rate: float = 0.2,
        classifier_activation: ActivationLike = "softmax",
        include_preprocessing: bool = True,
        name: str = ...,
    ) -> Model: ...


class NASNetNetwork(Protocol):
    """`Network` with `input_shape` as the first parameter."""

    def __call__(
        self,
        input_shape: ImageShape = None,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: SymbolicTensor | None = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: ActivationLike = "softmax",
        name: str = ...,
    ) -> Model: ...


def signature_of(protocol: type, name: str | None) -> inspect.Signature:
    """The signature of a network of this type with a default name."""
    _, *parameters = inspect.signature(protocol.__call__).parameters.values()
    return inspect.Signature([p.replace(default=name) if p.name == "name" else p for p in parameters])
