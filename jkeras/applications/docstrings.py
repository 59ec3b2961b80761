"""The docstrings of the networks, from their signatures and tables."""

from __future__ import annotations

import inspect
import textwrap

from jkeras.applications.catalogue import FEATURES, HOMES, PAPERS

ARGUMENTS: dict[str, str] = {
    "include_top": "whether to add the classifier.",
    "weights": '"imagenet" for the published weights, which are downloaded on first use; the path of a file of weights; or None'
    " for random weights.",
    "input_tensor": "a symbolic tensor of images to use as input instead of a new `Input`.",
    "input_shape": "the shape of an image without the batch axis, in the configured data format. None means the default size with"
    " a classifier, and any size without one.",
    "pooling": 'without a classifier: "avg" or "max" for global pooling of the last feature map, None for no pooling.',
    "classes": 'the number of outputs of the classifier; 1000 for weights="imagenet".',
    "classifier_activation": "the activation of the classifier; None returns logits.",
    "name": "the name of the model.",
    "include_preprocessing": "whether the model itself rescales images with values from 0 to 255.",
    "alpha": "a factor that multiplies the number of filters of every layer.",
    "depth_multiplier": "the number of filters of a depthwise convolution per input channel.",
    "dropout": "the dropout rate before the classifier.",
    "dropout_rate": "the dropout rate before the classifier.",
    "minimalistic": "whether to leave out 5 x 5 windows, squeeze and excitation, and hard swish.",
}


def docstring(name: str, summary: str, signature: inspect.Signature, package: str) -> str:
    """The docstring of a network.

    Args:
        name: the network.
        summary: what it is, in one line.
        signature: its parameters.
        package: the package of the face that creates the models.
    """
    home, features = HOMES[name], FEATURES[name]
    lines = [f"{parameter}: {ARGUMENTS[parameter]}" for parameter in signature.parameters]
    arguments = "\n".join(
        textwrap.fill(line, 108, initial_indent="    ", subsequent_indent="        ") for line in lines
    )
    return f"""{summary}

Images have values from 0 to 255 and pass through `applications.{home}.preprocess_input` first.

Shapes: `(batch, height, width, channels)` to `(batch, classes)`. Without a classifier, the output is feature maps
`(batch, height, width, {features})`, or `(batch, {features})` with `pooling`.

Args:
{arguments}

Returns:
    A `Model`.

Raises:
    ArgumentError: an argument is invalid, by itself or in combination with others.
    DownloadError: the weights of "imagenet" are not in the cache and could not be downloaded.

Source: {PAPERS[home]}.

>>> from {package} import applications
>>> features = applications.{name}(include_top=False, weights=None, pooling="avg")
>>> features.output_shape
(None, {features})"""
