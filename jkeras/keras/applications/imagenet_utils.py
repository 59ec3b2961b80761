"""`keras.applications.imagenet_utils`: images as networks that were trained on ImageNet want them."""

from __future__ import annotations

from typing import Any

import numpy as np

from jkeras import config
from jkeras.errors import ArgumentError

_MEANS, _DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEANS = (103.939, 116.779, 123.68)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Images with values from 0 to 255, scaled.

    Args:
        x: `(..., height, width, 3)` or, with channels first, `(..., 3, height, width)`.
        data_format: None is the one that is set.
        mode: "tf" from -1 to 1; "torch" with mean 0 and deviation 1; "caffe" as BGR with mean 0.

    Raises:
        ArgumentError: the mode or the format is another one.
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ArgumentError(f"Expected mode to be one of `caffe`, `tf` or `torch`. Received: mode={mode}")
    data_format = config.standardize_data_format(data_format)
    x = x.astype(config.floatx(), copy=False) if isinstance(x, np.ndarray) else x
    if mode == "tf":
        return x / 127.5 - 1.0
    shape = (3, 1, 1) if data_format == "channels_first" else (3,)
    means, deviations, caffe = (
        np.reshape(v, shape).astype(config.floatx()) for v in (_MEANS, _DEVIATIONS, _CAFFE_MEANS)
    )
    if mode == "torch":
        return (x / 255.0 - means) / deviations
    return (x[..., ::-1, :, :] if data_format == "channels_first" else x[..., ::-1]) - caffe
