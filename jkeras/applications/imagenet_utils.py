"""Preprocessing of images and decoding of predictions for networks trained on ImageNet."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jkeras import arguments, config, ops
from jkeras.applications.weight_files import WeightFile, download
from jkeras.datasets.source import load_json
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError, InputError

_MEANS = {"torch": (0.485, 0.456, 0.406), "caffe": (103.939, 116.779, 123.68)}
_DEVIATIONS = (0.229, 0.224, 0.225)
_MODES = arguments.one_of("caffe", "tf", "torch")
_CLASSES = WeightFile(
    "imagenet_class_index.json",
    "download.tensorflow.org/data/imagenet_class_index.json",
    "c2c37ea517e94d9795004a39431a14cb",
)

# NumPy or JAX arrays, and symbolic tensors of either face.
Images = Any


def preprocess_input(x: Images, data_format: str | None = None, mode: str = "caffe") -> Images:
    """Rescales images with values from 0 to 255; the argument is not changed.

    Integers are converted to `config.floatx()`; other dtypes are kept.

    Args:
        x: `(..., height, width, 3)` or, with channels first, `(..., 3, height, width)`.
        data_format: the data format; None means the configured one.
        mode: "tf" for values from -1 to 1; "torch" for mean 0 and standard deviation 1; "caffe" for BGR with mean 0.

    Raises:
        ArgumentError: the mode or the format is unknown.
        InputError: in the modes with a mean per channel, images do not have 3 channels.

    >>> import numpy as np
    >>> preprocess_input(np.full((1, 1, 1, 3), 255), mode="tf").tolist()
    [[[[1.0, 1.0, 1.0]]]]
    """
    mode = arguments.checked("preprocess_input", "mode", mode, _MODES)
    layout = arguments.checked("preprocess_input", "data_format", data_format, config.standardize_data_format)
    x = _floating(x)
    if mode == "tf":
        return x / 127.5 - 1.0
    axis = len(x.shape) - (3 if layout == "channels_first" else 1)
    if x.shape[axis] != 3:
        raise InputError(f"preprocess_input(mode={mode!r}): expected images with 3 channels, got the shape {x.shape}.")
    shape = tuple(3 if place == axis else 1 for place in range(len(x.shape)))

    def per_channel(values: tuple[float, ...]) -> np.ndarray:
        return np.asarray(values, str(x.dtype)).reshape(shape)

    if mode == "torch":
        x = x / 255.0 + per_channel(tuple(-mean for mean in _MEANS["torch"]))
        return x / per_channel(_DEVIATIONS)
    before = (slice(None),) * axis
    if is_symbolic(x):
        x = ops.stack([x[(*before, channel)] for channel in (2, 1, 0)], axis=axis)
    else:
        x = x[(*before, slice(None, None, -1))]
    return x + per_channel(tuple(-mean for mean in _MEANS["caffe"]))


def _floating(x: Images) -> Images:
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    if "float" in str(x.dtype):
        return x
    return ops.cast(x, config.floatx()) if is_symbolic(x) else x.astype(config.floatx())


_PREPROCESSING = """{summary}

    Args:
        x: images with values from 0 to 255, `(..., height, width, 3)` or, with channels first, `(..., 3, height, width)`.
        data_format: the data format; None means the configured one.

    Returns:
        The images in the same shape. Integers become `config.floatx()`; other dtypes are kept.

    Raises:
        ArgumentError: the format is unknown.
        InputError: the images do not have 3 channels, and the mean of each is subtracted.

    >>> import numpy as np
    >>> from jkeras import applications
    >>> applications.{module}.preprocess_input(np.full((1, 1, 1, 3), 255.0)).round(2).tolist()
    {result}
    """


def _in_mode(mode: str, text: str, module: str, result: str) -> Callable[..., Images]:
    def preprocess(x: Images, data_format: str | None = None) -> Images:
        return preprocess_input(x, data_format, mode)

    summary = f"Rescales images with values from 0 to 255 to {text}; the argument is not changed."
    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = _PREPROCESSING.format(summary=summary, module=module, result=result)
    return preprocess


preprocess_caffe = _in_mode(
    "caffe", "mean 0, with channels in the order blue, green, red", "vgg16", "[[[[151.06, 138.22, 131.32]]]]"
)
preprocess_tf = _in_mode("tf", "values from -1 to 1", "mobilenet", "[[[[1.0, 1.0, 1.0]]]]")
preprocess_torch = _in_mode("torch", "mean 0 and standard deviation 1", "densenet", "[[[[2.25, 2.43, 2.64]]]]")


def preprocess_none(x: Images, data_format: str | None = None) -> Images:
    """Returns images unchanged: these networks rescale them themselves.

    Args:
        x: images with values from 0 to 255.
        data_format: ignored.

    Returns:
        `x` itself.

    >>> from jkeras import applications
    >>> images = [[[[255, 255, 255]]]]
    >>> applications.efficientnet.preprocess_input(images) is images
    True
    """
    return x


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """The most likely ImageNet classes for each row of predictions `(batch, 1000)`.

    The class names come from a Keras file, which is downloaded on first use.

    Args:
        preds: probabilities, or logits.
        top: the number of classes to return.

    Returns:
        For each row a list of (identifier, name, score), in descending order of scores.

    Raises:
        ArgumentError: the predictions have the wrong shape.
        DownloadError: the file of class names could not be downloaded.
    """
    top = arguments.checked("decode_predictions", "top", top, arguments.at_least(1))
    rows = np.asarray(preds)
    if rows.ndim != 2 or rows.shape[1] != 1000:
        raise ArgumentError(
            f"decode_predictions: expected predictions for all classes of ImageNet, of shape (batch, 1000); got {rows.shape}."
        )
    classes = _classes()
    best = np.argsort(rows, axis=1)[:, -top:][:, ::-1]
    return [[(*classes[str(place)], row[place]) for place in places] for row, places in zip(rows, best, strict=True)]


@functools.cache
def _classes() -> dict[str, tuple[str, str]]:
    """The identifier and name of each class, by number."""
    return {number: (entry[0], entry[1]) for number, entry in load_json(download(_CLASSES)).items()}
