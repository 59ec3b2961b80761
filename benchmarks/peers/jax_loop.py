"""A hand-written training loop in plain JAX: one jitted step with donated state for each batch from the host.

`predict` and `evaluate` are loops of the same kind, over large batches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.peers import LARGE, jax_networks, jax_scan
from benchmarks.peers.jax_scan import versions as versions
from benchmarks.workloads import Workload


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    return {"fit": fit, "predict": predict, "evaluate": evaluate}[workload.task](name, workload)


def fit(name: str, workload: Workload) -> Callable[[], float]:
    carry, step = jax_scan.stepper(name)
    compiled = jax.jit(step, donate_argnums=0)
    x, y = workload.data()
    rng = np.random.default_rng(0)
    keys = list(jax.random.split(jax.random.key(0), workload.steps))
    full = workload.rows // workload.batch

    def run() -> float:
        nonlocal carry
        order, before = rng.permutation(workload.rows), float(carry[3])
        for number in range(full):
            rows = order[number * workload.batch : (number + 1) * workload.batch]
            carry = compiled(carry, x[rows], y[rows], keys[number])
        jax.block_until_ready(carry)
        return (float(carry[3]) - before) / full

    return run


def predict(name: str, workload: Workload) -> Callable[[], np.ndarray]:
    init, logits = jax_networks.network("mlp")
    params, averages = init(jax.random.key(0))
    x, _ = workload.data()

    @jax.jit
    def forward(params: Any, averages: Any, x: jax.Array) -> jax.Array:
        return jax.nn.softmax(logits(params, averages, x, None, training=False)[0])

    def run() -> np.ndarray:
        parts = [forward(params, averages, x[i : i + LARGE]) for i in range(0, workload.rows, LARGE)]
        return np.concatenate(parts)

    return run


def evaluate(name: str, workload: Workload) -> Callable[[], tuple[float, float]]:
    init, logits = jax_networks.network("mlp")
    params, averages = init(jax.random.key(0))
    x, y = workload.data()

    @jax.jit
    def count(params: Any, averages: Any, sums: Any, x: jax.Array, y: jax.Array) -> Any:
        z, _ = logits(params, averages, x, None, training=False)
        loss = optax.softmax_cross_entropy_with_integer_labels(z, y).sum()
        return sums[0] + loss, sums[1] + (jnp.argmax(z, -1) == y).sum()

    def run() -> tuple[float, float]:
        sums = (jnp.zeros(()), jnp.zeros((), jnp.int32))
        for start in range(0, workload.rows, LARGE):
            rows = slice(start, start + LARGE)
            sums = count(params, averages, sums, x[rows], y[rows])
        return float(sums[0]) / workload.rows, int(sums[1]) / workload.rows

    return run
