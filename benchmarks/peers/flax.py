"""Flax (`flax.linen`) as its MNIST example has it: a `TrainState`, a jitted step for each batch of a permutation.

As there, loss and accuracy of each batch come back to the host at the end of the epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers import MissingWorkloadError
from benchmarks.workloads import Workload


def _network(name: str) -> Any:
    from flax import linen as nn

    class MLP(nn.Module):
        @nn.compact
        def __call__(self, x: Any, training: bool) -> Any:
            return nn.Dense(10)(nn.relu(nn.Dense(64)(x)))

    class CNN(nn.Module):
        @nn.compact
        def __call__(self, x: Any, training: bool) -> Any:
            for filters in (32, 64):
                x = nn.relu(nn.Conv(filters, (3, 3), padding="VALID")(x))
                x = nn.max_pool(x, (2, 2), strides=(2, 2))
            x = nn.Dropout(0.5, deterministic=not training)(x.reshape(x.shape[0], -1))
            return nn.Dense(10)(x)

    class Recurrent(nn.Module):
        cell: Any

        @nn.compact
        def __call__(self, x: Any, training: bool) -> Any:
            return nn.Dense(10)(nn.RNN(self.cell(64))(x)[:, -1])

    networks = {
        "mlp": MLP, "cnn": CNN, "lstm": lambda: Recurrent(nn.OptimizedLSTMCell), "gru": lambda: Recurrent(nn.GRUCell),
    }  # fmt: skip
    if name not in networks:
        raise MissingWorkloadError(f"{name} is not written for Flax")
    return networks[name]()


def prepare(name: str, workload: Workload) -> Callable[[], float]:
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    from flax.training import train_state

    if workload.task != "fit":
        raise MissingWorkloadError("Flax's examples only train")
    model = _network(name)
    x, y = workload.data()
    params = model.init(jax.random.key(0), x[:1], training=False)["params"]
    state = train_state.TrainState.create(apply_fn=model.apply, params=params, tx=optax.adam(1e-3))
    rng, full = np.random.default_rng(0), workload.rows // workload.batch

    @jax.jit
    def train_step(state: Any, x: Any, y: Any, key: Any) -> Any:
        key = jax.random.fold_in(key, state.step)

        def loss_of(params: Any) -> Any:
            logits = state.apply_fn({"params": params}, x, training=True, rngs={"dropout": key})
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), logits

        (loss, logits), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.params)
        return state.apply_gradients(grads=gradients), loss, jnp.mean(jnp.argmax(logits, -1) == y)

    def run() -> float:
        nonlocal state
        losses, accuracies = [], []
        for rows in rng.permutation(workload.rows)[: full * workload.batch].reshape(full, workload.batch):
            state, loss, accuracy = train_step(state, x[rows], y[rows], jax.random.key(0))
            losses.append(loss)
            accuracies.append(accuracy)
        np.mean(jax.device_get(accuracies))
        return float(np.mean(jax.device_get(losses)))

    return run


def versions() -> dict[str, str]:
    import flax
    import jax
    import optax

    return {"flax": flax.__version__, "jax": jax.__version__, "optax": optax.__version__}
