"""Training time per step of `fit` at its defaults against a hand-written JAX loop and Keras: `python -m benchmarks.fit`.

Every form trains the same network on the same data in the same process, in turn; the table gives medians of
milliseconds per step over the rounds, and the ratio to `fit`. Peers that are not installed are skipped with a line.
"""

from __future__ import annotations

import argparse
import functools
import os
import platform
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jkeras as jk

WORKLOADS = {
    # shape of a sample, rows, batch size
    "mlp": ((784,), 60_000, 32),
    "cnn": ((28, 28, 1), 12_800, 128),
    "lstm": ((64, 32), 6_400, 64),
}


def build(name, k, layers):
    shape, _, _ = WORKLOADS[name]
    if name == "mlp":
        inner = [layers.Dense(64, activation="relu")]
    elif name == "cnn":
        inner = [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
        ]
    else:
        inner = [layers.LSTM(64)]
    return k.Sequential([k.Input(shape), *inner, layers.Dense(10, activation="softmax")])


def data(name):
    shape, rows, _ = WORKLOADS[name]
    rng = np.random.default_rng(0)
    return rng.random((rows, *shape), dtype=np.float32), rng.integers(0, 10, rows).astype("int32")


def with_fit(name):
    x, y = data(name)
    model = build(name, jk, jk.layers).compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    batch = WORKLOADS[name][2]

    def run():
        jax.block_until_ready(model.fit(x, y, batch_size=batch, epochs=1, verbose=0).params)

    return run


def with_keras(name):
    import keras

    x, y = data(name)
    model = build(name, keras, keras.layers)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return lambda: model.fit(x, y, batch_size=WORKLOADS[name][2], epochs=1, verbose=0)


def with_scan(name):
    """A hand-written epoch: `lax.scan` over a permutation, data on the device, logits, Optax's Adam."""
    x, y = (jnp.asarray(part) for part in data(name))
    batch = WORKLOADS[name][2]
    rows = len(x) // batch * batch
    model = build(name, jk, jk.layers)
    network = jk.Model(model.input, model.layers[-1].input)
    kernel, bias = model.layers[-1].weights
    params = {"network": network.params, "kernel": kernel, "bias": bias}
    optimizer = optax.adam(1e-3)

    def loss(params, x, y, key):
        hidden = network.apply(params["network"], x, training=True, rng=key)
        logits = hidden @ params["kernel"] + params["bias"]
        value = optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
        return value, (jnp.argmax(logits, -1) == y).sum()

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(carry, x, y, order, key):
        def step(carry, inputs):
            params, state, total, right = carry
            index, number = inputs
            (value, hits), gradient = jax.value_and_grad(loss, has_aux=True)(
                params, x[index], y[index], jax.random.fold_in(key, number)
            )
            updates, state = optimizer.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state, total + value, right + hits), None

        return jax.lax.scan(step, carry, (order, jnp.arange(len(order))))[0]

    def run():
        key = jax.random.key(0)
        order = jax.random.permutation(key, len(x))[:rows].reshape(-1, batch)
        start = (jax.tree.map(jnp.copy, params), optimizer.init(params), jnp.zeros(()), jnp.zeros((), jnp.int32))
        jax.block_until_ready(epoch(start, x, y, order, key))

    return run


PEERS = {"fit": with_fit, "scan": with_scan, "keras": with_keras}


def measure(name, peers, rounds):
    runs = {}
    for peer in peers:
        try:
            runs[peer] = PEERS[peer](name)
            runs[peer]()
        except ImportError as error:
            print(f"{name}: {peer} is skipped, {error}")
            runs.pop(peer, None)
    steps = -(-WORKLOADS[name][1] // WORKLOADS[name][2])
    times = {peer: [] for peer in runs}
    for _ in range(rounds):
        for peer, run in runs.items():
            start = time.perf_counter()
            run()
            times[peer].append((time.perf_counter() - start) / steps * 1e3)
    return {peer: statistics.median(values) for peer, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    device = jax.devices()[0]
    print(f"Python {platform.python_version()}, JAX {jax.__version__}, {device.device_kind}, {os.cpu_count()} cores")
    for name in options.workloads.split(","):
        medians = measure(name, options.peers.split(","), options.rounds)
        for peer, value in medians.items():
            print(f"{name:6} {peer:6} {value:9.3f} ms/step   fit / {peer} = {medians['fit'] / value:.2f}")


if __name__ == "__main__":
    main()
