"""Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers import keras, keras_like
from benchmarks.workloads import Workload


def prepare(name: str, workload: Workload, recipe: dict[str, Any] = keras_like.RECIPE) -> Callable[[], Any]:
    import tensorflow  # noqa: F401 - Keras would only fail later without it

    return keras.prepare(name, workload, recipe, backend="tensorflow")


def versions() -> dict[str, str]:
    import tensorflow

    return {"tensorflow": tensorflow.__version__, **keras.versions()}
