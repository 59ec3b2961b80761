"""jkeras itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

import jkeras as jk
from benchmarks.peers import keras_like
from benchmarks.workloads import Workload


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    run = keras_like.prepare(jk, workload, keras_like.RECIPE)

    def ready() -> Any:
        result = run()
        jax.block_until_ready(result.params if workload.task == "fit" else result)
        return result

    return ready


def versions() -> dict[str, str]:
    return {"jkeras": jk.__version__, "jax": jax.__version__}
