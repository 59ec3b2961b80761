"""`keras.applications.efficientnet`: EfficientNet B0 to B7."""

from __future__ import annotations

from typing import Any

from jkeras import config
from jkeras.architectures import efficientnet
from jkeras.errors import ArgumentError
from jkeras.keras import layers
from jkeras.keras.graph import get_source_inputs
from jkeras.keras.models import Model


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """`x`: these networks scale their images themselves."""
    return x


def _input(input_tensor: Any, input_shape: Any, include_top: bool, size: int) -> Any:
    if config.image_data_format() != "channels_last":
        raise ArgumentError(
            "EfficientNet takes images with channels last: `keras.config.set_image_data_format('channels_last')`."
        )
    if input_tensor is not None:
        return input_tensor
    shape = tuple(input_shape or ((size, size, 3) if include_top else (None, None, 3)))
    if len(shape) != 3 or any(side is not None and side < 32 for side in shape[:2]):
        raise ArgumentError(
            f"`input_shape` must be a tuple of three integers, the first two at least 32. Received: input_shape={input_shape}"
        )
    return layers.Input(shape=shape)


def _network(name: str, size: efficientnet.Size) -> Any:
    def make(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = name.lower(),
    ) -> Model:
        if weights == "imagenet":
            raise ArgumentError(
                f"{make.__name__}(weights='imagenet'): no weights are downloaded here. Give the path of a file of weights, or"
                " weights=None for fresh ones."
            )
        inputs = _input(input_tensor, input_shape, include_top, size.image)
        x = layers.Normalization(axis=3)(layers.Rescaling(1.0 / 255.0)(inputs))
        x = efficientnet.features(layers, x, size)
        if include_top:
            x = efficientnet.classified(layers, x, classes, classifier_activation, size.dropout)
        elif pooling is not None:
            pools = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
            if pooling not in pools:
                raise ArgumentError(f"pooling={pooling!r}: expected None, 'avg' or 'max'.")
            x = pools[pooling](name=f"{pooling}_pool")(x)
        sources = inputs if input_tensor is None else get_source_inputs(input_tensor)
        model = Model(sources, x, name=name)
        if weights is not None:
            model.load_weights(weights)
        return model

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""{name} for images of {size.image} pixels with values from 0 to 255.

    Args:
        include_top: whether there is a classifier.
        weights: the path of a file, or None for fresh ones; Keras's "imagenet" is an error.
        input_tensor: a symbolic tensor of images.
        input_shape: height, width, channels, without `input_tensor`.
        pooling: without a classifier, "avg", "max" or None for the features as they are.
        classes: outputs of the classifier.
        classifier_activation: of the classifier; None for logits.
        name: of the model.

    Raises:
        ArgumentError: the weights of "imagenet" are asked for, or another argument is not allowed.
    """
    return make


globals().update(
    {f"EfficientNet{key}": _network(f"EfficientNet{key}", size) for key, size in efficientnet.SIZES.items()}
)
