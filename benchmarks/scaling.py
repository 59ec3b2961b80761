"""How training scales over devices: `python -m benchmarks.scaling`.

Prints a table of CPU devices (1, 2, 4: threads of this machine, so what it shows is the overhead of a strategy, not a
gain), with the bytes that each device sends per step, counted in the compiled program and by formula; and what the formula
of docs/scaling.md gives for 8, 64 and 512 accelerators.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from typing import Any, NamedTuple

BATCH = 256
STRATEGIES = ("MirroredStrategy", "DataParallel", "FSDP")
SIZES = {"f32": 4, "s32": 4, "u32": 4, "bf16": 2, "f16": 2, "pred": 1, "s8": 1, "u8": 1, "f64": 8, "s64": 8, "u64": 8}
COLLECTIVES = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")


# -- measured ----------------------------------------------------------------------------------------------------------


def model() -> Any:
    """A network with 2.6 million weights."""
    import jkeras as jk
    from jkeras import layers

    hidden = [layers.Dense(1024, activation="relu") for _ in range(3)]
    return jk.Sequential([layers.Input((512,)), *hidden, layers.Dense(10, activation="softmax")])


def sent_bytes(text: str, devices: int) -> dict[str, float]:
    """The bytes that each device sends in one run of a compiled program's loop body, by kind of collective.

    A ring is assumed: an all-reduce of B bytes sends 2 (n - 1) / n B, an all-gather that makes B bytes (n - 1) / n B.
    """
    bytes_by_kind: dict[str, float] = {}
    share = (devices - 1) / devices
    for line in text.splitlines():
        match = re.search(r"= (.*?) (" + "|".join(COLLECTIVES) + r")(-start)?\(", line)
        if match is None:
            continue
        nbytes = 0
        for kind, shape in re.findall(r"(\w+)\[([\d,]*)\]", match[1]):
            count = 1
            for size in filter(None, shape.split(",")):
                count *= int(size)
            nbytes += count * SIZES.get(kind, 4)
        factor = {"all-reduce": 2 * share, "reduce-scatter": devices - 1, "collective-permute": 1.0}.get(
            match[2], share
        )
        bytes_by_kind[match[2]] = bytes_by_kind.get(match[2], 0.0) + factor * nbytes
    return bytes_by_kind


def measure(name: str, devices: int) -> dict[str, Any]:
    """Rows per second and bytes sent per step of a strategy over so many devices of this process."""
    import jax
    import numpy as np

    import jkeras as jk
    from jkeras.training import steps
    from jkeras.training.compiled_loops import TRAIN_STEPS, loops_of
    from jkeras.training.layout import Span
    from jkeras.training.program import build_program
    from jkeras.training.sources import as_source
    from jkeras.training.step import Step

    rng = np.random.default_rng(0)
    x = rng.normal(size=(20 * BATCH, 512)).astype("float32")
    y = rng.integers(0, 10, size=len(x))
    strategy = None if name == "one device" else getattr(jk.distribute, name)(devices=devices)
    compiled = model().compile("sgd", "sparse_categorical_crossentropy", distribute=strategy)
    trained = compiled.fit(x, y, batch_size=BATCH, verbose=0)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        trained = trained.fit(x, y, batch_size=BATCH, verbose=0)
        seconds.append(time.perf_counter() - start)
    result: dict[str, Any] = {"strategy": name, "devices": devices, "rows/s": len(x) / min(seconds)}
    if strategy is not None:
        source = as_source(x, y, None, BATCH)
        program = build_program(trained.definition, trained.recipe, source.example())
        loops = loops_of(strategy)
        layout, step = loops.layout, Step(steps.train, program)
        state = steps.ready(program, trained.recipe.optimizer, trained.state, source.example())
        order = layout.place_order(np.arange(len(x), dtype=np.int32))
        arguments = (layout.place(state), layout.place_data(source.data), order, Span(0, 1, len(x), BATCH))
        lowered = loops.program(TRAIN_STEPS).lower(step, *arguments)
        result["sent"] = sent_bytes(lowered.compile().as_text(), devices)
        weights = sum(leaf.nbytes for leaf in jax.tree.leaves(trained.params))
        result["formula"] = 2 * (devices - 1) / devices * weights
    return result


def measured(counts: list[int]) -> list[dict[str, Any]]:
    """All strategies at all numbers of devices, each number in a process of its own."""
    rows = []
    for count in counts:
        flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={count}"
        environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
        for name in ("one device", *STRATEGIES) if count == 1 else STRATEGIES:
            command = [sys.executable, "-m", "benchmarks.scaling", "--measure", name, str(count)]
            process = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            rows.append(json.loads(process.stdout.splitlines()[-1]))
    return rows


# -- expected ----------------------------------------------------------------------------------------------------------


class Machine(NamedTuple):
    """Accelerators in nodes. Numbers of NVIDIA's DGX H100; docs/scaling.md says where they come from."""

    flops: float = 989e12  # peak, bfloat16, dense
    used: float = 0.4  # the share of the peak that training reaches
    per_node: int = 8
    inside: float = 450e9  # bytes per second that an accelerator sends to others of its node
    between: float = 400e9  # bytes per second that a node sends to another: 8 links of 50 GB/s
    latency: float = 5e-6  # seconds per hop


