"""How the networks are called: Keras's parameters, in its order, which differs between families.

Each class is the type of some networks, and what their signatures are read from.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import Literal, Protocol

from jkeras.graph.symbolic import SymbolicTensor
from jkeras.models.model import Model
from jkeras.types import ActivationLike

# "imagenet", the path of a file, or None for fresh weights.
Weights = str | os.PathLike[str] | None
ImageShape = Sequence[int | None] | None
Pooling = Literal["avg", "max"] | None


class Network(Protocol):
    """Most of them.

    Args:
        include_top: whether there is a classifier.
        weights: "imagenet" for published ones, the path of a file, or None for fresh ones.
        input_tensor: a symbolic tensor of images.
        input_shape: height, width, channels (channels first if that is the layout that is set).
        pooling: without a classifier, "avg", "max" or None for the features as they are.
        classes: outputs of the classifier.
        classifier_activation: the activation of the classifier; None for logits.
        name: the name of the model.
    """

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
    """`Network` with `include_preprocessing`: whether the model scales its images."""

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
    """`Network` with `include_preprocessing`: whether the model scales its images."""

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
    """`Network` with `alpha` (all widths are multiplied by it), `depth_multiplier` and the rate of `dropout`."""

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
    """`Network` with `alpha`: all widths are multiplied by it."""

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
    """`Network` with `alpha`, `minimalistic` (no large kernels, no squeezing, no hard swish) and `dropout_rate`."""

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
    """`Network` with the shape first."""

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
    """The signature of a network of that type whose model has a name."""
    _, *parameters = inspect.signature(protocol.__call__).parameters.values()
    return inspect.Signature([p.replace(default=name) if p.name == "name" else p for p in parameters])
