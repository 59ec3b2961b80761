"""Weights per class, which become weights per sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from jkeras.errors import ArgumentError, InputError
from jkeras.training.array_source import ArraySource
from jkeras.training.stream_source import StreamSource


def class_weights(y: Any, class_weight: Mapping[int, float]) -> np.ndarray:
    """A weight per sample from a weight per class; classes that are not named weigh 1.

    Args:
        y: integer classes `(batch,)` or `(batch, 1)`, or one-hot rows.
        class_weight: weight by class.

    Raises:
        InputError: y has several outputs, or no classes.
    """
    if isinstance(y, (Mapping, list, tuple)) or y is None:
        raise InputError("class_weight needs one array of targets; for several outputs pass sample_weight.")
    classes = np.asarray(y)
    if classes.ndim > 1:
        classes = classes[..., 0] if classes.shape[-1] == 1 else classes.argmax(axis=-1)
    classes = np.round(classes).astype(np.int64)
    weights = np.ones(classes.shape, np.float32)
    for label, weight in class_weight.items():
        weights[classes == int(label)] = weight
    return weights


def weighted(
    source: ArraySource | StreamSource, class_weight: Mapping[int, float] | None
) -> ArraySource | StreamSource:
    """The same data with a weight per class as sample weights.

    Raises:
        ArgumentError: the data has sample weights already, or the weights are no mapping from class to number.
    """
    if class_weight is None:
        return source
    if not isinstance(class_weight, Mapping) or not all(
        isinstance(k, (int, float, np.number)) and isinstance(v, (int, float, np.number))
        for k, v in class_weight.items()
    ):
        raise ArgumentError(
            f"class_weight={class_weight!r}: expected a weight for each class, such as {{0: 1.0, 1: 2.5}}."
        )
    if isinstance(source, StreamSource):
        return dataclasses.replace(source, class_weight=class_weight)
    if source.data.sample_weight is not None:
        raise ArgumentError("Give class_weight or sample_weight, not both.")
    weights = class_weights(source.data.y, class_weight)
    return dataclasses.replace(source, data=dataclasses.replace(source.data, sample_weight=weights))