class Model(NamedTuple):
    """A model and how much of it one accelerator trains on per step."""

    name: str
    weights: float
    tokens: float  # per accelerator and step
    gradient_bytes: float = 4.0  # per weight


DGX_H100 = Machine()
GPT2_XL = Model("GPT-2 XL", 1.558e9, 16 * 1024)


def expected(n: int, model: Model = GPT2_XL, machine: Machine = DGX_H100) -> dict[str, float]:
    """Bytes sent, seconds and efficiency of one step on `n` accelerators, by the formula of docs/scaling.md.

    Returns:
        `bytes` per accelerator; `compute` and `communicate` in seconds; `efficiency` if nothing overlaps, and `overlapped`
        if communication runs beside the backward pass, which is two thirds of the computation.
    """
    compute = 6 * model.weights * model.tokens / (machine.used * machine.flops)
    moved = 2 * (n - 1) / n * model.gradient_bytes * model.weights
    bandwidth = machine.inside if n <= machine.per_node else min(machine.inside, machine.between)
    communicate = moved / bandwidth + 2 * (n - 1) * machine.latency
    hidden = min(communicate, compute * 2 / 3)
    return {
        "bytes": moved,
        "compute": compute,
        "communicate": communicate,
        "efficiency": compute / (compute + communicate),
        "overlapped": compute / (compute + communicate - hidden),
    }


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser("python -m benchmarks.scaling")
    parser.add_argument("--devices", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--measure", nargs=2, metavar=("STRATEGY", "DEVICES"))
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure[0], int(options.measure[1]))))
        return
    print(f"| strategy | CPU devices | rows/s (batch {BATCH}) | MB sent per device and step: program | formula |")
    print("|---|---|---|---|---|")
    for row in measured(options.devices):
        traffic = ", ".join(f"{kind} {nbytes / 1e6:.2f}" for kind, nbytes in row.get("sent", {}).items()) or "-"
        formula = f"{row['formula'] / 1e6:.2f}" if "formula" in row else "-"
        print(f"| {row['strategy']} | {row['devices']} | {row['rows/s']:,.0f} | {traffic} | {formula} |", flush=True)
    heads = (
        "tokens per accelerator | accelerators | GB sent each | compute, ms | communicate, ms | efficiency | overlapped"
    )
    print(f"\n{GPT2_XL.name}:\n\n| {heads} |\n|{'---|' * 7}")
    for tokens in (16 * 1024, 2 * 1024):
        for n in (8, 64, 512):
            e = expected(n, GPT2_XL._replace(tokens=tokens))
            print(
                f"| {tokens} | {n} | {e['bytes'] / 1e9:.1f} | {1e3 * e['compute']:.0f}"
                f" | {1e3 * e['communicate']:.0f} | {e['efficiency']:.0%} | {e['overlapped']:.0%} |"
            )


if __name__ == "__main__":
    main()
