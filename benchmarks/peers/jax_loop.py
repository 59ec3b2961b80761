"""A hand-written training loop in plain JAX: one jitted step with donated state for each batch from the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks.peers import jax_scan
from benchmarks.peers.jax_scan import versions as versions
from benchmarks.workloads import Workload


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    carry, step = jax_scan.stepper(jax_scan.jax_networks_name(name, workload))
    compiled = jax.jit(step, donate_argnums=0)
    x, y = workload.data()
    rng = np.random.default_rng(0)
    keys = list(jax.random.split(jax.random.key(0), workload.steps))

    def run() -> Any:
        nonlocal carry
        order = rng.permutation(workload.rows)
        for number in range(workload.rows // workload.batch):
            rows = order[number * workload.batch : (number + 1) * workload.batch]
            carry = compiled(carry, x[rows], y[rows], keys[number])
        jax.block_until_ready(carry)

    return run
