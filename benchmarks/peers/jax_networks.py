"""The networks in plain JAX: `init(key)` gives `(params, averages)`, and `logits(params, averages, x, key, training)` gives
`(logits, averages)`, where `averages` is what batch normalization keeps (an empty tuple elsewhere). Weights and logits are
in float32; what is between is computed in `dtype`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks import large
from benchmarks.peers import MissingWorkloadError

LAYOUT = ("NHWC", "HWIO", "NHWC")


def dense(key: Any, inputs: int, outputs: int) -> dict[str, jax.Array]:
    kernel = jax.nn.initializers.glorot_uniform()(key, (inputs, outputs))
    return {"kernel": kernel, "bias": jnp.zeros(outputs)}


def apply(layer: Any, x: jax.Array) -> jax.Array:
    return x @ layer["kernel"].astype(x.dtype) + layer["bias"].astype(x.dtype)


def plain(init: Callable[..., Any], logits: Callable[..., Any]) -> Any:
    """A network without averages, from `init(key)` and `logits(params, x, key, training)`."""

    def with_averages(params: Any, averages: Any, x: jax.Array, key: Any, training: bool) -> Any:
        return logits(params, x, key, training), averages

    return lambda key: (init(key), ()), with_averages


def chain(*sizes: int, dtype: Any = "float32") -> Any:
    def init(key: Any) -> Any:
        keys = jax.random.split(key, len(sizes) - 1)
        return [dense(k, a, b) for k, a, b in zip(keys, sizes[:-1], sizes[1:], strict=True)]

    def logits(params: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
        x = x.astype(dtype)
        for layer in params[:-1]:
            x = jax.nn.relu(apply(layer, x))
        return apply(params[-1], x).astype("float32")

    return init, logits


def cnn(dtype: Any = "float32") -> Any:
    def init(key: Any) -> Any:
        keys = jax.random.split(key, 3)
        glorot = jax.nn.initializers.glorot_uniform(in_axis=(0, 1, 2), out_axis=3)
        return {
            "first": {"kernel": glorot(keys[0], (3, 3, 1, 32)), "bias": jnp.zeros(32)},
            "second": {"kernel": glorot(keys[1], (3, 3, 32, 64)), "bias": jnp.zeros(64)},
            "last": dense(keys[2], 1600, 10),
        }

    def block(layer: Any, x: jax.Array) -> jax.Array:
        kernel = layer["kernel"].astype(x.dtype)
        x = lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT)
        x = jax.nn.relu(x + layer["bias"].astype(x.dtype))
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def logits(params: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
        x = block(params["second"], block(params["first"], x.astype(dtype))).reshape(x.shape[0], -1)
        if training:
            x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x * 2, 0)
        return apply(params["last"], x).astype("float32")

    return init, logits


def lstm(dtype: Any = "float32") -> Any:
    def init(key: Any) -> Any:
        keys = jax.random.split(key, 3)
        recurrent = jax.nn.initializers.orthogonal()(keys[1], (64, 256))
        return {"inputs": dense(keys[0], 32, 256), "recurrent": recurrent, "last": dense(keys[2], 64, 10)}

    def logits(params: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
        gates = jnp.swapaxes(apply(params["inputs"], x.astype(dtype)), 0, 1)

        def step(carry: Any, z: jax.Array) -> Any:
            h, c = carry
            i, f, g, o = jnp.split(z + h @ params["recurrent"].astype(dtype), 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        start = jnp.zeros((x.shape[0], 64), dtype)
        return apply(params["last"], lax.scan(step, (start, start), gates)[0][0]).astype("float32")

    return init, logits


def gru(dtype: Any = "float32") -> Any:
    def init(key: Any) -> Any:
        keys = jax.random.split(key, 3)
        recurrent = {"kernel": jax.nn.initializers.orthogonal()(keys[1], (64, 192)), "bias": jnp.zeros(192)}
        return {"inputs": dense(keys[0], 32, 192), "recurrent": recurrent, "last": dense(keys[2], 64, 10)}

    def logits(params: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
        gates = jnp.swapaxes(apply(params["inputs"], x.astype(dtype)), 0, 1)

        def step(h: jax.Array, inputs: jax.Array) -> Any:
            xz, xr, xh = jnp.split(inputs, 3, axis=-1)
            hz, hr, hh = jnp.split(apply(params["recurrent"], h), 3, axis=-1)
            z = jax.nn.sigmoid(xz + hz)
            return z * h + (1 - z) * jnp.tanh(xh + jax.nn.sigmoid(xr + hr) * hh), None

        start = jnp.zeros((x.shape[0], 64), dtype)
        return apply(params["last"], lax.scan(step, start, gates)[0]).astype("float32")

    return init, logits


def bag(dtype: Any = "float32") -> Any:
    init_rest, rest = chain(64, 64, 10, dtype=dtype)

    def init(key: Any) -> Any:
        keys = jax.random.split(key)
        return {"table": table(keys[0], 20_000, 64), "rest": init_rest(keys[1])}

    def logits(params: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
        return rest(params["rest"], params["table"][x].mean(1), key, training)

    return init, logits


def table(key: Any, rows: int, width: int) -> jax.Array:
    return jax.random.uniform(key, (rows, width), minval=-0.05, maxval=0.05)


def resnet(
    blocks: tuple[int, ...],
    filters: tuple[int, ...],
    side: int,
    classes: int,
    bottleneck: bool = False,
    dtype: Any = "float32",
) -> Any:
    """The residual network of `workloads.resnet`: each unit is a convolution with batch normalization after it."""
    units = {"stem": (3, filters[0], 7, 2) if bottleneck else (3, filters[0], 3, 1)}
    before = filters[0]
    for stage, width in enumerate(filters):
        for block in range(blocks[stage]):
            strides, name = 2 if stage and not block else 1, f"{stage}.{block}"
            after = 4 * width if bottleneck else width
            if bottleneck:
                units |= {f"{name}.0": (before, width, 1, 1), f"{name}.1": (width, width, 3, strides)}
                units |= {f"{name}.2": (width, after, 1, 1)}
            else:
                units |= {f"{name}.0": (before, width, 3, strides), f"{name}.1": (width, width, 3, 1)}
            if strides > 1 or (bottleneck and not block):
                units[f"{name}.shortcut"] = (before, after, 1, strides)
            before = after

    def init(key: Any) -> Any:
        keys = jax.random.split(key, len(units) + 1)
        glorot = jax.nn.initializers.glorot_uniform(in_axis=(0, 1, 2), out_axis=3)
        params: dict[str, Any] = {"last": dense(keys[-1], before, classes)}
        averages = {}
        for k, (name, (inputs, outputs, size, _)) in zip(keys, units.items(), strict=False):
            kernel = glorot(k, (size, size, inputs, outputs))
            params[name] = {"kernel": kernel, "scale": jnp.ones(outputs), "bias": jnp.zeros(outputs)}
            averages[name] = {"mean": jnp.zeros(outputs), "variance": jnp.ones(outputs)}
        return params, averages

    def logits(params: Any, averages: Any, x: jax.Array, key: Any, training: bool) -> Any:
        new_averages = dict(averages)

        def unit(name: str, x: jax.Array) -> jax.Array:
            layer, strides = params[name], units[name][-1]
            kernel = layer["kernel"].astype(x.dtype)
            x = lax.conv_general_dilated(x, kernel, (strides, strides), "SAME", dimension_numbers=LAYOUT).astype(
                "float32"
            )
            mean, variance = new_averages[name]["mean"], new_averages[name]["variance"]
            if training:
                mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
                new = {"mean": mean, "variance": variance}
                new_averages[name] = jax.tree.map(lambda old, now: 0.99 * old + 0.01 * now, new_averages[name], new)
            x = (x - mean) * (lax.rsqrt(variance + 1e-3) * layer["scale"]) + layer["bias"]
            return x.astype(dtype)

        x = jax.nn.relu(unit("stem", x.astype(dtype)))
        if bottleneck:
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")
        for stage, count in enumerate(blocks):
            for block in range(count):
                name = f"{stage}.{block}"
                y = unit(f"{name}.1", jax.nn.relu(unit(f"{name}.0", x)))
                if bottleneck:
                    y = unit(f"{name}.2", jax.nn.relu(y))
                shortcut = f"{name}.shortcut"
                x = jax.nn.relu((unit(shortcut, x) if shortcut in params else x) + y)
        return apply(params["last"], x.mean((1, 2))).astype("float32"), new_averages

    return init, logits


def norm(layer: Any, x: jax.Array) -> jax.Array:
    y = x.astype("float32")
    mean, variance = y.mean(-1, keepdims=True), y.var(-1, keepdims=True)
    return ((y - mean) * lax.rsqrt(variance + 1e-3) * layer["scale"] + layer["bias"]).astype(x.dtype)


def attention(vocabulary: int, width: int, heads: int, blocks: int, causal: bool, dtype: Any = "float32") -> Any:
    """The stack of `workloads.attention`: with `causal` a language model, else a classifier of sequences."""

    def init_norm() -> Any:
        return {"scale": jnp.ones(width), "bias": jnp.zeros(width)}

    def init(key: Any) -> Any:
        keys = iter(jax.random.split(key, 6 * blocks + 2))
        params: dict[str, Any] = {"table": table(next(keys), vocabulary, width), "norm": init_norm(), "blocks": []}
        for _ in range(blocks):
            block = {name: dense(next(keys), width, width) for name in ("query", "key", "value", "outputs")}
            wide = {"up": dense(next(keys), width, 4 * width), "down": dense(next(keys), 4 * width, width)}
            params["blocks"].append({**block, **wide, "first": init_norm(), "second": init_norm()})
        params["last"] = dense(next(keys), width, vocabulary if causal else 10)
        return params

    def logits(params: Any, x: jax.Array, key: Any, training: bool) -> jax.Array:
        x = params["table"][x].astype(dtype)
        split = (*x.shape[:2], heads, width // heads)
        for block in params["blocks"]:
            y = norm(block["first"], x)
            parts = [apply(block[name], y).reshape(split) for name in ("query", "key", "value")]
            y = jax.nn.dot_product_attention(*parts, is_causal=causal).reshape(x.shape)
            x = x + apply(block["outputs"], y)
            y = jax.nn.gelu(apply(block["up"], norm(block["second"], x)), approximate=False)
            x = x + apply(block["down"], y)
        x = norm(params["norm"], x)
        return apply(params["last"], x if causal else x.mean(1)).astype("float32")

    return init, logits


# By name, functions of the dtype.
NETWORKS: dict[str, Callable[[Any], Any]] = {
    "mlp": lambda dtype: plain(*chain(784, 64, 10, dtype=dtype)),
    "tabular": lambda dtype: plain(*chain(64, 256, 256, 256, 2, dtype=dtype)),
    "cnn": lambda dtype: plain(*cnn(dtype)),
    "lstm": lambda dtype: plain(*lstm(dtype)),
    "gru": lambda dtype: plain(*gru(dtype)),
    "bag": lambda dtype: plain(*bag(dtype)),
    "resnet18": functools.partial(resnet, (2, 2, 2, 2), (64, 128, 256, 512), 32, 10, False),
    "transformer": lambda dtype: plain(*attention(8_000, 128, 4, 2, causal=False, dtype=dtype)),
    "gpt": lambda dtype: plain(*attention(2_000, 128, 4, 2, causal=True, dtype=dtype)),
    **{name: functools.partial(resnet, *sizes, True) for name, sizes in large.RESNETS.items()},
    **{
        name: lambda dtype, sizes=sizes: plain(*attention(*sizes[1:], causal=True, dtype=dtype))
        for name, sizes in large.GPTS.items()
    },
}


def network(name: str, dtype: str = "") -> Any:
    """The initialiser and the function of logits, in a dtype or in that of the workload.

    Raises:
        MissingWorkloadError: it is not written here.
    """
    if name not in NETWORKS:
        raise MissingWorkloadError(f"{name} is not written in plain JAX")
    return NETWORKS[name](dtype or large.ALL[name].policy.removeprefix("mixed_"))
