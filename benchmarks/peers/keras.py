"""Keras on JAX."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from benchmarks.peers import keras_like
from benchmarks.workloads import Workload

BACKEND = "jax"


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    os.environ["KERAS_BACKEND"] = BACKEND
    import keras

    def compiled(model: Any) -> Any:
        model.compile(**keras_like.RECIPE)
        return model

    return keras_like.prepare(keras, workload, compiled)


def versions() -> dict[str, str]:
    import keras

    return {"keras": keras.__version__}
