"""A hand-written epoch in plain JAX: one `lax.scan` over a permutation, data on the device, Optax's Adam, donated state.

The loss is computed from logits, which is less work than Keras's from probabilities.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from benchmarks.peers import MissingWorkloadError, jax_networks
from benchmarks.workloads import Workload


def stepper(name: str, dtype: str = "") -> tuple[Any, Callable[..., Any]]:
    """The first carry (params, averages, optimizer state, loss, hits), and the step `(carry, x, y, key) -> carry`.

    The network computes in `dtype`, or as its workload says.
    """
    init, logits = jax_networks.network(name, dtype)
    optimizer = optax.adam(1e-3)
    params, averages = init(jax.random.key(0))

    def loss(params: Any, averages: Any, x: jax.Array, y: jax.Array, key: Any) -> Any:
        z, averages = logits(params, averages, x, key, training=True)
        value = optax.softmax_cross_entropy_with_integer_labels(z, y).mean()
        return value, (averages, (jnp.argmax(z, -1) == y).sum())

    def step(carry: Any, x: jax.Array, y: jax.Array, key: Any) -> Any:
        params, averages, state, total, right = carry
        (value, (averages, hits)), gradient = jax.value_and_grad(loss, has_aux=True)(params, averages, x, y, key)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), averages, state, total + value, right + hits

    return (params, averages, optimizer.init(params), jnp.zeros(()), jnp.zeros((), jnp.int32)), step


def prepare(name: str, workload: Workload) -> Callable[[], Any]:
    if workload.task != "fit":
        raise MissingWorkloadError(f"{workload.task} is a loop over batches: see jax_loop")
    if name in ("cnn", "resnet18"):
        raise MissingWorkloadError(
            "XLA's gradients of convolutions take seconds a step inside of a scan on CPUs: see jax_loop"
        )
    carry, step = stepper(name)
    x, y = (jnp.asarray(part) for part in workload.data())

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(carry: Any, x: jax.Array, y: jax.Array, order: jax.Array, key: Any) -> Any:
        def body(carry: Any, item: Any) -> Any:
            rows, number = item
            return step(carry, x[rows], y[rows], jax.random.fold_in(key, number)), None

        return jax.lax.scan(body, carry, (order, jnp.arange(len(order))))[0]

    full = workload.rows // workload.batch

    def run() -> float:
        nonlocal carry
        key = jax.random.key(0)
        order = jax.random.permutation(key, workload.rows)[: full * workload.batch].reshape(full, workload.batch)
        before = float(carry[3])
        carry = jax.block_until_ready(epoch(carry, x, y, order, key))
        return (float(carry[3]) - before) / full

    return run


def versions() -> dict[str, str]:
    return {"jax": jax.__version__, "optax": optax.__version__}
