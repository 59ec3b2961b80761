"""What `jk.train_step` costs in a loop of one's own: `python -m benchmarks.own_loop [--steps 200] [--rounds 15]`.

Beside it a step of the same network written by hand with Optax and compiled by `jax.jit`: the same batches from the host, the
state donated likewise. Microseconds a step, medians of rounds in turn in one process.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jkeras as jk
from benchmarks.faces import in_turn

BATCH, WIDTH, HIDDEN = 32, 16, 32


def ours(x: np.ndarray, y: np.ndarray, steps: int) -> Callable[[], Any]:
    """A round of steps with `jk.train_step`."""
    network = jk.Sequential([jk.Input((WIDTH,)), jk.layers.Dense(HIDDEN, activation="relu"), jk.layers.Dense(1)])
    model = network.compile(jk.optimizers.Adam(1e-3), "mse").init(0)
    definition, recipe = model.definition, model.recipe
    state = jax.tree.map(jnp.copy, model.state)

    def run() -> Any:
        nonlocal state
        for _ in range(steps):
            state, logs = jk.train_step(definition, recipe, state, (x, y), donate=True)
        return logs

    return run


def by_hand(x: np.ndarray, y: np.ndarray, steps: int) -> Callable[[], Any]:
    """The same with a step written by hand."""
    optimizer = optax.adam(1e-3, eps=1e-7)
    rng = np.random.default_rng(0)
    shapes = {"hidden": (WIDTH, HIDDEN), "out": (HIDDEN, 1)}
    params = {
        name: {"kernel": jnp.asarray(rng.normal(size=shape, scale=0.1), "float32"), "bias": jnp.zeros(shape[1])}
        for name, shape in shapes.items()
    }
    state = (params, optimizer.init(params), jnp.zeros(()), jnp.zeros(()))

    def loss_of(params: Any, x: jax.Array, y: jax.Array) -> jax.Array:
        hidden = jax.nn.relu(x @ params["hidden"]["kernel"] + params["hidden"]["bias"])
        return jnp.mean((hidden @ params["out"]["kernel"] + params["out"]["bias"] - y) ** 2)

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state: Any, x: jax.Array, y: jax.Array) -> Any:
        params, slots, total, count = state
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        updates, slots = optimizer.update(grads, slots)
        total, count = total + loss * x.shape[0], count + x.shape[0]
        return (optax.apply_updates(params, updates), slots, total, count), {"loss": total / count}

    def run() -> Any:
        nonlocal state
        for _ in range(steps):
            state, logs = step(state, x, y)
        return logs

    return run


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    x = np.random.default_rng(0).normal(size=(BATCH, WIDTH)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    runs = {"jk.train_step": ours(x, y, options.steps), "by hand": by_hand(x, y, options.steps)}
    times = in_turn(runs, options.rounds)
    (wall, cpu), (their_wall, their_cpu) = ([1e6 * t / options.steps for t in times[name]] for name in runs)
    print("| | jk.train_step | by hand | ratio |\n|---|---|---|---|")
    print(f"| time, us | {wall:.0f} | {their_wall:.0f} | {wall / their_wall:.2f} |")
    print(f"| processor time, us | {cpu:.0f} | {their_cpu:.0f} | {cpu / their_cpu:.2f} |")


if __name__ == "__main__":
    main()
