"""Calibration data: divides texts or ids into windows of equal length."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jkeras.errors import ArgumentError, DTypeError


def token_windows(dataset: Any, tokenizer: Any, sequence_length: int, num_samples: int) -> np.ndarray:
    """Windows of ids, `(num_samples, sequence_length)`, distributed over all texts; short data sets are repeated.

    Args:
        dataset: texts, or arrays of ids.
        tokenizer: an object with a method `tokenize(text)`; may be None if the data set contains ids.
        sequence_length: the length of a window.
        num_samples: the number of windows.

    Raises:
        DTypeError: the data set is not iterable.
        ArgumentError: it is empty, or contains texts and there is no tokenizer.

    >>> token_windows([[1, 2, 3]], None, 2, 2).shape
    (2, 2)
    """
    if not hasattr(dataset, "__iter__") or isinstance(dataset, (str, bytes)):
        raise DTypeError(
            "The `dataset` argument must be an iterable (e.g., a list of strings, a generator, or a NumPy array)."
            f" Got type: {type(dataset).__name__}. Please pass the loaded dataset directly."
        )
    entries = list(dataset)
    if not entries:
        raise ArgumentError("Provided dataset is empty: `dataset` must contain a text or an array of ids.")
    if isinstance(entries[0], str):
        if tokenizer is None:
            raise ArgumentError(
                "The `dataset` contains texts, so a `tokenizer` with a method `tokenize(text)` is needed."
            )
        entries = [tokenizer.tokenize(entry) for entry in entries]
    tokens = np.concatenate([np.asarray(entry).reshape(-1) for entry in entries]).astype(np.int32)
    tokens = np.tile(tokens, math.ceil(num_samples * sequence_length / max(1, tokens.size)))
    last = tokens.size - sequence_length
    stride = max(1, (last + 1) // num_samples)
    starts = (np.arange(num_samples) * stride) % (last + 1)
    return np.lib.stride_tricks.sliding_window_view(tokens, sequence_length)[starts]


__all__ = ["token_windows"]
