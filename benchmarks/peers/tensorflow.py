"""Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers import keras
from benchmarks.workloads import Workload


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    import tensorflow  # noqa: F401 - Keras would only fail later without it

    keras.BACKEND = "tensorflow"
    return keras.prepare(name, workload)


def versions() -> dict[str, str]:
    import tensorflow

    return {"tensorflow": tensorflow.__version__, **keras.versions()}
