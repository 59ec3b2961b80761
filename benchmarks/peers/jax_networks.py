"""The small networks in plain JAX: parameters from a key, and logits."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.peers import Missing


def dense(key: Any, inputs: int, outputs: int) -> dict[str, jax.Array]:
    kernel = jax.nn.initializers.glorot_uniform()(key, (inputs, outputs))
    return {"kernel": kernel, "bias": jnp.zeros(outputs)}


def apply(layer: Any, x: jax.Array) -> jax.Array:
    return x @ layer["kernel"] + layer["bias"]


def chain(*sizes: int) -> Any:
    def init(key: Any) -> Any:
        keys = jax.random.split(key, len(sizes) - 1)
        return [dense(k, a, b) for k, a, b in zip(keys, sizes[:-1], sizes[1:], strict=True)]

    def logits(params: Any, x: jax.Array, key: Any) -> jax.Array:
        for layer in params[:-1]:
            x = jax.nn.relu(apply(layer, x))
        return apply(params[-1], x)

    return init, logits


def cnn() -> Any:
    def init(key: Any) -> Any:
        keys = jax.random.split(key, 3)
        glorot = jax.nn.initializers.glorot_uniform(in_axis=(0, 1, 2), out_axis=3)
        return {
            "first": {"kernel": glorot(keys[0], (3, 3, 1, 32)), "bias": jnp.zeros(32)},
            "second": {"kernel": glorot(keys[1], (3, 3, 32, 64)), "bias": jnp.zeros(64)},
            "last": dense(keys[2], 1600, 10),
        }

    def block(layer: Any, x: jax.Array) -> jax.Array:
        x = lax.conv_general_dilated(x, layer["kernel"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + layer["bias"])
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def logits(params: Any, x: jax.Array, key: Any) -> jax.Array:
        x = block(params["second"], block(params["first"], x)).reshape(x.shape[0], -1)
        x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x * 2, 0)
        return apply(params["last"], x)

    return init, logits


def lstm() -> Any:
    def init(key: Any) -> Any:
        keys = jax.random.split(key, 3)
        recurrent = jax.nn.initializers.orthogonal()(keys[1], (64, 256))
        return {"inputs": dense(keys[0], 32, 256), "recurrent": recurrent, "last": dense(keys[2], 64, 10)}

    def logits(params: Any, x: jax.Array, key: Any) -> jax.Array:
        gates = jnp.swapaxes(apply(params["inputs"], x), 0, 1)

        def step(carry: Any, z: jax.Array) -> Any:
            h, c = carry
            i, f, g, o = jnp.split(z + h @ params["recurrent"], 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        start = jnp.zeros((x.shape[0], 64))
        return apply(params["last"], lax.scan(step, (start, start), gates)[0][0])

    return init, logits


def gru() -> Any:
    def init(key: Any) -> Any:
        keys = jax.random.split(key, 3)
        recurrent = {"kernel": jax.nn.initializers.orthogonal()(keys[1], (64, 192)), "bias": jnp.zeros(192)}
        return {"inputs": dense(keys[0], 32, 192), "recurrent": recurrent, "last": dense(keys[2], 64, 10)}

    def logits(params: Any, x: jax.Array, key: Any) -> jax.Array:
        gates = jnp.swapaxes(apply(params["inputs"], x), 0, 1)

        def step(h: jax.Array, inputs: jax.Array) -> Any:
            xz, xr, xh = jnp.split(inputs, 3, axis=-1)
            hz, hr, hh = jnp.split(apply(params["recurrent"], h), 3, axis=-1)
            z = jax.nn.sigmoid(xz + hz)
            return z * h + (1 - z) * jnp.tanh(xh + jax.nn.sigmoid(xr + hr) * hh), None

        return apply(params["last"], lax.scan(step, jnp.zeros((x.shape[0], 64)), gates)[0])

    return init, logits


def bag() -> Any:
    init_rest, rest = chain(64, 64, 10)

    def init(key: Any) -> Any:
        keys = jax.random.split(key)
        return {"table": jax.random.uniform(keys[0], (20_000, 64), minval=-0.05, maxval=0.05), "rest": init_rest(keys[1])}

    def logits(params: Any, x: jax.Array, key: Any) -> jax.Array:
        return rest(params["rest"], params["table"][x].mean(1), key)

    return init, logits


NETWORKS: dict[str, Any] = {
    "mlp": lambda: chain(784, 64, 10),
    "tabular": lambda: chain(64, 256, 256, 256, 2),
    "cnn": cnn,
    "lstm": lstm,
    "gru": gru,
    "bag": bag,
}


def network(name: str) -> Any:
    """The initialiser and the function of logits.

    Raises:
        Missing: it is not written here.
    """
    if name not in NETWORKS:
        raise Missing(f"{name} is not written in plain JAX")
    return NETWORKS[name]()
