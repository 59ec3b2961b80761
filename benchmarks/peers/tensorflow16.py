"""Keras on TensorFlow with `steps_per_execution=16`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers import keras_like, tensorflow
from benchmarks.peers.tensorflow import versions as versions
from benchmarks.workloads import Workload


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    return tensorflow.prepare(name, workload, {**keras_like.RECIPE, "steps_per_execution": 16})
