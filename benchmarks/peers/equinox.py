"""Equinox as its MNIST example has it: a module for one sample, `jax.vmap` over the batch, `eqx.filter_jit` for each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers import MissingWorkloadError
from benchmarks.workloads import Workload


def _network(name: str) -> Any:
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), 3)

    class CNN(eqx.Module):
        layers: list[Any]

        def __init__(self) -> None:
            convolutions = [eqx.nn.Conv2d(1, 32, 3, key=keys[0]), eqx.nn.Conv2d(32, 64, 3, key=keys[1])]
            pooled = [(convolution, jax.nn.relu, eqx.nn.MaxPool2d(2, 2)) for convolution in convolutions]
            end = [jnp.ravel, eqx.nn.Dropout(0.5), eqx.nn.Linear(1600, 10, key=keys[2])]
            self.layers = [layer for group in pooled for layer in group] + end

        def __call__(self, x: Any, key: Any) -> Any:
            x = jnp.moveaxis(x, -1, 0)
            for layer in self.layers:
                x = layer(x, key=key) if isinstance(layer, eqx.nn.Dropout) else layer(x)
            return x

    class MLP(eqx.Module):
        layers: list[Any]

        def __init__(self) -> None:
            self.layers = [eqx.nn.Linear(784, 64, key=keys[0]), eqx.nn.Linear(64, 10, key=keys[1])]

        def __call__(self, x: Any, key: Any) -> Any:
            return self.layers[1](jax.nn.relu(self.layers[0](x)))

    class Recurrent(eqx.Module):
        cell: Any
        last: Any

        def __init__(self, cell: Any):
            self.cell, self.last = cell(32, 64, key=keys[0]), eqx.nn.Linear(64, 10, key=keys[1])

        def __call__(self, x: Any, key: Any) -> Any:
            pair = isinstance(self.cell, eqx.nn.LSTMCell)
            zero = jnp.zeros(64)
            end, _ = jax.lax.scan(lambda state, row: (self.cell(row, state), None), (zero, zero) if pair else zero, x)
            return self.last(end[0] if pair else end)

    networks: dict[str, Callable[[], Any]] = {
        "mlp": MLP, "cnn": CNN, "lstm": lambda: Recurrent(eqx.nn.LSTMCell), "gru": lambda: Recurrent(eqx.nn.GRUCell),
    }  # fmt: skip
    if name not in networks:
        raise MissingWorkloadError(f"{name} is not written for Equinox")
    return networks[name]()


def prepare(name: str, workload: Workload) -> Callable[[], float]:
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    if workload.task != "fit":
        raise MissingWorkloadError("Equinox's examples only train")
    model = _network(name)
    optimizer = optax.adam(1e-3)
    state = optimizer.init(eqx.filter(model, eqx.is_array))
    x, y = workload.data()
    rng, full = np.random.default_rng(0), workload.rows // workload.batch

    @eqx.filter_value_and_grad(has_aux=True)
    def loss_of(model: Any, x: Any, y: Any, key: Any) -> Any:
        logits = jax.vmap(model)(x, jax.random.split(key, len(x)))
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
        return loss, jnp.mean(jnp.argmax(logits, -1) == y)

    @eqx.filter_jit
    def make_step(model: Any, state: Any, x: Any, y: Any, key: Any) -> Any:
        (loss, accuracy), gradients = loss_of(model, x, y, key)
        updates, state = optimizer.update(gradients, state, eqx.filter(model, eqx.is_array))
        return eqx.apply_updates(model, updates), state, loss, accuracy

    keys = list(jax.random.split(jax.random.key(1), full))

    def run() -> float:
        nonlocal model, state
        losses, accuracies = [], []
        order = rng.permutation(workload.rows)[: full * workload.batch].reshape(full, workload.batch)
        for rows, key in zip(order, keys, strict=True):
            model, state, loss, accuracy = make_step(model, state, x[rows], y[rows], key)
            losses.append(loss)
            accuracies.append(accuracy)
        np.mean(jax.device_get(accuracies))
        return float(np.mean(jax.device_get(losses)))

    return run


def versions() -> dict[str, str]:
    import equinox
    import jax
    import optax

    return {"equinox": equinox.__version__, "jax": jax.__version__, "optax": optax.__version__}
