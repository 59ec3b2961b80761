"""A round of `fit`, `predict` or `evaluate` at their defaults, for every library with Keras's interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.workloads import Workload


def prepare(k: Any, workload: Workload, compiled: Callable[[Any], Any]) -> Callable[[], Any]:
    """`compiled` turns a model into a compiled one."""
    x, y = workload.data()
    model = compiled(workload.build(k))
    runs: dict[str, Callable[[], Any]] = {
        "fit": lambda: model.fit(x, y, batch_size=workload.batch, verbose=0),
        "predict": lambda: model.predict(x, verbose=0),
        "evaluate": lambda: model.evaluate(x, y, verbose=0),
    }
    return runs[workload.task]


RECIPE: dict[str, Any] = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
