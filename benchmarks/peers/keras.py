"""Keras on JAX."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from benchmarks.peers import keras_like
from benchmarks.workloads import Workload


def prepare(
    name: str, workload: Workload, recipe: dict[str, Any] = keras_like.RECIPE, backend: str = "jax"
) -> Callable[[], Any]:
    os.environ["KERAS_BACKEND"] = backend
    import keras

    return keras_like.prepare(keras, workload, recipe)


def versions() -> dict[str, str]:
    import keras

    return {"keras": keras.__version__}
