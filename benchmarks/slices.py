"""GPT-124M and ResNet-50 on slices of 8 to 512 TPUs: `python -m benchmarks.slices results.jsonl [--only gpt] [--table]`.

Each training step is compiled for each slice by `jk.distribute.plan`, one after another; what is in the file already is
not compiled again, so that the command can be repeated after a timeout. `--optimized` stops before the compiler generates code,
which takes a tenth of the time. `--table` prints the file as docs/scaling.md has it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import jkeras as jk
from benchmarks import optimized
from benchmarks.large import GPTS, RESNETS
from benchmarks.workloads import resnet
from jkeras import layers
from jkeras.console.quantities import amount, count, duration
from jkeras.distribute.planning import chips, planner
from jkeras.distribute.planning.step import step_of

SLICES = {8: "v5e:2x4", 64: "v5e:8x8", 256: "v5e:16x16", 512: "v5p:8x8x8"}
# Rows for each chip, and over how many chips `ModelParallel` splits a weight.
ROWS = {"gpt": 8, "resnet50": 64}
MODEL_AXIS = 4
STRATEGIES = ("DataParallel", "FSDP", "MirroredStrategy", "ModelParallel")
# Megatron's layout of a block's weights, behind the axis of blocks (Shoeybi et al., 2019).
LAYOUTS = {
    "(query|key|value).kernel": (None, None, "model", None),
    "attention_output.kernel": (None, "model", None, None),
    "expand.kernel": (None, None, "model"),
    "contract.kernel": (None, "model", None),
    "tokens/embeddings": ("model", None),
    "logits/kernel": (None, "model"),
}


def gpt() -> Any:
    """124 million weights in blocks that are scanned: one of them is compiled."""
    length, vocabulary, width, heads, blocks = GPTS["gpt_125m"]
    inputs = jk.Input((length, width))
    x = layers.LayerNormalization()(inputs)
    x = layers.MultiHeadAttention(heads, width // heads, name="attention")(x, x, use_causal_mask=True)
    x = middle = layers.Add()([inputs, x])
    x = layers.Dense(4 * width, activation="gelu", name="expand")(layers.LayerNormalization()(x))
    block = jk.Model(inputs, layers.Add()([middle, layers.Dense(width, name="contract")(x)]))
    return jk.Sequential(
        [
            layers.Input((length,), dtype="int32"),
            layers.Embedding(vocabulary, width, name="tokens"),
            layers.Repeat(block, blocks, recompute=True),
            layers.LayerNormalization(),
            layers.Dense(vocabulary, name="logits"),
        ],
        name="GPT-124M",
    )


def model(name: str) -> Any:
    """A compiled model in bfloat16."""
    jk.config.set_dtype_policy("mixed_bfloat16")
    net = gpt() if name == "gpt" else resnet(*RESNETS[name], bottleneck=True, logits=True)(jk)
    return net.compile("adam", jk.losses.SparseCategoricalCrossentropy(from_logits=True))


def strategy(name: str, devices: int) -> jk.distribute.Strategy:
    """A strategy over all chips."""
    if name != "ModelParallel":
        return getattr(jk.distribute, name)()
    mesh = jk.distribute.DeviceMesh((devices // MODEL_AXIS, MODEL_AXIS), ["batch", "model"], devices=devices)
    return jk.distribute.ModelParallel(layout_map=jk.distribute.LayoutMap(mesh, LAYOUTS))


def planned(name: str, kind: str, devices: int, options: argparse.Namespace) -> Any:
    """The plan of a step, or what is known of it before the compiler generates code."""
    net, rows, over = model(name), devices * ROWS[name], strategy(kind, devices)
    if not options.optimized:
        return jk.distribute.plan(net, rows, SLICES[devices], over, timeout=options.timeout)
    where = chips.parse(SLICES[devices], [])
    step = step_of(net, rows, where, over)
    return planner.summed_up(name, where, over, step, optimized.optimize(step, where, options.timeout))


def compile_all(options: argparse.Namespace) -> None:
    """Compiles what the file does not have yet, and adds it."""
    file: Path = options.file
    keys = {(row["model_name"], row["strategy_name"], row["chips"]) for row in read(file)}
    for name in ROWS:
        for devices in SLICES:
            for kind in STRATEGIES:
                key = (name, kind, devices)
                is_selected = options.only in name and devices in options.chips and kind in options.strategies
                if key in keys or not is_selected or (name, kind) == ("resnet50", "ModelParallel"):
                    continue
                start = time.perf_counter()
                row: dict[str, Any] = dict(zip(("model_name", "strategy_name", "chips"), key, strict=True))
                try:
                    plan = planned(*key, options)
                    row |= plan.as_dict() | {
                        "collectives": [[c.kind, c.count, c.nbytes, c.sent] for c in plan.collectives],
                        "without_code": options.optimized,
                    }
                except jk.errors.CompilationError as error:
                    row["error"] = str(error)
                row["wall_seconds"] = time.perf_counter() - start
                with file.open("a") as out:
                    out.write(json.dumps(row) + "\n")
                print(key, row.get("error") or f"{row['bound']}, {row['wall_seconds']:.0f} s", flush=True)


def read(file: Path) -> list[dict[str, Any]]:
    """What was compiled."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    head = "model | chips | strategy | memory of a chip | FLOP | memory traffic | sent | collectives | compute | memory | network"
    lines = [f"| {head} | bound | compiled in | compiler's memory |", "|---" * 14 + "|"]
    for row in rows:
        mark = " ‡" if row.get("without_code") else ""
        first = f"| {row['model_name']} | {row['chips']} | {row['strategy_name']}{mark} | "
        if "error" in row:
            failed = "the compiler failed" in row["error"]
            words = "not compiled: the compiler failed after" if failed else "not compiled within"
            lines.append(first + f"{words} {row['wall_seconds']:.0f} s |" + " |" * 10)
            continue
        fits = amount(row["bytes_per_device"]) + ("" if row["fits"] else ", **does not fit**")
        exchanged = ", ".join(f"{n} {kind}" for kind, n, _, _ in row["collectives"])
        cost = [f"{row['compile_seconds']:.0f} s", amount(row["compile_memory"]) if row["compile_memory"] else "-"]
        times = [duration(row[f"{name}_seconds"]) for name in ("compute", "memory", "network")]
        work = [count(row["flops"], "FLOP"), amount(row["bytes_accessed"]), amount(row["bytes_sent"]), exchanged]
        lines.append(first + " | ".join([fits, *work, *times, row["bound"], *cost]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Compiles, or prints the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.slices", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--chips", nargs="*", type=int, choices=SLICES, default=list(SLICES))
    parser.add_argument("--strategies", nargs="*", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--timeout", type=int, help="seconds for each program")
    parser.add_argument("--optimized", action="store_true", help="stop before the compiler generates code")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        compile_all(options)
    print(table(read(options.file)))


if __name__ == "__main__":
    main()
