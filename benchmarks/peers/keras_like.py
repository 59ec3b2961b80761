"""A round of `fit`, `predict` or `evaluate` at their defaults, for every library with Keras's interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.workloads import Workload


def prepare(k: Any, workload: Workload, recipe: dict[str, Any]) -> Callable[[], Any]:
    """`recipe` is what `compile` takes; in jkeras it gives the compiled model."""
    x, y = workload.data()
    k.config.set_dtype_policy(workload.policy)
    model = workload.build(k)
    if workload.logits:
        recipe = {**recipe, "loss": k.losses.SparseCategoricalCrossentropy(from_logits=True)}
    model = model.compile(**recipe) or model

    def fit() -> Any:
        nonlocal model
        result = model.fit(x, y, batch_size=workload.batch, verbose=0)
        model = result if hasattr(result, "predict") else model  # both kinds go on where the last round ended
        return result

    runs: dict[str, Callable[[], Any]] = {
        "fit": fit,
        "predict": lambda: model.predict(x, verbose=0),
        "evaluate": lambda: model.evaluate(x, y, verbose=0),
    }
    return runs[workload.task]


RECIPE: dict[str, Any] = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
