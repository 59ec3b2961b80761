"""Weights per class, which become weights per sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jkeras.errors import ArgumentError, InputError


def check_class_weight(class_weight: object) -> None:
    """Raises an ArgumentError for what is no mapping from classes to numbers."""
    kinds = (int, float, np.number)
    if not isinstance(class_weight, Mapping) or not all(
        isinstance(label, kinds) and isinstance(weight, kinds) for label, weight in class_weight.items()
    ):
        raise ArgumentError(
            f"class_weight={class_weight!r}: expected a weight for each class, such as {{0: 1.0, 1: 2.5}}."
        )


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
