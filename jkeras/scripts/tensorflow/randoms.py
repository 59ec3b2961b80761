"""`tf.random`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from jkeras.errors import ArgumentError
from jkeras.keras import random as _random
from jkeras.scripts.tensorflow.arrays import sizes
from jkeras.types import DTypeLike, TensorLike

random: Any = _random  # its functions are made from those of the core


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike = "float32", seed: int | None = None
) -> Any:
    """Normally distributed numbers."""
    return random.normal(sizes(shape), mean=mean, stddev=stddev, dtype=_name(dtype), seed=seed)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike = "float32", seed: int | None = None
) -> Any:
    """Normally distributed numbers within two standard deviations."""
    return random.truncated_normal(sizes(shape), mean=mean, stddev=stddev, dtype=_name(dtype), seed=seed)


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: DTypeLike = "float32", seed: int | None = None
) -> Any:
    """Evenly distributed numbers; of whole ones `maxval` is never drawn, and must be said."""
    if np.dtype(_name(dtype)).kind in "iu":
        if maxval is None:
            raise ArgumentError("tf.random.uniform: whole numbers need `maxval`.")
        return random.randint(sizes(shape), minval, maxval, dtype=_name(dtype), seed=seed)
    return random.uniform(sizes(shape), minval, 1 if maxval is None else maxval, dtype=_name(dtype), seed=seed)


def shuffle(value: TensorLike, seed: int | None = None) -> Any:
    """The slices along the first axis in random order."""
    return random.shuffle(jnp.asarray(value), seed=seed)


def categorical(logits: TensorLike, num_samples: int, dtype: DTypeLike = "int32", seed: int | None = None) -> Any:
    """Numbers of classes, drawn by unnormalised log probabilities."""
    return random.categorical(jnp.asarray(logits), num_samples, dtype=_name(dtype), seed=seed)


def gamma(shape: Any, alpha: Any, beta: Any = None, dtype: DTypeLike = "float32", seed: int | None = None) -> Any:
    """Numbers of the gamma distribution."""
    samples = random.gamma(sizes(shape), alpha, dtype=_name(dtype), seed=seed)
    return samples if beta is None else samples / beta


def _name(dtype: DTypeLike) -> str:
    name = np.dtype(dtype).name
    return str({"int64": "int32", "float64": "float32"}.get(name, name))
