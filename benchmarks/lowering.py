"""Times of single operations in their plain and their fast form: `python -m benchmarks.lowering [--only conv]`.

Each case is run forwards and with its gradients, once at top level and as one step of `lax.scan`, in both forms taken in
turn. The table gives milliseconds (median; of the scan per step) and the ratio fast / plain, below 1 where the fast form
wins. The compiler options are those that `fit` uses.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jkeras import lowering

STEPS = 3


def conv(strides: Any = 1, padding: str = "valid", rank: int = 2, **options: Any) -> Callable[..., Any]:
    return lambda x, w: lowering.conv(x, w, strides=(strides,) * rank, padding=padding, dilation=(1,) * rank, **options)


def depthwise(strides: int = 1) -> Callable[..., Any]:
    return lambda x, w: lowering.depthwise_conv(x, w, strides=(strides,) * 2, padding="same", dilation=(1, 1))


def transpose(strides: int = 2) -> Callable[..., Any]:
    return lambda x, w: lowering.conv_transpose(
        x, w, strides=(strides,) * 2, padding="same", output_padding=None, dilation=(1, 1)
    )


def pool(kind: str, size: int, strides: int, padding: str) -> Callable[..., Any]:
    options = {"pool_size": (size, size), "strides": (strides, strides), "padding": padding}
    return lambda x: getattr(lowering, kind)(x, **options)


def recurrence(kind: str, states: int, **options: Any) -> Callable[..., Any]:
    def last(x: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
        start = [jnp.zeros((x.shape[0], recurrent_kernel.shape[0]))] * states
        return getattr(lowering, kind)(x, *start, kernel, recurrent_kernel, bias, return_sequences=False, **options)[0]

    return last


CASES: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "conv A 128x28x28x1 k3 32": (conv(), ((128, 28, 28, 1), (3, 3, 1, 32))),
    "conv B 128x13x13x32 k3 64": (conv(), ((128, 13, 13, 32), (3, 3, 32, 64))),
    "conv C 32x32x32x64 k3 64 same": (conv(padding="same"), ((32, 32, 32, 64), (3, 3, 64, 64))),
    "conv D 32x32x32x64 k3 128 s2": (conv(2, "same"), ((32, 32, 32, 64), (3, 3, 64, 128))),
    "conv E 16x56x56x64 k1 256": (conv(), ((16, 56, 56, 64), (1, 1, 64, 256))),
    "conv F 8x224x224x3 k7 64 s2": (conv(2, "same"), ((8, 224, 224, 3), (7, 7, 3, 64))),
    "conv G 32x28x28x32 k5 64 same": (conv(padding="same"), ((32, 28, 28, 32), (5, 5, 32, 64))),
    "conv K 32x32x32x3 k3 32 same": (conv(padding="same"), ((32, 32, 32, 3), (3, 3, 3, 32))),
    "conv W 32x16x16x128 k3 128 same": (conv(padding="same"), ((32, 16, 16, 128), (3, 3, 128, 128))),
    "conv W 32x8x8x256 k3 256 same": (conv(padding="same"), ((32, 8, 8, 256), (3, 3, 256, 256))),
    "conv W 32x4x4x512 k3 512 same": (conv(padding="same"), ((32, 4, 4, 512), (3, 3, 512, 512))),
    "conv1d 32x256x64 k5 128": (conv(rank=1), ((32, 256, 64), (5, 64, 128))),
    "conv3d 4x16x16x16x16 k3 32": (conv(rank=3), ((4, 16, 16, 16, 16), (3, 3, 3, 16, 32))),
    "conv groups 4 32x16x16x64 k3": (conv(padding="same", groups=4), ((32, 16, 16, 64), (3, 3, 16, 64))),
    "depthwise 32x32x32x64 k3": (depthwise(), ((32, 32, 32, 64), (3, 3, 64, 1))),
    "depthwise 32x32x32x64 k3 s2": (depthwise(2), ((32, 32, 32, 64), (3, 3, 64, 1))),
    "depthwise 8x28x28x128 k5": (depthwise(), ((8, 28, 28, 128), (5, 5, 128, 1))),
    "transpose 32x16x16x64 k3 s2": (transpose(), ((32, 16, 16, 64), (3, 3, 64, 64))),
    "transpose 32x16x16x64 k4 s2": (transpose(), ((32, 16, 16, 64), (4, 4, 32, 64))),
    "max 128x26x26x32 2": (pool("max_pool", 2, 2, "valid"), ((128, 26, 26, 32),)),
    "max 16x56x56x64 3 s2 same": (pool("max_pool", 3, 2, "same"), ((16, 56, 56, 64),)),
    "max 16x28x28x64 3 s1 same": (pool("max_pool", 3, 1, "same"), ((16, 28, 28, 64),)),
    "average 128x26x26x32 2": (pool("average_pool", 2, 2, "valid"), ((128, 26, 26, 32),)),
    "average 16x56x56x64 3 s2 same": (pool("average_pool", 3, 2, "same"), ((16, 56, 56, 64),)),
    "average 16x28x28x64 3 s1 same": (pool("average_pool", 3, 1, "same"), ((16, 28, 28, 64),)),
    "lstm 64x64x32 64": (recurrence("lstm", 2), ((64, 64, 32), (32, 256), (64, 256), (256,))),
    "gru 64x64x32 64": (recurrence("gru", 1), ((64, 64, 32), (32, 192), (64, 192), (2, 192))),
    "gru before 64x64x32 64": (
        recurrence("gru", 1, reset_after=False),
        ((64, 64, 32), (32, 192), (64, 192), (192,)),
    ),
    "rnn 64x64x32 64": (recurrence("simple_rnn", 1), ((64, 64, 32), (32, 64), (64, 64), (64,))),
}


def programs(function: Callable[..., Any], inputs: tuple[jax.Array, ...]) -> dict[str, Callable[[], Any]]:
    """What is timed, compiled: forwards and with gradients, at top level and in a loop."""

    def gradients(*values: jax.Array) -> Any:
        # Squares, so that the gradient that arrives is not a constant.
        return jax.grad(lambda values: jnp.sum(function(*values) ** 2))(values)

    def loop(*values: jax.Array) -> Any:
        # The inputs depend on the step before: nothing can leave the loop, and nothing is without use.
        def step(values: Any, _: Any) -> Any:
            return jax.tree.map(lambda v, g: v - 1e-6 * g, values, gradients(*values)), None

        return lax.scan(step, values, length=STEPS)[0]

    compiled = {}
    for name, program in (("forward", function), ("gradient", gradients), ("scan", loop)):
        executable = jax.jit(program).lower(*inputs).compile(compiler_options=lowering.compiler_options())
        compiled[name] = lambda executable=executable: jax.block_until_ready(executable(*inputs))
    return compiled


def measure(forms: dict[str, Callable[[], Any]], rounds: int, budget: float) -> dict[str, float]:
    """Median milliseconds of each, taken in turn: at most `rounds` times, and no longer than `budget` seconds."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    for run in forms.values():
        run()
    end = time.perf_counter() + budget
    for _ in range(rounds):
        for name, run in forms.items():
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
        if time.perf_counter() > end:
            break
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--budget", type=float, default=3.0, help="seconds for each pair of programs")
    parser.add_argument("--json", help="write the results to this file")
    options = parser.parse_args()
    rows = []
    print(f"JAX {jax.__version__} on {jax.devices()[0].device_kind}, options {lowering.compiler_options()}")
    print(f"{'':32}" + "".join(f"{name + ' plain, fast, ratio':>30}" for name in ("forward", "gradient", "scan")))
    for name, (function, shapes) in CASES.items():
        if options.only not in name:
            continue
        rng = np.random.default_rng(0)
        inputs = tuple(jnp.asarray(rng.normal(size=s) * 0.1, jnp.float32) for s in shapes)
        forms = {}
        for mode in ("plain", "auto"):
            with lowering.use(mode):
                forms[mode] = programs(lambda *values, function=function: function(*values), inputs)
        line = f"{name:32}"
        for part in ("forward", "gradient", "scan"):
            milliseconds = measure({mode: forms[mode][part] for mode in forms}, options.rounds, options.budget)
            per = STEPS if part == "scan" else 1
            plain, fast = milliseconds["plain"] / per, milliseconds["auto"] / per
            rows.append({"case": name, "part": part, "plain_ms": plain, "fast_ms": fast})
            line += f"{plain:12.3f}{fast:10.3f}{fast / plain:8.3f}"
        print(line, flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"jax": jax.__version__, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
